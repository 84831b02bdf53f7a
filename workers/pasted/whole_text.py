"""Tells whether all of a text is the article: copied without anything of the page around it.

The model of lines learned from pages. Alone, it would cut lists, tables and glossaries out of texts that have no page
around them, so this model looks at the text as a whole, and at how many of its lines the model of lines doubts.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np

from workers.models.boosted_trees import BoostedTrees, Rows

_DOUBTED, _STRONGLY_DOUBTED = 0.3, 0.1  # probabilities of lines; part of the features, chosen by hand
_EDGE = 3  # lines at either end of the text
_OF_LINES = ("noise", "short", "alike", "capitals", "closed", "repeats")
_OF_TEXT = ("inside_share", "prose_share", "item_share", "gap_share", "blocks", "all_words")
_ENDS = ("words", "prose", "closed")

WHOLE_TEXT_FEATURES: Final = (
    "sure_words", "sure_lines", "least", "tenth", "quarter", "most", "doubted_words", "doubted_lines",
    "strongly_doubted", "doubted_run", "first_lines", "last_lines", "first", "last", "kept_words", "noise_lines",
    "longest_short_run", "links", "dates", *(f"mean_{name}" for name in _OF_LINES), *_OF_TEXT,
    *(f"first_{name}" for name in _ENDS), *(f"last_{name}" for name in _ENDS),
)  # fmt: skip


def whole_text_features(columns: Mapping[str, Rows], odds: Rows) -> Rows:
    """Returns the features of a text with at least one line, (1, len(WHOLE_TEXT_FEATURES)).

    Args:
        columns: the features of its lines, by name.
        odds: the log-odds that each line is the article's, by the model of lines.
    """
    sure = np.reciprocal(1 + np.exp(-odds))
    words = columns["words"]
    total = max(1.0, float(words.sum()))
    doubted = sure < _DOUBTED
    own = [
        (words * sure).sum() / total,
        sure.mean(),
        sure.min(),
        *np.quantile(sure, (0.1, 0.25)),
        sure.max(),
        words[doubted].sum() / total,
        doubted.mean(),
        (sure < _STRONGLY_DOUBTED).sum(),
        _longest_run(doubted),
        sure[:_EDGE].mean(),
        sure[-_EDGE:].mean(),
        sure[0],
        sure[-1],
        (words * columns["kept"]).sum() / total,
        columns["noise"].sum(),
        columns["short_run"].max() / len(sure),
        columns["linked"].sum(),
        columns["dated"].sum(),
        *(columns[name].mean() for name in _OF_LINES),
        *(columns[name][0] for name in _OF_TEXT),
        *(columns[name][0] for name in _ENDS),
        *(columns[name][-1] for name in _ENDS),
    ]
    return np.array([own], np.float32)


def is_whole(columns: Mapping[str, Rows], odds: Rows, trees: BoostedTrees) -> bool:
    """Returns True if all of the text is likely to be the article."""
    return bool(trees.probabilities(whole_text_features(columns, odds))[0] >= MIN_PROBABILITY)


def _longest_run(marks: Rows) -> int:
    at = np.flatnonzero(~np.concatenate(([False], marks.astype(bool), [False])))
    return int(np.diff(at).max(initial=1)) - 1


# Measured by cross-validation: below it, more texts that are not all article are kept whole (docs/quality.md).
MIN_PROBABILITY: Final = 0.15
