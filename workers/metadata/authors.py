"""Chooses the authors: the persons in the article's own data, or else the candidates that a model finds likely."""

from collections.abc import Iterable
from dataclasses import dataclass

from workers.document import Sourced
from workers.metadata.author_candidates import FEATURES, AuthorCandidate, candidate_rows, collect_candidates
from workers.metadata.author_mentions import MentionKind, read_mentions
from workers.metadata.elements import ElementRegion
from workers.metadata.person_names import is_company, is_handle, is_organisation, key_of
from workers.metadata.sources import PageSources
from workers.models.boosted_trees import load_model

# Probabilities of the model, at least. Chosen by hand; bench.train_authors prints the F1 of names that they give.
_MIN_ALONE = 0.2  # of the likeliest candidate, if none reaches the next limit
_MIN_BESIDE = 0.4  # of each of several authors
_MIN_STATED = 0.05  # of a name in the article's own data
_MIN_PERSON = 0.3  # of a person outside the article's data, if an organisation is in it or likelier
_MIN_SIGNED = 0.15  # of a person in a byline, if only organisations are likelier
_MIN_NAMED = 0.4  # of a person's name that displaces log-in names
_MIN_NEAR = 0.35  # of a name whose only evidence is its place near the heading
_MIN_TOGETHER = 0.2  # of a name that stands in one byline with the likeliest author
_MAX_AUTHORS = 12  # names; chosen for the size of events
_OF_PUBLISHER = frozenset({MentionKind.COPYRIGHT, MentionKind.SITE})
_BYLINES = frozenset(
    {
        *(MentionKind.BY, MentionKind.BY_WITHIN, MentionKind.CLASS, MentionKind.PROP, MentionKind.REL),
        *(MentionKind.LD_PERSON, MentionKind.LD_STRING, MentionKind.META_AUTHOR, MentionKind.META_OTHER),
    }
)
_STATED = frozenset({MentionKind.LD_PERSON, MentionKind.LD_STRING, MentionKind.WRITTEN_BY})

Authors = Sourced[tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class ScoredCandidate:
    """A candidate, and how likely it is an author, in [0, 1]."""

    candidate: AuthorCandidate
    probability: float


def find_authors(page: PageSources, title: str = "") -> list[Authors]:
    """Returns candidate lists of authors, the best first. All but the first hold a single name."""
    candidates = find_candidates(page, title)
    if not candidates:
        return []
    probabilities = load_model("page_authors", FEATURES).probabilities(candidate_rows(candidates, page))
    scored = [
        ScoredCandidate(candidate, float(probability))
        for candidate, probability in zip(candidates, probabilities, strict=True)
    ]
    chosen = choose_authors(scored, page.sites)
    likeliest = sorted((one for one in scored if one not in chosen), key=lambda one: -one.probability)
    return [_found(chosen), *(_found([one]) for one in likeliest)] if chosen else []


def find_candidates(page: PageSources, title: str) -> list[AuthorCandidate]:
    """Returns the names on `page` that may be an author's.

    A name that equals the `title` is the subject of the page, unless the page's own data declares it as the author.
    A company publishes; it is no author.
    """
    about = key_of(title)
    return [
        one
        for one in collect_candidates(read_mentions(page))
        if (one.key != about or not _STATED.isdisjoint(one.kinds)) and not is_company(one.name)
    ]


def choose_authors(scored: Iterable[ScoredCandidate], sites: frozenset[str]) -> list[ScoredCandidate]:
    """Returns the chosen authors, in the order of the page's own lists.

    A person in the article's data whose name is not the site's is accepted at almost any probability; otherwise the
    likely candidates are, with those who share a byline with the likeliest. Persons displace the publisher, and proper
    names displace log-in names.
    """
    scored = _without_handles([one for one in scored if _is_eligible(one)], sites)
    persons = [one for one in scored if not is_organisation(one.candidate.name, sites)]
    stated = [one for one in persons if one.probability >= _MIN_STATED and not _STATED.isdisjoint(one.candidate.kinds)]
    likely = _likely(scored, _MIN_ALONE)
    signed = [one for one in persons if likely and MentionKind.BY in one.candidate.kinds]
    likely_persons = (
        [one for one in likely if one in persons] or _likely(persons, _MIN_PERSON) or _likely(signed, _MIN_SIGNED)
    )
    if not stated and all(one.probability < _MIN_PERSON for one in likely):
        stated = [
            one
            for one in scored
            if one.probability >= _MIN_STATED and MentionKind.LD_ORGANISATION in one.candidate.kinds
        ]
    chosen = stated or likely_persons or likely
    together = _beside(chosen, persons)
    return [one for one in scored if one in chosen or one in together][:_MAX_AUTHORS]


def _beside(chosen: Iterable[ScoredCandidate], persons: Iterable[ScoredCandidate]) -> list[ScoredCandidate]:
    """Returns those of `persons` whom a byline names together with the likeliest of the `chosen`."""
    best = max(chosen, key=lambda one: one.probability, default=None)
    bylines = [one for one in best.candidate.mentions if one.kind in _BYLINES and len(one.names) > 1] if best else []
    return [
        one
        for one in persons
        if one.probability >= _MIN_TOGETHER and any(mention in bylines for mention in one.candidate.mentions)
    ]


def _likely(scored: list[ScoredCandidate], least: float) -> list[ScoredCandidate]:
    """Returns all candidates that reach `_MIN_BESIDE`; if none does, the likeliest if it reaches `least`."""
    likeliest = sorted(scored, key=lambda one: -one.probability)[:1]
    return [one for one in scored if one.probability >= _MIN_BESIDE] or [
        one for one in likeliest if one.probability >= least
    ]


def _without_handles(scored: list[ScoredCandidate], sites: frozenset[str]) -> list[ScoredCandidate]:
    """Drops log-in names if there is a proper name."""
    named = [one for one in scored if not is_handle(one.candidate.name)]
    sure = any(one.probability >= _MIN_NAMED and not is_organisation(one.candidate.name, sites) for one in named)
    return named if sure else scored


def _is_eligible(scored: ScoredCandidate) -> bool:
    """Returns False if a candidate's only evidence is weak.

    That is mentions aside without rel=author, a place near the heading, or the name of the site and its copyright
    notice.
    """
    candidate = scored.candidate
    if _OF_PUBLISHER.issuperset(candidate.kinds):
        return False
    if candidate.kinds == {MentionKind.NEAR} and scored.probability < _MIN_NEAR:
        return False
    proper = any(mention.region is not ElementRegion.ASIDE for mention in candidate.mentions)
    return proper or MentionKind.REL in candidate.kinds


def _found(scored: list[ScoredCandidate]) -> Authors:
    best = max(scored, key=lambda one: one.probability)
    names = tuple(one.candidate.name for one in scored)
    return Sourced(names, best.candidate.mentions[0].source, round(min(one.probability for one in scored), 4))
