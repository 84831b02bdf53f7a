"""Which line is the title: a model over the lines that may be. None rather than a wrong one."""

from collections.abc import Sequence

import numpy as np

from workers.pasted.features import Seen
from workers.pasted.lines import Block
from workers.pasted.region import Region, is_prose
from workers.pasted.rules import Rule
from workers.pasted.title import MIN_SCORE, score_titles
from workers.trees import Rows, Trees

_MIN_PROBABILITY = 0.35  # of whole pages eight in ten are right from here on, by cross-validation
_SURE_SCORE = 1.0
_MIN_WORDS, _MAX_WORDS = 2.0, 30.0
_MAX_CHARS = 250
_BEFORE, _AFTER = 80, 3  # lines around the first prose


def find_headline(blocks: Sequence[Block], seen: Seen, columns: dict[str, Rows], trees: Trees) -> int | None:
    """Returns the index of the title, or None where no line is likely enough.

    Args:
        blocks: the text's.
        seen: what the rules say, of a text with a region. Their title stands where the model has no word but they are
            very sure.
        columns: the features of all lines, by name.
        trees: the model of titles.
    """
    at = candidates(blocks, seen.noise, seen.region)
    if not at:
        return None
    measured = columns_of(blocks, seen.noise, seen.region, columns, at)
    chances = trees.probabilities(np.stack([measured[name] for name in trees.names], axis=1))
    best = int(chances.argmax())
    if chances[best] >= _MIN_PROBABILITY:
        return at[best]
    ruled = seen.title if seen.title in at else None
    return ruled if ruled is not None and _is_sure(measured["title_score"][at.index(ruled)]) else None


def _is_sure(score: float) -> bool:
    """Whether the rules took a title by nearly all that they know, or by a standfirst and a by-line below alone."""
    return score >= _SURE_SCORE or score <= MIN_SCORE


def candidates(blocks: Sequence[Block], noise: Sequence[Rule | None], region: Region) -> list[int]:
    """Returns the lines around the first prose of the region that have a title's length and say nothing else."""
    first = first_prose(blocks, noise, region)
    near = range(max(0, first - _BEFORE), min(len(blocks), first + _AFTER))
    return [index for index in near if not noise[index] and _fits(blocks[index])]


def first_prose(blocks: Sequence[Block], noise: Sequence[Rule | None], region: Region) -> int:
    """Returns the first block of the region that reads as running text."""
    inside = range(region.start, region.stop)
    return next((i for i in inside if not noise[i] and is_prose(blocks[i])), region.start)


def columns_of(
    blocks: Sequence[Block],
    noise: Sequence[Rule | None],
    region: Region,
    columns: dict[str, Rows],
    at: Sequence[int],
) -> dict[str, Rows]:
    """Returns the features of the lines `at`, by name: those of all lines, and what only candidates have."""
    first = first_prose(blocks, noise, region)
    scores = score_titles(blocks, noise, first)
    own = np.array([scores.get(index, 0.0) for index in at], np.float32)
    best = own.max()
    return {
        **{name: column[list(at)].astype(np.float32) for name, column in columns.items()},
        "title_score": own,
        "title_gap": best - own,
        "title_rank": (-own).argsort(kind="stable").argsort(kind="stable").astype(np.float32),
        "to_first": np.array([first - index for index in at], np.float32),
        "candidates": np.full(len(at), len(at), np.float32),
        "order": np.arange(len(at), dtype=np.float32),
    }


def _fits(block: Block) -> bool:
    return _MIN_WORDS <= block.words <= _MAX_WORDS and len(block.text) <= _MAX_CHARS
