"""Features of the lines around each line: means over windows, neighbours, distances. Each function takes one column."""

import numpy as np
from numpy.typing import NDArray

from workers.models.boosted_trees import Rows

# The features depend on these numbers: retrain the models after a change. Chosen by hand.
_REACHES = (2, 5, 12)  # lines to either side
_NEIGHBOURS = (-2, -1, 1, 2)  # lines before (negative) and after
_FAR = 60.0  # lines; larger distances count as this one
_NEVER_SURE = 1e-3  # distance of a probability from 0 and 1, at least: keeps log-odds finite


def means(name: str, column: Rows) -> dict[str, Rows]:
    """Returns the mean over the lines up to 2, 5 and 12 away, and over those 5 before and 5 after alone."""
    sums = np.concatenate(([0.0], np.cumsum(column, dtype=np.float64)))
    at = np.arange(len(column))
    wide = {f"{name}~{reach}": _mean(sums, at - reach, at + reach + 1) for reach in _REACHES}
    return {**wide, f"{name}<5": _mean(sums, at - 5, at), f"{name}>5": _mean(sums, at + 1, at + 6)}


def neighbours(name: str, column: Rows) -> dict[str, Rows]:
    """Returns the values of the lines one and two before and after, -1 beyond the ends."""
    padded = np.concatenate(([-1.0, -1.0], column, [-1.0, -1.0])).astype(np.float32)
    return {f"{name}{away:+d}": padded[2 + away : 2 + away + len(column)] for away in _NEIGHBOURS}


def distances(name: str, marks: Rows) -> dict[str, Rows]:
    """Returns the distances in lines to the nearest marked line before and after each line."""
    return {f"{name}<": _since(marks), f"{name}>": _since(marks[::-1])[::-1]}


def _mean(sums: NDArray[np.float64], starts: NDArray[np.signedinteger], stops: NDArray[np.signedinteger]) -> Rows:
    last = len(sums) - 1
    low, high = np.clip(starts, 0, last), np.clip(stops, 0, last)
    values: Rows = ((sums[high] - sums[low]) / np.maximum(high - low, 1)).astype(np.float32)
    return values


def _since(marks: Rows) -> Rows:
    at = np.arange(len(marks))
    last = np.maximum.accumulate(np.where(marks > 0, at, -10_000))
    before = np.concatenate(([-10_000], last[:-1]))
    since: Rows = np.minimum(at - before, _FAR).astype(np.float32)
    return since


def best_cut(probabilities: Rows, lengths: Rows, recall_worth: float = 1.0) -> NDArray[np.bool_]:
    """Returns which lines to keep: the most probable ones, as many as give the highest expected F-measure of words.

    Args:
        probabilities: of each line to be part of the article, (N,).
        lengths: of the lines in words, (N,).
        recall_worth: the weight of recall relative to precision: the square of the F-measure's beta.
    """
    order = np.argsort(-probabilities, kind="stable")
    right = np.cumsum((probabilities * lengths)[order])
    reached = np.cumsum(lengths[order]) + recall_worth * right[-1:]
    expected = (1 + recall_worth) * right / np.maximum(reached, _NEVER_SURE)
    stays = np.zeros(len(probabilities), np.bool_)
    if len(expected) and expected.max() > 0:
        stays[order[: int(expected.argmax()) + 1]] = True
    return stays


def best_run(probabilities: Rows, lengths: Rows) -> range:
    """Returns the run of lines with the highest sum of log-odds, weighted by length (a maximum sub-array)."""
    sure = np.clip(probabilities, _NEVER_SURE, 1 - _NEVER_SURE)
    worth = np.log(sure / (1 - sure)) * np.sqrt(lengths + 1)
    sums = np.concatenate(([0.0], np.cumsum(worth)))
    stop = int((sums - np.minimum.accumulate(sums)).argmax())
    return range(int(sums[: stop + 1].argmin()), stop)
