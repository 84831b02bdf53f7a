"""Scores of pasted text as it is read: F1, the title, and the agreement of confidence and F1."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.stats import spearmanr

from bench.line_samples import CLEAN, Given, bare
from bench.page_scores import name_set
from bench.text_f1 import compare
from workers.models.boosted_trees import Rows
from workers.normalise.text import normalise_text
from workers.pasted.text_confidence import text_confidence_features
from workers.pasted.text_reader import Read

# Of the rows of the table; chosen: finer where most texts are.
_BOUNDS = (0, 0.3, 0.5, 0.7, 0.8, 0.85, 0.9, 0.925, 0.95, 0.975, 1.001)


@dataclass(frozen=True, slots=True)
class Score:
    """Precision, recall and F1 of a text, and True if the title found is right; None if none was found.

    `authors`: True if the authors are right, None if the text shows none. `persons`: each has two words at least.
    `kind` is the kind of paste, `measured` are the features of its confidence, None if nothing was kept.
    """

    variant: str
    origin: str
    lang: str
    kind: str
    fold: int
    precision: float
    recall: float
    f1: float
    wanted: bool
    title: bool | None
    authors: bool | None
    persons: bool
    measured: Rows | None


def score(given: Given, read: Read) -> Score:
    true, surplus, missing = compare(given.truth, normalise_text(read.text))
    right = bare(read.title) == bare(given.title) if read.title and given.title else None
    return Score(
        given.variant,
        given.origin,
        given.lang,
        read.kind.kind,
        given.fold,
        precision=true / (true + surplus) if true else 0.0,
        recall=true / (true + missing) if true else 0.0,
        f1=2 * true / (2 * true + surplus + missing) if true else 0.0,
        wanted=bool(given.title),
        title=right,
        authors=name_set(given.authors) == name_set(read.ruled_lines.authors or ()) if given.authors else None,
        persons=all(" " in name.strip() for name in given.authors),
        measured=text_confidence_features(read.choice) if any(read.classification.kept) else None,
    )


def report(scores: Sequence[Score], confidences: Sequence[float | None]) -> None:
    """Prints the scores by kind of text, and how well the confidence of each text predicts its F1."""
    variants = sorted({one.variant for one in scores})
    for variant in variants:
        print(f"{variant:10} {_summary([one for one in scores if one.variant == variant])}")
        for origin in sorted({one.origin for one in scores if one.wanted and one.variant == variant}):
            chosen = [one for one in scores if one.variant == variant and one.origin == origin]
            print(f"  {origin:10} {_titles(chosen)}")
    known = [(one, guess) for one, guess in zip(scores, confidences, strict=True) if guess is not None]
    for variant in variants:
        _report_rank(variant, [(one.f1, guess) for one, guess in known if one.variant == variant])
    pasted = [(one.f1, guess) for one, guess in known if one.variant != CLEAN]
    _report_rank("all but clean", pasted)
    _report_bins(pasted)


def _summary(rows: Sequence[Score]) -> str:
    recall = statistics.fmean(row.recall for row in rows)
    if rows[0].variant == CLEAN:
        return f"{recall:.4f} survives"
    precision = statistics.fmean(row.precision for row in rows)
    f1 = 2 * precision * recall / (precision + recall)
    return f"F1 {f1:.4f} (P {precision:.4f}, R {recall:.4f}), {_titles(rows)}"


def _titles(rows: Sequence[Score]) -> str:
    given = [row.title for row in rows if row.title is not None]
    wanted = sum(row.wanted for row in rows)
    return f"titles: {sum(given) / wanted:.3f} of {wanted} right, {sum(given) / max(1, len(given)):.3f} of those given"


def _report_rank(name: str, pairs: Sequence[tuple[float, float]]) -> None:
    true, guessed = np.array(pairs).T
    rank = spearmanr(true, guessed)[0]
    print(f"confidence, {name}: Spearman {rank:.2f}, error {np.abs(true - guessed).mean():.3f}, n {len(true)}")


def _report_bins(pairs: Sequence[tuple[float, float]]) -> None:
    true, guessed = np.array(pairs).T
    print("confidence | texts | mean confidence | mean F1")
    for low, high in pairwise(_BOUNDS):
        inside = (guessed >= low) & (guessed < high)
        if inside.any():
            print(f"{low:.3f}-{high:.3f} | {inside.sum()} | {guessed[inside].mean():.3f} | {true[inside].mean():.3f}")
