"""The authors: those whom the article's own data names, else those on whom most kinds of sources agree."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from contract.article import Source
from workers.draft import Found
from workers.metadata import jsonld
from workers.metadata.names import is_organisation, key_of, split_names
from workers.metadata.page import Mark, Page, Region, Spot
from workers.metadata.words import plain

# How far one kind of source alone is to be believed, about the log-odds that the name it gives is right.
_META_WEIGHTS = {
    ("author", "article:author_name", "byl", "byline"): 1.6,
    ("citation_author", "dc.creator", "dc.creator.author", "dcterms.creator", "parsely-author", "sailthru.author"): 1.8,
    ("article:author", "og:author"): 0.4,
}
_SPOT_WEIGHTS = {
    Mark.AUTHOR_PROP: 1.7,
    Mark.AUTHOR_REL: 1.4,
    Mark.AUTHOR_LINK: 1.1,
    Mark.BY: 0.8,
    Mark.AUTHOR_CLASS: 0.7,
}
_LD_ORGANISATION_WEIGHT = 0.5
_NEAR = 120  # elements after the heading: a byline's place
_NEAR_WEIGHT = 0.4
_ASIDE_FACTOR = 0.3
_ORGANISATION_FACTOR = 0.5
_ONE_WORD_FACTOR = 0.7
_SIBLINGS = 30  # elements between the names of one byline
_SIBLING_SHARE = 0.85
_CO_AUTHOR_SHARE = 0.6  # of the winner's score
_MIN_SCORE = 0.6
_MAX_AUTHORS = 12
_MAX_ORGANISATION = 120  # characters of its name
_MAX_CANDIDATES = 200  # each is compared to each
_WRITTEN_BY = re.compile(
    r"written by|author|verfasst von|geschrieben von|écrit par|rédigé par|escrito por|scritto da|geschreven door"
    r"|skrevet a[vf]|skriven av|autor|автор|执笔者|作者|投稿者|執筆者|yazan|kirjoittanut|napisane przez",
    re.IGNORECASE,
)


@dataclass(slots=True)
class Candidate:
    """One author as several sources name them: the best weight and the first position by kind of source.

    `groups` are the lists or elements that the name stood in, `order` its place among all candidates.
    """

    name: str
    source: Source
    weights: dict[str, float] = field(default_factory=dict)
    groups: set[str] = field(default_factory=set)
    positions: dict[str, int] = field(default_factory=dict)
    order: int = 0

    @property
    def score(self) -> float:
        """How many sources agree, weighted."""
        return sum(self.weights.values())


@dataclass(frozen=True, slots=True)
class _Byline:
    names: tuple[str, ...]
    source: Source
    kind: str
    group: str
    weight: float
    position: int = 0


def find_authors(page: Page) -> list[Found[tuple[str, ...]]]:
    """Returns the author lists that `page` may mean, the best first."""
    sites = page.site_names()
    sure = [
        Found(names, source)
        for source, names in ((Source.JSON_LD, _ld_names(page, sites)), (Source.META, _written_by(page, sites)))
        if names
    ]
    ranked = _rank(_collect(_bylines(page), sites))
    agreed = [_with_co_authors(ranked)] if ranked and ranked[0].score >= _MIN_SCORE else []
    single: list[Found[tuple[str, ...]]] = [Found((candidate.name,), candidate.source) for candidate in ranked]
    publisher = [found for found in single if found.source is Source.JSON_LD]
    return [*sure, *agreed, *publisher, *single[1:]] if sure or agreed or publisher else []


def _ld_names(page: Page, sites: frozenset[str]) -> tuple[str, ...]:
    names: list[str] = []
    for author in jsonld.follow(page.article.get("author") or page.article.get("creator"), page.nodes):
        if isinstance(author, dict) and _is_group(author):
            continue
        for text in jsonld.strings(author, "name"):
            names += [name for name in split_names(text) if not is_organisation(name, sites)]
    return tuple(dict.fromkeys(names))[:_MAX_AUTHORS]


def _written_by(page: Page, sites: frozenset[str]) -> tuple[str, ...]:
    for number in "1234":
        if any(_WRITTEN_BY.search(label) for label in page.meta(f"twitter:label{number}")):
            names = [name for text in page.meta(f"twitter:data{number}") for name in split_names(text)]
            return tuple(name for name in names if not is_organisation(name, sites))
    return ()


def _bylines(page: Page) -> Iterator[_Byline]:
    yield from _ld_bylines(page)
    for keys, weight in _META_WEIGHTS.items():
        names = [name for text in page.meta(*keys) if not text.startswith("http") for name in split_names(text)]
        yield _Byline(tuple(names), Source.META, keys[0], keys[0], weight)
    for mark, weight in _SPOT_WEIGHTS.items():
        for spot in page.marked(mark):
            yield _visible(page, mark, spot, weight)


def _is_group(node: jsonld.Node) -> bool:
    return any("Organization" in name for name in jsonld.types_of(node))


def _ld_bylines(page: Page) -> Iterator[_Byline]:
    for author in jsonld.follow(page.article.get("author") or page.article.get("creator"), page.nodes):
        texts = [text for text in jsonld.strings(author, "name") if len(text) <= _MAX_ORGANISATION]
        whole = isinstance(author, dict) and _is_group(author)
        names = map(plain, texts) if whole else [name for text in texts for name in split_names(text)]
        yield _Byline(tuple(names), Source.JSON_LD, "json-ld", "json-ld", _LD_ORGANISATION_WEIGHT)


def _visible(page: Page, mark: Mark, spot: Spot, weight: float) -> _Byline:
    trusted = mark in {Mark.AUTHOR_PROP, Mark.AUTHOR_REL}
    distance = spot.position - page.heading
    if spot.region is Region.ASIDE:
        weight *= _ASIDE_FACTOR
    elif 0 <= distance <= _NEAR:
        weight += _NEAR_WEIGHT * (1 - distance / _NEAR)
    names = tuple(split_names(spot.text, trusted=trusted))
    if not trusted and len(names) == 1 and " " not in names[0]:
        weight *= _ONE_WORD_FACTOR
    return _Byline(names, Source.MARKUP, mark, f"{mark} {spot.position}", weight, spot.position)


def _collect(bylines: Iterable[_Byline], sites: frozenset[str]) -> dict[str, Candidate]:
    candidates: dict[str, Candidate] = {}
    for byline in bylines:
        for name in byline.names[:_MAX_AUTHORS]:
            key = key_of(name)
            if key not in candidates and len(candidates) >= _MAX_CANDIDATES:
                continue
            candidate = candidates.setdefault(key, Candidate(name, byline.source, order=len(candidates)))
            weight = byline.weight * (_ORGANISATION_FACTOR if is_organisation(name, sites) else 1)
            candidate.weights[byline.kind] = max(weight, candidate.weights.get(byline.kind, 0))
            candidate.groups.add(byline.group)
            candidate.positions.setdefault(byline.kind, byline.position)
    candidates.pop("", None)
    _merge_longer(candidates)
    return candidates


def _merge_longer(candidates: dict[str, Candidate]) -> None:
    """Lets a name that stands at either end of a longer one have its weight: the rest is a role or a label."""
    names = sorted((key for key in candidates if " " in key), key=len)
    for longer in reversed(names):
        ends = (name for name in names if longer.startswith(f"{name} ") or longer.endswith(f" {name}"))
        if shorter := next(ends, None):
            _absorb(candidates[shorter], candidates.pop(longer))


def _absorb(candidate: Candidate, other: Candidate) -> None:
    for kind, weight in other.weights.items():
        candidate.weights[kind] = max(weight, candidate.weights.get(kind, 0))
    candidate.groups |= other.groups
    for kind, position in other.positions.items():
        candidate.positions.setdefault(kind, position)


def _rank(candidates: dict[str, Candidate]) -> list[Candidate]:
    return sorted(candidates.values(), key=lambda candidate: (-candidate.score, candidate.order))


def _with_co_authors(ranked: list[Candidate]) -> Found[tuple[str, ...]]:
    best = ranked[0]
    together = [one for one in ranked if one is best or _beside(best, one)]
    names = [one.name for one in sorted(together, key=lambda one: one.order)]
    return Found(tuple(names[:_MAX_AUTHORS]), best.source)


def _beside(best: Candidate, other: Candidate) -> bool:
    """Tells whether `other` stands with `best` in one list, or in one row of elements of the page."""
    if best.groups & other.groups:
        return other.score >= _CO_AUTHOR_SHARE * best.score
    near = any(
        kind in best.positions and 0 < abs(best.positions[kind] - position) <= _SIBLINGS
        for kind, position in other.positions.items()
        if position
    )
    return near and other.score >= _SIBLING_SHARE * best.score
