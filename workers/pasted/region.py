"""Finds the region of the article: the run of lines with most prose and fewest other lines (a maximum sub-array)."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate

from workers.pasted import phrases, word_lists
from workers.pasted.lines import Line
from workers.pasted.noise_rules import Rule, is_sentence

# Chosen by hand on pasted pages. The features depend on these numbers: retrain the models after a change.
_SENTENCE_WORDS = 7.0  # a line that ends like a sentence is prose from this length on
_PARAGRAPH_WORDS = 22.0  # a line without such an end is prose from this length on
_MOST_WORDS = 60.0  # longer lines count as this length
_COLON = (":", "：")
_OPEN_SHARE = 0.5  # the weight of a paragraph that does not end like a sentence

# Costs of other lines, in words of prose. Chosen by hand on pasted pages of many sites.
_SHORT_COST = 4.0  # of a short line
_ITEM_COST = 2.5  # of a list item
_ITEM_WORDS = 5.0  # words of a list item that continues a sentence, at least
_NOISE_COST = 35.0  # of a line that a rule removes
_BREAK_COST = 45.0  # of a line that opens the part after an article
_LONE_NOISE_COST = 5.0  # of such a line between two paragraphs: an advertisement's label, a link
_LONE_BREAK_COST = 15.0  # of such an opening line between two paragraphs
_USUAL_WORDS = 25.0  # where paragraphs are shorter, noise costs less
_USUAL_LINES = 15  # lines; with fewer paragraphs, noise costs less, too
_LEAST_SCALE = 0.1  # share of these costs that noise has at least
_BREAKS = frozenset({Rule.COMMENTS, Rule.BIO, Rule.RELATED})
_PICTURES = frozenset({Rule.CAPTION, Rule.PHOTO_CREDIT})  # they stand inside articles more than anywhere else
_BREAK_WORDS = 4.0  # words of such an opening line, at most: a longer one is a link to one article, not a heading
_MAX_BOILERPLATE_WORDS = 80.0  # words of a line of boilerplate
_MAX_BOILERPLATE_CHARS = 800  # characters of a line of boilerplate

# Limits for clean text, which is all article. First, the rules whose lines occur in articles, too.
_WEAK = frozenset(
    {Rule.TIMESTAMP, Rule.COUNTER, Rule.LINK, Rule.ORNAMENT, Rule.CAPTION, Rule.PHOTO_CREDIT, Rule.MAIL_HEADER}
)
_MAX_NOISE_SHARE = 0.01  # of the lines
_MAX_OUTER_SHARE = 0.1  # of the words, outside the region
_MENU_WORDS = 4.0  # the lines of a menu have fewer words on average
_FEW_LINES = 5  # fewer lines are not a menu, but a salutation or a signature
_TABLE_WORDS = 2.0  # on average, in the lines of a table
_TABLE_SHARE = 0.4  # of the words outside the region, if they are a list or a table without noise

_LINES_OF_A_PAGE = 1024  # entries of the cache: each line is read several times. Chosen by hand.
_BIO = phrases.opening(phrases.BIO_SENTENCE)


@dataclass(frozen=True, slots=True)
class Region:
    """Lines `start` up to `stop`."""

    start: int
    stop: int


def is_prose(line: Line) -> bool:
    """True if a line reads as running text rather than as a label."""
    ends = line.closed or line.text.endswith(_COLON)
    return line.words >= (_SENTENCE_WORDS if ends else _PARAGRAPH_WORDS)


def find_region(lines: Sequence[Line], noise: Sequence[Rule | None]) -> Region:
    """Returns the run of lines with the highest sum of `worths`, the first of equal ones; empty if none is above 0."""
    sums = [0.0, *accumulate(worths(lines, noise))]
    lowest = 0
    best = Region(0, 0)
    for stop in range(1, len(sums)):
        if sums[stop] - sums[lowest] > sums[best.stop] - sums[best.start]:
            best = Region(lowest, stop)
        if sums[stop] <= sums[lowest]:
            lowest = stop
    return best


def worths(lines: Sequence[Line], noise: Sequence[Rule | None]) -> list[float]:
    """Returns the evidence for (above 0) or against each line being inside an article, in words of prose.

    Sentences about the author or the site count nothing: they stay inside an article and fall off its ends.
    """
    prose = [not rule and is_prose(line) for line, rule in zip(lines, noise, strict=True)]
    scale = _scale_of([min(line.words, _MOST_WORDS) for line, reads in zip(lines, prose, strict=True) if reads])
    lone = [index > 0 and all(prose[index - 1 : index + 2 : 2]) for index in range(len(lines) - 1)]
    rows = zip(lines, noise, [*lone, False], strict=False)
    return [-_noise_cost(line, rule, scale, lone=alone) if rule else _worth(line) for line, rule, alone in rows]


@dataclass(frozen=True, slots=True)
class _Scale:
    """Factors on costs in this text. `noise` is lower if paragraphs are short or few.

    `brk`, for lines that open the part after an article, is lower if they are short.
    """

    noise: float
    brk: float


def _scale_of(lengths: Sequence[float]) -> _Scale:
    if not lengths:
        return _Scale(1.0, 1.0)
    short = min(1.0, sum(lengths) / len(lengths) / _USUAL_WORDS)
    return _Scale(max(_LEAST_SCALE, short * min(1.0, len(lengths) / _USUAL_LINES)), short)


def _noise_cost(line: Line, rule: Rule, scale: _Scale, *, lone: bool) -> float:
    if rule in _BREAKS and line.words <= _BREAK_WORDS:
        return scale.brk * (_LONE_BREAK_COST if lone else _BREAK_COST)
    return scale.noise * (_LONE_NOISE_COST if lone or rule in _PICTURES else _NOISE_COST)


def _worth(line: Line) -> float:
    if is_prose(line):
        sure = 0.0 if is_boilerplate(line) else 1.0 if line.closed else _OPEN_SHARE
        return sure * min(line.words, _MOST_WORDS)
    if line.item and line.words >= _ITEM_WORDS and line.text[0].islower():
        return _OPEN_SHARE * min(line.words, _MOST_WORDS)  # headlines do not begin with a small letter
    return -(_ITEM_COST if line.item else _SHORT_COST)


def is_clean(lines: Sequence[Line], noise: Sequence[Rule | None], region: Region) -> bool:
    """Returns True if these lines are only an article: no menus around it, hardly any noise."""
    if Rule.QUOTED_REPLY in noise:
        return True  # it is a mail
    outer = [*lines[: region.start], *lines[region.stop :]]
    if not any(noise) and len(outer) <= _FEW_LINES:
        return True
    strong = _strong_noise(lines, noise)
    if len(strong) > _MAX_NOISE_SHARE * len(lines):
        return False
    share = _total_words(outer) / _total_words(lines)
    if not strong and share >= _TABLE_SHARE:
        return _total_words(outer) >= _TABLE_WORDS * len(outer)
    return share <= _MAX_OUTER_SHARE or _total_words(outer) >= _MENU_WORDS * len(outer)


def _strong_noise(lines: Sequence[Line], noise: Sequence[Rule | None]) -> set[str]:
    """Returns the distinct lines that clean text would not contain."""
    rows = zip(lines, noise, strict=True)
    return {line.text for line, rule in rows if rule and rule not in _WEAK and not is_sentence(line, rule)}


def _total_words(lines: Sequence[Line]) -> float:
    return sum(line.words for line in lines)


def is_boilerplate(line: Line) -> bool:
    """True if a line is about the site, the reader's account or the author, not about the article's subject."""
    small = line.words <= _MAX_BOILERPLATE_WORDS and len(line.text) <= _MAX_BOILERPLATE_CHARS
    return small and _speaks_of_site(line.text)


@lru_cache(_LINES_OF_A_PAGE)
def _speaks_of_site(text: str) -> bool:
    folded = text.casefold()
    return any(phrase in folded for phrase in word_lists.BOILERPLATE) or bool(_BIO.match(text))
