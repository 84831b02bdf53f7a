"""A page's passages and containers as arrays: what all features are computed from."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workers.extract.sequence import Column, Sums
from workers.extract.walk import Walked

LEVELS = 5  # containers upwards, a passage's own first
SUMMED = ("long", "size", "link", "prose", "commas")
_LONG = 80  # characters of an alphabet: a line that is prose rather than a label
_LINKED = 0.4  # share of links that prose stays under

Index = NDArray[np.intp]


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """C containers and N passages.

    `table` holds the containers' numbers by name, (C,) each. `levels` are the containers of each passage, (N,): its
    own, then that one's parent, and so on. `sums` are running sums over the passages, (len(SUMMED), N + 1): long ones,
    characters, linked ones, those that read as prose, commas. `held` are the same within each container, (C,), and
    `total` for the page, at least 1. `long` marks the long passages, `prose` counts the characters that read as prose.
    """

    table: Mapping[str, NDArray[np.int64]]
    end: Index
    levels: tuple[Index, ...]
    inline: NDArray[np.int64]
    sums: Sums
    held: Mapping[str, NDArray[np.float64]]
    total: Mapping[str, float]
    long: Column
    prose: Column

    def within(self, name: str, containers: Index) -> NDArray[np.float64]:
        """Returns what `containers` hold of one of `SUMMED`."""
        return self.held[name][containers]


def lay_out(walked: Walked, columns: Mapping[str, Column]) -> Layout:
    """Returns the layout of a page; `columns` are the measures of its passages."""
    size, link = columns["size"], columns["link"]
    long = ((size >= _LONG) & (link < _LINKED)).astype(np.float32)
    prose = size * (1 - link) * np.minimum(size / _LONG, 1)
    table = walked.table
    sums = _running(np.stack((long, size, size * link, prose, columns["commas"])))
    end = np.array(walked.ends)
    return Layout(
        table=table,
        end=end,
        levels=_levels(walked, table["parent"]),
        inline=np.array([passage.flags for passage in walked.passages], np.int64),
        sums=sums,
        held=dict(zip(SUMMED, sums[:, end] - sums[:, table["first"]], strict=True)),
        total=dict(zip(SUMMED, np.maximum(sums[:, -1], 1).tolist(), strict=True)),
        long=long,
        prose=prose,
    )


def _levels(walked: Walked, parent: NDArray[np.int64]) -> tuple[Index, ...]:
    levels = [np.array([passage.container for passage in walked.passages])]
    for _ in range(LEVELS - 1):
        levels.append(parent[levels[-1]])
    return tuple(levels)


def _running(columns: NDArray[np.floating]) -> Sums:
    sums = np.zeros((len(columns), columns.shape[1] + 1))
    np.cumsum(columns, axis=1, out=sums[:, 1:])
    return sums
