"""What a worker decides about a delivery. A verdict is a value: the broker executes it, then acks the delivery."""

from dataclasses import dataclass

from contract.events import Event
from contract.job import Job
from contract.reasons import Reason


@dataclass(frozen=True, slots=True)
class Publish:
    """The document is decided: write the event to the log, notify the subscribers, ack."""

    event: Event


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


@dataclass(frozen=True, slots=True)
class Answer:
    """Send the event to the caller of the preview, and nobody else: no log, no subscribers, no dead letter. Then ack.

    `event` is what would have been published; None if the message does not name its document.
    """

    event: Event | None


Verdict = Publish | Retry | Defer | Bury | Answer
