"""Trains the models of a page's kind and of confidence; scores both on domains outside their training data.

    python -m bench.train_quality DATA FOLDS

DATA is as for `train_blocks`, FOLDS the output of `train_blocks DATA --folds FOLDS`: confidence is trained on texts of
models without the page's domain. The weights go to workers/models; the printed tables are in docs/quality.md. Needs
catboost and scipy beside Copydesk.
"""

import sys
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from catboost import CatBoost, CatBoostClassifier
from numpy.typing import NDArray
from scipy.stats import spearmanr

from bench.documents import FOLDS
from bench.quality_pages import Row, column, read_rows
from bench.weights import write
from contract.article import PageKind
from workers.models.boosted_trees import weights_file
from workers.page import kind
from workers.page.declared import ADDRESS_FEATURES
from workers.quality import confidence

KINDS = list(PageKind)
Numbers = NDArray[np.float64]

# Sets of articles alone have a lower weight, so that they do not outweigh the other kinds; for confidence all count.
_KIND_WEIGHTS = {"wcxb": 1.0, "scrapinghub": 0.5, "fundus": 0.5, "readability": 0.5}
_CONFIDENCE_WEIGHTS = {"wcxb": 1.0, "scrapinghub": 3.0, "fundus": 3.0, "readability": 1.0}
_TRAINING = {
    "depth": 4,
    "l2_leaf_reg": 6,
    "boosting_type": "Plain",
    "border_count": 64,
    "random_seed": 1,
    "thread_count": 1,
    "verbose": 0,
    "allow_writing_files": False,
}


def main() -> None:
    found = read_rows(Path(sys.argv[1]), Path(sys.argv[2]))
    rows, kinds, folds = (
        column(found, "features"),
        np.array([KINDS.index(row.kind) for row in found]),
        column(found, "fold"),
    )
    shares = held_out_kinds(rows, kinds, kind_weights(found, kinds), folds)
    report_kinds(found, kinds, shares.argmax(axis=1))
    report_refusals(found, shares)
    for number, name in enumerate(KINDS):
        model = fit_kind(rows, kinds == number, kind_weights(found, kinds))
        write(model, kind.KIND_FEATURES, weights_file(f"page_kind_{name}"))
    train_confidence(found, shares, weights_file("page_confidence"))


def kind_weights(found: Sequence[Row], kinds: NDArray[Any]) -> Numbers:
    """Returns a weight for each page: the rarer its kind, the higher, by the square root."""
    base = np.array([_KIND_WEIGHTS[row.set] for row in found])
    totals = np.bincount(kinds, base, len(KINDS))
    weights: Numbers = base * np.sqrt(base.sum() / len(KINDS) / totals[kinds])
    return weights


def fit_kind(rows: NDArray[Any], is_kind: NDArray[Any], weights: Numbers) -> Any:  # noqa: ANN401 - CatBoost has no types
    """Returns the model of one kind. Every page counts twice, once without its URL: some documents have none."""
    nameless = rows.copy()
    nameless[:, : len(ADDRESS_FEATURES)] = np.nan
    model = CatBoostClassifier(iterations=100, learning_rate=0.12, **_TRAINING)
    twice = (np.concatenate(pair) for pair in ((rows, nameless), (is_kind, is_kind)))
    return model.fit(*twice, sample_weight=np.concatenate((weights, weights / 2)))


def held_out_kinds(rows: NDArray[Any], kinds: NDArray[Any], weights: Numbers, folds: NDArray[Any]) -> Numbers:
    shares = np.zeros((len(rows), len(KINDS)))
    for train, test in _parts(folds):
        for number in range(len(KINDS)):
            model = fit_kind(rows[train], kinds[train] == number, weights[train])
            shares[test, number] = model.predict_proba(rows[test])[:, 1]
    found: Numbers = shares / shares.sum(axis=1, keepdims=True)
    return found


