"""The lines that kinds of text are told by, and how much of a text has the form of a kind."""

from collections.abc import Sequence
from dataclasses import dataclass

from workers.pasted.lines import Line, is_item, line_of
from workers.pasted.region import is_prose

# Chosen by hand, as bounds on work.
_ROW_CHARS = 300  # characters of a line that are looked at
_LEAST_SHARE = 0.25  # of the lines of a text that those of a form are among: fewer are a box on a page
_MAX_ROWS = 600  # lines of a text that are looked at


@dataclass(frozen=True, slots=True)
class Row:
    """A line that is not blank. `raw` has its spaces and tabs, `line` is the same repaired, with its bullet."""

    line: Line
    raw: str

    @property
    def text(self) -> str:
        """The line, cut off."""
        return self.line.text[:_ROW_CHARS]


@dataclass(frozen=True, slots=True)
class Evidence:
    """How much of a text has the form of a kind, in [0, 1], and the indexes of the lines among which that is."""

    score: float = 0.0
    rows: frozenset[int] = frozenset()


NOTHING = Evidence()


def rows_of(raws: Sequence[str], texts: Sequence[str]) -> list[Row]:
    """Returns the lines that are not blank; `texts` are `raws` repaired, one for one."""
    rows: list[Row] = []
    gap = False
    for raw, text in zip(raws, texts, strict=True):
        if len(rows) == _MAX_ROWS:
            break
        if text:
            rows.append(Row(line_of(text, item=is_item(text), gap=gap), raw[:_ROW_CHARS]))
        gap = not text
    return rows


def weigh(rows: Sequence[Row], marked: Sequence[bool], least: int) -> Evidence:
    """Returns the evidence of lines that are marked, none if they are fewer than `least` or a small part.

    Its score is the share of marked lines where most of them are, less if there is prose elsewhere.
    """
    if sum(marked) < least:
        return NOTHING
    start, stop = _densest(marked)
    inside = sum(marked[start:stop])
    if inside < least or stop - start < _LEAST_SHARE * len(rows):
        return NOTHING
    words = sum(row.line.words for row in rows[start:stop])
    outside = sum(row.line.words for row in (*rows[:start], *rows[stop:]) if is_prose(row.line))
    return Evidence(inside / (stop - start) * words / max(1.0, words + outside), frozenset(range(start, stop)))


def _densest(marked: Sequence[bool]) -> tuple[int, int]:
    """Returns the run with the most marked lines for the fewest others (a maximum sub-array)."""
    best, best_sum, start, total = (0, 0), 0, 0, 0
    for index, mark in enumerate(marked):
        total += 1 if mark else -1
        if total > best_sum:
            best, best_sum = (start, index + 1), total
        if total <= 0:
            start, total = index + 1, 0
    return best
