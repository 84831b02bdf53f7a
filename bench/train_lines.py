"""Trains the models that tell an article's lines from the page's in pasted text, and the title from the rest.

    python bench/train_lines.py DATA [--cross-validate]

DATA is a folder of ground truth: paste.jsonl.zst, one {"id", "variant", "text", "truth": {"text", "title"}} a line, and
the sets of pages that it was made from, whose URLs say which texts are of one domain. Writes workers/pasted/lines.npz
and titles.npz. With --cross-validate, first trains on four fifths of the domains at a time, reads the texts of the
others with these models, normalises, and prints their F1 (4-grams of tokens, mean precision and recall over texts),
what survives of clean text, and how many titles are right. Needs catboost and zstandard beside what Copydesk needs.
"""

import io
import re
import statistics
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import catboost  # type: ignore[import-not-found, unused-ignore] # for training alone
import numpy as np
import orjson
import zstandard  # type: ignore[import-not-found, unused-ignore] # for training alone

from bench import weights
from bench.block_pages import FOLDS, fold_of
from bench.line_labels import label, tokens
from workers.normalise.text import normalise_text
from workers.pasted.features import Seen, measure
from workers.pasted.headline import candidates, columns_of
from workers.pasted.judge import Ruling, find_noise, judge
from workers.pasted.lines import Block, blocks_of, list_numbered
from workers.pasted.reader import read_text
from workers.pasted.repair import repair
from workers.pasted.rules import Rule
from workers.pasted.sift import Models
from workers.pasted.wrapping import unwrap
from workers.trees import Rows, Trees

