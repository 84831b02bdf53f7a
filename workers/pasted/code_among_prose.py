"""Finds code among the lines of a text: between fences of backticks or tildes, or indented and of the form of code."""

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from workers.pasted.kinds.code import is_code
from workers.pasted.lines import Line, count_words, is_item, line_of
from workers.pasted.repair import repair_code

_FENCE = re.compile(
    r" {0,3}(`{3,40}|~{3,40})[ \t]*([\w+#.-]{0,30})[ \t]*"
)  # CommonMark 0.31.2, section 4.5; sizes bound
_INDENTED = re.compile(r"(?: {2,100}|\t)\S")
# Chosen by hand.
_LEAST_LINES = 2  # of code without fences
_SURE_SHARE = 0.3  # of the lines of such a block, that have the form of code; the others are indented
_MOST_WORDS = 12.0  # words of an indented line that may be code


@dataclass(frozen=True, slots=True)
class CodeRun:
    """Code in lines `start` up to `stop` of a text, its fences included."""

    start: int
    stop: int
    fenced: bool


@dataclass(frozen=True, slots=True)
class Unmarked:
    """The lines of a text without its marks, and which of them are code."""

    lines: list[str]
    code: list[CodeRun]


def find_code(raws: Sequence[str]) -> list[CodeRun]:
    """Returns the code among the lines of a text, which have their spaces, in order."""
    fenced = list(_fenced(raws))
    inside = {at for run in fenced for at in range(run.start, run.stop)}
    loose = [run for run in _indented(raws) if inside.isdisjoint(range(run.start, run.stop))]
    return sorted((*fenced, *loose), key=lambda run: run.start)


def code_lines(raws: Sequence[str]) -> list[Line]:
    """Returns the lines of code that are not blank, repaired, without the indentation that all of them share."""
    repaired = [repair_code(raw) for raw in raws]
    margin = min((len(line) - len(line.lstrip()) for line in repaired if line.strip()), default=0)
    lines, gap = [], False
    for line in repaired:
        if line.strip():
            lines.append(line_of(line[margin:], gap=gap, code=True))
        gap = not line.strip()
    return lines


def is_fence(raw: str) -> bool:
    """True if a line opens or closes code."""
    return bool(_FENCE.fullmatch(raw))


def _fenced(raws: Sequence[str]) -> Iterator[CodeRun]:
    opened = {at: match for at, raw in enumerate(raws) if (match := _FENCE.fullmatch(raw))}
    closing: dict[str, list[int]] = defaultdict(list)
    for at, match in opened.items():
        if not match[2]:
            closing[match[1]].append(at)
    done = 0
    for at, match in opened.items():
        ends = closing[match[1]]
        place = bisect_right(ends, at)
        if at >= done and place < len(ends):
            done = ends[place] + 1
            yield CodeRun(at, done, fenced=True)


def _indented(raws: Sequence[str]) -> Iterator[CodeRun]:
    """Yields the code without fences: blocks between blank lines that have its form, neighbours as one."""
    if not any(map(_INDENTED.match, raws)):
        return
    open_run: CodeRun | None = None
    for block in _blocks(raws):
        if open_run and _goes_on(raws[block.start : block.stop]):
            open_run = CodeRun(open_run.start, block.stop, fenced=False)
            continue
        if open_run:
            yield open_run
        open_run = block if _is_block(raws[block.start : block.stop]) else None
    if open_run:
        yield open_run


def _blocks(raws: Sequence[str]) -> Iterator[CodeRun]:
    for blank, group in groupby(range(len(raws)), key=lambda at: not raws[at].strip()):
        if not blank:
            run = list(group)
            yield CodeRun(run[0], run[-1] + 1, fenced=False)


def _is_block(raws: Sequence[str]) -> bool:
    """True if a block opens with code, and later lines are indented more or less."""
    if len(raws) < _LEAST_LINES or not _is_sure(raws[0]) or not any(map(_INDENTED.match, raws)):
        return False
    margins = {len(raw) - len(raw.lstrip()) for raw in raws}
    sure = [_is_sure(raw) for raw in raws]
    enough = len(margins) > 1 and sum(sure) >= _SURE_SHARE * len(raws)
    return enough and all(own or _may_be(raw) for own, raw in zip(sure, raws, strict=True))


def _goes_on(raws: Sequence[str]) -> bool:
    """True if a block below code belongs to it: it has code, and all its other lines are indented."""
    sure = [_is_sure(raw) for raw in raws]
    return any(sure) and all(own or _may_be(raw) for own, raw in zip(sure, raws, strict=True))


def _is_sure(raw: str) -> bool:
    bare = raw.strip()  # else indentation would make its marks rarer
    return is_code(bare) and any(map(str.isalnum, bare)) and not is_item(bare)


def _may_be(raw: str) -> bool:
    closes = not any(map(str.isalnum, raw)) and is_code(raw)
    return closes or (bool(_INDENTED.match(raw)) and not is_item(raw.strip()) and count_words(raw) <= _MOST_WORDS)
