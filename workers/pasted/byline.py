"""Finds the by-line in the lines just before the first prose."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from workers.metadata.byline_words import (
    BEFORE_BY,
    BY_LABELS,
    BY_WORDS,
    NEVER,
    ORGANISATION,
    PARTICLES,
    ROLES,
    TRADES,
    any_of,
)
from workers.page.words import ENGLISH_DATE_WORDS
from workers.pasted.author_lines import LABEL_ALONE, LABELLED, desk_report_in, reporters_in
from workers.pasted.lines import Line, line_of
from workers.pasted.noise_rules import Rule, find_date, noise_rule
from workers.pasted.phrases import DATE, TIME
from workers.pasted.region import is_prose
from workers.pasted.word_lists import TIMESTAMP

_NOUNS = r"""
    correspondent|reporter|editor|writer|columnist|journalist|critic
    korrespondent(?:in)?|redakteur(?:in)?|reporterin|journalistin|kolumnist(?:in)?
    correspondante?|journaliste|rédact(?:eur|rice)|chroniqueu(?:r|se)
    corresponsal|redactora?|periodista|columnista|reportera?
    corrispondente|giornalista|inviat[oa]|redattore|redattrice|correspondente|jornalista|repórter|colunista
    verslaggever|verslaggeefster|redacteur|columniste|корреспондент(?:ка)?|обозреватель|журналист(?:ка)?
"""
_DESKS = r"""
    staff|senior|chief|deputy|assistant|associate|contributing|special|managing|foreign|national|international|local|world
    political|politics|transport|health|science|technology|tech|business|economics|economy|financial|finance|education
    environment|climate|energy|sports?|football|arts|culture|media|music|film|fashion|food|travel|religion|legal|crime
    security|defence|defense|diplomatic|home affairs|social affairs|consumer|industry|property|data|investigations?|news
    features?|lifestyle|content|affiliate|junior|biotech|real estate|audience|digital|online
    opinion|europe|asia|africa|us|uk|white house|city|and|&
"""
# Chosen by hand. Fewer lines around the prose lose authors; more lines find some, and more lines that only look like a
# by-line.
_MAX_ROLE_CHARS = 90  # characters of a role after a name
_BEFORE = 14  # lines before the first prose that are searched
_AFTER = 2  # lines from the first prose on that are searched
_MAX_CHARS = 160  # characters of a by-line
_MAX_BARE_CHARS = 120  # characters of a line of nothing but names
_ABOVE = 3  # lines above a title in which a by-line is looked for
_OPENING_LINES, _LAST_LINES = 2, 3  # of an article, and after it, in which reporters are named
_MAX_NAMES = 8  # names in a by-line
_LINES_OF_A_PAGE = 1024  # entries of the cache: each line is read several times. Chosen by hand.
_LOWER_WORD = re.compile(r"(?<![\w@./-])[^\W\d_A-Z]{3,}(?![\w@./-])")
_MOMENTS = frozenset({Rule.TIMESTAMP, Rule.COUNTER})
_AGO = re.compile(r"\b\d{1,2}\s?(?:(?:min|minutes?|hours?|days?|months?)\b|:\d\d|\.\d\d\b)", re.IGNORECASE)
_BY = re.compile(
    rf"(?:(?:{any_of(BEFORE_BY)}|ein beitrag|texte|texto|testo|tekst)\s+)?"
    rf"(?:{any_of(BY_WORDS | BY_LABELS)}|redactora?)\s*(?:[:：]\s*|\s)(?=\S)",
    re.IGNORECASE,
)
_FOR_TEXT = re.compile(
    r"(?:(?:text|texte|texto|testo|tekst|words|interview|entretien|entrevista|intervista|текст|интервью)\s*[:：]"
    r"|авторы?\s*[:：]?|(?:беседовала?|подготовила?|записала?)\s*:?"
    r"|(?:pubblicato|scritto|inserito|postato|publicado|escrito) da\s)\s*(?=\S)",
    re.IGNORECASE,
)
_DATED = re.compile(
    rf"(?:[^\W\d_]+[:.]?\s+){{0,3}}{DATE}(?:[\s,|–-]|\b(?:at|alle|um|à)\b|{TIME}){{0,8}}"
    r"\b(?:by|von|par|por|da|di|door|av|af)\s+(?=\S)",
    re.IGNORECASE,
)
_LABEL = re.compile(
    rf"(?:(?:{any_of(BEFORE_BY)}) )?(?:{any_of(BY_WORDS)})\s*:?\Z",
    re.IGNORECASE,
)
_AND = re.compile(
    r"\s*(?:,|;|&|\band\b|\bund\b|\bet\b|\by\b|\be\b|\ben\b|\bog\b|\boch\b|、)\s*(?:by\s+|von\s+)?", re.IGNORECASE
)
_ROLES = (
    "published|updated|posted|on|in|for|last|about|is|staff|special|photos?|senior|associate|contributing|editor|reporter|"
    "correspondent|follow|email|(?:[\\w-]+ )?writer|veröffentlicht|aktualisiert|publié|publicado"
)
_CUT = re.compile(rf"\s*(?:{DATE}|[|•·/(\[–—@]|\s-\s|(?:\b(?:le|el|il|op|am)\s+)?\d|\b(?:{_ROLES})\b).*", re.IGNORECASE)
_GLUED = re.compile(
    r"(?<=[^\W\d_])(?:Published|Updated|Posted|Follow|Twitter|News|Photo|Staff|Senior).*"
)  # labels that follow a name without a space
_NO_NAMES = """
    the a an our your news staff editor editors newsletter category industry role size home about contact read more
    share team website admin clicking using signing this that
    content affiliate lifestyle national junior senior associate biotech
