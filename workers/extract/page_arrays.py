"""A page's blocks and containers as arrays, from which all features are computed."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workers.page.blocks import SegmentedPage

Column = NDArray[np.float32]
Flags = NDArray[np.bool_]
Sums = NDArray[np.float64]

# The features depend on these numbers: retrain the model after a change. Chosen by hand.
FAR = 60  # rows; larger distances count as this one
LEVELS = 5  # containers of a block: its own, then that one's parent, and so on
SUMMED = ("long", "size", "link", "prose", "commas")
_LONG = 80  # characters, by `size_of`, from which on a block is prose rather than a label
_LINKED = 0.4  # share of linked characters that prose stays below
Index = NDArray[np.intp]


def shift(column: Column, step: int) -> Column:
    """Returns the values `step` rows further down, -1 beyond the ends."""
    shifted = np.full(len(column), -1, np.float32)
    if abs(step) < len(column):
        if step > 0:
            shifted[:-step] = column[step:]
        else:
            shifted[-step:] = column[:step]
    return shifted


def windows(sums: Sums, reach: int) -> tuple[Sums, Sums]:
    """Returns the means over `reach` rows before and after each row.

    `sums` are running sums of K columns of N rows, (K, N + 1); the means are (K, N).
    """
    index = np.arange(sums.shape[1] - 1)
    low = np.maximum(index - reach, 0)
    high = np.minimum(index + 1 + reach, sums.shape[1] - 1)
    return (sums[:, index] - sums[:, low]) / reach, (sums[:, high] - sums[:, index + 1]) / reach


def since(marks: Flags) -> Column:
    """Returns how many rows above each row the nearest marked one is: 0 for a marked row, at most `FAR`."""
    index = np.arange(len(marks))
    last = np.maximum.accumulate(np.where(marks, index, -FAR))
    return np.minimum(index - last, FAR).astype(np.float32)


def until(marks: Flags) -> Column:
    """Returns how many rows below each row the nearest marked one is: 0 for a marked row, at most `FAR`."""
    return since(marks[::-1])[::-1]


def last_value(values: Column) -> Column:
    """Returns for each row the last value above 0 at or before it."""
    index = np.maximum.accumulate(np.where(values > 0, np.arange(len(values)), 0))
    return values[index]


@dataclass(frozen=True, slots=True, kw_only=True)
class PageArrays:
    """A page of C containers and N blocks as arrays.

    `table` holds the containers' numbers by name, (C,) each. `levels` are the containers of each block, (N,): its
    own, then that one's parent, and so on. `sums` are running sums over the blocks, (len(SUMMED), N + 1): long blocks,
    characters, linked characters, characters of prose, commas. `held` are the same sums within each container, (C,),
    and `total` those of the page, at least 1. `long` marks the long blocks, `prose` has each block's characters of
    prose.
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
        """Returns the sum of one of `SUMMED` within `containers`."""
        return self.held[name][containers]


def page_arrays(segmented: SegmentedPage, columns: Mapping[str, Column]) -> PageArrays:
    """Returns the arrays of a page; `columns` are the features of its blocks."""
    size, link = columns["size"], columns["link"]
    long = ((size >= _LONG) & (link < _LINKED)).astype(np.float32)
    prose = size * (1 - link) * np.minimum(size / _LONG, 1)
    table = segmented.table
    sums = _running(np.stack((long, size, size * link, prose, columns["commas"])))
    end = np.array(segmented.ends)
    return PageArrays(
        table=table,
        end=end,
        levels=_levels(segmented, table["parent"]),
        inline=np.array([block.flags for block in segmented.blocks], np.int64),
        sums=sums,
        held=dict(zip(SUMMED, sums[:, end] - sums[:, table["first"]], strict=True)),
        total=dict(zip(SUMMED, np.maximum(sums[:, -1], 1).tolist(), strict=True)),
        long=long,
        prose=prose,
    )


def _levels(segmented: SegmentedPage, parent: NDArray[np.int64]) -> tuple[Index, ...]:
    levels = [np.array([block.container for block in segmented.blocks])]
    for _ in range(LEVELS - 1):
        levels.append(parent[levels[-1]])
    return tuple(levels)


def _running(columns: NDArray[np.floating]) -> Sums:
    sums = np.zeros((len(columns), columns.shape[1] + 1))
    np.cumsum(columns, axis=1, out=sums[:, 1:])
    return sums
