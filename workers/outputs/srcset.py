"""Finds the largest image of a `srcset` (HTML, 4.8.4.2.2, "Parsing a srcset attribute")."""

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

_CANDIDATE = re.compile(r"[\s,]*(\S+)")
_DESCRIPTORS = re.compile(r"((?:[^,(]|\([^)]*\)?)*),?")
_SIZE = re.compile(r"^(\d{1,6}(?:\.\d{1,4})?)([wx])$")
_MAX_CANDIDATES = 100  # chosen: a bound on work; pages have ten
_WIDEST = 4000  # pixels; chosen: wider images are for print


class _Candidate(NamedTuple):
    url: str
    width: float
    density: float


def best_of(sets: Iterable[str]) -> list[str]:
    """Returns the URLs of the candidates in some `srcset` attributes, the largest first."""
    found = [candidate for each in sets for candidate in _candidates(each)]
    found.sort(key=lambda each: (each.width if each.width <= _WIDEST else 1.0, each.density), reverse=True)
    return [candidate.url for candidate in found]


def _candidates(srcset: str) -> Iterator[_Candidate]:
    place = 0
    for _ in range(_MAX_CANDIDATES):
        match = _CANDIDATE.match(srcset, place)
        if match is None:
            return
        url, place = match[1], match.end()
        if url.endswith(","):  # no descriptor
            yield _Candidate(url.rstrip(","), 0.0, 1.0)
            continue
        described = _DESCRIPTORS.match(srcset, place)
        place = described.end() if described else place
        yield _described(url, described[1].split() if described else [])


def _described(url: str, words: Iterable[str]) -> _Candidate:
    width, density = 0.0, 1.0
    for word in words:
        if size := _SIZE.match(word):
            width, density = (float(size[1]), density) if size[2] == "w" else (width, float(size[1]))
    return _Candidate(url, width, density)
