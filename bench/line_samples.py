"""Pasted texts with known articles, cut into lines: features, labels, and the data to score a choice of lines."""

import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.documents import fold_of, read
from bench.line_labels import label, tokens
from workers.models.boosted_trees import Rows
from workers.pasted.classify_lines import choose_lines, is_all_article, line_probabilities, rule_findings, rules_suffice
from workers.pasted.line_features import line_features
from workers.pasted.line_rules import RuledLines
from workers.pasted.lines import Line
from workers.pasted.text_reader import rule_lines
from workers.pasted.title_model import ScoredLines, title_columns

ORIGINS = ("scrapinghub", "fundus", "wcxb")
CLEAN = "clean"


@dataclass(frozen=True, slots=True)
class Examples:
    """Features by name, for each row its label (N,), and its weight (N,)."""

    columns: dict[str, Rows]
    labels: Rows
    weights: Rows

    def rows(self, names: Sequence[str]) -> Rows:
        """Returns the features with these names, (N, len(names))."""
        return np.stack([self.columns[name] for name in names], axis=1).astype(np.float32)


@dataclass(frozen=True, slots=True)
class Given:
    """A text with its truth; `origin` is the set of pages that it was made from."""

    variant: str
    origin: str
    fold: int
    text: str
    truth: str
    title: str | None = None


@dataclass(frozen=True, slots=True)
class Sample:
    """A text, its lines, the findings of the rules, and the lines as examples."""

    given: Given
    lines: Sequence[Line]
    ruled_lines: RuledLines
    examples: Examples


def collect(folder: Path, workers: int = 2) -> list[Sample]:
    """Returns the samples of all texts."""
    with ProcessPoolExecutor(workers) as pool:
        return list(pool.map(_sample_of, _givens(folder), chunksize=16))


def _givens(folder: Path) -> Iterator[Given]:
    """Yields each text, and once for its four variants the true text, all of whose lines stay."""
    folds = {f"{name}/{page['id']}": fold_of(page) for name in ORIGINS for page in read(folder / f"{name}.jsonl.zst")}
    for document in read(folder / "paste.jsonl.zst"):
        fold = folds[document["id"].rpartition("/")[0]]
        origin = document["id"].partition("/")[0]
        truth, title = document["truth"]["text"], document["truth"]["title"]
        yield Given(document["variant"], origin, fold, document["text"], truth, title)
        if document["variant"] == "plain":
            yield Given(CLEAN, origin, fold, truth, truth)


def _sample_of(given: Given) -> Sample:
    lines, ruled_lines = rule_lines(given.text)
    columns = line_features(lines, rule_findings(ruled_lines))
    texts = [line.text for line in lines]
    sizes = np.array([len(tokens(text)) + 3 for text in texts], np.float32) ** 0.75
    labels = np.ones(len(lines), np.float32) if given.variant == CLEAN else label(texts, given.truth)
    examples = Examples(columns, labels, sizes / max(1.0, sizes.sum()) ** 0.6)
    return Sample(given, lines, ruled_lines, examples)


def titles_of(sample: Sample, odds: Rows) -> Examples | None:
    """Returns the lines of `sample` that may be its title, given a model's log-odds of all lines; None if none may."""
    clean = is_all_article(sample.lines, sample.ruled_lines)
    if not sample.given.title or rules_suffice(sample.lines, sample.ruled_lines, clean=clean):
        return None
    sure = line_probabilities(sample.lines, sample.ruled_lines, odds, clean=clean)
    scored = ScoredLines(sample.ruled_lines.noise, sure, choose_lines(sample.lines, sure))
    found = title_columns(sample.lines, scored, sample.examples.columns)
    if not found:
        return None
    at, columns = found
    labels = np.array([bare(sample.lines[index].text) == bare(sample.given.title) for index in at], np.float32)
    return Examples(columns, labels, np.ones(len(at), np.float32))


def bare(title: str) -> str:
    """Returns a title without case, punctuation and the name of the site behind it."""
    words = " ".join(tokens(re.sub(r"\s[|–—-]\s[^|–—-]{2,30}$", "", title))).casefold()
    return words or title
