"""Tells poems and songs: short lines that rhyme, run on or are of one length."""

import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from workers.pasted.kinds.rows import NOTHING, Evidence, Row
from workers.pasted.lines import Line

# Chosen by hand, with the documents of tests/workers/pasted/kinds in view.
_LEAST_VERSES = 4
_VERSE_WORDS = 12.0  # words of a verse, at most
_VERSE_CHARS = 75  # characters
_MEAN_WORDS = 2.4  # words of a verse on average, at least: those of menus have fewer
_VERSES_SHARE = 0.85  # of the words
_RHYME_REACH = 3  # lines further on in which its rhyme is looked for
_RHYME_SHARE, _RUN_ON_SHARE, _REPEATED_SHARE = 0.4, 0.3, 0.25  # of the lines
_ENDS_SHARE = 0.2  # of the lines of hard-wrapped prose
_CUT_WORD = re.compile(r"[^\W\d_]{2}-\Z")
_INNER_END = re.compile(r"[^\W\d_]{2}[.?!][\"'”’»)]? +\S")
_EVEN = 0.3  # standard deviation of the length of verses, as a share of their mean
_LAST_WORD = re.compile(r"([^\W\d_]+)\W*\Z")
_RHYME_CHARS = 2  # letters at the end of a verse that rhyme
_RUNS_ON = (",", ";", "—", "–", ":", "，", "、", "；", "،")


def verse(rows: Sequence[Row]) -> Evidence:
    """Returns the evidence of a poem or a song."""
    lines = [row.line for row in rows if not row.text.startswith("[")]
    if len(lines) < _LEAST_VERSES or sum(line.words for line in lines) < _MEAN_WORDS * len(lines):
        return NOTHING
    share = sum(line.words for line in lines if _is_verse(line)) / sum(line.words for line in lines)
    if share < _VERSES_SHARE:
        return NOTHING
    if any(_CUT_WORD.search(line.text) for line in lines) or _with_ends(lines) >= _ENDS_SHARE:
        return NOTHING
    rhyme, on, exact, again = _rhymes(lines), _runs_on(lines), _evenness(lines), _chorus_share(lines)
    if rhyme < _RHYME_SHARE and on < _RUN_ON_SHARE and again < _REPEATED_SHARE and exact > 0:
        return NOTHING
    stanzas = 1 + sum(line.gap for line in lines[1:])
    signs = (
        0.5 * min(1.0, 2 * rhyme)
        + 0.4 * min(1.0, 2 * on)
        + 0.5 * (exact == 0)
        + 0.2 * (exact < _EVEN)
        + min(0.5, again)
    )
    signs += 0.3 * (1 < stanzas <= len(lines) / 2) - 0.3 * (stanzas > len(lines) / 2)
    return Evidence(share * max(0.0, min(1.0, signs)), frozenset(range(len(rows))))


def _is_verse(line: Line) -> bool:
    return (
        not line.item and line.words <= _VERSE_WORDS and len(line.text) <= _VERSE_CHARS and not line.text[-1:].isdigit()
    )


def _rhymes(lines: Sequence[Line]) -> float:
    """Returns the share of lines that end like a later one near by, but in another word."""
    lasts = [match[1].casefold() if (match := _LAST_WORD.search(line.text)) else "" for line in lines]
    found = (
        any(
            last[-_RHYME_CHARS:] == other[-_RHYME_CHARS:] and last != other
            for other in lasts[at + 1 : at + 1 + _RHYME_REACH]
        )
        for at, last in enumerate(lasts)
        if len(last) >= _RHYME_CHARS
    )
    return sum(found) / len(lines)


def _chorus_share(lines: Sequence[Line]) -> float:
    """Returns the share of lines that occur twice: a chorus."""
    times = Counter(line.text for line in lines)
    return sum(times[line.text] > 1 for line in lines) / len(lines)


def _with_ends(lines: Sequence[Line]) -> float:
    """Returns the share of lines in which a sentence ends: hard-wrapped prose."""
    return sum(bool(_INNER_END.search(line.text)) for line in lines) / len(lines)


def _runs_on(lines: Sequence[Line]) -> float:
    """Returns the share of lines whose sentence goes on in the next."""
    pairs = pairwise(lines)
    return sum(a.text.endswith(_RUNS_ON) or (not a.closed and b.text[:1].islower()) for a, b in pairs) / len(lines)


def _evenness(lines: Sequence[Line]) -> float:
    """Returns the standard deviation of the lengths in characters, as a share of their mean."""
    sizes = [len(line.text) for line in lines]
    mean = sum(sizes) / len(sizes)
    return float((sum((size - mean) ** 2 for size in sizes) / len(sizes)) ** 0.5 / mean)
