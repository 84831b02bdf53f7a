"""What a worker decides about a delivery. A verdict is a value: the broker executes it, then acks the delivery."""

from dataclasses import dataclass, field

from contract.events import Event
from contract.job import Job, Kind, Lane
from contract.reasons import Reason


@dataclass(frozen=True, slots=True)
class Acceptance:
    """When a document was accepted (RFC 3339, UTC), its kind and lane: what metrics measure from."""

    kind: Kind
    lane: Lane
    at: str


def acceptance_of(job: Job) -> Acceptance | None:
    """Returns the acceptance of a job; None for a later run, which begins when an operator or its owner asks for it."""
    return Acceptance(job.kind, job.lane, job.accepted_at) if job.run == 1 else None


@dataclass(frozen=True, slots=True)
class Publish:
    """The document is decided: write the event to the log, notify the subscribers, ack. `acceptance` is for metrics."""

    event: Event
    acceptance: Acceptance | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Retry:
    """Deliver `job`, the next attempt, after `delay_s` seconds."""

    job: Job
    delay_s: float
    reason: Reason


@dataclass(frozen=True, slots=True)
class Defer:
    """Deliver the same attempt again after `delay_s` seconds. It did not fail: its host was busy."""

    job: Job
    delay_s: float


@dataclass(frozen=True, slots=True)
class Bury:
    """Write the event to the log, keep the message among the dead letters with its cause, ack.

    `event` is None only for a message that cannot be decoded and has no id: no document is known.
    """

    event: Event | None
    cause: str
    acceptance: Acceptance | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """Send the event to the caller of the preview, and nobody else: no log, no subscribers, no dead letter. Then ack.

    `event` is what would have been published; None if the message does not name its document.
    """

    event: Event | None


Verdict = Publish | Retry | Defer | Bury | Answer
