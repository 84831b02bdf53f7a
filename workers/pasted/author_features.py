"""Features of each name that may be an author's, for the model that chooses the authors of pasted text."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from workers.metadata.byline_words import NEVER, ORGANISATION, ROLES
from workers.metadata.person_names import key_of
from workers.models.boosted_trees import Rows
from workers.pasted.author_mentions import Form, Mention
from workers.pasted.lines import Line
from workers.pasted.noise_rules import Rule, find_date
from workers.pasted.region import is_prose

# The features depend on these numbers: retrain the model after a change. Chosen by hand.
_FAR = 60.0  # lines; farther counts as this far
_NOWHERE = -99.0  # distance from a title that there is not
_MANY = 4.0  # mentions; more count as this many
_DATE_CHARS = 120  # characters of a line of which the date counts
_NEAR = 3  # lines to either side in which a date is looked for
_WORD = re.compile(r"[^\W\d_]+")
_LEAVING = frozenset({Rule.RELATED, Rule.COMMENTS, Rule.COPYRIGHT, Rule.PHOTO_CREDIT, Rule.CAPTION})
_FORMS = tuple(Form)

AUTHOR_FEATURES: Final = (
    *(form.value for form in _FORMS), *(f"nearest_{form.value}" for form in _FORMS),
    "ruled", "from_title", "to_first", "from_last", "inside", "first_from_title", "first_to_first", "last_from_last",
    "date_before", "date_after", "dated", "sure", "noisy", "mentions", "rank", "rank_by", "candidates",
    "alone", "in_prose", "surname_in_prose", "in_title", "in_last", "lower", "words", "chars", "capitals",
    "organisation", "roles", "never", "role_below", "above_named", "below_named", "names_in_line", "place_in_line",
    "lines", "unspaced", "headed", "item", "gap", "line_chars",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class TextAround:
    """The lines of a text, with the indices of those that are the article, of the title, and what the rules found."""

    lines: Sequence[Line]
    rules: Sequence[Rule | None]
    probabilities: Rows
    title: int | None
    ruled: Sequence[str]

    @property
    def kept(self) -> list[int]:
        """The indices of the lines of the article."""
        return [index for index, rule in enumerate(self.rules) if not rule]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A name, as it is written first, and the mentions that hold it."""

    name: str
    mentions: Sequence[Mention]


def candidates_of(mentions: Sequence[Mention]) -> list[Candidate]:
    """Returns the names in `mentions`, each once."""
    found: dict[str, Candidate] = {}
    for mention in mentions:
        for name in mention.names:
            if key := key_of(name):
                known = found.get(key, Candidate(name, ()))
                found[key] = Candidate(known.name, (*known.mentions, mention))
    return list(found.values())


def author_rows(candidates: Sequence[Candidate], text: TextAround) -> Rows:
    """Returns the features of the candidates, (N, len(AUTHOR_FEATURES)), in their order."""
    table = _Table(candidates, text)
    rows = [table.row(candidate) for candidate in candidates]
    ranked = _ranks([row["distance"] for row in rows])
    by_ranked = _ranks([row["distance"] if row["stated"] else 2 * _FAR for row in rows])
    for row, rank, by_rank in zip(rows, ranked, by_ranked, strict=True):
        row |= {"rank": rank, "rank_by": by_rank}
    values = [[row[name] for name in AUTHOR_FEATURES] for row in rows]
    return np.array(values, np.float32).reshape(len(rows), len(AUTHOR_FEATURES))


def _ranks(distances: Sequence[float]) -> list[float]:
    return [float(sum(other < own for other in distances)) for own in distances]


