"""Collects the candidates for authors and computes their features for the model."""

import math
from bisect import bisect
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from workers.metadata.author_mentions import Mention, MentionKind
from workers.metadata.byline_words import ROLES
from workers.metadata.elements import ElementRegion
from workers.metadata.jsonld import types_of
from workers.metadata.person_names import is_organisation, key_of
from workers.metadata.signals import Signal
from workers.metadata.sources import PageSources
from workers.models.boosted_trees import Rows
from workers.page.words import bare, is_cjk

# The features depend on these bounds: retrain the model after a change. Chosen by hand.
_MAX_CANDIDATES = 80  # names; each is compared to each
_FAR = 3000  # elements from the heading; the distance of a name without a place in the body
_STRUCTURED = frozenset(
    {
        MentionKind.LD_PERSON,
        MentionKind.LD_STRING,
        MentionKind.WRITTEN_BY,
        MentionKind.META_AUTHOR,
        MentionKind.META_OTHER,
        MentionKind.PROP,
        MentionKind.REL,
    }
)
_ARTICLE, _ASIDE = ElementRegion.ARTICLE, ElementRegion.ASIDE  # read once: see `workers.page.blocks.BlockKind`
_MAX_COUNT = 4  # mentions; more of one kind count as this many
_MAX_DESCRIPTION = 1000  # characters of a page's description that are read
_MIN_HANDLE = 3  # characters of a log-in name, more than this
_FORUM_TYPES = frozenset({"DiscussionForumPosting", "QAPage", "Question", "SocialMediaPosting"})


@dataclass(slots=True)
class AuthorCandidate:
    """One name, with the mentions that hold it."""

    key: str
    name: str
    mentions: list[Mention] = field(default_factory=list)

    @property
    def kinds(self) -> set[MentionKind]:
        """The kinds of mentions with the name. Mentions aside count only if there are no others."""
        proper = {mention.kind for mention in self.mentions if mention.region is not _ASIDE}
        return proper or {mention.kind for mention in self.mentions}


def collect_candidates(mentions: Iterable[Mention]) -> list[AuthorCandidate]:
    """Returns the names in `mentions`, each once, in the order of their first mentions."""
    found: dict[str, AuthorCandidate] = {}
    for mention in mentions:
        for name in mention.names:
            key = key_of(name)
            if key and (key in found or len(found) < _MAX_CANDIDATES):
                found.setdefault(key, AuthorCandidate(key, name)).mentions.append(mention)
    _merge_longer(found)
    return list(found.values())


def _merge_longer(found: dict[str, AuthorCandidate]) -> None:
    """Merges a longer name into one that it begins or ends with: the rest of it is a role or a label."""
    names = sorted((key for key in found if " " in key and not is_cjk(found[key].name)), key=len)
    for longer in reversed(names):
        ends = (name for name in names if longer.startswith(f"{name} ") or longer.endswith(f" {name}"))
        if (shorter := next(ends, None)) and found[shorter].name.count(" "):
            found[shorter].mentions += found.pop(longer).mentions


_KINDS = tuple(MentionKind)
FEATURES = (
    *(kind.value for kind in _KINDS),
    *(f"{kind.value}_others" for kind in _KINDS),  # 1 if the kind names somebody else
    *(f"{kind.value}_place" for kind in _KINDS),  # the name's rank among those of the kind; 99 without one
    *("kinds", "kinds_structured", "kinds_lead", "kinds_rank", "claims", "proper_claims", "candidates"),
    *("beside_date", "aside_distance", "in_title", "in_description", "depth"),
    *("distance", "distance_rank", "before_heading", "first_distance", "in_article", "aside_only"),
    *("organisation", "site", "site_part", "host_part", "words", "characters", "lower", "upper", "digits", "points"),
    *(
        "cover",
        "role",
        "forum",
        "handle",
        "alone",
        "names_in_claim",
        "place_in_claim",
        "with_best",
        "within_longer",
        "holds_shorter",
        "key_shared",
    ),
    *("persons_in_ld", "has_structured", "best_kinds", "cjk"),
)


