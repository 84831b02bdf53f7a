"""What a broker does for the API, the workers and operators: one small protocol for each use.

| protocol | used by | methods |
| --- | --- | --- |
| `JobSink` | the API | `put`, `put_many` |
| `JobSource` | workers | `consume` |
| `EventLog` | the API | `read`, `log_bounds` |
| `DeadLetters` | the API | `dead`, `retry_dead`, `drop_dead` |
| `Leases` | workers | `lease` |
| `Decisions` | the API | `watch` |
| `Previews` | the API | `preview` |
| `QueueDepths` | gauges | `depths` |
| `SubscriberQueues` | the API, replays | `has_queue`, `send_again` |
| `Readiness` | `/readyz` | `ready` |

`Broker` is all of them together.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Protocol

from contract.capacity import UNBOUNDED, Capacity, Reservation
from contract.codec import MessageTooLarge
from contract.dead import DeadLetterPage, Handled, Wanted
from contract.job import Job
from contract.verdicts import Verdict

SUSPECT_DELIVERIES = 3  # two deliveries may be two lost connections; see docs/decisions.md on jobs that run alone


class BrokerError(Exception):
    """The broker did not take the message. The client may ask again after `retry_after_s` seconds."""

    retry_after_s: int = 5  # a lost RabbitMQ session is usually back within this time (docs/reliability.md)


class BrokerUnavailable(BrokerError):
    """The broker cannot be reached, is blocked, or did not confirm in time. The message may or may not be stored."""


class BrokerFull(BrokerError):
    """The broker refused the message: its intake queue is at its limit."""

    retry_after_s = 10  # a full queue needs longer than a lost session


NotPut = BrokerError | MessageTooLarge | None
"""Why a job is not stored; None where it is."""


class NotTaken(BrokerError):
    """No worker took the preview in time: all are at work, or none is running."""


class UnknownOffset(Exception):
    """The log no longer holds this offset."""


class QueueMissing(Exception):
    """There is no queue of this name."""


class QueueExclusive(Exception):
    """The queue belongs to one connection, that of its subscriber, and is deleted when this connection ends."""


class QueueForbidden(Exception):
    """The user of this process may not publish to queues of subscribers."""


class NoQueues(Exception):
    """This broker has no queues of subscribers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One message for a worker.

    Attributes:
        body: a job as `contract.codec` encodes it, or any bytes that another program put into the queue.
        message_id: the document's id, None if the message has none.
        deliveries: how often the message was delivered, this time included.
        lost: True if its deliveries ran out without a verdict. Such a message must be decided without being parsed.
        preview: True if somebody waits for the answer, and nobody else is to hear of it: `Answer` is the verdict.
        reservation: the part of the worker's capacity that it takes up.
    """

    body: bytes
    message_id: str | None
    deliveries: int = 1
    lost: bool = False
    preview: bool = False
    reservation: Reservation = field(default=UNBOUNDED, compare=False, repr=False)

    @property
    def suspect(self) -> bool:
        """True from the third delivery on: two workers may have crashed on it."""
        return self.deliveries >= SUSPECT_DELIVERIES and not (self.lost or self.preview)


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One event in the log: its offset (increasing, never reused), its routing key, its bytes as published."""

    offset: int
    routing_key: str
    body: bytes


@dataclass(frozen=True, slots=True)
class QueueDepth:
    """The number of messages that wait in a queue; how many seconds the first has been due, None if unknown."""

    messages: int
    oldest_s: float | None = None


Handler = Callable[[Delivery], Awaitable[Verdict]]


class Stop(Protocol):
    """The part of `asyncio.Event` that tells a consumer to stop: set when it must not start new work."""

    def is_set(self) -> bool: ...
    async def wait(self) -> bool: ...


class JobSink(Protocol):
    """Takes jobs."""

    async def put(self, job: Job) -> None:
        """Stores `job` in the queue of its lane. It is durable when this returns.

        Raises:
            BrokerUnavailable: not stored, or not known to be stored, within the publish timeout.
            BrokerFull: the queue is at its limit.
            MessageTooLarge: encoded, the job has more than `contract.codec.MAX_JOB_BYTES`.
        """

    async def put_many(self, jobs: Sequence[Job]) -> Sequence[NotPut]:
        """Stores each of `jobs`, as `put`, and returns what became of each, in their order.

        It costs much less than as many puts. One job that is refused does not concern the others.
        """


class JobSource(Protocol):
    """Delivers jobs to a worker."""

    async def consume(self, handle: Handler, *, capacity: Capacity, stop: Stop) -> None:
        """Passes deliveries to `handle`, as `capacity` allows. Executes each verdict before it acks the delivery.

        Interactive jobs and previews get a free slot first, and neither keeps the other waiting for ever. Bulk jobs
        never take the last slot, unless there is only one, nor all of what may wait. At most `previews_at_once` of
        those that are worked on are previews. When `handle` raises, the delivery is returned to its queue. When `stop`
        is set, nothing new is taken, the deliveries in progress are finished, and the call returns. Cancelling returns
        them to their queues instead.
        """


