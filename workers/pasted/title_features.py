"""Features of each line that may be the title, for the model that chooses it."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import fsum, log

import numpy as np
from numpy.typing import NDArray

from workers.models.boosted_trees import Rows
from workers.pasted.lines import Line

_UNSPACED = r"\u3040-\u30ff\u3400-\u9fff\u0e00-\u0e7f"  # scripts without spaces between words: a character is a word
_STEM = re.compile(rf"[{_UNSPACED}]|\d+|[\uac00-\ud7af]{{2,}}|[^\W\d_{_UNSPACED}\uac00-\ud7af]{{3,}}")
# The features depend on these numbers: retrain the model after a change. Chosen by hand.
_STEM_CHARS = 6  # characters of a word that are compared, in place of stemming
_BODY_CHARS = 8_000  # characters of the article that candidates are compared with
_LEAD_PARAGRAPHS = 3  # paragraphs at the beginning of the article
_COUNTED_LINES, _LINE_CHARS = 400, 300  # lines, and characters of each, in which the rarity of words is counted
_NEAR = 4  # lines before and after, over which probabilities are averaged

Shares = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class TitleCandidates:
    """The lines `at` that may be the title, and the data about them.

    `first` is the article's first prose. `scores` are the rules' scores by line. `probabilities` are those of all lines
    of the text to be part of the article.
    """

    at: Sequence[int]
    first: int
    scores: Mapping[int, float]
    probabilities: Rows


def title_feature_columns(
    lines: Sequence[Line], candidates: TitleCandidates, body: Sequence[str], columns: Mapping[str, Rows]
) -> dict[str, Rows]:
    """Returns the features of the candidates, by name: `columns`, those of all lines, and those of titles.

    `body` are the paragraphs that the model keeps.
    """
    own = {**_scored(candidates), **_placed(lines, candidates), **_worded(lines, candidates.at, body)}
    at = list(candidates.at)
    return {
        **{name: column[at].astype(np.float32) for name, column in columns.items()},
        **{name: np.asarray(column, np.float32) for name, column in own.items()},
    }


def _scored(candidates: TitleCandidates) -> dict[str, Shares]:
    own = np.array([candidates.scores.get(index, 0.0) for index in candidates.at])
    return {
        "title_score": own,
        "title_gap": own.max() - own,
        "title_rank": (-own).argsort(kind="stable").argsort(kind="stable").astype(float),
    }


def _placed(lines: Sequence[Line], candidates: TitleCandidates) -> dict[str, Shares]:
    """Returns the place of each line, and the probabilities of the lines around it."""
    at = np.array(candidates.at)
    sure = np.concatenate(([0.0], np.cumsum(candidates.probabilities, dtype=float)))
    words = np.concatenate(([0.0], np.cumsum([line.words for line in lines])))
    below = np.minimum(at + 1, len(lines))
    return {
        "to_first": (candidates.first - at).astype(float),
        "candidates": np.full(len(at), float(len(at))),
        "order": np.arange(len(at), dtype=float),
        "index": at.astype(float),
        "sure": candidates.probabilities[at].astype(float),
        "sure_below": _mean(sure, below, below + 1),
        "sure_next": _mean(sure, below, below + _NEAR),
        "sure_before": _mean(sure, at - _NEAR, at),
        "words_between": np.where(at < candidates.first, words[candidates.first] - words[below], -1.0),
    }


def _mean(sums: Shares, starts: NDArray[np.intp], stops: NDArray[np.intp]) -> Shares:
    low, high = (np.clip(edge, 0, len(sums) - 1) for edge in (starts, stops))
    means: Shares = (sums[high] - sums[low]) / np.maximum(high - low, 1)
    return means


def _worded(lines: Sequence[Line], at: Sequence[int], body: Sequence[str]) -> dict[str, Shares]:
    """Returns the share of each line's words in the article and in the rest of the page, weighted by rarity."""
    own = [_word_stems(lines[index].text) for index in at]
    worth = _rarity(lines, set().union(*own))
    in_body = _covered(own, _vocabulary(body), worth)
    page = "\n".join(line.text for line in lines).casefold()
    opening = _word_stems(lines[0].text)
    return {
        **_compared("said", *in_body),
        **_compared("led", *_covered(own, _vocabulary(body[:_LEAD_PARAGRAPHS]), worth)),
        "better_before": _better(in_body[1]),
        "better_after": _better(in_body[1][::-1])[::-1],
        "times": np.array([float(page.count(lines[index].text.casefold())) for index in at]),
        "in_opening": np.array([_share_in(stems, opening) if i else -1.0 for i, stems in zip(at, own, strict=True)]),
        "agreement": _agreement(own),
    }


def _compared(name: str, shares: Shares, sums: Shares) -> dict[str, Shares]:
    return {name: shares, f"{name}_sum": sums, f"{name}_gap": sums.max() - sums}


def _word_stems(text: str) -> set[str]:
    return {word[:_STEM_CHARS] for word in _STEM.findall(text.casefold())}


def _vocabulary(paragraphs: Sequence[str]) -> set[str]:
    stems: set[str] = set()
    left = _BODY_CHARS
    for paragraph in paragraphs:
        if left <= 0:
            break
        stems |= _word_stems(paragraph[:left])
        left -= len(paragraph)
    return stems


def _rarity(lines: Sequence[Line], wanted: set[str]) -> Mapping[str, float]:
    """Returns the weight of each of the `wanted` words: the fewer lines contain it, the higher."""
    counted = lines[:_COUNTED_LINES]
    spread = Counter(stem for line in counted for stem in wanted & _word_stems(line.text[:_LINE_CHARS]))
    return {stem: log(1 + len(counted) / max(1, spread[stem])) for stem in sorted(wanted)}


def _covered(stem_sets: Sequence[set[str]], vocabulary: set[str], worth: Mapping[str, float]) -> tuple[Shares, Shares]:
    """Returns for each line the share of its words that are in the vocabulary, and their worth."""
    covered = np.array([fsum(worth[stem] for stem in stems & vocabulary) for stems in stem_sets])
    whole = np.array([fsum(worth[stem] for stem in stems) for stems in stem_sets])
    return covered / np.maximum(whole, 1.0), covered


def _better(worths: Shares) -> Shares:
    """Returns for each line the number of lines before it with a higher value."""
    counts: Shares = np.tril(worths[:, None] < worths[None, :], -1).sum(axis=1).astype(float)
    return counts


def _share_in(stems: set[str], others: set[str]) -> float:
    return len(others & stems) / max(1, len(stems))


def _agreement(stem_sets: Sequence[set[str]]) -> Shares:
    """Returns for each line the share of words that it and the line most like it have in common."""
    return np.array(
        [max((_jaccard(one, other) for other in stem_sets if other is not one), default=0.0) for one in stem_sets]
    )


def _jaccard(one: set[str], other: set[str]) -> float:
    return len(one & other) / max(1, len(one | other))
