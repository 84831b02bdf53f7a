"""The authors: those whom the article's own data names as persons, else those whom a model finds likely."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import as_file, files

from workers.draft import Found
from workers.metadata.candidates import FEATURES, Candidate, collect, rows_of
from workers.metadata.claims import Kind, read_claims
from workers.metadata.names import is_organisation, key_of
from workers.metadata.page import Page, Region
from workers.trees import Trees

_WEIGHTS = "authors.npz"
_MIN_ALONE = 0.2  # probability of the likeliest, for want of a better
_MIN_BESIDE = 0.4
_MIN_STATED = 0.1  # of whom the article's own data names
_MAX_AUTHORS = 12
_STATED = frozenset({Kind.LD_PERSON, Kind.LD_STRING, Kind.WRITTEN_BY})

Authors = Found[tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Judged:
    """A candidate, and how likely it is an author, in [0, 1]."""

    candidate: Candidate
    chance: float


def find_authors(page: Page, title: str = "") -> list[Authors]:
    """Returns the author lists that `page` may mean, the best first; the others are single names.

    Who bears the `title` is whom the page is about, unless its own data names them as the author, too.
    """
    about = key_of(title)
    candidates = [one for one in collect(read_claims(page)) if one.key != about or not _STATED.isdisjoint(one.kinds)]
    if not candidates:
        return []
    chances = _model().probabilities(rows_of(candidates, page))
    judged = [Judged(candidate, float(chance)) for candidate, chance in zip(candidates, chances, strict=True)]
    chosen = choose(judged, page.sites)
    likeliest = sorted((one for one in judged if one not in chosen), key=lambda one: -one.chance)
    return [_found(chosen), *(_found([one]) for one in likeliest)] if chosen else []


def choose(judged: Iterable[Judged], sites: frozenset[str]) -> list[Judged]:
    """Returns those who are taken for the authors, in the order of the page's own lists.

    Whom the article's data names and who is a person of another name than the site is believed nearly at any odds;
    else the likely ones are taken.
    """
    judged = [one for one in judged if _is_eligible(one.candidate)]
    stated = [
        one
        for one in judged
        if one.chance >= _MIN_STATED
        and not _STATED.isdisjoint(one.candidate.kinds)
        and not is_organisation(one.candidate.name, sites)
    ]
    likeliest = sorted(judged, key=lambda one: -one.chance)[:1]
    likely = [one for one in judged if one.chance >= _MIN_BESIDE]
    likely = likely or [one for one in likeliest if one.chance >= _MIN_ALONE]
    return (stated or _persons(likely, sites))[:_MAX_AUTHORS]


def _persons(judged: list[Judged], sites: frozenset[str]) -> list[Judged]:
    """Leaves the publisher out where there is a person."""
    persons = [one for one in judged if not is_organisation(one.candidate.name, sites)]
    return persons or judged


def _is_eligible(candidate: Candidate) -> bool:
    """Tells whether more speaks for `candidate` than one kind of element aside."""
    return len({claim.kind for claim in candidate.claims}) > 1 or any(
        claim.region is not Region.ASIDE for claim in candidate.claims
    )


def _found(judged: list[Judged]) -> Authors:
    best = max(judged, key=lambda one: one.chance)
    names = tuple(one.candidate.name for one in judged)
    return Found(names, best.candidate.claims[0].source, round(min(one.chance for one in judged), 4))


def preload() -> None:
    """Loads the model."""
    _model()


@cache
def _model() -> Trees:
    with as_file(files(__package__) / _WEIGHTS) as file:
        trees = Trees.load(file)
    if trees.names != FEATURES:
        raise ValueError(f"{_WEIGHTS} was trained on other features")
    return trees
