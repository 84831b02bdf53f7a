"""Pasted texts with known articles, cut into lines: features, labels, and the data to score a choice of lines."""

import re
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np

from bench.documents import fold_of, read
from bench.line_labels import label, tokens
from bench.line_scripts import SCRIPTS
from bench.page_scores import name_set
from bench.page_text import page_text
from workers.models.boosted_trees import Rows
from workers.pasted.author_features import AUTHOR_FEATURES, TextAround, author_rows, candidates_of
from workers.pasted.author_mentions import find_mentions
from workers.pasted.classify_lines import choose_lines, is_all_article, line_probabilities, rule_findings, rules_suffice
from workers.pasted.line_features import line_features
from workers.pasted.line_rules import RuledLines
from workers.pasted.lines import Line
from workers.pasted.text_reader import Read, rule_lines
from workers.pasted.title_model import ScoredLines, title_columns
from workers.pasted.whole_text import WHOLE_TEXT_FEATURES, whole_text_features

DANIEL = "daniel"
ORIGINS = ("scrapinghub", "fundus", "wcxb", DANIEL)
REWRITTEN = "rewritten"  # in another script
_REWRITTEN = frozenset({"plain", "selected"})  # the variants that are there once more so; chosen: enough of them
CLEAN = "clean"
_AUTHORED = frozenset({"plain", "selected"})
_AUTHORED_SETS = ("trafilatura_eval", "postlight")  # they state authors, and no text that a paste could be scored by
_MAX_PAGE_CHARS = 80_000  # characters of such a page; chosen: all but a few
# Chosen by hand; not varied.
_REWRITTEN_WORTH, _DANIEL_WORTH, _PART_WORTH = 0.5, 1.5, 0.6
_WHOLE_SHARE = 0.97  # of the words of a text that is all article


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
    """A text with its truth; `origin` is the set of pages that it was made from. `authors` are those that it shows."""

    variant: str
    origin: str
    lang: str
    fold: int
    text: str
    truth: str
    title: str | None = None
    authors: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sample:
    """A text, its lines, the findings of the rules, and the lines as examples."""

    given: Given
    lines: Sequence[Line]
    ruled_lines: RuledLines
    examples: Examples

    @property
    def by_rules(self) -> bool:
        """True if no model is asked."""
        clean = is_all_article(self.lines, self.ruled_lines)
        return rules_suffice(self.lines, self.ruled_lines, clean=clean)


def collect(folder: Path, workers: int = 2) -> list[Sample]:
    """Returns the samples of all texts."""
    with ProcessPoolExecutor(workers) as pool:
        return list(pool.map(_sample_of, givens(folder), chunksize=16))


def givens(folder: Path) -> Iterator[Given]:
    """Yields each text, and once for its four variants the true text, all of whose lines stay."""
    folds = {f"{name}/{page['id']}": fold_of(page) for name in ORIGINS for page in read(folder / f"{name}.jsonl.zst")}
    for document in (*read(folder / "paste.jsonl.zst"), *read(folder / "paste_daniel.jsonl.zst")):
        page = document["id"].rpartition("/")[0]
        fold = folds[page]
        origin = document["id"].partition("/")[0]
        truth, title = document["truth"]["text"], document["truth"]["title"]
        authors = _shown_authors(document)
        given = Given(
            document["variant"], origin, document["lang"] or "", fold, document["text"], truth, title, authors
        )
        yield given
        if document["variant"] == "plain":
            yield replace(given, variant=CLEAN, text=truth, title=None, authors=())
        if document["variant"] in _REWRITTEN and origin != DANIEL:
            write = SCRIPTS[crc32(page.encode()) % len(SCRIPTS)]
            yield replace(
                given,
                variant=f"{REWRITTEN}_{document['variant']}",
                text=write(given.text),
                truth=write(truth),
                title=write(title) if title else None,
            )


def authored(folder: Path) -> Iterator[Given]:
    """Yields the texts that show their authors, to choose them: the whole pages and selections, and further pages."""
    for given in givens(folder):
        if given.authors and given.variant in _AUTHORED:
            yield given
    for name in _AUTHORED_SETS:
        for page in read(folder / f"{name}.jsonl.zst"):
            text = page_text(page["html"])
            authors = _shown_authors({"text": text, "truth": page["truth"]})
            if authors and len(text) <= _MAX_PAGE_CHARS:
                yield Given("page", name, page.get("lang") or "", fold_of(page), text, "", authors=authors)


def _shown_authors(document: Mapping[str, Any]) -> tuple[str, ...]:
    """Returns the true authors of a text, none unless all of them stand in it."""
    stated = document["truth"].get("authors") or ()
    names = (stated,) if isinstance(stated, str) else tuple(stated)
    text = document["text"].casefold()
    return names if all(name.casefold() in text for name in names) else ()


def _sample_of(given: Given) -> Sample:
    lines, ruled_lines = rule_lines(given.text)
    columns = line_features(lines, rule_findings(ruled_lines))
    texts = [line.text for line in lines]
    sizes = np.array([len(tokens(text)) + 3 for text in texts], np.float32) ** 0.75
    labels = np.ones(len(lines), np.float32) if given.variant == CLEAN else label(texts, given.truth)
    examples = Examples(columns, labels, _worth(given) * sizes / max(1.0, sizes.sum()) ** 0.6)
    return Sample(given, lines, ruled_lines, examples)


def _worth(given: Given) -> float:
    """Returns what a text counts for: more if its language is rare, less if it is another one rewritten."""
    if given.variant.startswith(REWRITTEN):
        return _REWRITTEN_WORTH
    return _DANIEL_WORTH if given.origin == DANIEL else 1.0


def whole_of(sample: Sample, odds: Rows) -> Examples | None:
    """Returns the text as one example of whether all of it is the article; None if no model is asked."""
    if sample.by_rules:
        return None
    words = sample.examples.columns["words"]
    share = float((words * sample.examples.labels).sum() / max(1.0, words.sum()))
    row = whole_text_features(sample.examples.columns, odds)[0]
    label = sample.given.variant == CLEAN or share > _WHOLE_SHARE
    columns = {name: row[[at]] for at, name in enumerate(WHOLE_TEXT_FEATURES)}
    return Examples(columns, np.array([label], np.float32), np.ones(1, np.float32))


def titles_of(sample: Sample, odds: Rows) -> Examples | None:
    """Returns the lines of `sample` that may be its title, given a model's log-odds of all lines; None if none may."""
    if not sample.given.title or sample.by_rules:
        return None
    sure = line_probabilities(sample.lines, sample.ruled_lines, odds)
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


def authors_of(given: Given, found: Read) -> Examples | None:
    """Returns the names that the text mentions, as examples of authors; None if there are none."""
    around = TextAround(
        found.lines,
        found.classified.rules,
        found.classified.probabilities,
        found.classified.title,
        found.ruled_lines.authors,
    )
    candidates = candidates_of(find_mentions(around.lines, around.kept))
    if not candidates:
        return None
    true = name_set(given.authors)
    labels = np.array([not true.isdisjoint(name_set([one.name])) for one in candidates], np.float32)
    rows = author_rows(candidates, around)
    columns = {name: rows[:, at] for at, name in enumerate(AUTHOR_FEATURES)}
    worth = _PART_WORTH if given.variant == "selected" else 1.0
    return Examples(columns, labels, np.full(len(labels), worth / len(labels) ** 0.5, np.float32))
