"""Columns of features in the order of a page: neighbours, windows, distances."""

import numpy as np
from numpy.typing import NDArray

Column = NDArray[np.float32]
Flags = NDArray[np.bool_]
Sums = NDArray[np.float64]

FAR = 60  # rows; beyond, distances say no more


def shift(column: Column, step: int) -> Column:
    """Returns what stands `step` rows further down, -1 beyond the ends."""
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
    """Returns how many rows above each row the last marked one is, itself included; at most `FAR`."""
    index = np.arange(len(marks))
    last = np.maximum.accumulate(np.where(marks, index, -FAR))
    return np.minimum(index - last, FAR).astype(np.float32)


def until(marks: Flags) -> Column:
    """Returns how many rows below each row the next marked one is, itself included; at most `FAR`."""
    return since(marks[::-1])[::-1]


def last_value(values: Column) -> Column:
    """Returns for each row the last value other than 0, itself included."""
    index = np.maximum.accumulate(np.where(values > 0, np.arange(len(values)), 0))
    return values[index]
