"""Chooses the authors with a model over the names that a text mentions."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from workers.models.boosted_trees import BoostedTrees, Rows
from workers.pasted.author_features import AUTHOR_FEATURES, Candidate, TextAround, author_rows, candidates_of
from workers.pasted.author_mentions import Form, find_mentions
from workers.pasted.region import is_prose

# Measured by cross-validation (docs/quality.md): which of several thresholds find most authors without many wrong ones.
_MIN_PROBABILITY = 0.3  # of an author
_LEADING, _LEAD = 0.08, 2.0  # probability of a lone author, at least, if it is so many times that of the next name
_OF_BEST = 0.6  # probability of further authors, as a share of the first one's
_TOGETHER = 4  # lines from one author of a by-line to the next, at most; chosen by hand: a role may stand between
# Lines above a title, and from the first of the article on, in which a by-line is removed; chosen by hand.
_ABOVE, _BELOW = 3, 2
_IN_HEAD = frozenset({Form.BY, Form.LABEL, Form.WITHIN, Form.ROLE, Form.BARE, Form.TEAM})


@dataclass(frozen=True, slots=True)
class Authors:
    """The names, and the lines of the head that only name them."""

    names: tuple[str, ...]
    bylines: frozenset[int]


def choose_authors(text: TextAround, trees: BoostedTrees, others: frozenset[int] = frozenset()) -> Authors:
    """Returns the authors, none if no name is likely enough. The lines `others` are not looked at.

    Raises:
        ValueError: weights for other features than `AUTHOR_FEATURES`.
    """
    if trees.names != AUTHOR_FEATURES:
        raise ValueError("the weights of authors are for other features")
    mentions = find_mentions(text.lines, text.kept, text.title)
    candidates = candidates_of([mention for mention in mentions if mention.line not in others])
    if not candidates:
        return Authors((), frozenset())
    chosen = chosen_of(trees.probabilities(author_rows(candidates, text)))
    authors = [candidates[at] for at in sorted(chosen) if _are_together(candidates[at], candidates[chosen[0]])]
    return Authors(tuple(one.name for one in authors), _bylines(authors, text))


def _are_together(one: Candidate, other: Candidate) -> bool:
    """True if both names stand in one by-line, which may have several lines."""
    rows = [mention.line for mention in other.mentions]
    return any(abs(mention.line - row) <= _TOGETHER for mention in one.mentions for row in rows)


def chosen_of(probabilities: Rows) -> list[int]:
    """Returns the indices of the names that are authors."""
    order = np.argsort(-probabilities, kind="stable").tolist()
    best = probabilities[order[0]]
    if best < _MIN_PROBABILITY:
        leads = len(order) == 1 or best >= _LEAD * probabilities[order[1]]
        return order[:1] if best >= _LEADING and leads else []
    least = max(_MIN_PROBABILITY, _OF_BEST * best)
    return [at for at in order if probabilities[at] >= least]


def _bylines(chosen: Sequence[Candidate], text: TextAround) -> frozenset[int]:
    kept = text.kept
    first = next((at for at in kept if is_prose(text.lines[at])), len(text.lines))
    title = first if text.title is None else text.title
    head = range(min(title, first) - _ABOVE, max(title, first) + _BELOW)
    said = [mention for one in chosen for mention in one.mentions if mention.form in _IN_HEAD and mention.line in head]
    return frozenset(mention.line for mention in said if not is_prose(text.lines[mention.line]))
