"""Consults trafilatura if the model is unsure about a page."""

import math
from collections.abc import Sequence

from trafilatura import bare_extraction

from workers.page.blocks import SegmentedPage
from workers.page.tree import Element, as_html

_UNSURE = 0.2  # of `uncertainty`; chosen: a tenth of pages of news have as much, and a fifth of others
_FOR, _AGAINST = 0.6, -0.8  # weights of its vote in log-odds, chosen by cross-validated F1; it keeps too many lists


def uncertainty(sizes: Sequence[float], probabilities: Sequence[float]) -> float:
    """Returns the expected variance of each block, p · (1 - p), summed by size, for each character kept."""
    weighed = list(zip(sizes, probabilities, strict=True))
    kept = sum(size for size, each in weighed if each >= 0.5)  # noqa: PLR2004 - more likely than not
    return sum(size * each * (1 - each) for size, each in weighed) / max(kept, 1)


def add_vote(segmented: SegmentedPage, probabilities: Sequence[float], tree: Element) -> list[float]:
    """Returns the probabilities, weighed with the text that trafilatura finds in `tree` if they are uncertain."""
    if uncertainty(segmented.sizes, probabilities) < _UNSURE:
        return list(probabilities)
    document = bare_extraction(as_html(tree), fast=True, include_comments=False, with_metadata=False)
    text = " ".join((getattr(document, "text", None) or "").split())
    named = [" ".join(block.text.split()) in text for block in segmented.blocks]
    if not any(named):
        return list(probabilities)
    return [_weigh(each, _FOR if is_in else _AGAINST) for each, is_in in zip(probabilities, named, strict=True)]


def _weigh(probability: float, odds: float) -> float:
    bounded = min(max(probability, 1e-6), 1 - 1e-6)
    return 1 / (1 + math.exp(-math.log(bounded / (1 - bounded)) - odds))
