"""The kind of a page, by one small model for each kind over its address, its declarations and its layout."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np

from contract.article import PageKind
from workers.extract.walk import Walked
from workers.markup import Element
from workers.quality import address, layout
from workers.quality.declared import NAMES as DECLARED_NAMES
from workers.quality.declared import Declared
from workers.quality.declared import features as of_declared
from workers.trees import Rows, Trees

NAMES: Final = (*address.NAMES, *DECLARED_NAMES, *layout.NAMES)
_WEIGHTS = Path(__file__).parent / "weights"


@dataclass(frozen=True, slots=True)
class Kinds:
    """The probability of each kind of page; they add up to one."""

    shares: dict[PageKind, float]

    @property
    def likeliest(self) -> PageKind:
        """The kind that the page most probably is."""
        return max(self.shares, key=lambda kind: self.shares[kind])


def measure(tree: Element, walked: Walked, declared: Declared, url: str | None) -> Rows:
    """Returns the features of a page, (1, len(NAMES))."""
    return np.array([[*address.features(url), *of_declared(declared), *layout.features(tree, walked)]], np.float32)


def judge_kind(row: Rows) -> Kinds:
    """Returns how probable each kind is for a page that `measure` measured."""
    odds = {kind: float(trees.probabilities(row)[0]) for kind, trees in models().items()}
    total = sum(odds.values()) or 1.0
    return Kinds({kind: share / total for kind, share in odds.items()})


@cache
def models() -> dict[PageKind, Trees]:
    """Returns the model of each kind, read once.

    Raises:
        ValueError: weights for other features than these.
    """
    loaded = {kind: Trees.load(_WEIGHTS / f"kind_{kind}.npz") for kind in PageKind}
    for kind, trees in loaded.items():
        if trees.names != NAMES:
            raise ValueError(f"the weights for {kind} are for other features")
    return loaded
