"""Batches of documents: what the ledger counts of each, how facts change it, and when it is completed. Pure.

A batch has the documents whose acceptance is on record before its end: the record's order decides. A document counts
once, by its first run: later runs change the document's state, not the batch's.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from contract.batches import Batch, BatchCounts, CompletedBatch, FailedDocument
from contract.codec import encode
from contract.events import batch_completed
from contract.ledger import State
from contract.timestamps import rfc3339
from runtime.ledger.facts import AcceptedFact, ClosedFact, CompletedFact
from runtime.ledger.times import maybe_time_of, time_of

FIRST_RUN: Final = 1  # runs count from 1: `contract.job.Job`
ERASED: Final = "erased"  # in place of a state


@dataclass(slots=True, kw_only=True)
class BatchRow:
    """One row of the table `batches`. Times are in milliseconds since 1970.

    Attributes:
        begun_ms, changed_ms: of the earliest and the latest that is on record of it.
        accepted, processed, failed, erased: documents; the last three are parts of the first.
        late: documents that came after its end, which do not belong to it.
        event: the bytes of the event that it is completed.
        sending, sent: publishing of the event has begun, and is confirmed.
    """

    id: str
    owner: str | None = None
    name: str | None = None
    begun_ms: int
    changed_ms: int
    accepted: int = 0
    processed: int = 0
    failed: int = 0
    erased: int = 0
    late: int = 0
    closed_ms: int | None = None
    completed_ms: int | None = None
    event: bytes | None = None
    sending: bool = False
    sent: bool = False

    @property
    def is_complete(self) -> bool:
        """True if it is closed, everything is decided, and that is not noted yet."""
        is_decided = self.accepted == self.processed + self.failed + self.erased
        return self.closed_ms is not None and self.completed_ms is None and is_decided

    @property
    def is_unsent(self) -> bool:
        """True if there is an event that is not known to be published."""
        return self.event is not None and not self.sent

    def accept(self, fact: AcceptedFact, state: str, decided_ms: int | None) -> bool:
        """Counts a document in `state`, since `decided_ms` if it is decided. Returns False if the batch is closed."""
        self.owner, self.name = self.owner or fact.owner, self.name or fact.batch_name
        if self.closed_ms is not None:
            self.late += 1
            return False
        self._note(fact.at_ms)
        self.accepted += 1
        self.count(state, decided_ms or fact.at_ms)
        return True

    def count(self, state: str, at_ms: int, by: int = 1) -> None:
        """Counts a document that came into `state` at `at_ms`. States that are not decided count no further."""
        self._note(at_ms)
        if state in {State.PROCESSED, State.FAILED, ERASED}:
            setattr(self, state, getattr(self, state) + by)

    def erase(self, state: str, at_ms: int) -> None:
        """Counts a document, so far in `state`, as erased."""
        self.count(state, at_ms, by=-1)
        self.count(ERASED, at_ms)

    def close(self, fact: ClosedFact) -> None:
        """Closes it. The first end counts, and only one that its owner put on record."""
        if self.closed_ms is None and fact.owner in {None, self.owner or fact.owner}:
            self.owner, self.name = self.owner or fact.owner, self.name or fact.name
            self.closed_ms = fact.at_ms
            self._note(fact.at_ms)

    def complete(self, failures: Sequence[FailedDocument]) -> None:
        """Notes that it is completed, and makes the event. `failures` are the first documents that failed."""
        assert self.closed_ms is not None  # noqa: S101 - see `is_complete`
        self.completed_ms = self.changed_ms
        completed = CompletedBatch(
            id=self.id,
            name=self.name,
            closed=rfc3339(time_of(self.closed_ms)),
            completed=rfc3339(time_of(self.completed_ms)),
            counts=self.counts,
            failures=tuple(failures),
        )
        self.event = encode(batch_completed(completed))

    def learn_completed(self, fact: CompletedFact) -> None:
        """Takes the event from the log. The first one counts, and is not published again unless that was under way."""
        if not self.sent:
            self.name = self.name or fact.name
            self.completed_ms, self.event = fact.at_ms, fact.body
            self.sent = not self.sending

    @property
    def counts(self) -> BatchCounts:
        """The numbers of its documents."""
        return BatchCounts(accepted=self.accepted, processed=self.processed, failed=self.failed, erased=self.erased)

    def shown(self) -> Batch:
        """Returns it as the ledger answers."""
        return Batch(
            id=self.id,
            owner=self.owner,
            name=self.name,
            begun_at=time_of(self.begun_ms),
            counts=self.counts,
            late=self.late,
            closed_at=maybe_time_of(self.closed_ms),
            completed_at=maybe_time_of(self.completed_ms),
        )

    def _note(self, at_ms: int) -> None:
        self.begun_ms, self.changed_ms = min(self.begun_ms, at_ms), max(self.changed_ms, at_ms)
