"""Trains the models of pasted text: of the article's lines, of its title, of its authors, and of the confidence.

    python -m bench.train_lines DATA [--cross-validate]
    python -m bench.train_lines DATA --folds FOLDER    # only models without a fifth each, for bench.measures

DATA is a folder of ground truth: paste.jsonl.zst and paste_daniel.jsonl.zst, one
{"id", "lang", "variant", "text", "truth": {"text", "title"}} a line, and the sets of pages that they were made from,
whose URLs or ids give the domain of each text. Authors are learned from the texts that show theirs, and from pages of
trafilatura_eval and postlight that `page_text` makes into texts. Writes the weights of pasted_lines, pasted_whole,
pasted_titles, pasted_authors and pasted_confidence. All but the first are trained on lines classified by a model
without their domain in its training data. Half of the texts are there once more in another script, so that the models
do without known words. With --cross-validate, prints scores of texts read by such models: F1 (4-grams of tokens, mean
precision and recall over texts), the share of clean text that is kept, how many titles are right, and how well
confidence predicts the F1. Needs catboost and scipy beside what Copydesk needs.
"""

import sys
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import catboost  # type: ignore[import-not-found, unused-ignore] # for training alone
import numpy as np

from bench import weights
from bench.documents import FOLDS
from bench.line_samples import (
    REWRITTEN,
    Examples,
    Given,
    Sample,
    authored,
    authors_of,
    collect,
    titles_of,
    whole_of,
)
from bench.line_scores import Score, report, score
from workers.models.boosted_trees import BoostedTrees, Rows, weights_file
from workers.pasted.classify_lines import TextModels
from workers.pasted.text_confidence import TEXT_CONFIDENCE_FEATURES
from workers.pasted.text_reader import read_lines

WORKERS = 2  # processes; chosen for two cores
OF_LINES = {
    "iterations": 250, "depth": 6, "learning_rate": 0.12, "l2_leaf_reg": 6, "border_count": 64, "rsm": 0.3,
}  # fmt: skip
OF_WHOLE = {
    "iterations": 120, "depth": 5, "learning_rate": 0.08, "l2_leaf_reg": 6, "border_count": 48, "rsm": 0.5,
}  # fmt: skip
OF_TITLES = {
    "iterations": 200, "depth": 5, "learning_rate": 0.06, "l2_leaf_reg": 12, "border_count": 48, "rsm": 0.4,
}  # fmt: skip
OF_AUTHORS = {
    "iterations": 150, "depth": 4, "learning_rate": 0.06, "l2_leaf_reg": 8, "border_count": 48, "rsm": 0.4,
}  # fmt: skip
OF_CONFIDENCE = {
    "iterations": 80, "depth": 4, "learning_rate": 0.08, "l2_leaf_reg": 6, "border_count": 48, "rsm": 0.5,
}  # fmt: skip
PARAMETERS = {
    "subsample": 0.7,
    "bootstrap_type": "Bernoulli",
    "boosting_type": "Plain",
    "random_seed": 0,
    "thread_count": 2,
    "verbose": 0,
    "allow_writing_files": False,
}


@dataclass(frozen=True, slots=True)
class Fold:
    """The models trained without a fifth of the domains."""

    lines: BoostedTrees
    whole: BoostedTrees
    titles: BoostedTrees
    authors: BoostedTrees | None = None

    @property
    def models(self) -> TextModels:
        """These models to read with; confidence is not asked for."""
        return TextModels(self.lines, self.whole, self.titles, self.lines, self.authors)


@dataclass(frozen=True, slots=True)
class HeldOut:
    """What models without a text's domain found: those models, and examples of whole texts, titles and authors."""

    folds: Sequence[Fold]
    wholes: Sequence[Examples | None]
    titles: Sequence[Examples | None]
    authors: Sequence[Examples | None]


def main() -> None:
    data = Path(sys.argv[1])
    samples, named = collect(data), list(authored(data))
    if "--folds" in sys.argv:
        cross_fit(samples, named, Path(sys.argv[-1]))
        return
    held_out = cross_fit(samples, named)
    scores = read_all([one.given for one in samples], held_out.folds)
    if "--cross-validate" in sys.argv:
        report(scores, held_out_confidence(scores))
    fit_lines(samples, weights_file("pasted_lines"))
    fit_whole(held_out.wholes, weights_file("pasted_whole"))
    fit_titles(held_out.titles, weights_file("pasted_titles"))
    fit_authors(held_out.authors, weights_file("pasted_authors"))
    fit_confidence(scores, weights_file("pasted_confidence"))