class _Table:
    def __init__(self, candidates: Sequence[Candidate], text: TextAround) -> None:
        self._text = text
        self._count = float(len(candidates))
        kept = text.kept
        self._kept = frozenset(kept)
        self._first, self._last = (kept[0], kept[-1]) if kept else (len(text.lines), len(text.lines))
        self._prose = [text.lines[at].text for at in kept if is_prose(text.lines[at])]
        self._body = "\n".join(self._prose).casefold()
        self._ruled = {key_of(name) for name in text.ruled}
        dates = [len(line.text) <= _DATE_CHARS and find_date(line.text) is not None for line in text.lines]
        self._dates = [at for at, dated in enumerate(dates) if dated]
        self._named = frozenset(
            mention.line for one in candidates for mention in one.mentions if mention.form is not Form.BOX
        )
        words = {word for line in text.lines for word in _WORD.findall(line.text)}
        self._lower = {word for word in words if word.islower()}

    def row(self, candidate: Candidate) -> dict[str, float]:
        nearest = min(candidate.mentions, key=lambda mention: self._distance(mention.line))
        forms = [mention.form for mention in candidate.mentions]
        return {
            **{form.value: min(_MANY, forms.count(form)) for form in _FORMS},
            **{f"nearest_{form.value}": float(nearest.form is form) for form in _FORMS},
            **self._place(candidate, nearest),
            **self._around(nearest),
            **self._spelling(candidate.name),
            "mentions": min(_MANY, len(forms)),
            "ruled": float(key_of(candidate.name) in self._ruled),
            "names_in_line": float(len(nearest.names)),
            "place_in_line": float(_place_in(candidate.name, nearest.names)),
            "candidates": self._count,
            "stated": float(not {Form.BY, Form.LABEL, Form.WITHIN}.isdisjoint(forms)),
            "distance": self._distance(nearest.line),
        }

    def _distance(self, line: int) -> float:
        """Returns how far a line is from where by-lines stand: between the title and the article."""
        title = self._text.title if self._text.title is not None else self._first
        start, stop = min(title, self._first), max(title, self._first)
        return float(max(0, start - line) * 2 + max(0, min(line - stop, line - self._last + 1 + (stop - start))))

    def _place(self, candidate: Candidate, nearest: Mention) -> dict[str, float]:
        first, last = candidate.mentions[0].line, candidate.mentions[-1].line
        return {
            "from_title": self._from_title(nearest.line),
            "to_first": _bounded(self._first - nearest.line),
            "from_last": _bounded(nearest.line - self._last),
            "inside": float(nearest.line in self._kept),
            "first_from_title": self._from_title(first),
            "first_to_first": _bounded(self._first - first),
            "last_from_last": _bounded(last - self._last),
            "in_last": float(last in self._kept and last >= self._last - 1),
            "lines": float(len(self._text.lines)),
            "headed": float(self._text.title is not None),
        }

    def _from_title(self, line: int) -> float:
        return _NOWHERE if self._text.title is None else _bounded(line - self._text.title)

    def _around(self, mention: Mention) -> dict[str, float]:
        lines, at = self._text.lines, mention.line
        below = lines[at + 1].text if at + 1 < len(lines) else ""
        folded = below[:_DATE_CHARS].casefold().split()
        return {
            "date_before": _bounded(min((at - day for day in self._dates if day < at), default=_FAR)),
            "date_after": _bounded(min((day - at for day in self._dates if day > at), default=_FAR)),
            "dated": float(at in self._dates),
            "sure": float(self._text.probabilities[at]),
            "noisy": float(self._text.rules[at] in _LEAVING),
            "role_below": float(not ROLES.isdisjoint(folded)),
            "above_named": float(at - 1 in self._named),
            "below_named": float(at + 1 in self._named),
            "item": float(lines[at].item),
            "gap": float(lines[at].gap),
            "line_chars": float(min(len(lines[at].text), 2 * _DATE_CHARS)),
        }

    def _spelling(self, name: str) -> dict[str, float]:
        words, folded = name.split(), name.casefold()
        title = self._text.lines[self._text.title].text.casefold() if self._text.title is not None else ""
        return {
            "alone": min(_MANY, sum(line.text.casefold() == folded for line in self._text.lines)),
            "in_prose": min(_MANY, self._body.count(folded)),
            "surname_in_prose": min(_MANY, self._body.count(words[-1].casefold())),
            "in_title": float(folded in title),
            "lower": sum(word.casefold() in self._lower for word in words) / len(words),
            "words": float(len(words)),
            "chars": float(len(name)),
            "capitals": float(name.isupper()),
            "organisation": float(ORGANISATION.search(name) is not None),
            "roles": float(sum(word.strip(".,").casefold() in ROLES for word in words)),
            "never": float(sum(word.casefold() in NEVER for word in words)),
            "unspaced": float(not name.isascii() and len(words) == 1),
        }


def _place_in(name: str, names: Sequence[str]) -> int:
    return next((at for at, other in enumerate(names) if key_of(other) == key_of(name)), 0)


def _bounded(distance: float) -> float:
    return float(max(-_FAR, min(_FAR, distance)))
