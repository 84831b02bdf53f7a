"""Batches: documents that a client posts under one name, and the event that tells when all of them are decided."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

MAX_NAME_CHARS: Final = 128  # of a batch's name; chosen: a date, a source and a word fit several times
NAME: Final = re.compile(rf"[^\x00-\x1f\x7f\ud800-\udfff]{{1,{MAX_NAME_CHARS}}}")
MAX_TOLD_FAILURES: Final = 20  # in the event; chosen: enough to see what is wrong. The look-up lists all


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchClosed:
    """The end of a batch, in the record of acceptances: what is accepted after it does not belong to the batch.

    `closed_batch` is the batch's id, `at` is RFC 3339 in UTC. `owner` is the name of the API key whose batches it may
    close, None for any. `name` is that of the batch, None if only its id is known.
    """

    closed_batch: str
    at: str
    owner: str | None = None
    name: str | None = None


class BatchSink(Protocol):
    """Closes batches."""

    async def close_batch(self, closed: BatchClosed) -> None:
        """Writes `closed` to the record of acceptances, after all that are on record. It is durable when this returns.

        Raises:
            BrokerUnavailable: not written, or not known to be written, within the publish timeout.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchCounts:
    """How many documents a batch has, and how many of them are decided or erased."""

    accepted: int
    processed: int
    failed: int
    erased: int

    @property
    def waiting(self) -> int:
        """How many are not decided yet."""
        return self.accepted - self.processed - self.failed - self.erased


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedDocument:
    """A document of a batch that failed, its reason, and its URL if it has one."""

    id: str
    reason: str
    url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CompletedBatch:
    """A batch that is closed, and whose documents are all decided. Times are RFC 3339 in UTC.

    `completed` is when the last document was decided, or the batch was closed, whichever came later. `failures` are the
    first `MAX_TOLD_FAILURES` documents that failed.
    """

    id: str
    name: str | None
    closed: str
    completed: str
    counts: BatchCounts
    failures: tuple[FailedDocument, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What the ledger knows of a batch. Times are aware, and None for what did not happen yet.

    `owner` and `name` are None if only its completion is on record. `late` counts documents that were accepted with its
    name after it was closed: they do not belong to it.
    """

    id: str
    owner: str | None
    name: str | None
    begun_at: datetime
    counts: BatchCounts
    late: int
    closed_at: datetime | None
    completed_at: datetime | None


@dataclass(frozen=True, slots=True)
class BatchPlace:
    """The position of a batch in the list, which is sorted by time, then by id, newest first."""

    at_ms: int
    batch_id: str


@dataclass(frozen=True, slots=True)
class BatchPage:
    """One page of the list of batches, newest first. `next` is the place of the last one, None on the last page."""

    batches: Sequence[Batch]
    next: BatchPlace | None


@dataclass(frozen=True, slots=True)
class FailurePage:
    """One page of the failed documents of a batch, by id. `next` is the id of the last one, None on the last page."""

    failures: Sequence[FailedDocument]
    next: str | None
