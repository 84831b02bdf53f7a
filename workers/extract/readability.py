"""Estimates which container holds the article, as reader modes do: by its paragraphs, and by its density."""

import numpy as np
from numpy.typing import NDArray

from workers.extract.page_arrays import FAR, Index, PageArrays
from workers.extract.text_features import FeatureColumns

# The features depend on these numbers: retrain the model after a change.
_FEWEST = 25  # characters of a block that counts, at least: as in Readability.js
_DEEPER = 1e-3  # a tie goes to the inner container


def readability_features(arrays: PageArrays, columns: FeatureColumns) -> FeatureColumns:
    """Relates each block to the container with the highest score, to that one's parent, and to the densest container.

    As in Readability.js, a block gives points to the parent of its paragraph, and half as many to the grandparent:
    for its commas and its length, fewer the more of it is linked.
    """
    holder = _holder(arrays)
    upper = arrays.table["parent"][holder]
    scores = _scores(arrays, columns, holder, upper)
    top, winner = max(float(scores.max()), 1e-6), int(scores.argmax())
    found: FeatureColumns = {
        "score_holder": scores[holder] / top,
        "score_upper": scores[upper] / top,
        "score_upper2": scores[arrays.table["parent"][upper]] / top,
        "holder_long": arrays.within("long", holder),
        "holder_prose": arrays.within("prose", holder) / arrays.total["prose"],
        "holder_siblings": np.bincount(holder, minlength=len(scores))[holder],
        "best_share": np.full(len(holder), arrays.held["prose"][winner] / arrays.total["prose"]),
    }
    boxes = {"best": winner, "best_up": int(arrays.table["parent"][winner]), "dense": _densest(arrays)}
    for name, box in boxes.items():
        found |= {f"{name}_{what}": column for what, column in _stand(arrays, box).items()}
    return found


def _holder(arrays: PageArrays) -> Index:
    """Returns the container that a block counts for: its own, or the parent if it is alone in its own."""
    own = arrays.levels[0]
    is_alone = arrays.end[own] - arrays.table["first"][own] == 1
    return np.where(is_alone, arrays.levels[1], own)


def _scores(arrays: PageArrays, columns: FeatureColumns, holder: Index, upper: Index) -> NDArray[np.float64]:
    size, count = columns["size"], len(arrays.end)
    points = np.where(size >= _FEWEST, 1 + columns["commas"] + np.minimum(size / 100, 3), 0) * (1 - columns["link"])
    scores = np.bincount(holder, points, count) + np.bincount(upper, points / 2, count)
    density: NDArray[np.float64] = arrays.held["link"] / np.maximum(arrays.held["size"], 1)
    return scores * (1 - density)


def _densest(arrays: PageArrays) -> int:
    """Returns the container with the largest difference of prose and other text."""
    prose = arrays.held["prose"]
    return int((2 * prose - arrays.held["size"] + _DEEPER * arrays.table["depth"]).argmax())


def _stand(arrays: PageArrays, box: int) -> FeatureColumns:
    index = np.arange(len(arrays.long))
    start, end = int(arrays.table["first"][box]), int(arrays.end[box])
    depth = arrays.table["depth"]
    return {
        "inside": (index >= start) & (index < end),
        "from": np.clip(index - start, -FAR, FAR),
        "to": np.clip(end - index, -FAR, FAR),
        "hops": depth[arrays.levels[0]] - depth[box],
    }
