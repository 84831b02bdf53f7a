"""Collects the names that may be the authors' from the lines of a pasted text, each with the form of its mention."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from workers.metadata import person_names
from workers.metadata.byline_words import BEFORE_BY, BY_LABELS, BY_WORDS, ORGANISATION, ROLES, any_of
from workers.page.words import word_set
from workers.pasted.author_lines import LABEL_ALONE, LABELLED
from workers.pasted.byline import credited_in, is_name, names_before_role, names_in, split_names
from workers.pasted.lines import Line
from workers.pasted.noise_rules import find_date
from workers.pasted.region import is_prose

# Chosen by hand.
_MAX_CHARS = 160  # characters of a line that may be a by-line
_MAX_BARE_CHARS = 90  # characters of a line of names, roles and dates
_MAX_TEAM_WORDS = 5  # words of the name of a desk or an agency
_BOX_LINES = 12  # lines after the article in which a sentence may introduce the author
_OPENING, _CLOSING = 2, 3  # lines of the article at its ends in which reporters are named
_MAX_NAMES = 8  # names below a label
_MAX_MENTIONS = 300  # of a text; a text of a thousand names has no by-line that could be told

_BY = rf"(?:{any_of(BY_WORDS | BY_LABELS)})"
_LABEL = re.compile(rf"(?:(?:{any_of(BEFORE_BY)}|article written|words) )?{_BY}\s*[:：]?\Z", re.IGNORECASE)
_BY_START = re.compile(rf"\W*(?:(?:{any_of(BEFORE_BY)}) )?{_BY}\b\s*[:：]?\s*(?=\S)", re.IGNORECASE)
_BY_WITHIN = re.compile(rf"(?:\s|(?<=\d)|[·•|–—-])(?:(?:{any_of(BEFORE_BY)}) )?{_BY}\s*[:：]?\s+(?=\S)", re.IGNORECASE)
_INTRODUCED = re.compile(
    r"(?:(?:hi|hello|about|by|meet|about the author|ich bin|i am|i’m|i'm)[,:!]?\s+)?"
    r"(.{4,60}?)(?:,| \()?\s+(?:is|was|has|covers|writes|works|ist|schreibt|est|es|è|é|jest|является|είναι)\s",
    re.IGNORECASE,
)
_BRACKET_AT_END = re.compile(r"[(（]([^()（）]{4,120})[)）]\W*\Z")
_DATE_START = re.compile(r"\A[\W\d]*(?:(?:[^\W\d_]{3,12}\.?,?\s)?\d[\d\s.,:/–-]*(?:[ap]m\s)?)+", re.IGNORECASE)
_PLACE = re.compile(r"\A([^,\d]+),\s")
_SLASH = re.compile(r"\s?/\s?")
_TEAM = re.compile(r"(?:\w[\w’'&.-]*\s){1,4}(?:Staff|Team|Desk|Editors?|Newsroom|Redaktion|Contributors?|Bureau)\Z")
_FROM = re.compile(r"\s(?:aus|in|from|à|en|da)\s[^,;)]+")  # the place of a correspondent
# Words before the noun of a role, after a name: Mara Quill Deputy Content Director.
_BEFORE_ROLE = word_set(
    """assistant associate chief commercial community contributing creative deputy digital executive features foreign
    global guest head lead leading local managing national political principal regional senior special staff"""
)
_ROLE_AFTER_DASH = re.compile(r"\s[–—-]\s.*")


class Form(StrEnum):
    """How a line names somebody."""

    BY = "by"  # with a word before the name: by, von, Автор:
    LABEL = "label"  # below such a word that stands alone
    WITHIN = "within"  # with such a word, after other words: 3 May · by …
    ROLE = "role"  # before a role
    BARE = "bare"  # alone, or beside a date
    TEAM = "team"  # a desk or an agency alone
    CREDIT = "credit"  # at an end of the article: Reporting by …
    BRACKET = "bracket"  # in brackets at its end
    BOX = "box"  # the subject of a sentence below the article


@dataclass(frozen=True, slots=True)
class Mention:
    """Line `line` holds `names` in this form."""

    line: int
    form: Form
    names: tuple[str, ...]


def find_mentions(lines: Sequence[Line], kept: Sequence[int]) -> list[Mention]:
    """Returns the mentions in the order of lines; `kept` are the lines of the article."""
    found: list[Mention] = []
    ends = frozenset((*kept[:_OPENING], *kept[-_CLOSING:]))
    after = range(kept[-1] + 1, kept[-1] + 1 + _BOX_LINES) if kept else range(0)
    for index, line in enumerate(lines):
        if len(line.text) <= _MAX_CHARS:
            found += _of_short(lines, index)
        if index in ends or index in after:
            found += _of_article(index, line.text)
        if (index in after or index in ends) and (box := _introduced(line.text)):
            found.append(Mention(index, Form.BOX, box))
    return found[:_MAX_MENTIONS]


def _of_short(lines: Sequence[Line], index: int) -> Iterator[Mention]:
    line = lines[index]
    if not is_prose(line):
        if _LABEL.match(line.text) or LABEL_ALONE.match(line.text):
            yield from _below(lines, index)
            return
        if names := clean(names_in(line.text)) or _stated(_after_by(line.text)):
            yield Mention(index, Form.BY, names)
            return
        if names := clean(names_before_role(line.text)):
            yield Mention(index, Form.ROLE, names)
    if (match := _BY_WITHIN.search(line.text)) and (names := clean(split_names(line.text[match.end() :]))):
        yield Mention(index, Form.WITHIN, names)
    elif len(line.text) <= _MAX_BARE_CHARS and not is_prose(line):
        yield from _alone(index, line.text)


def _after_by(text: str) -> str:
    match = _BY_START.match(text) or LABELLED.match(text)
    return text[match.end() :] if match else ""


def _below(lines: Sequence[Line], index: int) -> Iterator[Mention]:
    for at in range(index + 1, min(len(lines), index + 1 + _MAX_NAMES)):
        text = lines[at].text
        names = clean(names_in(text)) or names_of(text) or (_stated(text) if at == index + 1 else ())
        if not names:
            return
        yield Mention(at, Form.LABEL, names)


def _alone(index: int, text: str) -> Iterator[Mention]:
    place = _PLACE.match(text)
    if place and place[1].isupper() and find_date(text):
        return  # the place and the date of an announcement
    if names := names_of(text):
        yield Mention(index, Form.BARE, names)
    elif team := _of_team(text):
        yield Mention(index, Form.TEAM, team)


def names_of(text: str) -> tuple[str, ...]:
    """Returns the names that a short line consists of, beside dates and roles, or none."""
    said = _DATE_START.sub("", text)
    said = _ROLE_AFTER_DASH.sub("", said)
    parts = _SLASH.split(said) if find_date(said) is None else [said]
    names = clean([name for part in parts for name in split_names(_once(part))])
    return names if all(map(is_name, names)) else ()


def clean(names: Iterable[str]) -> tuple[str, ...]:
    """Returns names without the roles behind them, and no roles."""
    found = (_without_role(_once(name)) for name in names)
    return tuple(dict.fromkeys(name for name in found if name))


def _without_role(name: str) -> str:
    words = name.split()
    roles = (at for at, word in enumerate(words) if word.casefold().strip(".,") in _BEFORE_ROLE | ROLES)
    first = next(roles, len(words))
    return " ".join(words[:first]) if first > 1 or len(words) == 1 else ""


def _stated(text: str) -> tuple[str, ...]:
    """Returns what stands after a word for authors: persons, or the desk or the agency that stands there alone."""
    words = text.split()
    if not 0 < len(words) <= _MAX_TEAM_WORDS or len(text) > _MAX_BARE_CHARS or not words[-1][0].isupper():
        return ()
    return tuple(person_names.split_names(text)) or ((text.strip(),) if _TEAM.match(text) else ())


def _of_team(text: str) -> tuple[str, ...]:
    """Returns the desks and agencies that a line names, perhaps beside persons, or none."""
    if not 0 < len(text) <= _MAX_BARE_CHARS:
        return ()
    if _TEAM.match(text):
        return () if text.split(maxsplit=1)[0].casefold() in _BEFORE_ROLE else (text,)
    names = tuple(person_names.split_names(text, trusted=False))
    known = any(ORGANISATION.search(name) or not ROLES.isdisjoint(name.casefold().split()) for name in names)
    return names if known and all(len(name.split()) <= _MAX_TEAM_WORDS for name in names) else ()


def _of_article(index: int, text: str) -> Iterator[Mention]:
    if names := clean(credited_in(text)):
        yield Mention(index, Form.CREDIT, names)
    if (match := _BRACKET_AT_END.search(text)) and (names := clean(split_names(_FROM.sub("", match[1])))):
        yield Mention(index, Form.BRACKET, names)


def _introduced(text: str) -> tuple[str, ...]:
    match = _INTRODUCED.match(text)
    names = clean(split_names(_once(match[1]))) if match else ()
    return names if len(names) == 1 else ()


def _once(text: str) -> str:
    """Returns a name that stands twice, as picture and link do, once."""
    words = text.split()
    half = len(words) // 2
    return " ".join(words[:half]) if half and words[:half] == words[half:] else text
