"""Tells tables: rows that the same sign cuts into as many cells."""

import re
from collections import Counter
from collections.abc import Sequence

from workers.pasted.kinds.rows import NOTHING, Evidence, Row, weigh

# Chosen by hand, with the documents of tests/workers/pasted/kinds in view.
_LEAST_ROWS = 3  # of a table
_CELL_WORDS = 6.0  # words of a cell on average, at most
_WIDE_GAP = re.compile(r"\S(?:\t+| {2,})(?=\S)")
_DELIMITERS = {
    "\t": re.compile(r"\t"),
    "|": re.compile(r"(?<=\S)\s*\|\s*(?=\S)"),
    ";": re.compile(r"(?<=\S);(?=[^\s;])"),
    ",": re.compile(r"(?<=\S),(?=[^\s,])"),
    "  ": _WIDE_GAP,
}  # with the sign that each line of such a table has


def table(rows: Sequence[Row]) -> Evidence:
    """Returns the evidence of a table: tabs, bars, semicolons, commas or wide gaps cut its lines into as many cells."""
    raws = [row.raw.strip() for row in rows]
    found = (
        _columns(rows, [len(cut.findall(raw)) for raw in raws])
        for sign, cut in _DELIMITERS.items()
        if sum(sign in raw for raw in raws) >= _LEAST_ROWS
    )
    return max(found, key=lambda one: one.score, default=NOTHING)


def cells(raw: str) -> list[str]:
    """Returns the cells of a row that tabs or wide gaps cut, or that stand between bars; one if it has none of them."""
    bare = raw.strip()
    if "\t" in bare:
        return [cell.strip() for cell in raw.strip(" \n").split("\t")]
    if bare.startswith("|") and bare.endswith("|"):
        return [cell.strip() for cell in bare.strip("|").split("|")]
    return re.split(r" {2,}", bare)


def _columns(rows: Sequence[Row], cuts: Sequence[int]) -> Evidence:
    usual = Counter(cut for cut in cuts if cut).most_common(1)
    if not usual:
        return NOTHING
    marked = [
        cut == usual[0][0] and row.line.words <= _CELL_WORDS * (cut + 1) for cut, row in zip(cuts, rows, strict=True)
    ]
    return weigh(rows, marked, _LEAST_ROWS)