def cross_fit(samples: Sequence[Sample], named: Sequence[Given], folder: Path | None = None) -> HeldOut:
    """Trains models without each fold's domains, and writes them to `folder` if it is given.

    `named` are the texts that authors are learned from.
    """
    if folder:
        folder.mkdir(parents=True, exist_ok=True)
    lines = [
        fit_lines([one for one in samples if one.given.fold != fold], _file_in(folder, "lines", fold))
        for fold in range(FOLDS)
    ]
    givens = [one.given for one in samples]
    odds = [odds_of(one, lines[one.given.fold]) for one in samples]
    wholes = [whole_of(one, own) for one, own in zip(samples, odds, strict=True)]
    titles = [titles_of(one, own) for one, own in zip(samples, odds, strict=True)]
    folds = [
        Fold(
            lines[fold],
            fit_whole(_without(fold, givens, wholes), _file_in(folder, "whole", fold)),
            fit_titles(_without(fold, givens, titles), _file_in(folder, "titles", fold)),
        )
        for fold in range(FOLDS)
    ]
    with ProcessPoolExecutor(WORKERS) as pool:
        authors = list(pool.map(partial(read_authors, folds), named, chunksize=16))
    folds = [
        replace(own, authors=fit_authors(_without(fold, named, authors), _file_in(folder, "authors", fold)))
        for fold, own in enumerate(folds)
    ]
    return HeldOut(folds, wholes, titles, authors)


def load_folds(folder: Path) -> list[Fold]:
    """Returns the models that `cross_fit` wrote.

    Raises:
        FileNotFoundError: there are none.
    """
    names = ("lines", "whole", "titles", "authors")
    return [Fold(*(BoostedTrees.load(_file(folder, name, fold)) for name in names)) for fold in range(FOLDS)]


def _file(folder: Path, name: str, fold: int) -> Path:
    return folder / f"pasted_{name}{fold}.npz"


def _file_in(folder: Path | None, name: str, fold: int) -> Path | None:
    return _file(folder, name, fold) if folder else None


def read_all(givens: Sequence[Given], folds: Sequence[Fold]) -> list[Score]:
    """Returns the scores of all texts but the rewritten ones."""
    shown = [one for one in givens if not one.variant.startswith(REWRITTEN)]
    with ProcessPoolExecutor(WORKERS) as pool:
        return list(pool.map(partial(read, folds), shown, chunksize=16))


def _without(fold: int, givens: Sequence[Given], examples: Sequence[Examples | None]) -> Sequence[Examples | None]:
    return [own for one, own in zip(givens, examples, strict=True) if one.fold != fold]


def odds_of(sample: Sample, trees: BoostedTrees) -> Rows:
    return trees.raw(sample.examples.rows(trees.names)) if sample.lines else np.zeros(0, np.float32)


def read(folds: Sequence[Fold], given: Given) -> Score:
    return score(given, read_lines(given.text, folds[given.fold].models))


def read_authors(folds: Sequence[Fold], given: Given) -> Examples | None:
    return authors_of(given, read_lines(given.text, folds[given.fold].models))


def fit_lines(samples: Sequence[Sample], file: Path | None = None) -> BoostedTrees:
    return _fit_classes([one.examples for one in samples if one.lines], OF_LINES, file)


def fit_titles(titles: Sequence[Examples | None], file: Path | None = None) -> BoostedTrees:
    return _fit_classes([examples for examples in titles if examples], OF_TITLES, file)


def fit_authors(authors: Sequence[Examples | None], file: Path | None = None) -> BoostedTrees:
    return _fit_classes([examples for examples in authors if examples], OF_AUTHORS, file)


def fit_whole(wholes: Sequence[Examples | None], file: Path | None = None) -> BoostedTrees:
    return _fit_classes([examples for examples in wholes if examples], OF_WHOLE, file)


def fit_confidence(scores: Sequence[Score], file: Path | None = None) -> BoostedTrees:
    known = [one for one in scores if one.measured is not None]
    rows = np.concatenate([one.measured for one in known])
    model = catboost.CatBoost({"loss_function": "CrossEntropy", **PARAMETERS, **OF_CONFIDENCE})
    return _keep(model.fit(rows, np.array([one.f1 for one in known])), TEXT_CONFIDENCE_FEATURES, file)


def held_out_confidence(scores: Sequence[Score]) -> list[float | None]:
    models = [fit_confidence([one for one in scores if one.fold != fold]) for fold in range(FOLDS)]
    return [None if one.measured is None else float(models[one.fold].probabilities(one.measured)[0]) for one in scores]


def _fit_classes(examples: Sequence[Examples], parameters: Mapping[str, float], file: Path | None) -> BoostedTrees:
    names = list(examples[0].columns)
    rows = np.concatenate([each.rows(names) for each in examples])
    labels = np.concatenate([each.labels for each in examples]) >= 0.5
    counts = np.concatenate([each.weights for each in examples])
    model = catboost.CatBoostClassifier(**PARAMETERS, **parameters)
    return _keep(model.fit(rows, labels.astype(int), sample_weight=counts / counts.mean()), names, file)


def _keep(model: Any, names: Sequence[str], file: Path | None) -> BoostedTrees:  # noqa: ANN401 - CatBoost has no types
    """Returns the trees of `model` as they are read from the file that it is written to, possibly a passing one."""
    with tempfile.TemporaryDirectory() as folder:
        written = file or Path(folder, "passing.npz")
        weights.write(model, names, written)
        return BoostedTrees.load(written)


if __name__ == "__main__":
    main()
