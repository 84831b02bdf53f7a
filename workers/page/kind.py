"""The kind of a page, by one small model for each kind over its address, its declarations and its layout."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from contract.article import PageKind
from workers.models.boosted_trees import BoostedTrees, Rows, load_model
from workers.page import layout
from workers.page.blocks import Walked
from workers.page.declared import ADDRESS_NAMES, DECLARED_NAMES, Declared, address_features, declared_features
from workers.page.tree import Element

NAMES: Final = (*ADDRESS_NAMES, *DECLARED_NAMES, *layout.NAMES)


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
    row = [*address_features(url), *declared_features(declared), *layout.features(tree, walked)]
    return np.array([row], np.float32)


def judge_kind(row: Rows) -> Kinds:
    """Returns how probable each kind is for a page that `measure` measured."""
    odds = {kind: float(trees.probabilities(row)[0]) for kind, trees in models().items()}
    total = sum(odds.values()) or 1.0
    return Kinds({kind: share / total for kind, share in odds.items()})


def models() -> dict[PageKind, BoostedTrees]:
    """Returns the model of each kind."""
    return {kind: load_model(f"page_kind_{kind}", NAMES) for kind in PageKind}
