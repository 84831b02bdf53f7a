"""Trains the model that chooses a page's authors among the names on it.

    python -m bench.train_authors DATA                    # the weights of page_authors
    python -m bench.train_authors DATA --folds FOLDER     # one file a fold, trained without that fold's domains
    python -m bench.train_authors DATA --cross-validate   # F1 of the names by set

DATA is a folder of ground truth: SET.jsonl.zst, one {"id", "url", "html", "truth": {"authors"}} a line. F1 is of folds
by registered domain, and of whole sets left out. The same data give the same weights. Needs catboost beside what
Copydesk needs.
"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import catboost  # type: ignore[import-not-found, unused-ignore] # for training alone
import numpy as np

from bench import weights
from bench.documents import FOLDS, fold_of, read
from workers.metadata.author_candidates import FEATURES, AuthorCandidate, candidate_rows
from workers.metadata.authors import ScoredCandidate, choose_authors, find_candidates
from workers.metadata.person_names import key_of, split_names
from workers.metadata.sources import gather
from workers.metadata.title import find_titles
from workers.models.boosted_trees import Rows, weights_file
from workers.page.head import read_head
from workers.page.tree import parse

SETS = {"fundus": 2.5, "readability": 1.0, "wcxb": 1.0, "trafilatura_eval": 1.5, "postlight": 3.0}  # by weight
MODELS = 3  # models that are averaged; chosen: they even out the chance of single seeds
PARAMETERS = {
    "iterations": 200,
    "depth": 6,
    "learning_rate": 0.05,
    "l2_leaf_reg": 10,
    "rsm": 0.3,
    "thread_count": 2,
    "verbose": 0,
    "allow_writing_files": False,
}


@dataclass(frozen=True, slots=True)
class Sample:
    """One page: its candidates, their features (N, len(FEATURES)), and whether each is an author (N,)."""

    of: str
    fold: int
    sites: frozenset[str]
    truth: frozenset[str]
    candidates: tuple[AuthorCandidate, ...]
    rows: Rows
    labels: Rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--folds", type=Path)
    parser.add_argument("--cross-validate", action="store_true")
    arguments = parser.parse_args()
    samples = all_samples(arguments.data)
    if arguments.folds:
        write_folds(samples, arguments.folds)
    elif arguments.cross_validate:
        report("folds by domain", samples, [sample.fold for sample in samples])
        report("whole sets left out", samples, [list(SETS).index(sample.of) for sample in samples])
    else:
        weights.write(train(samples), FEATURES, weights_file("page_authors"))


def all_samples(folder: Path) -> list[Sample]:
    """Returns the samples of all sets."""
    return [sample for name in SETS for sample in samples_of(name, folder)]


def write_folds(samples: Sequence[Sample], folder: Path) -> None:
    """Writes a model for each fold, trained without the fold's domains."""
    folder.mkdir(parents=True, exist_ok=True)
    for fold in range(FOLDS):
        model = train([sample for sample in samples if sample.fold != fold])
        weights.write(model, FEATURES, folder / f"authors{fold}.npz")


def samples_of(name: str, folder: Path) -> Iterator[Sample]:
    for document in read(folder / f"{name}.jsonl.zst"):
        if document["truth"].get("authors"):
            yield sample_of(name, document)


def sample_of(name: str, document: dict[str, Any]) -> Sample:
    tree = parse(document["html"])
    page = gather(tree, read_head(tree, document["html"]), document["url"])
    titles = find_titles(page)
    candidates = tuple(find_candidates(page, titles[0].value if titles else ""))
    stated = document["truth"]["authors"]
    names = [stated] if isinstance(stated, str) else stated
    truth = frozenset(key_of(name) for entry in names for name in split_names(entry) or [entry])
    labels = np.array([candidate.key in truth for candidate in candidates], np.float32)
    return Sample(
        name,
        fold_of(document),
        page.sites,
        truth,
        candidates,
        candidate_rows(candidates, page),
        labels,
    )


def train(samples: Sequence[Sample]) -> Any:  # noqa: ANN401 - CatBoost is not there for the type checker
    """Returns the mean of models with different seeds, each of which errs on other names."""
    used = [sample for sample in samples if len(sample.labels)]
    rows = np.concatenate([sample.rows for sample in used])
    labels = np.concatenate([sample.labels for sample in used])
    weight = np.concatenate([np.full(len(sample.labels), SETS[sample.of]) for sample in used])
    models = [catboost.CatBoostClassifier(**PARAMETERS, random_seed=seed) for seed in range(1, MODELS + 1)]
    return catboost.sum_models(
        [model.fit(rows, labels, sample_weight=weight) for model in models], weights=[1 / MODELS] * MODELS
    )


def report(title: str, samples: Sequence[Sample], folds: Sequence[int]) -> None:
    counts = {name: np.zeros(3) for name in SETS}
    for fold in sorted(set(folds)):
        model = train([sample for sample, own in zip(samples, folds, strict=True) if own != fold])
        for sample, own in zip(samples, folds, strict=True):
            if own == fold:
                counts[sample.of] += count(sample, model)
    figures = {
        name: round(float(2 * right / (2 * right + wrong + lost)), 3) for name, (right, wrong, lost) in counts.items()
    }
    print(title, figures)


def count(sample: Sample, model: Any) -> tuple[int, int, int]:  # noqa: ANN401 - see train
    """Returns how many names are right, wrong and missing."""
    chosen: set[str] = set()
    if sample.candidates:
        probabilities = 1 / (1 + np.exp(-model.predict(sample.rows, prediction_type="RawFormulaVal")))
        scored = [
            ScoredCandidate(one, float(probability))
            for one, probability in zip(sample.candidates, probabilities, strict=True)
        ]
        chosen = {one.candidate.key for one in choose_authors(scored, sample.sites)}
    return len(chosen & sample.truth), len(chosen - sample.truth), len(sample.truth - chosen)


if __name__ == "__main__":
    main()