class EventLog(Protocol):
    """The log of all events."""

    def read(self, after: int | None = None) -> AsyncGenerator[LogEntry, None]:
        """Yields the entries with an offset above `after`, and then new entries as they are written.

        None starts with the next event that is written, -1 with the oldest that is kept.

        Raises:
            UnknownOffset: the log no longer holds the entry that follows `after`.
        """

    async def log_bounds(self) -> tuple[int, int]:
        """Returns the offsets of the oldest and the newest entry. In an empty log the newest is below the oldest.

        Raises:
            BrokerUnavailable: the broker cannot be asked.
        """


class DeadLetters(Protocol):
    """The dead letters. Each call scans them, the longest buried first; a scan is bounded."""

    async def dead(self, wanted: Wanted, *, bodies: bool = False) -> DeadLetterPage:
        """Returns the letters for which `wanted` is true.

        `wanted` sees letters with their bodies. The returned letters have bodies only if `bodies` is true.

        Raises:
            BrokerUnavailable: the dead letters cannot be reached.
        """

    async def retry_dead(self, wanted: Wanted) -> Handled:
        """Puts the next run of each letter for which `wanted` is true, and then removes the letter.

        After a crash between the two steps the letter is still there although its job was put. Another retry puts the
        same run again, whose event is a repeat. A refusal after the first put ends the call as not complete.

        Raises:
            BrokerUnavailable: the dead letters cannot be reached, or nothing is known to be put.
            BrokerFull: nothing was put: the queue is at its limit.
        """

    async def drop_dead(self, wanted: Wanted) -> Handled:
        """Removes each letter for which `wanted` is true, for good.

        Raises:
            BrokerUnavailable: the dead letters cannot be reached.
        """


class Watch(Protocol):
    """The events of one document, as they are published while it is watched."""

    async def next(self) -> bytes:
        """Returns the next event, in the bytes of the log. Waits for it.

        Raises:
            BrokerUnavailable: the broker was lost, so that an event may have been missed.
        """


class Decisions(Protocol):
    """Tells of verdicts as they are reached, whichever process reaches them. Best effort: the log has them all."""

    def watch(self, document_id: str) -> AbstractAsyncContextManager[Watch]:
        """Watches a document while the context is open. What is published after it has opened is not missed.

        Raises:
            BrokerUnavailable: it cannot be watched.
        """


class Previews(Protocol):
    """Has documents extracted that nobody but the caller hears of."""

    async def preview(self, job: Job) -> bytes:
        """Returns the event that would have been published. Cancel the call to bound how long a worker may take.

        One attempt is made; a preview that nobody takes within `contract.topology.PREVIEW_WAIT_S` is dropped.

        Raises:
            NotTaken: it was dropped.
            BrokerUnavailable: the broker cannot be reached, or was lost.
            BrokerFull: too many previews wait.
            MessageTooLarge: encoded, the job has more than `contract.codec.MAX_PREVIEW_BYTES`.
        """


class Leases(Protocol):
    """Locks that all processes on one broker share."""

    def lease(self, name: str) -> AbstractAsyncContextManager[bool]:
        """Takes the lease `name` and keeps it while the context is open. The context's value is False if it is taken.

        The call does not wait for another holder. A holder that dies, or loses its connection, loses its leases.

        Raises:
            BrokerUnavailable: the broker cannot be asked, or the lease is lost inside the context. In the second case
                the context's body is cancelled.
        """


class QueueDepths(Protocol):
    """Reports how much waits."""

    async def depths(self) -> Mapping[str, QueueDepth]:
        """Returns the depth of each queue, by name.

        Raises:
            BrokerUnavailable: the broker cannot be asked.
        """


class SubscriberQueues(Protocol):
    """Sends events of the log to a queue that a subscriber has declared."""

    async def has_queue(self, name: str) -> bool:
        """Returns True if there is such a queue.

        Raises:
            QueueExclusive: there is, and it belongs to one connection.
            NoQueues: this broker has none.
            BrokerUnavailable: the broker cannot be asked.
        """

    async def send_again(self, queue: str, entries: Sequence[LogEntry], replay_id: str) -> Sequence[LogEntry]:
        """Publishes events to a queue, with the id of the replay in a header. Returns those that are not confirmed.

        The queue may have some of those. Confirmed ones are durable.

        Raises:
            NoQueues: this broker has none.
            QueueMissing: there is no such queue.
            QueueForbidden: this process may not publish to it.
        """


class Readiness(Protocol):
    """Reports whether this process can work with the broker."""

    async def ready(self) -> bool:
        """Returns True if the broker answered lately: to a consumer, or to a publisher with a confirm."""


class Broker(
    JobSink,
    JobSource,
    EventLog,
    DeadLetters,
    Decisions,
    Previews,
    Leases,
    QueueDepths,
    SubscriberQueues,
    Readiness,
    Protocol,
):
    """Everything that a broker does. Implementations are async context managers that connect and disconnect."""
