"""Trains the classifier of a page's blocks, and scores it on pages of domains outside its training data.

    python -m bench.train_blocks DATA                   trains on all pages, writes workers/models/page_blocks.npz
    python -m bench.train_blocks DATA --folds FOLDER    trains without each fold in turn, writes FOLDER/blocks<fold>.npz
                                                        for bench.extraction to run the whole stage with
    python -m bench.train_blocks DATA --cross-validate  prints text F1 by set: folds by registered domain, and whole
                                                        sets left out

DATA holds `<set>.jsonl.zst`, one {"id", "url", "kind", "html", "truth": {"text"}} a line: scrapinghub
(scrapinghub/article-extraction-benchmark, MIT), fundus (flairNLP/fundus, test resources, MIT), readability
(mozilla/readability, test pages, Apache-2.0), wcxb (Web Content Extraction Benchmark, development part, CC-BY-4.0).
The weights contain no text of them. Needs catboost beside Copydesk. Seeds are fixed and one thread is
used, so the same data give the same weights.
"""

import argparse
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from catboost import CatBoostClassifier, sum_models
from numpy.typing import NDArray

from bench.block_pages import Page, read_pages
from bench.documents import FOLDS
from bench.text_f1 import compare, f1
from bench.weights import write
from contract.options import Focus
from workers.extract.block_features import BLOCK_FEATURES
from workers.extract.choose import THRESHOLDS
from workers.models.boosted_trees import weights_file

_WEIGHTS_OF_SETS = {"scrapinghub": 4.0, "fundus": 4.0, "readability": 1.5, "wcxb articles": 1.0, "wcxb": 0.5}
_TRUE = 0.55  # share of a block's words that stand in the truth, from which on it is body
_NEAR = 10  # blocks around the body; of those further off, which are easy, few will do
_FAR_SHARE = 0.12  # of the blocks further off that are trained on; chosen by hand
_MOST = 90  # blocks of one page that are trained on
_MODELS = 3  # models that are averaged; chosen: they even out the chance of single seeds
_MOST_WORDS = 100  # that a block counts for


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--folds", type=Path)
    parser.add_argument("--cross-validate", action="store_true")
    arguments = parser.parse_args()
    pages = read_pages(arguments.data, BLOCK_FEATURES)
    if arguments.folds:
        write_folds(pages, arguments.folds)
    elif arguments.cross_validate:
        report("folds by domain", pages, held_out(pages, lambda page: page.fold))
        report("whole sets left out", pages, held_out(pages, lambda page: page.document["set"]))
    else:
        write(fit(pages), BLOCK_FEATURES, weights_file("page_blocks"))


def write_folds(pages: Sequence[Page], folder: Path) -> None:
    """Writes a model for each fold, trained without the fold's domains."""
    folder.mkdir(parents=True, exist_ok=True)
    for fold in range(FOLDS):
        model = fit([page for page in pages if page.fold != fold])
        write(model, BLOCK_FEATURES, folder / f"blocks{fold}.npz")


def fit(pages: Sequence[Page]) -> Any:  # noqa: ANN401 - CatBoost has no types
    """Returns the mean of models trained on different blocks of `pages`: a single one sometimes fails on a page."""
    return sum_models([_fit(pages, seed) for seed in range(_MODELS)], weights=[1 / _MODELS] * _MODELS)


def _fit(pages: Sequence[Page], seed: int) -> CatBoostClassifier:
    samples = [_sample(page, np.random.default_rng((seed, number))) for number, page in enumerate(pages)]
    model = CatBoostClassifier(
        iterations=260,
        learning_rate=0.1,
        depth=6,
        rsm=0.3,
        border_count=48,
        l2_leaf_reg=5,
        boosting_type="Plain",
        bootstrap_type="Bernoulli",
        subsample=0.7,
        random_seed=seed,
        thread_count=1,
        verbose=0,
    )
    rows, labels, weights = (np.concatenate(columns) for columns in zip(*samples, strict=True))
    model.fit(rows, labels, sample_weight=weights)
    return model


def _sample(page: Page, dice: np.random.Generator) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Returns rows, labels and weights: all blocks near the body, some of the others, none more than its share."""
    labels = page.shares >= _TRUE
    near = np.convolve(np.pad(labels.astype(np.float32), _NEAR), np.ones(2 * _NEAR + 1), "valid") > 0
    weights = np.sqrt(np.minimum(page.words, _MOST_WORDS) + 1) * np.where(near, 1, 1 / _FAR_SHARE)
    chosen = np.flatnonzero(near | (dice.random(len(labels)) < _FAR_SHARE))
    scale = max(1, len(chosen) / _MOST)
    if scale > 1:
        chosen = dice.choice(chosen, _MOST, replace=False)
    weights *= scale * _WEIGHTS_OF_SETS[page.group]
    return page.rows[chosen], labels[chosen].astype(np.int8), weights[chosen]


def held_out(pages: Sequence[Page], part_of: Callable[[Page], object]) -> list[NDArray[np.float64]]:
    """Returns the probabilities of each page's blocks, by a model that was trained without the page's fold."""
    found: dict[int, NDArray[np.float64]] = {}
    for part in dict.fromkeys(map(part_of, pages)):
        model = fit([page for page in pages if part_of(page) != part])
        for number, page in enumerate(pages):
            if part_of(page) == part:
                found[number] = 1 / (1 + np.exp(-model.predict(page.rows, prediction_type="RawFormulaVal")))
    return [found[number] for number in range(len(pages))]


def report(name: str, pages: Sequence[Page], probabilities: Iterable[NDArray[np.float64]]) -> None:
    """Prints F1 by set: of the blocks above the threshold alone, and of the best possible choice of blocks."""
    print(name)
    scored = []
    for page, probability in zip(pages, probabilities, strict=True):
        truth = page.document["truth"]["text"]
        kept, best = probability >= THRESHOLDS[Focus.BALANCED], page.shares >= _TRUE
        scored.append((page, compare(truth, _join(page, kept)), compare(truth, _join(page, best))))
    for group in (*_WEIGHTS_OF_SETS, "wcxb all"):
        chosen = [each for each in scored if each[0].group == group or group == f"{each[0].document['set']} all"]
        figures = (
            len(chosen),
            f1([found for _, found, _ in chosen]),
            f1([best for _, _, best in chosen]),
        )
        print("  {:16} {:5} pages  F1 {:.4f}  of the blocks that are right {:.4f}".format(group, *figures))


def _join(page: Page, kept: NDArray[np.bool_]) -> str:
    return "\n".join(text for text, keep in zip(page.texts, kept, strict=True) if keep)


if __name__ == "__main__":
    main()
