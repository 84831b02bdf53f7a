"""Which container holds the article, as reader modes tell it: by its paragraphs, and by its density."""

import numpy as np
from numpy.typing import NDArray

from workers.extract.block_columns import FAR, Index, Layout
from workers.extract.block_text import Columns

_FEWEST = 25  # characters of a passage that counts: as in Readability.js
_DEEPER = 1e-3  # a tie goes to the inner container


def best(layout: Layout, columns: Columns) -> Columns:
    """Tells how each passage stands to the container with the highest score, to its parent, and to the densest one.

    As in Readability.js a passage counts for the parent of its paragraph, and half for its grandparent: by its commas
    and its length, less by the share of links in them.
    """
    holder = _holder(layout)
    upper = layout.table["parent"][holder]
    scores = _scores(layout, columns, holder, upper)
    top, winner = max(float(scores.max()), 1e-6), int(scores.argmax())
    found: Columns = {
        "score_holder": scores[holder] / top,
        "score_upper": scores[upper] / top,
        "score_upper2": scores[layout.table["parent"][upper]] / top,
        "holder_long": layout.within("long", holder),
        "holder_prose": layout.within("prose", holder) / layout.total["prose"],
        "holder_siblings": np.bincount(holder, minlength=len(scores))[holder],
        "best_share": np.full(len(holder), layout.held["prose"][winner] / layout.total["prose"]),
    }
    boxes = {"best": winner, "best_up": int(layout.table["parent"][winner]), "dense": _densest(layout)}
    for name, box in boxes.items():
        found |= {f"{name}_{what}": column for what, column in _stand(layout, box).items()}
    return found


def _holder(layout: Layout) -> Index:
    """Returns the container that a passage counts for: its own, or the parent where it is alone in its own."""
    own = layout.levels[0]
    is_alone = layout.end[own] - layout.table["first"][own] == 1
    return np.where(is_alone, layout.levels[1], own)


def _scores(layout: Layout, columns: Columns, holder: Index, upper: Index) -> NDArray[np.float64]:
    size, count = columns["size"], len(layout.end)
    points = np.where(size >= _FEWEST, 1 + columns["commas"] + np.minimum(size / 100, 3), 0) * (1 - columns["link"])
    scores = np.bincount(holder, points, count) + np.bincount(upper, points / 2, count)
    density: NDArray[np.float64] = layout.held["link"] / np.maximum(layout.held["size"], 1)
    return scores * (1 - density)


def _densest(layout: Layout) -> int:
    """Returns the container that holds most prose for the other text that it holds, too."""
    prose = layout.held["prose"]
    return int((2 * prose - layout.held["size"] + _DEEPER * layout.table["depth"]).argmax())


def _stand(layout: Layout, box: int) -> Columns:
    index = np.arange(len(layout.long))
    start, end = int(layout.table["first"][box]), int(layout.end[box])
    depth = layout.table["depth"]
    return {
        "inside": (index >= start) & (index < end),
        "from": np.clip(index - start, -FAR, FAR),
        "to": np.clip(end - index, -FAR, FAR),
        "hops": depth[layout.levels[0]] - depth[box],
    }
