"""Consults trafilatura about a page whose text hangs on blocks that are about as likely in it as not."""

import math
from collections.abc import Sequence

from trafilatura import bare_extraction

from workers.page.blocks import SegmentedPage
from workers.page.tree import Element, as_html

_FOR, _AGAINST = 0.6, -0.8  # weights of its vote in log-odds, chosen by cross-validated F1; it keeps too many lists
# Chosen by cross-validated F1 and time: docs/decisions.md, "Trafilatura is asked where its answer counts" and
# "Trafilatura is asked about fewer large pages".
_DISPUTED = 0.2  # least `disputed_share` of a page that is worth the time
_BLOCKS = 400  # of a page that is worth the time only if the share is 1; on others in proportion


def disputed_share(sizes: Sequence[float], probabilities: Sequence[float]) -> float:
    """Returns how much text a vote can add or take away, in characters, for each character kept without it."""
    lowest, highest = _shifted(0.5, -_FOR), _shifted(0.5, -_AGAINST)
    weighed = list(zip(sizes, probabilities, strict=True))
    kept = sum(size for size, each in weighed if each >= 0.5)  # noqa: PLR2004 - more likely than not
    return sum(size for size, each in weighed if lowest <= each < highest) / max(kept, 1)


def add_vote(segmented: SegmentedPage, probabilities: Sequence[float], tree: Element) -> list[float]:
    """Returns the probabilities, weighed with the text that trafilatura finds in `tree` if that can change much."""
    needed = max(_DISPUTED, len(segmented.blocks) / _BLOCKS)
    if disputed_share(segmented.sizes, probabilities) < needed:
        return list(probabilities)
    document = bare_extraction(as_html(tree), fast=True, include_comments=False, with_metadata=False)
    text = " ".join((getattr(document, "text", None) or "").split())
    named = [" ".join(block.text.split()) in text for block in segmented.blocks]
    if not any(named):
        return list(probabilities)
    return [_shifted(each, _FOR if is_in else _AGAINST) for each, is_in in zip(probabilities, named, strict=True)]


def _shifted(probability: float, odds: float) -> float:
    """Returns the probability whose log-odds are greater by `odds`."""
    bounded = min(max(probability, 1e-6), 1 - 1e-6)
    return 1 / (1 + math.exp(-math.log(bounded / (1 - bounded)) - odds))
