"""What a worker decides about a delivery. A verdict is a value: the broker carries it out, then acks."""

from dataclasses import dataclass

from contract.events import Event
from contract.job import Job
from contract.reasons import Reason


@dataclass(frozen=True, slots=True)
class Publish:
    """The document is decided: write the event to the log, tell the subscribers, ack."""

    event: Event


@dataclass(frozen=True, slots=True)
class Retry:
    """Bring `job` back after `delay_s` seconds. `job` is the next attempt."""

    job: Job
    delay_s: float
    reason: Reason


@dataclass(frozen=True, slots=True)
class Defer:
    """Bring the same attempt back after `delay_s` seconds: nothing went wrong, it was only not its turn."""

    job: Job
    delay_s: float


@dataclass(frozen=True, slots=True)
class Bury:
    """Write the event to the log, keep the message among the dead letters with its cause, ack.

    `event` is None only for a message that cannot be decoded and bears no id: there is no document to speak of.
    """

    event: Event | None
    cause: str


Verdict = Publish | Retry | Defer | Bury
