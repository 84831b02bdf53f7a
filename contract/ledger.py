"""What became of each document: the types, and what a ledger tells to those who ask."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final, Protocol

from contract.job import Kind, Lane
from contract.reasons import Reason
from contract.search import Term

# An id is made when its request begins, and is on record when its 202 goes out. The body may take 60 s, the broker 5 s;
# the rest is for clocks that differ.
RECORDING_MARGIN_S: Final = 120.0


class LedgerUnavailable(Exception):
    """The ledger's database cannot be asked now. `retry_after_s` says when asking again makes sense."""

    retry_after_s: int = 5


class State(StrEnum):
    """How far a run of a document is."""

    ACCEPTED = "accepted"  # it waits for a worker, or is in the hands of its first
    PROCESSING = "processing"  # an attempt failed, and another one is to come
    PROCESSED = "processed"  # there is an article
    FAILED = "failed"

    @property
    def decided(self) -> bool:
        """Tells whether nothing more is to come of this run."""
        return self in {State.PROCESSED, State.FAILED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What became of one run of a document.

    Attributes:
        run: counts from 1; an operator's retry is the next one.
        kind, lane, url, labels: as submitted, as far as known.
        owner: the name of the API key that posted; None where no acceptance is on record.
        accepted_at: aware; None where no acceptance is on record.
        decided_at: the time of the event, aware; None while undecided.
        attempts: how many were made, as far as known. While one waits for the next, `reason` and `detail` say what went
            wrong, and `next_at`, aware, when it is made again at the earliest.
        reason: why it failed, or why the last attempt did; None for an article.
        title, language, published: of the article, or of a page that was refused; `published` is ISO 8601.
        repeats: how many further events with the same id the log holds, `differing` those with other content.
    """

    document_id: str
    run: int
    state: State
    kind: Kind | None = None
    lane: Lane | None = None
    owner: str | None = None
    url: str | None = None
    host: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    accepted_at: datetime | None = None
    decided_at: datetime | None = None
    attempts: int = 0
    reason: Reason | None = None
    detail: str | None = None
    next_at: datetime | None = None
    title: str | None = None
    language: str | None = None
    published: str | None = None
    repeats: int = 0
    differing: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which documents a list shows, by their latest run: those for which all that is given holds.

    Times are aware; a document is accepted or published at or after `…_from`, and before `…_until`. `labels` must all
    be there. `terms` are looked for in title and text.
    """

    owner: str | None = None
    state: State | None = None
    reason: Reason | None = None
    kind: Kind | None = None
    host: str | None = None
    language: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    accepted_from: datetime | None = None
    accepted_until: datetime | None = None
    published_from: datetime | None = None
    published_until: datetime | None = None
    terms: Sequence[Term] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """Where a document stands in the list: by its time, then by its id, newest first."""

    at_ms: int
    document_id: str


@dataclass(frozen=True, slots=True)
class Page:
    """A part of the list, newest first. `next` is the place of its last document if more come behind it."""

    runs: Sequence[Run]
    next: Place | None


class Ledger(Protocol):
    """What became of every document. Every call may raise `LedgerUnavailable`."""

    async def runs(self, document_id: str) -> Sequence[Run]:
        """Returns all runs of a document, the latest last; none where nothing of it is recorded."""

    async def event(self, document_id: str, run: int) -> bytes | None:
        """Returns the first event of a run, its bytes as they are in the log; None where there is none."""

    async def page(self, wanted: Filter, *, limit: int, after: Place | None) -> Page:
        """Returns up to `limit` documents that are `wanted`, behind the place `after`."""

    async def decided_since(self, since: datetime) -> Mapping[Lane, int]:
        """Returns how many runs of each lane were decided at the aware time `since` or later, where there are any."""

    async def waiting_since(self, lane: Lane) -> datetime | None:
        """Returns when the longest waiting run of `lane` was accepted, aware; None where none waits.

        A run in the hands of its first worker counts as waiting.
        """

    async def recorded_until(self) -> datetime | None:
        """Returns up to when all acceptances are recorded, aware; None where none ever was.

        A document whose id was made later may not be recorded yet. `RECORDING_MARGIN_S` is taken off already.
        """
