"""The protocol of the ledger, which knows the state of every document, and its types."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final, Protocol

from contract.accepted import Input
from contract.batches import Batch, BatchPage, BatchPlace, FailurePage
from contract.callbacks import CallbackProgress
from contract.job import Kind, Lane
from contract.reasons import Reason
from contract.search import Term

# An id is made when its request begins, and its acceptance is on record before the 202 is sent. The body may take 60 s
# and the broker 5 s (settings' defaults); the rest is chosen for clocks that differ.
RECORDING_MARGIN_S: Final = 120.0


# How long a run that was put may take to be on record, before its number may be given again: a recorder that is up
# takes a second. One that is away for longer may see the number twice: that is a repeat.
CLAIM_S: Final = 60.0


class LedgerUnavailable(Exception):
    """The ledger's database does not answer. The client may ask again after `retry_after_s` seconds."""

    retry_after_s: int = 5


class State(StrEnum):
    """The progress of one run of a document."""

    ACCEPTED = "accepted"  # it waits for a worker, or its first attempt is in progress
    PROCESSING = "processing"  # an attempt failed, and another attempt follows
    PROCESSED = "processed"  # there is an article
    FAILED = "failed"

    @property
    def decided(self) -> bool:
        """True if the run is processed or has failed."""
        return self in {State.PROCESSED, State.FAILED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """The state of one run of a document.

    Attributes:
        run: counts from 1; an operator's retry is the next one.
        kind, lane, url, labels: as submitted, as far as known.
        owner: the name of the API key that posted; None if no acceptance is on record.
        accepted_at: aware; None if no acceptance is on record.
        decided_at: the time of the event, aware; None while undecided.
        attempts: how many were made, as far as known. While a retry is due, `reason` and `detail` say why the last
            attempt failed, and `next_at` (aware) is the earliest time of the next attempt.
        reason: why it failed, or why the last attempt did; None for an article.
        title, language, published: of the article, or of a page that was refused; `published` is ISO 8601.
        callback_url: where its event is posted to, None without a callback. It is shown to nobody.
        callback: how far that is, None without one, or if the event was too old to begin it.
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
    callback_url: str | None = field(default=None, repr=False)
    callback: CallbackProgress | None = None


@dataclass(frozen=True, slots=True)
class Erased:
    """The erasure of a document at the aware time `at`. `owner` is None if it is not on record."""

    at: datetime
    owner: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentFilter:
    """Selects the documents of a list by their latest run. Documents must meet all conditions that are not None.

    Times are aware; a document is accepted or published at or after `…_from`, and before `…_until`. `labels` must all
    be there. `terms` are looked for in title and text. `batch` is the id or the name of a batch that counts the
    document, whoever owns it.
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
    batch: str | None = None


@dataclass(frozen=True, slots=True)
class DocumentPlace:
    """The position of a document in the list, which is sorted by time, then by id, newest first."""

    at_ms: int
    document_id: str


@dataclass(frozen=True, slots=True)
class DocumentPage:
    """One page of the list, newest first. `next` is the place of its last document, None on the last page."""

    runs: Sequence[Run]
    next: DocumentPlace | None


class Ledger(Protocol):
    """Answers questions about the state of documents. Every call may raise `LedgerUnavailable`."""

    async def runs(self, document_id: str) -> Sequence[Run]:
        """Returns all recorded runs of a document, the latest last; empty if there are none."""

    async def event(self, document_id: str, run: int) -> bytes | None:
        """Returns the first event of a run as the exact bytes in the log, or None if it has no event."""

    async def erased(self, document_id: str) -> Erased | None:
        """Returns when a document was erased, None if no erasure is recorded."""

    async def input(self, document_id: str, run: int) -> Input | None:
        """Returns the input of a run, without what `Run` has; None if nothing more is kept."""

    async def claim(self, document_id: str, run: int, key: str | None, at: datetime) -> bool:
        """Claims the number `run` for the document's next run. Returns False if somebody else has claimed it.

        The claim expires `CLAIM_S` seconds after the aware time `at`, if it is not released: by then the run is
        recorded. `key` is the caller's idempotency key.
        """

    async def is_claimed(self, document_id: str, run: int, at: datetime) -> bool:
        """Returns True if the number `run` is claimed at the aware time `at`."""

    async def claimed(self, document_id: str, key: str) -> int | None:
        """Returns the latest number that was claimed for this document with this key, None if there is none."""

    async def release(self, document_id: str, run: int) -> None:
        """Releases a claim whose job was not stored."""

    async def body_digests(self, document_ids: Sequence[str]) -> Mapping[str, str]:
        """Returns the digest of the body that each document was first posted with, for those with one on record.

        Only documents that were posted with an idempotency key have one: see `contract.idempotency`.
        """

    async def page(self, wanted: DocumentFilter, *, limit: int, after: DocumentPlace | None) -> DocumentPage:
        """Returns up to `limit` documents that match `wanted` and come after the place `after`."""

    async def decided_since(self, since: datetime) -> Mapping[Lane, int]:
        """Returns how many runs of each lane were decided at the aware time `since` or later, if any."""

    async def waiting_since(self, lane: Lane) -> datetime | None:
        """Returns when the longest waiting run of `lane` was accepted, aware; None if none waits.

        A run that its first worker has taken counts as waiting.
        """

    async def batch(self, batch_id: str) -> Batch | None:
        """Returns what is recorded of a batch, None if that is nothing."""

    async def batches(self, *, owner: str | None, name: str | None, limit: int, after: BatchPlace | None) -> BatchPage:
        """Returns up to `limit` batches after the place `after`, of `owner` and with `name` where these are given."""

    async def outsiders(self, batch_id: str, document_ids: Sequence[str]) -> frozenset[str]:
        """Returns those of the documents that cannot be in the batch any more: it is closed, and does not have them.

        There are none as long as the end of the batch is not recorded.
        """

    async def batch_failures(self, batch_id: str, *, limit: int, after: str | None) -> FailurePage:
        """Returns up to `limit` failed documents of a batch whose ids come after `after`."""

    async def recorded_until(self) -> datetime | None:
        """Returns the aware time up to which all acceptances are recorded, None if none was ever recorded.

        A document whose id was made later may not be recorded yet. `RECORDING_MARGIN_S` is already subtracted.
        """
