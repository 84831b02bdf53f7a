"""Labels the lines of a pasted text that are in the true text: by runs of three tokens, in order, without repeats."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from workers.models.boosted_trees import Rows

_SCRIPTS = "\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\u0e00-\u0e7f\uff66-\uff9f"  # a character is a token
_TOKEN = re.compile(rf"[{_SCRIPTS}]|[^\W{_SCRIPTS}]+")
_RUN = 3  # tokens that must match to align a line with the truth; chosen by hand
_SHORT = 4  # tokens: a line with fewer must be a line of the truth, too
_MAX_PLACES = 30  # of one run
_PLACES = 4  # of one line
_SLACK = 12  # tokens by which a place may shift within a line
_MIN_SHARE = 0.35  # of a line's tokens in the truth; chosen by hand
_MAX_TAKEN = 0.3  # share of a place that other lines have taken; chosen by hand
_OVERLAP = 3  # tokens by which two places may overlap; chosen by hand


@dataclass(frozen=True, slots=True)
class Place:
    """Line `line` may be tokens `start` up to `stop` of the truth; the rest says how many tokens match."""

    line: int
    start: int
    stop: int
    tokens: float


def tokens(text: str) -> list[str]:
    """Returns the words of `text`; the characters of scripts without spaces."""
    return _TOKEN.findall(text)


def label(lines: Sequence[str], truth: str) -> Rows:
    """Returns for each line the share of it that is in the truth, in [0, 1]."""
    words = [tokens(line) for line in lines]
    places = sorted(_places(words, truth), key=lambda place: (place.line, place.start))
    taken = np.zeros(len(tokens(truth)) + max(map(len, words), default=0) + 1, np.bool_)
    shares = np.zeros(len(lines), np.float32)
    for place in _best_chain(places):
        shares[place.line] = min(1.0, place.tokens / len(words[place.line]))
        taken[place.start : place.stop] = True
    for place in places:
        free = taken[place.start : place.stop].mean() < _MAX_TAKEN
        if not shares[place.line] and len(words[place.line]) >= _SHORT and free:
            shares[place.line] = min(1.0, place.tokens / len(words[place.line]))
            taken[place.start : place.stop] = True
    return shares


def _places(words: Sequence[list[str]], truth: str) -> Iterator[Place]:
    true = tokens(truth)
    runs: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for start in range(len(true) - _RUN + 1):
        runs[tuple(true[start : start + _RUN])].append(start)
    whole: dict[tuple[str, ...], list[int]] = defaultdict(list)
    start = 0
    for line in truth.split("\n"):
        found = tokens(line)
        whole[tuple(found)].append(start)
        start += len(found)
    for index, own in enumerate(words):
        if 0 < len(own) < _SHORT:
            for start in whole.get(tuple(own), ()):
                yield Place(index, start, start + len(own), 0.9 * len(own))
        elif own:
            yield from _places_of(index, own, runs)


def _places_of(index: int, own: list[str], runs: dict[tuple[str, ...], list[int]]) -> Iterator[Place]:
    shifts: Counter[int] = Counter()
    for at in range(len(own) - _RUN + 1):
        shifts.update(start - at for start in runs.get(tuple(own[at : at + _RUN]), ())[:_MAX_PLACES])
    for shift, _ in shifts.most_common(_PLACES):
        said = sum(count for other, count in shifts.items() if abs(other - shift) <= _SLACK)
        if said >= max(2, _MIN_SHARE * (len(own) - _RUN + 1)):
            yield Place(index, max(0, shift), max(0, shift) + len(own), said + _RUN - 1)


def _best_chain(places: Sequence[Place]) -> list[Place]:
    """Returns the places, in the order of lines and of the truth, that hold the most tokens together."""
    if not places:
        return []
    lines = np.array([place.line for place in places])
    starts = np.array([place.start for place in places])
    stops = np.array([place.stop for place in places])
    best = np.array([place.tokens for place in places])
    before = np.full(len(places), -1)
    for at in range(1, len(places)):
        fits = (lines[:at] < lines[at]) & (stops[:at] <= starts[at] + _OVERLAP)
        if fits.any():
            near = 0.3 * (lines[at] - lines[:at] <= 2)
            before[at] = int(np.where(fits, best[:at] + near, -1.0).argmax())
            best[at] += best[before[at]] + near[before[at]]
    chain, at = [], int(best.argmax())
    while at >= 0:
        chain.append(places[at])
        at = int(before[at])
    return chain
