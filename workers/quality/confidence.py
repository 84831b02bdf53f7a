"""Estimates the F1 of the text from the probabilities of its blocks and the kind of the page."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from contract.article import PageKind
from workers.draft import Classification
from workers.models.boosted_trees import Rows, load_model
from workers.page.kind import KIND_FEATURES, KindProbabilities
from workers.quality.assessment import AssessedPage

# The features depend on it: retrain the models after a change. Chosen by hand.
_UNSURE = (0.2, 0.8)  # probabilities between which the model is unsure of a block
_CUT = 0.5  # F1 of a page that has more blocks than are read, at most. Chosen by hand.
CLASSIFICATION_FEATURES = (
    *("uncertainty", "expected_f1", "mean_kept", "unsure_share", "missed_share", "doubted_share", "log_kept"),
    *("kept_share", "log_kept_blocks", "mean_kept_chars", "switches", "first_kept", "last_kept", "longest_kept"),
)
_OF_PAGE = (
    *("link_share", "boxed_share", "log_prose", "prose_share", "prose_best_share", "repeats_share", "headings_linked"),
    *("in_article_share", "log_blocks", "names_comment", "names_list"),
)
CONFIDENCE_FEATURES: Final = (*CLASSIFICATION_FEATURES, *_OF_PAGE, *(f"is_{kind}" for kind in PageKind))
_PLACES = [KIND_FEATURES.index(name) for name in _OF_PAGE]


def confidence(classification: Classification, page: AssessedPage) -> float | None:
    """Returns the expected F1 of the text in [0, 1], or None if no block is kept."""
    if not any(classification.kept):
        return None
    row = confidence_features(classification, page.row[0], page.kinds)
    estimate = float(load_model("page_confidence", CONFIDENCE_FEATURES).probabilities(row)[0])
    return round(min(estimate, _most(classification, is_cut=page.segmented.is_cut)), 3)


def _most(classification: Classification, *, is_cut: bool) -> float:
    """Returns the highest possible F1: lower if hidden text was left out, or if the page was not read to its end."""
    kept = sum(size for size, keep in zip(classification.sizes, classification.kept, strict=True) if keep)
    complete = 2 * kept / (2 * kept + classification.hidden)
    return min(complete, _CUT) if is_cut else complete


def confidence_features(classification: Classification, row: Rows, kinds: KindProbabilities) -> Rows:
    """Returns the features of a page with at least one block kept, a row; `row` are those of `workers.page.kind`."""
    shares = [kinds.shares[kind] for kind in PageKind]
    return np.array([[*classification_features(classification), *row[_PLACES], *shares]], np.float32)


def classification_features(classification: Classification) -> list[float]:
    """Returns a value for each of `CLASSIFICATION_FEATURES`. At least one block is kept."""
    sure = np.array(classification.probabilities, float)
    sizes = np.array(classification.sizes, float)
    kept = np.array(classification.kept, bool)
    inside = max(sizes[kept].sum(), 1.0)
    mass = (sizes * sure).sum()
    unsure = (sure > _UNSURE[0]) & (sure < _UNSURE[1])
    return [
        (sizes * sure * (1 - sure)).sum() / inside,
        2 * (sizes * sure)[kept].sum() / max(inside + mass, 1.0),
        (sizes * sure)[kept].sum() / inside,
        sizes[unsure].sum() / inside,
        (sizes * sure)[~kept].sum() / inside,
        (sizes * (1 - sure))[kept].sum() / inside,
        np.log1p(inside),
        inside / max(sizes.sum(), 1.0),
        np.log1p(kept.sum()),
        inside / kept.sum(),
        np.abs(np.diff(kept.astype(int))).sum() / kept.sum(),
        *_ends(sure, kept),
        sizes[kept].max() / inside,
    ]


def _ends(sure: NDArray[np.float64], kept: NDArray[np.bool_]) -> tuple[float, float]:
    places = np.flatnonzero(kept)
    return float(sure[places[0]]), float(sure[places[-1]])
