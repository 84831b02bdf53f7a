"""Estimates the F1 of the text from the probabilities of its lines and the decisions of the rules."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from workers.draft import Classification
from workers.models.boosted_trees import BoostedTrees, Rows
from workers.quality.confidence import CLASSIFICATION_FEATURES, classification_features

TEXT_CONFIDENCE_FEATURES: Final = (
    *CLASSIFICATION_FEATURES,
    "whole",
    "by_rules",
    "titled",
    "ruled_share",
    "extra_share",
    "log_lines",
    "words_a_line",
)


@dataclass(frozen=True, slots=True)
class ChosenLines:
    """How the lines were chosen, and which of them the rules alone would have kept (`ruled`).

    `whole`: all of the text is the article. `by_rules`: the rules decided without the model.
    """

    classification: Classification
    ruled: Sequence[bool]
    whole: bool
    by_rules: bool
    titled: bool


def confidence(choice: ChosenLines, trees: BoostedTrees) -> float | None:
    """Returns the F1 to be expected of the text, in [0, 1], or None if no line was kept.

    Raises:
        ValueError: weights for other features than these.
    """
    if trees.names != TEXT_CONFIDENCE_FEATURES:
        raise ValueError("the weights of confidence are for other features")
    if not any(choice.classification.kept):
        return None
    return round(float(trees.probabilities(text_confidence_features(choice))[0]), 3)


def text_confidence_features(choice: ChosenLines) -> Rows:
    """Returns the features of a text with at least one line kept, (1, len(TEXT_CONFIDENCE_FEATURES))."""
    sizes = np.array(choice.classification.sizes, float)
    kept, ruled = np.array(choice.classification.kept, bool), np.array(choice.ruled, bool)
    inside = max(sizes[kept].sum(), 1.0)
    own = [
        choice.whole,
        choice.by_rules,
        choice.titled,
        sizes[kept & ruled].sum() / inside,
        sizes[ruled & ~kept].sum() / inside,
        np.log1p(len(sizes)),
        sizes.mean(),
    ]
    return np.array([[*classification_features(choice.classification), *own]], np.float32)
