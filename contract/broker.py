"""The one seam between the folders: what a broker does for intake and workers."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from contract.dead import Handled, Look, Wanted
from contract.job import Job
from contract.verdicts import Verdict

SUSPECT_DELIVERIES = 3


class BrokerError(Exception):
    """The broker did not take the message. `retry_after_s` says when asking again makes sense."""

    retry_after_s: int = 5


class BrokerUnavailable(BrokerError):
    """The broker cannot be reached, is blocked, or did not confirm in time. The message may or may not be stored."""


class BrokerFull(BrokerError):
    """The broker refused the message: its intake queue is at its limit."""

    retry_after_s = 10


class UnknownOffset(Exception):
    """The log no longer holds this offset."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One message handed to a worker.

    `body` is a job as `contract.codec` encodes it, or whatever bytes somebody else put there. `message_id` is the
    document's id where the message bears one. `deliveries` counts from 1. `lost` marks a message whose deliveries ran
    out without a verdict: it must be decided without being parsed.
    """

    body: bytes
    message_id: str | None
    deliveries: int = 1
    lost: bool = False

    @property
    def suspect(self) -> bool:
        """Whether it may be what workers die of: it was in the hands of two that came to no verdict."""
        return self.deliveries >= SUSPECT_DELIVERIES and not self.lost


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One event in the log: its offset (growing, never reused), its routing key, its bytes as published."""

    offset: int
    routing_key: str
    body: bytes


Handler = Callable[[Delivery], Awaitable[Verdict]]


class Stop(Protocol):
    """What `asyncio.Event` offers: set when no more work is to be taken."""

    def is_set(self) -> bool: ...
    async def wait(self) -> bool: ...


class Broker(Protocol):
    """Queues and the event log. Implementations are async context managers that connect and disconnect."""

    async def put(self, job: Job) -> None:
        """Stores `job` in its lane's queue; durable when this returns.

        Raises:
            BrokerUnavailable: not stored, or not known to be stored, within the publish timeout.
            BrokerFull: the queue is at its limit.
        """

    async def consume(self, handle: Handler, *, slots: int, stop: Stop) -> None:
        """Hands deliveries to `handle`, at most `slots` at once, and carries out each verdict before it acks.

        Interactive jobs take a free slot first; bulk jobs never hold the last slot (unless there is only one). What
        `handle` raises gives the delivery back. When `stop` is set nothing new is taken, what is in hand is finished,
        and the call returns; cancelling it gives back what is in hand.
        """

    def read(self, after: int | None = None) -> AsyncGenerator[LogEntry, None]:
        """Yields the log's entries with an offset above `after`, and goes on with new ones as they come.

        None starts with the next event that is written. -1 starts with the oldest that is kept.

        Raises:
            UnknownOffset: the log no longer holds what comes next after `after`.
        """

    async def log_bounds(self) -> tuple[int, int]:
        """Returns the offsets of the log's oldest and newest entry; the newest is the smaller while it is empty.

        Raises:
            BrokerUnavailable: the broker cannot be asked.
        """

    async def dead(self, wanted: Wanted, *, bodies: bool = False) -> Look:
        """Looks through the dead letters, the longest buried first, and returns those that are `wanted`.

        A look is bounded. `wanted` sees letters with their bodies; those returned have them if `bodies` says so.

        Raises:
            BrokerUnavailable: they cannot be reached.
        """

    async def retry_dead(self, wanted: Wanted) -> Handled:
        """Puts the next run of every dead letter that is `wanted`, and then takes the letter away.

        A crash in between leaves the letter where it is, with its job put already: a retry of it puts the same run
        again, whose event is a repeat. What is refused after others were put ends the call as not complete.

        Raises:
            BrokerUnavailable: they cannot be reached, or nothing is known to be put.
            BrokerFull: nothing was put: the queue is at its limit.
        """

    async def drop_dead(self, wanted: Wanted) -> Handled:
        """Takes away every dead letter that is `wanted`, for good.

        Raises:
            BrokerUnavailable: they cannot be reached.
        """

    def lease(self, name: str) -> AbstractAsyncContextManager[bool]:
        """Holds `name` while the context is open, which is True if nobody else on this broker held it, else False.

        Nobody waits for a lease. A holder that dies, or loses its connection, holds it no more.

        Raises:
            BrokerUnavailable: the broker cannot be asked; or the lease is lost while it is held, and what was inside
                is cancelled.
        """

    async def ready(self) -> bool:
        """Tells whether the broker took part lately: a live consumer, or a publisher that gets confirms."""
