"""Joins hard-wrapped lines: two are one paragraph if the second's first word would not have fitted on the first."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise

from workers.pasted.lines import is_item, is_unspaced

# Chosen by hand; not measured one by one.
_MIN_COLUMN, _MAX_COLUMN = 40, 130  # characters of a wrapped line
_MIN_FULL_LINES = 3  # lines that reach the column
_MIN_OPEN_LINES = 2  # lines that are enough if all of them break off amid a sentence
_MIN_FULL_SHARE = 0.7  # share of lines that reach the column
_MAX_LONG_SHARE = 0.3  # share of characters in lines longer than any column
_LONG_ENOUGH = 0.6  # of the column: shorter lines say nothing about wrapping
_NEAR = 10  # characters beyond the column that a hyphenated line may reach
_LETTER = re.compile(r"[^\W\d_]")  # a line of dashes does not show the column of the text
_HYPHEN = re.compile(r"[^\W\d_]-$")
_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
_END_WORD = re.compile(r"[^\W\d_]+$")
_TAIL_CHARS = 200  # of a line in which a hyphenated word is looked for; words are shorter


def unwrap(lines: Sequence[str]) -> list[str]:
    """Returns `lines` with hard-wrapped paragraphs joined, or as they are if nothing looks wrapped."""
    column = find_column(lines)
    return _join(lines, column) if column else list(lines)


def find_column(lines: Sequence[str]) -> int:
    """Returns the column that the text was wrapped at, in characters, or 0."""
    lengths = Counter(
        len(line)
        for line in lines
        if _MIN_COLUMN <= len(line) <= _MAX_COLUMN and not _HYPHEN.search(line[-2:]) and _LETTER.search(line)
    )
    long_chars = sum(len(line) for line in lines if len(line) > _MAX_COLUMN and " " in line)
    if not lengths or long_chars > _MAX_LONG_SHARE * sum(map(len, lines)):
        return 0
    column = max(lengths)
    return column if _looks_wrapped(lines, column) else 0


def _looks_wrapped(lines: Sequence[str], column: int) -> bool:
    pairs = [(a, b) for a, b in pairwise(lines) if b and _LONG_ENOUGH * column <= len(a) and not is_item(b)]
    full = [(a, b) for a, b in pairs if _is_full(a, b, column)]
    if len(full) < _MIN_FULL_LINES:
        return len(full) == len(pairs) >= _MIN_OPEN_LINES and all(_is_open(a, b) for a, b in full)
    return len(full) >= _MIN_FULL_SHARE * len(pairs)


def _is_open(line: str, following: str) -> bool:
    """True if a line breaks off amid a sentence."""
    return (line[-1].isalpha() or line[-1] in ",-") and following[0].islower()


def _is_full(line: str, following: str, column: int) -> bool:
    """True if the first word of `following` would not have fitted on `line`. Hyphens are places to break, too."""
    if len(line) > column:
        return len(line) <= column + _NEAR and bool(_HYPHEN.search(line))
    if is_unspaced(following[0]):
        return len(line) >= column - 1
    word = following[: _MAX_COLUMN + 1].split(" ", 1)[0]
    return len(line) + 1 + len(word) > column


def _join(lines: Sequence[str], column: int) -> list[str]:
    known = _vocabulary(lines)
    paragraphs: list[list[str]] = []
    last = ""
    for line in lines:
        joins = bool(last and line) and not is_item(line) and (_is_full(last, line, column) or _is_broken(last, line))
        if joins:
            _append(paragraphs[-1], line, known)
        else:
            paragraphs.append([line])
        last = line
    return ["".join(pieces) for pieces in paragraphs]


def _is_broken(line: str, following: str) -> bool:
    return bool(_HYPHEN.search(line[-2:])) and following[0].islower()


def _append(pieces: list[str], line: str, known: set[str]) -> None:
    tail = pieces[-1]
    if _is_broken(tail, line):
        if not _is_compound(tail[-_TAIL_CHARS:], line[:_TAIL_CHARS], known):
            pieces[-1] = tail[:-1]
        pieces.append(line)
    elif is_unspaced(tail[-1]) and is_unspaced(line[0]):
        pieces.append(line)
    else:
        pieces += [" ", line]


def _is_compound(tail: str, head: str, known: set[str]) -> bool:
    """True if the hyphen is part of the word, judged by the other words: `low-income` stays, `inclu-sion` does not."""
    left, right = _END_WORD.search(tail[:-1]), _WORD.match(head)
    if not left or not right:
        return True
    first, second = left[0].casefold(), right[0].casefold()
    if first + second in known:
        return False
    return f"{first}-{second}" in known or (first in known and second in known)


def _vocabulary(lines: Iterable[str]) -> set[str]:
    """Returns the words within lines, where no line break can have cut them."""
    known: set[str] = set()
    for line in lines:
        words = _WORD.findall(line.casefold())
        whole = words[1:-1]
        known.update(whole)
        known.update(part for word in whole for part in word.split("-"))
    return known