def report_kinds(found: Sequence[Row], kinds: NDArray[Any], estimated: NDArray[Any]) -> None:
    for name in _KIND_WEIGHTS:
        chosen = column(list(found), "set") == name
        print(f"kind, {name}: {(kinds == estimated)[chosen].mean():.3f} of {chosen.sum()} pages right")
    print("is / judged: " + ", ".join(KINDS))
    for number, name in enumerate(KINDS):
        chosen = (kinds == number) & (column(list(found), "set") == "wcxb")
        print(f"{name:14}", *(f"{(estimated[chosen] == other).sum():4}" for other in range(len(KINDS))))


def report_refusals(found: Sequence[Row], shares: Numbers) -> None:
    """Prints which pages would be refused as an index, by kind."""
    listing = shares[:, KINDS.index(PageKind.LISTING)]
    for name in KINDS:
        pages = [number for number, row in enumerate(found) if row.kind is name]
        likely = [number for number in pages if listing[number] >= 0.8]
        print(f"likely index: {len(likely)} of {len(pages)} {name}")


def train_confidence(found: Sequence[Row], shares: Numbers, file: Path) -> None:
    chosen = [number for number, row in enumerate(found) if any(row.classification.kept)]
    rows = np.array([_confidence_row(found[number], shares[number]) for number in chosen], np.float32)
    truth = np.array([found[number].f1 for number in chosen])
    weights = np.array([_CONFIDENCE_WEIGHTS[found[number].set] for number in chosen])
    estimates = np.zeros(len(chosen))
    for train, test in _parts(np.array([found[number].fold for number in chosen])):
        estimates[test] = _expected(fit_confidence(rows[train], truth[train], weights[train]), rows[test])
    report_confidence([found[number] for number in chosen], truth, estimates, rows[:, 0].astype(float))
    write(fit_confidence(rows, truth, weights), confidence.CONFIDENCE_FEATURES, file)


def fit_confidence(rows: NDArray[Any], truth: Numbers, weights: Numbers) -> Any:  # noqa: ANN401 - CatBoost has no types
    model = CatBoost({"iterations": 90, "learning_rate": 0.08, "loss_function": "CrossEntropy", **_TRAINING})
    return model.fit(rows, truth, sample_weight=weights)


def report_confidence(found: Sequence[Row], truth: Numbers, guesses: Numbers, uncertainty: Numbers) -> None:
    sets = np.array([row.set for row in found])
    articles = np.array([row.kind is PageKind.ARTICLE for row in found])
    groups = {
        **{name: sets == name for name in ("scrapinghub", "fundus", "readability")},
        "wcxb articles": (sets == "wcxb") & articles,
        "wcxb all": sets == "wcxb",
        "all articles": articles,
    }
    for name, chosen in groups.items():
        rank, plain = (spearmanr(value[chosen], truth[chosen])[0] for value in (guesses, -uncertainty))
        error = np.abs(guesses - truth)[chosen].mean()
        print(
            f"confidence, {name}: Spearman {rank:.2f} (plain formula {plain:.2f}), error {error:.3f}, n {chosen.sum()}"
        )
    print("confidence | pages | mean confidence | mean F1")
    for low, high in pairwise(_BOUNDS):
        inside = (guesses >= low) & (guesses < high)
        if inside.any():
            print(f"{low:.2f}-{high:.2f} | {inside.sum()} | {guesses[inside].mean():.3f} | {truth[inside].mean():.3f}")


# Of the rows of the table; chosen: finer where most pages are.
_BOUNDS = (0, 0.3, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.925, 0.95, 0.975, 1.001)


def _confidence_row(row: Row, shares: Numbers) -> NDArray[Any]:
    kinds = dict(zip(KINDS, shares.tolist(), strict=True))
    found: NDArray[Any] = confidence.confidence_features(
        row.classification, row.features, kind.KindProbabilities(kinds)
    )[0]
    return found


def _expected(model: Any, rows: NDArray[Any]) -> Numbers:  # noqa: ANN401 - CatBoost has no types
    odds: Numbers = model.predict(rows, prediction_type="RawFormulaVal")
    return 1 / (1 + np.exp(-odds))


def _parts(folds: NDArray[Any]) -> Iterator[tuple[NDArray[Any], NDArray[Any]]]:
    for fold in range(FOLDS):
        yield np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)


if __name__ == "__main__":
    main()
