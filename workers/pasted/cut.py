"""Which lines stay, given how probable each is: those with the best expected F-measure. Where most of them lie."""

import numpy as np
from numpy.typing import NDArray

from workers.trees import Rows

_NEVER_SURE = 1e-3


def best_cut(probabilities: Rows, lengths: Rows, recall_worth: float = 1.0) -> NDArray[np.bool_]:
    """Returns the lines from the most probable on down to where the expected F-measure of words is highest.

    Args:
        probabilities: that the line is the article's, (N,).
        lengths: of the lines in words, (N,).
        recall_worth: what recall counts for against precision: the square of F's beta.
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
    """Returns the lines with the highest sum of log-odds, by length (a maximum sub-array); none of no lines."""
    sure = np.clip(probabilities, _NEVER_SURE, 1 - _NEVER_SURE)
    worth = np.log(sure / (1 - sure)) * np.sqrt(lengths + 1)
    sums = np.concatenate(([0.0], np.cumsum(worth)))
    stop = int((sums - np.minimum.accumulate(sums)).argmax())
    return range(int(sums[: stop + 1].argmin()), stop)
