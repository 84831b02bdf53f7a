"""Decides by rules, line by line, which lines are the article, and which rule removes each of the others."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import zip_longest

from workers.pasted.byline import find_byline, find_credits, names_before_role, names_in
from workers.pasted.lines import Line
from workers.pasted.mail_header import MailHeader, find_mail_header
from workers.pasted.noise_rules import MAX_NOISE_WORDS, Rule, find_date, is_sentence, noise_rule
from workers.pasted.region import Region, find_region, is_boilerplate, is_clean, is_prose
from workers.pasted.stated_dates import StatedDates, find_stated_dates
from workers.pasted.title_rules import find_title

# Chosen by hand on pasted pages.
_FEW_LINES = 4  # lines of a note, at most; its whole sentences are always kept
_DATE_LINES = 12  # lines before the first prose in which dates are looked for
_STANDFIRST_LINES = 3  # below the title
_MIN_STANDFIRST_WORDS, _MAX_STANDFIRST_WORDS = 12.0, 60.0  # words of a standfirst
_MIN_REPEATED_WORDS = 9.0  # words; a shorter line may well stand twice in an article
_MIN_VERSE_WORDS = 3.0  # average words of a line, from which a text without prose is kept
_HEADING_WORDS = 4.0  # words of a line that may head a box, at most
_MAX_TEASERS = 8  # lines of a box below its heading
_MIN_GROUP = 2  # teasers below a heading and a blank line, at least: a single line may be the next sub-heading
# "LIMA, May 3, 2024 (Wire) — ": place and date before the first sentence
_DATELINE = re.compile(r"[^\W\d_][^.!?:]{2,60}?\d{4}[^.!?:]{0,25}?\s[—–-]{1,2}\s")
_PROMPTS = frozenset({Rule.PROMPT, Rule.COOKIES})


@dataclass(frozen=True, slots=True)
class RuledLines:
    """The rule that removes each line, None for kept lines, and the metadata found with them.

    `noise` has the rules that remove a line regardless of its place. `region` is where the article is, empty if there
    is no prose. `subject` is the subject of a mail, which is its title. The title of other texts has `Rule.TITLE`.
    """

    rules: list[Rule | None]
    noise: Sequence[Rule | None]
    region: Region
    subject: str | None = None
    authors: tuple[str, ...] = ()
    dates: StatedDates = field(default_factory=StatedDates)

    @property
    def title(self) -> int | None:
        """The index of the title."""
        return self.rules.index(Rule.TITLE) if Rule.TITLE in self.rules else None


def apply_rules(lines: Sequence[Line], noise: Sequence[Rule | None]) -> RuledLines:
    """Returns the decision on each line. `noise` has the rules that remove lines wherever they are (`find_noise`)."""
    mail = find_mail_header(lines)
    return _apply_to_mail(lines, noise, mail) if mail else _apply_to_page(lines, noise)


def _apply_to_page(lines: Sequence[Line], noise: Sequence[Rule | None]) -> RuledLines:
    region, found = find_region(lines, noise), noise
    noise = mark_boxes(lines, noise)  # after `find_region`: so many lines of noise in a row would cut an article in two
    first = next((i for i in range(region.start, region.stop) if not noise[i] and is_prose(lines[i])), None)
    if first is None:  # list items that begin with a small letter can make a region, too
        return RuledLines(_apply_without_prose(lines, noise), found, Region(0, 0))
    clean = is_clean(lines, noise, region)
    byline = find_byline(lines, first)
    title = find_title(lines, noise, first)
    rules = list(noise) if clean else _outside(noise, region)
    if title is not None:
        rules = _trim_head(lines, rules, title, first)
    if byline:
        rules[byline.start : byline.stop] = [Rule.BYLINE] * (byline.stop - byline.start)
    _mark_repeated(lines, rules)
    return RuledLines(
        rules,
        found,
        region,
        authors=byline.names if byline else find_credits(lines, region.start, region.stop),
        dates=_dates_of_head(lines, rules, first),
    )


def _apply_to_mail(lines: Sequence[Line], noise: Sequence[Rule | None], mail: MailHeader) -> RuledLines:
    """Applies the rules below the header of an e-mail. Its subject is the title; its date takes precedence."""
    below = _apply_to_page(lines[mail.stop :], noise[mail.stop :])
    above = [rule or Rule.BEFORE_TEXT for rule in noise[: mail.start]]
    header = [Rule.MAIL_HEADER] * (mail.stop - mail.start)
    sent = find_stated_dates(line.text for line in lines[mail.start : mail.stop]).published
    dates = replace(below.dates, published=sent) if sent else below.dates
    region = (
        Region(below.region.start + mail.stop, below.region.stop + mail.stop) if below.region.stop else below.region
    )
    rules = [*above, *header, *below.rules]
    return replace(below, rules=rules, noise=noise, region=region, subject=mail.subject, dates=dates)


def find_noise(lines: Sequence[Line], quoted: Sequence[bool] = ()) -> list[Rule | None]:
    """Returns the rule for each line that is noise regardless of its place; `quoted` lines are of an earlier mail."""
    noise = _find_worded(lines)
    return [Rule.QUOTED_REPLY if old else rule for rule, old in zip_longest(noise, quoted, fillvalue=None)]


def _find_worded(lines: Sequence[Line]) -> list[Rule | None]:
    noise = [noise_rule(line) for line in lines]
    if len(lines) > _FEW_LINES:
        return noise
    return [None if is_sentence(line, rule) else rule for line, rule in zip(lines, noise, strict=True)]


def _apply_without_prose(lines: Sequence[Line], noise: Sequence[Rule | None]) -> list[Rule | None]:
    """Applies the rules to text without prose: a note, a poem and a recipe stay, a menu goes."""
    kept = [line for line, rule in zip(lines, noise, strict=True) if not rule]
    if len(lines) < _FEW_LINES or sum(line.words for line in kept) >= _MIN_VERSE_WORDS * len(kept):
        return list(noise)
    return [rule or Rule.MENU for rule in noise]


def _outside(noise: Sequence[Rule | None], region: Region) -> list[Rule | None]:
    before = [rule or Rule.BEFORE_TEXT for rule in noise[: region.start]]
    after = [rule or Rule.AFTER_TEXT for rule in noise[region.stop :]]
    return [*before, *noise[region.start : region.stop], *after]


def _trim_head(lines: Sequence[Line], rules: Sequence[Rule | None], title: int, first: int) -> list[Rule | None]:
    """Removes the lines before the title, and the labels between it and the first prose, but not the standfirst."""
    trimmed = list(rules)
    for index in range(first):
        if index < title or not lines[index].item:
            trimmed[index] = rules[index] or Rule.BEFORE_TEXT
    if (standfirst := _find_standfirst(lines, trimmed, title, first)) is not None:
        trimmed[standfirst] = None
    trimmed[title] = Rule.TITLE
    return trimmed


def _mark_repeated(lines: Sequence[Line], rules: list[Rule | None]) -> None:
    seen: set[str] = set()
    for index, line in enumerate(lines):
        if rules[index] or line.item or not line.closed or line.words < _MIN_REPEATED_WORDS:
            continue
        if line.text in seen:
            rules[index] = Rule.REPEATED
        seen.add(line.text)


def _find_standfirst(lines: Sequence[Line], rules: Sequence[Rule | None], title: int, first: int) -> int | None:
    """Returns the line that sums up the article: the only long one between the title and the first prose."""
    between = range(title + 1, min(first, title + 1 + _STANDFIRST_LINES))
    return next((i for i in between if rules[i] is Rule.BEFORE_TEXT and _is_standfirst(lines[i])), None)


def _is_standfirst(line: Line) -> bool:
    fits = not line.item and _MIN_STANDFIRST_WORDS <= line.words <= _MAX_STANDFIRST_WORDS
    named = names_in(line.text) or names_before_role(line.text)
    return fits and not (is_boilerplate(line) or named or find_date(line.text))


def _dates_of_head(lines: Sequence[Line], rules: Sequence[Rule | None], first: int) -> StatedDates:
    """Returns the dates of the head: of its lines that are not the article's, or else of the article's dateline."""
    head = find_stated_dates(lines[i].text for i in range(max(0, first - _DATE_LINES), first) if rules[i])
    dateline = _DATELINE.match(lines[first].text)
    if head.published or not dateline:
        return head
    return replace(head, published=find_stated_dates([dateline[0]]).published)


def mark_boxes(lines: Sequence[Line], noise: Sequence[Rule | None]) -> list[Rule | None]:
    """Returns `noise` with the rest of each box added: teasers below `Related`, small print beside a prompt."""
    marked = list(noise)
    if any(line.gap for line in lines):
        for index, rule in enumerate(noise):
            if rule is Rule.RELATED and lines[index].words <= _HEADING_WORDS:
                _mark_teasers(lines, marked, index + 1)
    for index, line in enumerate(lines):
        beside = {*marked[max(0, index - 1) : index], *marked[index + 1 : index + 2]}
        if not marked[index] and line.words <= MAX_NOISE_WORDS and beside & _PROMPTS and is_boilerplate(line):
            marked[index] = Rule.PROMPT
    return marked


def _mark_teasers(lines: Sequence[Line], marked: list[Rule | None], start: int) -> None:
    """Marks the lines from `start` to the next blank line as teasers, if they are few and none is a sentence."""
    if start == len(lines):
        return
    stop = start + 1
    while stop < len(lines) and not lines[stop].gap:
        stop += 1
    few = _MIN_GROUP if lines[start].gap else 1
    if few <= stop - start <= _MAX_TEASERS and not any(map(_is_sentence, lines[start:stop])):
        marked[start:stop] = [rule or Rule.RELATED for rule in marked[start:stop]]


def _is_sentence(line: Line) -> bool:
    return is_prose(line) or line.text.endswith((".", ":", ";"))
