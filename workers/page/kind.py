"""Estimates the kind of a page, with a small model for each kind over its URL, its declarations and its layout."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from contract.article import PageKind
from workers.models.boosted_trees import BoostedTrees, Rows, load_model
from workers.page.blocks import SegmentedPage
from workers.page.declared import ADDRESS_FEATURES, DECLARED_FEATURES, address_features, declared_features
from workers.page.head import Head
from workers.page.layout import LAYOUT_FEATURES, layout_features
from workers.page.tree import Element

KIND_FEATURES: Final = (*ADDRESS_FEATURES, *DECLARED_FEATURES, *LAYOUT_FEATURES)


@dataclass(frozen=True, slots=True)
class KindProbabilities:
    """The probability of each kind of page; they sum to one."""

    shares: dict[PageKind, float]

    @property
    def likeliest(self) -> PageKind:
        """The kind that the page most probably is."""
        return max(self.shares, key=lambda kind: self.shares[kind])


def kind_features(tree: Element, segmented: SegmentedPage, head: Head, url: str | None) -> Rows:
    """Returns the features of a page, (1, len(KIND_FEATURES))."""
    row = [*address_features(url), *declared_features(head), *layout_features(tree, segmented)]
    return np.array([row], np.float32)


def kind_probabilities(row: Rows) -> KindProbabilities:
    """Returns how probable each kind is for a page that `kind_features` measured."""
    odds = {kind: float(trees.probabilities(row)[0]) for kind, trees in load_kind_models().items()}
    total = sum(odds.values()) or 1.0
    return KindProbabilities({kind: share / total for kind, share in odds.items()})


def load_kind_models() -> dict[PageKind, BoostedTrees]:
    """Returns the model of each kind."""
    return {kind: load_model(f"page_kind_{kind}", KIND_FEATURES) for kind in PageKind}