def candidate_rows(candidates: Sequence[AuthorCandidate], page: PageSources) -> Rows:
    """Returns the features of `candidates`, (N, len(FEATURES))."""
    table = _Table(candidates, page)
    return np.array([table.row(candidate) for candidate in candidates], np.float32).reshape(-1, len(FEATURES))


def _nearest(position: int, places: Sequence[int]) -> int:
    """Returns the distance from `position` to the nearest of the sorted `places`, `_FAR` if there is none."""
    at = bisect(places, position)
    return min((abs(position - place) for place in places[max(0, at - 1) : at + 1]), default=_FAR)


class _Table:
    def __init__(self, candidates: Sequence[AuthorCandidate], page: PageSources) -> None:
        self._candidates = candidates
        self._page = page
        self._kinds = {candidate.key: candidate.kinds for candidate in candidates}
        self._best = max(candidates, key=lambda one: len(self._kinds[one.key]), default=None)
        self._by_kind = {kind: {key for key, kinds in self._kinds.items() if kind in kinds} for kind in _KINDS}
        self._distances = {candidate.key: self._distance(candidate) for candidate in candidates}
        self._ranked = sorted(self._distances.values())
        self._places = self._orders()
        self._counts = sorted((len(kinds) for kinds in self._kinds.values()), reverse=True)
        self._structured = float(any(self._by_kind[kind] for kind in _STRUCTURED))
        self._sites = {site.replace(" ", "") for site in page.sites}
        types = {name for node in page.nodes for name in types_of(node)}
        self._forum = float(not _FORUM_TYPES.isdisjoint(types))
        handles = page.meta("twitter:creator", "article:author")
        self._handles = [bare(text.rstrip("/").rpartition("/")[2]).replace(" ", "") for text in handles]
        self._handles = [handle for handle in self._handles if len(handle) > _MIN_HANDLE]
        elements = page.main_elements(Signal.TIME, Signal.DATE_CLASS, Signal.YEAR)
        self._dates = sorted({element.position for element in elements})
        self._title = set(key_of(page.head.title).split())
        described = " ".join(page.meta("description", "og:description"))
        self._description = f" {key_of(described[:_MAX_DESCRIPTION])} "
        self._host = page.host.replace("-", "").replace(".", "")

    def row(self, candidate: AuthorCandidate) -> list[float]:
        key = candidate.key
        counts = Counter(mention.kind for mention in candidate.mentions if mention.region is not _ASIDE)
        return [
            *(float(min(counts[kind], _MAX_COUNT)) for kind in _KINDS),
            *(float(len(keys) > (key in keys)) for keys in self._by_kind.values()),
            *(float(places.get(key, 99)) for places in self._places),
            *self._agreement(candidate),
            *self._surroundings(candidate),
            *self._place(candidate),
            *self._form(candidate),
            *self._company(candidate),
            float(len(self._by_kind[MentionKind.LD_PERSON])),
            self._structured,
            float(self._counts[0]),
            float(not candidate.name.isascii() and len(candidate.name.split()) == 1),
        ]

    def _orders(self) -> list[dict[str, int]]:
        """Returns for each kind the rank of each name: first those after the heading, in page order."""
        firsts: dict[MentionKind, dict[str, int]] = {kind: {} for kind in _KINDS}
        for candidate in self._candidates:
            for mention in candidate.mentions:
                offset = mention.position - self._page.heading
                offset = offset if offset >= 0 else _FAR - offset
                first = firsts[mention.kind]
                first[candidate.key] = min(offset, first.get(candidate.key, offset))
        return [
            {key: place for place, key in enumerate(sorted(first, key=first.__getitem__))} for first in firsts.values()
        ]

    def _agreement(self, candidate: AuthorCandidate) -> list[float]:
        kinds = self._kinds[candidate.key]
        count = len(kinds)
        others = self._counts[1] if len(self._counts) > 1 and self._counts[0] == count else self._counts[0]
        if len(self._counts) == 1:
            others = 0
        proper = sum(mention.region is not _ASIDE for mention in candidate.mentions)
        return [
            float(count),
            float(len(kinds & _STRUCTURED)),
            float(count - others),
            float(self._counts.index(count)),
            float(min(len(candidate.mentions), 10)),
            float(min(proper, 10)),
            float(len(self._candidates)),
        ]

    def _distance(self, candidate: AuthorCandidate) -> float:
        """Returns the distance from the heading to the nearest mention, in elements; upwards it counts triple."""
        offsets = [
            mention.position - self._page.heading
            for mention in candidate.mentions
            if mention.position and mention.region is not _ASIDE
        ]
        return min((offset if offset >= 0 else -3 * offset for offset in offsets), default=_FAR)

    def _surroundings(self, candidate: AuthorCandidate) -> list[float]:
        positions = [mention.position for mention in candidate.mentions if mention.position]
        beside = min((_nearest(position, self._dates) for position in positions), default=_FAR)
        aside = min((abs(position - self._page.heading) for position in positions), default=_FAR)
        words = set(candidate.key.split())
        return [
            math.log1p(beside),
            math.log1p(aside),
            len(words & self._title) / len(words),
            float(f" {candidate.key} " in self._description),
            max(positions, default=0) / self._page.size,
        ]

    def _place(self, candidate: AuthorCandidate) -> list[float]:
        distance = self._distances[candidate.key]
        positions = [mention.position for mention in candidate.mentions if mention.position]
        first = min(positions, default=0)
        return [
            math.log1p(distance),
            float(self._ranked.index(distance)),
            float(0 < first < self._page.heading),
            float(math.log1p(abs(first - self._page.heading))) if first else 9.0,
            float(any(mention.region is _ARTICLE for mention in candidate.mentions if mention.position)),
            float(all(mention.region is _ASIDE for mention in candidate.mentions)),
        ]

    def _form(self, candidate: AuthorCandidate) -> list[float]:
        name, squashed = candidate.name, candidate.key.replace(" ", "")
        return [
            float(is_organisation(name, self._page.sites)),
            float(squashed in self._sites),
            float(any(squashed in site or site in squashed for site in self._sites)),
            float(squashed in self._host),
            float(len(candidate.key.split())),
            float(len(name)),
            float(name.islower()),
            float(name.isupper()),
            float(any(map(str.isdigit, name))),
            float(name.count(".")),
        ]

    def _company(self, candidate: AuthorCandidate) -> list[float]:
        key = candidate.key
        sizes = [len(mention.names) for mention in candidate.mentions]
        places = [
            mention.names.index(candidate.name) for mention in candidate.mentions if candidate.name in mention.names
        ]
        best = self._best
        beside = (
            best is not None
            and best is not candidate
            and any(mention in best.mentions for mention in candidate.mentions)
        )
        words = set(key.split())
        others = [one.key for one in self._candidates if one is not candidate]
        covers = [len(candidate.name) / mention.characters for mention in candidate.mentions if mention.characters]
        squashed = key.replace(" ", "")
        return [
            min(1.0, max(covers, default=2.0)),
            float(not words.isdisjoint(ROLES)),
            self._forum,
            float(any(squashed in handle or handle in squashed for handle in self._handles)),
            float(min(sizes) == 1),
            float(max(sizes)),
            float(min(places, default=0)),
            float(beside),
            float(any(other.startswith(f"{key} ") or other.endswith(f" {key}") for other in others)),
            float(any(key.startswith(f"{other} ") or key.endswith(f" {other}") for other in others)),
            float(any(words & set(other.split()) for other in others)),
        ]
