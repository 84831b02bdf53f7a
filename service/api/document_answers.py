"""The JSON answers about documents and batches that were posted before. See `answers`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from contract.batches import FailedDocument
from contract.callbacks import CallbackProgress
from contract.job import Kind, Lane
from contract.ledger import State
from contract.reasons import Reason

BatchProgress = Literal["open", "closed", "completed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchDocuments:
    """The documents of a batch, by state. `waiting` are not decided yet."""

    accepted: int
    waiting: int
    processed: int
    failed: int
    erased: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchBrief:
    """How far a batch is. Times are RFC 3339 in UTC, null for what did not happen yet.

    `documents` are those that were accepted, by state. `late` came after the batch was closed, and do not belong to it.
    """

    id: str
    name: str | None
    state: BatchProgress
    documents: BatchDocuments
    late: int
    begun_at: str
    closed_at: str | None
    completed_at: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchState(BatchBrief):
    """How far a batch is, and a page of its documents that failed. `next` is the `cursor` of the page behind."""

    failures: Sequence[FailedDocument]
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchList:
    """A page of batches, newest first. `next` is the `cursor` of the page behind, null on the last."""

    batches: Sequence[BatchBrief]
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchClosing:
    """It is on record that a batch is closed."""

    id: str
    close: Literal["requested"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunState:
    """How far a run of a document is. Times are RFC 3339 in UTC; what is not known, or not yet, is null."""

    id: str
    run: int
    state: State
    lane: Lane | None
    kind: Kind | None
    url: str | None
    host: str | None
    labels: Mapping[str, str]
    accepted_at: str | None
    decided_at: str | None
    attempts: int
    reason: Reason | None
    detail: str | None
    next_at: str | None
    title: str | None
    language: str | None
    published: str | None
    repeats: int
    event: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunBrief:
    """A run in few words."""

    run: int
    state: State
    accepted_at: str | None
    decided_at: str | None
    attempts: int
    reason: Reason | None
    event: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentState(RunState):
    """What became of a document: its latest run, and all runs in few words, the latest last.

    `callback` says how far the callback of the latest run is; null if it has none.
    """

    runs: tuple[RunBrief, ...]
    callback: CallbackProgress | None


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownDocument:
    """Nothing is recorded of a document, whose acceptance may only not be recorded yet."""

    id: str
    state: Literal["unknown"]
    recorded_until: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelRequested(RunState):
    """It is on record that this run is wanted no more."""

    cancel: Literal["requested"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PutRun:
    """A further run of a document is stored."""

    id: str
    run: int
    lane: Lane


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasing:
    """What is erased of a document, and what is not.

    `dead_letters` is how many were dropped; `more_dead_letters`: send the request again. `log_keeps` says how much the
    log holds, by unit: its events are among that.
    """

    id: str
    state: Literal["erasing", "erased"]
    erased_at: str
    dead_letters: int
    more_dead_letters: bool
    log_keeps: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentList:
    """A page of documents, newest first. `next` is the `cursor` of the page behind, null on the last."""

    documents: Sequence[RunState]
    next: str | None
