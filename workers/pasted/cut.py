"""Which lines stay, given how probable each is: the run of the article, then the cut with the best expected F1."""

import numpy as np
from numpy.typing import NDArray

from workers.trees import Rows

_OUTSIDE = 0.5  # what a probability is worth outside the best run
_NEVER_SURE = 1e-3


def choose(probabilities: Rows, lengths: Rows) -> NDArray[np.bool_]:
    """Returns for each line whether it stays.

    Args:
        probabilities: that the line is the article's, (N,).
        lengths: of the lines in words, (N,).
    """
    return best_cut(np.where(_in_best_run(probabilities, lengths), probabilities, probabilities * _OUTSIDE), lengths)


def best_cut(probabilities: Rows, lengths: Rows) -> NDArray[np.bool_]:
    """Returns the lines from the most probable on down to where the expected F1 of words is highest."""
    order = np.argsort(-probabilities, kind="stable")
    right = np.cumsum((probabilities * lengths)[order])
    expected = 2 * right / np.maximum(np.cumsum(lengths[order]) + right[-1:], _NEVER_SURE)
    stays = np.zeros(len(probabilities), np.bool_)
    if len(expected) and expected.max() > 0:
        stays[order[: int(expected.argmax()) + 1]] = True
    return stays


def _in_best_run(probabilities: Rows, lengths: Rows) -> NDArray[np.bool_]:
    """Returns which lines are in the run with the highest sum of log-odds, by length (a maximum sub-array)."""
    sure = np.clip(probabilities, _NEVER_SURE, 1 - _NEVER_SURE)
    worth = np.log(sure / (1 - sure)) * np.sqrt(lengths + 1)
    sums = np.concatenate(([0.0], np.cumsum(worth)))
    lowest = np.minimum.accumulate(sums)
    stop = int((sums - lowest).argmax())
    start = int(sums[: stop + 1].argmin())
    at = np.arange(len(probabilities))
    inside: NDArray[np.bool_] = (at >= start) & (at < stop)
    return inside