"""
_NOT_NAME = ENGLISH_DATE_WORDS | frozenset(_NO_NAMES.split())
_UNSPACED_NAME = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]{2,8}\\Z")
_ELIDED = re.compile("[dl]['’]")  # d’Arc
_NAME_WORDS = (2, 5)  # words of a name, at least and at most


def _either(rows: str) -> str:
    return "|".join(row.strip() for row in rows.strip().splitlines())


_ROLE = re.compile(
    rf"\s*(?:,|\||–|—|\s-)\s*[^,|]{{0,40}}?\b(?:{_either(_NOUNS)})\Z|\s(?:(?:{_either(_DESKS)})\s)*(?:{_either(_NOUNS)})\Z",
    re.IGNORECASE,
)


def before_role(text: str) -> str | None:
    """Returns the text before a role at the end of the line, or None if there is no role."""
    if len(text) > _MAX_ROLE_CHARS:
        return None
    match = _ROLE.search(text)
    return text[: match.start()] if match else None


@dataclass(frozen=True, slots=True)
class Byline:
    """Names in order, and the lines `start` up to `stop` that hold them: two if the first says only `by`."""

    names: tuple[str, ...]
    start: int
    stop: int


def find_byline(lines: Sequence[Line], first_prose: int) -> Byline | None:
    """Returns the by-line nearest before (or just after) the line `first_prose`, or None."""
    before = range(first_prose - 1, max(-1, first_prose - 1 - _BEFORE), -1)
    after = range(first_prose, min(len(lines), first_prose + _AFTER))
    near = (*before, *after)
    for look in (_byline_at, _role_at, _bare_at):
        if byline := next((found for index in near if (found := look(lines, index))), None):
            return byline
    return None


def find_byline_below(lines: Sequence[Line], title: int, first: int) -> Byline | None:
    """Returns the by-line between the title and `first`, the first line of the article, or just above the title."""
    below = range(title + 1, min(first + _AFTER, title + 1 + _BEFORE, len(lines)))
    above = range(title - 1, max(-1, title - 1 - _ABOVE), -1)
    for look in (_byline_at, _role_at, _standalone_names_at):
        if byline := next((found for index in (*below, *above) if (found := look(lines, index))), None):
            return byline
    return None


def find_credits(lines: Sequence[Line], start: int, stop: int) -> tuple[str, ...]:
    """Returns the authors that the article (lines `start` up to `stop`) names at its start or end, or none.

    The lines stay: they are sentences of the article, or too close to them to tell.
    """
    opens = range(start, min(stop, start + _OPENING_LINES))
    ends = range(max(start, stop - _LAST_LINES), min(len(lines), stop + _LAST_LINES))
    for index in (*opens, *reversed(ends)):
        if names := credited_in(lines[index].text):
            return names
    return ()


def credited_in(text: str) -> tuple[str, ...]:
    """Returns the authors that a line at an end of the article names, or none."""
    ends = (text,) if len(text) <= _MAX_CHARS else (text[:_MAX_CHARS], text[-_MAX_CHARS:])
    for end in ends:
        if names := reporters_in(end):
            return names
    report = desk_report_in(text)
    labelled = LABELLED.match(text) if len(text) <= _MAX_CHARS and ":" in text else None
    said = report or (text[labelled.end() :] if labelled else "")
    return split_names(said) if said else ()


def _byline_at(lines: Sequence[Line], index: int) -> Byline | None:
    if is_prose(lines[index]):
        return None
    if named := names_in(lines[index].text):
        return Byline(named, index, index + 1)
    if not (_LABEL.match(lines[index].text) or LABEL_ALONE.match(lines[index].text)):
        return None
    names: tuple[str, ...] = ()
    stop = index + 1
    while stop < min(len(lines), index + 1 + _MAX_NAMES) and (
        more := names_in(lines[stop].text) or split_names(lines[stop].text)
    ):
        names += more
        stop += 1
    return Byline(tuple(dict.fromkeys(names)), index, stop) if names else None


def _role_at(lines: Sequence[Line], index: int) -> Byline | None:
    names = () if is_prose(lines[index]) else names_before_role(lines[index].text)
    return Byline(names, index, index + 1) if names else None


def _standalone_names_at(lines: Sequence[Line], index: int) -> Byline | None:
    """Returns names that stand alone on a line, near a date or the time of reading, twice, or above a role."""
    byline = _bare_at(lines, index, beside=2)
    if byline:
        return byline
    following = lines[index + 1].text if index + 1 < len(lines) else ""
    named = following == lines[index].text or not ROLES.isdisjoint(following[:_MAX_ROLE_CHARS].casefold().split())
    return _names_at(lines, index) if named else None


def _bare_at(lines: Sequence[Line], index: int, beside: int = 1) -> Byline | None:
    """Returns names that stand alone on a line beside a date: what else pages put there is no name."""
    byline = _names_at(lines, index)
    near = lines[max(0, index - beside) : index + 1 + beside]
    return byline if byline and any(_is_dated(line.text) for line in near) else None


def _names_at(lines: Sequence[Line], index: int) -> Byline | None:
    """Returns names that stand alone on a line, if they are persons that the text does not speak of."""
    text = lines[index].text
    if is_prose(lines[index]) or len(text) > _MAX_BARE_CHARS:
        return None
    names = split_names(_once(text))
    if not names or ORGANISATION.search(text) or any(not _is_person(name) for name in names):
        return None
    if sum(names[0] in line.text for line in lines[index + 1 :] if is_prose(line)) > 1:
        return None  # somebody whom the article is about
    if _are_words(names, lines):
        return None
    return Byline(names, index, index + 1)


def _are_words(names: Sequence[str], lines: Sequence[Line]) -> bool:
    """True if a word of the names stands in lower case elsewhere: those of a label do, those of a person do not."""
    words = {word.casefold() for name in names for word in name.split() if word not in PARTICLES}
    return any(word in words for line in lines for word in _LOWER_WORD.findall(line.text))


def _once(text: str) -> str:
    """Returns a name that stands twice, as picture and link do, once."""
    words = text.split()
    half = len(words) // 2
    return " ".join(words[:half]) if half and words[:half] == words[half:] else text


def _is_person(name: str) -> bool:
    words = name.casefold().split()
    return NEVER.isdisjoint(words) and TIMESTAMP.isdisjoint(words) and not name.isupper()


def _is_dated(text: str) -> bool:
    short = len(text) <= _MAX_BARE_CHARS + _MAX_ROLE_CHARS
    return short and (bool(find_date(text) or _AGO.search(text)) or noise_rule(line_of(text)) in _MOMENTS)


def names_before_role(text: str) -> tuple[str, ...]:
    """Returns the names of a line like `A B, transport correspondent`, or none."""
    named = before_role(text)
    return split_names(named) if named else ()


def names_in(text: str) -> tuple[str, ...]:
    """Returns the names of a line like `by A B and C D` or `Posted on 4 May 2025 by A B`, or none."""
    return () if len(text) > _MAX_CHARS else _find_names(text)


@lru_cache(_LINES_OF_A_PAGE)
def _find_names(text: str) -> tuple[str, ...]:
    for form in (_BY, _FOR_TEXT, LABELLED, _DATED):
        if (match := form.match(text)) and (names := split_names(text[match.end() :])):
            return names
    return reporters_in(text)


def split_names(text: str) -> tuple[str, ...]:
    """Returns the names in `A B, C D and E F | rest`: those up to the first part that is not a name."""
    if len(text) > _MAX_CHARS:
        return ()
    names: list[str] = []
    for part in _AND.split(_CUT.sub("", _GLUED.sub("", text)))[:_MAX_NAMES]:
        if not is_name(part) or (names and not TRADES.isdisjoint(part.casefold().split())):
            break
        names.append(part.strip(" .,:"))
    return tuple(dict.fromkeys(names))


def is_name(text: str) -> bool:
    """True if `text` has the shape of a person's name: two to five words, capitalised or particles."""
    words = text.strip(" .,:").split()
    if len(words) == 1 and _UNSPACED_NAME.match(words[0]):
        return True
    if not _NAME_WORDS[0] <= len(words) <= _NAME_WORDS[1] or not _is_name_word(words[-1]):
        return False
    if any(word.casefold().strip(".") in _NOT_NAME for word in words):
        return False
    return all(_is_name_word(word) or word in PARTICLES for word in words)


def _is_name_word(word: str) -> bool:
    bare = _ELIDED.sub("", word)
    letters = all(char.isalpha() or char in ".'’-" or unicodedata.category(char)[0] == "M" for char in bare)
    return bare[:1].isalpha() and not bare[0].islower() and letters