ORIGINS = ("scrapinghub", "fundus", "wcxb")
CLEAN = "clean"
FOLDER = Path("workers/pasted")
OF_LINES = {
    "iterations": 250, "depth": 6, "learning_rate": 0.12, "l2_leaf_reg": 6, "border_count": 64, "rsm": 0.3,
}  # fmt: skip
OF_TITLES = {
    "iterations": 120, "depth": 5, "learning_rate": 0.1, "l2_leaf_reg": 8, "border_count": 48, "rsm": 0.4,
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
class Examples:
    """Features by name, whether each row is what is looked for (N,), and how much it counts (N,)."""

    columns: dict[str, Rows]
    labels: Rows
    weights: Rows


@dataclass(frozen=True, slots=True)
class Sample:
    """One text, its truth, its lines as examples, and those that may be the title."""

    variant: str
    fold: int
    text: str
    truth: str
    title: str | None
    lines: Examples
    titles: Examples | None


@dataclass(frozen=True, slots=True)
class Score:
    """Precision and recall of a text, and whether the title found is right; None where none was found."""

    precision: float
    recall: float
    wanted: bool
    title: bool | None


def main() -> None:
    samples = list(collect(Path(sys.argv[1])))
    if "--cross-validate" in sys.argv:
        cross_validate(samples)
    train(samples, FOLDER)


def collect(folder: Path) -> Iterator[Sample]:
    """Yields each text, and once for its four variants the true text, all of whose lines stay."""
    folds = {f"{name}/{page['id']}": fold_of(page) for name in ORIGINS for page in documents(folder, name)}
    for document in documents(folder, "paste"):
        fold = folds[document["id"].rpartition("/")[0]]
        truth, title = document["truth"]["text"], document["truth"]["title"]
        yield sample_of(document["variant"], fold, document["text"], truth, title)
        if document["variant"] == "plain":
            yield sample_of(CLEAN, fold, truth, truth, None)


def documents(folder: Path, name: str) -> Iterator[dict[str, Any]]:
    with (folder / f"{name}.jsonl.zst").open("rb") as raw:
        reader = zstandard.ZstdDecompressor(max_window_size=1 << 27).stream_reader(raw)
        yield from map(orjson.loads, io.BufferedReader(reader))


def sample_of(variant: str, fold: int, text: str, truth: str, title: str | None) -> Sample:
    blocks = list_numbered(blocks_of(unwrap(repair(text))))
    ruling = judge(blocks, find_noise(blocks))
    found = ruling.rules.index(Rule.TITLE) if Rule.TITLE in ruling.rules else None
    columns = measure(blocks, Seen(ruling.noise, ruling.region, [not rule for rule in ruling.rules], found))
    lines = [block.text for block in blocks]
    sizes = np.array([len(tokens(line)) + 3 for line in lines], np.float32) ** 0.75
    labels = np.ones(len(blocks), np.float32) if variant == CLEAN else label(lines, truth)
    examples = Examples(columns, labels, sizes / max(1.0, sizes.sum()) ** 0.6)
    return Sample(variant, fold, text, truth, title, examples, titles_of(blocks, ruling, columns, title))


def titles_of(blocks: Sequence[Block], ruling: Ruling, columns: dict[str, Rows], title: str | None) -> Examples | None:
    at = candidates(blocks, ruling.noise, ruling.region) if title and ruling.region.stop else []
    if not at or not title:
        return None
    labels = np.array([bare(blocks[index].text) == bare(title) for index in at], np.float32)
    return Examples(columns_of(blocks, ruling.noise, ruling.region, columns, at), labels, np.ones(len(at), np.float32))


def bare(title: str) -> str:
    """Returns a title without case, punctuation and the name of the site behind it."""
    words = " ".join(tokens(re.sub(r"\s[|–—-]\s[^|–—-]{2,30}$", "", title))).casefold()
    return words or title


def train(samples: Sequence[Sample], folder: Path) -> Models:
    """Trains both models, writes them into `folder`, and returns them as they are read from there."""
    fit([sample.lines for sample in samples if len(sample.lines.labels)], OF_LINES, folder / "lines.npz")
    fit([sample.titles for sample in samples if sample.titles], OF_TITLES, folder / "titles.npz")
    return Models(Trees.load(folder / "lines.npz"), Trees.load(folder / "titles.npz"))


def fit(examples: Sequence[Examples], parameters: dict[str, float], file: Path) -> None:
    names = list(examples[0].columns)
    rows = np.concatenate([np.stack([each.columns[name] for name in names], axis=1) for each in examples])
    labels = np.concatenate([each.labels for each in examples]) >= 0.5
    counts = np.concatenate([each.weights for each in examples])
    model = catboost.CatBoostClassifier(**PARAMETERS, **parameters)
    model.fit(rows, labels.astype(int), sample_weight=counts / counts.mean())
    weights.write(model, names, file)


def cross_validate(samples: Sequence[Sample]) -> None:
    scores: dict[str, list[Score]] = {}
    for fold in range(FOLDS):
        with tempfile.TemporaryDirectory() as folder:
            models = train([sample for sample in samples if sample.fold != fold], Path(folder))
        for sample in samples:
            if sample.fold == fold:
                scores.setdefault(sample.variant, []).append(score(sample, models))
    for variant, rows in scores.items():
        print(f"{variant:10} {summary(variant, rows)}")


def score(sample: Sample, models: Models) -> Score:
    draft = read_text(sample.text, models=models)
    wanted, got = shingles(tokens(sample.truth)), shingles(tokens(normalise_text(draft.text)))
    shared = (wanted & got).total()
    right = bare(draft.title.value) == bare(sample.title) if draft.title and sample.title else None
    return Score(shared / max(1, got.total()), shared / max(1, wanted.total()), bool(sample.title), right)


def shingles(words: Sequence[str]) -> Counter[tuple[str, ...]]:
    return Counter(tuple(words[start : start + 4]) for start in range(max(1, len(words) - 3)) if words)


def summary(variant: str, rows: Sequence[Score]) -> str:
    recall = statistics.fmean(row.recall for row in rows)
    if variant == CLEAN:
        return f"{recall:.4f} survives"
    precision = statistics.fmean(row.precision for row in rows)
    given = [row.title for row in rows if row.title is not None]
    wanted = sum(row.wanted for row in rows)
    return (
        f"F1 {2 * precision * recall / (precision + recall):.4f} (P {precision:.4f}, R {recall:.4f}), titles:"
        f" {sum(given) / wanted:.3f} of all right, {sum(given) / len(given):.3f} of those given"
    )


if __name__ == "__main__":
    main()
