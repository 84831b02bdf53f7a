"""Chooses the title with a model over the candidate lines. It prefers no title to a wrong one."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from workers.models.boosted_trees import BoostedTrees, Rows
from workers.pasted.line_windows import best_run
from workers.pasted.lines import Line
from workers.pasted.noise_rules import Rule
from workers.pasted.region import is_prose
from workers.pasted.title_features import TitleCandidates, title_feature_columns
from workers.pasted.title_rules import MIN_SCORE, score_titles

_MIN_PROBABILITY = 0.4  # measured by cross-validation: from here on eight in ten titles of whole pages are right
_SURE = 0.5  # probability of the line that opens the article; chosen: more likely than not
_MIN_WORDS, _MAX_WORDS = 2.0, 30.0  # words of a title; chosen by hand
_MAX_CHARS = 250  # characters of a title; chosen by hand
_BEFORE, _AFTER = 80, 3  # lines around the first prose that may be the title; chosen by hand
_NUMBERED = re.compile(r"\(?\d{1,3}[.)]\s")  # the last step of a path, or a line of a list of articles


@dataclass(frozen=True, slots=True)
class ScoredLines:
    """A text's lines after the model: noise rules, probabilities, and which lines stay.

    `title` is the index of the rules' title.
    """

    noise: Sequence[Rule | None]
    probabilities: Rows
    stays: Sequence[bool]
    title: int | None = None


def choose_title(
    lines: Sequence[Line], scored: ScoredLines, columns: dict[str, Rows], trees: BoostedTrees
) -> int | None:
    """Returns the index of the title, or None if no line is likely enough.

    If none is, the rules' title counts if they chose it for its place alone: above a standfirst and a by-line.

    Args:
        lines: of the text.
        scored: rules and probabilities of these lines.
        columns: the features of all lines, by name.
        trees: the model of titles.
    """
    found = title_columns(lines, scored, columns)
    if found is None:
        return None
    at, measured = found
    chances = trees.probabilities(np.stack([measured[name] for name in trees.names], axis=1))
    best = int(chances.argmax())
    if chances[best] >= _MIN_PROBABILITY:
        return at[best]
    ruled = scored.title if scored.title in at else None
    return ruled if ruled is not None and measured["title_score"][at.index(ruled)] <= MIN_SCORE else None


def title_columns(
    lines: Sequence[Line], scored: ScoredLines, columns: dict[str, Rows]
) -> tuple[list[int], dict[str, Rows]] | None:
    """Returns the lines that may be the title, and their features by name; None if there are none."""
    first = first_of_article(lines, scored)
    at = _candidates(lines, scored.noise, first)
    if not at:
        return None
    body = [line.text for line, stays in zip(lines[first:], scored.stays[first:], strict=True) if stays]
    candidates = TitleCandidates(at, first, score_titles(lines, scored.noise, first), scored.probabilities)
    return at, title_feature_columns(lines, candidates, body, columns)


def first_of_article(lines: Sequence[Line], scored: ScoredLines) -> int:
    """Returns the first sure prose of the run of lines that the article is most likely in."""
    run = best_run(scored.probabilities, np.array([line.words for line in lines], np.float32))
    sure = (i for i in run if scored.probabilities[i] > _SURE and not scored.noise[i] and is_prose(lines[i]))
    return next(sure, run.start)


def _candidates(lines: Sequence[Line], noise: Sequence[Rule | None], first: int) -> list[int]:
    """Returns the first line and those around the first prose, if they have a title's length and are not noise."""
    near = sorted({0, *range(max(0, first - _BEFORE), min(len(lines), first + _AFTER))})
    return [index for index in near if not noise[index] and _fits(lines[index])]


def _fits(line: Line) -> bool:
    fits = _MIN_WORDS <= line.words <= _MAX_WORDS and len(line.text) <= _MAX_CHARS
    return fits and not _NUMBERED.match(line.text)
