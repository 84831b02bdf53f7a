"""Leases that all processes on one broker share. An exclusive queue is the lock.

Only one connection can have an exclusive queue, on all nodes of a cluster, and RabbitMQ deletes it when that
connection ends: leases need no timeout.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aiormq.exceptions import ChannelLockedResource

from contract.broker import BrokerUnavailable
from contract.labels import SessionLoss
from runtime.brokers.rabbit.limits import RabbitLimits
from runtime.brokers.rabbit.session import Session, SessionLost, translated

if TYPE_CHECKING:
    from aiormq.abc import AbstractChannel

_PREFIX = "copydesk.lease."
_NAME_CHARS = (
    200  # chosen: a queue's name has at most 255 bytes (AMQP 0-9-1). Longer names with one start share a lease
)

_IDLE_AT_MOST = 16
"""Channels kept open for later steps. Chosen: a worker takes and gives back some dozens of leases a second, each in a
few milliseconds. To open and close a channel for each took about a quarter of the main process, in one profile."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """A lease that somebody asks for, and holds if `taken` becomes True, until `left` is set."""

    queue: str
    taken: asyncio.Future[bool] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    left: asyncio.Event = field(default_factory=asyncio.Event)


class Leases:
    """Takes leases on the live session, if there is one. The supervisor calls `run` for each session."""

    def __init__(self, limits: RabbitLimits) -> None:
        self._limits = limits
        self._live: Session | None = None
        self._up = asyncio.Event()
        self._tasks: dict[str, asyncio.Task[None]] = {}  # by queue
        self._scopes: set[asyncio.Timeout] = set()
        self._idle: list[AbstractChannel] = []  # of the live session

    async def run(self, session: Session) -> None:
        """Offers `session` for leases until it is lost. All leases are lost with it."""
        self._live = session
        self._idle = []
        self._up.set()
        try:
            await session.until_lost()
        finally:
            self._up.clear()
            self._live = None
            for scope in self._scopes:
                scope.reschedule(asyncio.get_running_loop().time())
            await self._end_all()

    async def _end_all(self) -> None:
        ending = set(self._tasks.values())
        for task in ending:
            task.cancel()
        if ending:
            await asyncio.wait(ending)

    @asynccontextmanager
    async def hold(self, name: str) -> AsyncIterator[bool]:
        """See `contract.broker.Leases.lease`."""
        session = await self._session()
        queue = _PREFIX + name[:_NAME_CHARS]
        if queue in self._tasks:  # the broker lets its own connection declare it again
            yield False
            return
        asked = _Asked(queue)
        task = self._tasks[queue] = asyncio.create_task(self._take_and_give_back(session, asked))
        task.add_done_callback(lambda _: self._ended(asked))
        try:
            async with self._in_time():
                taken = await asked.taken
            if not taken:
                yield False
                return
            async with self._while_it_lives(session):
                yield True
        finally:
            asked.left.set()
            if asked.taken.done() and not asked.taken.cancelled():
                with suppress(BrokerUnavailable):  # it is given back later, or lost with the session
                    async with self._in_time():
                        await asyncio.wait({task})

    async def _session(self) -> Session:
        async with self._in_time():
            await self._up.wait()
        if self._live is None:
            raise BrokerUnavailable("the session was just lost")
        return self._live

    @asynccontextmanager
    async def _while_it_lives(self, session: Session) -> AsyncIterator[None]:
        """Cancels what is inside when `session` is lost, and raises BrokerUnavailable."""
        try:
            async with asyncio.timeout(None if session is self._live else 0) as scope:
                self._scopes.add(scope)
                try:
                    yield
                finally:
                    self._scopes.discard(scope)
        except TimeoutError:
            raise BrokerUnavailable("the lease is lost with its session") from None

    async def _take_and_give_back(self, session: Session, asked: _Asked) -> None:
        """Answers `asked.taken`, and gives the lease back once `asked.left` is set.

        While the session lives, nobody cancels it, even if whoever asked goes away: a declaration that is cancelled may
        still take the lease, and nobody would give it back. And if the broker refuses the declaration at that moment,
        both sides close the channel at once, and RabbitMQ 3.10 ends the connection.
        """
        try:
            taken = await self._declare(session, asked.queue)
            if not asked.taken.done():
                asked.taken.set_result(taken)
            if taken:
                await asked.left.wait()
                await self._delete(session, asked.queue)
        except SessionLost as loss:
            if not asked.taken.done():
                asked.taken.set_exception(BrokerUnavailable(loss.detail))

    def _ended(self, asked: _Asked) -> None:
        del self._tasks[asked.queue]
        if not asked.taken.done():
            asked.taken.set_exception(BrokerUnavailable("the session was just lost"))

    async def _declare(self, session: Session, queue: str) -> bool:
        """Returns False when another process has it."""
        with translated(SessionLoss.CHANNEL_CLOSED):
            try:
                async with self._channel(session) as channel:
                    await channel.queue_declare(queue, exclusive=True, durable=False)
            except ChannelLockedResource:
                return False
        return True

    async def _delete(self, session: Session, queue: str) -> None:
        session.check()
        with translated(SessionLoss.CHANNEL_CLOSED):
            async with self._channel(session) as channel:
                await channel.queue_delete(queue)

    @asynccontextmanager
    async def _channel(self, session: Session) -> "AsyncIterator[AbstractChannel]":
        """Yields a channel that nobody else uses meanwhile: a refusal closes it, and ends all calls that wait on it.

        It is kept for the next step unless this one fails.
        """
        channel = self._idle_channel(session) or await session.passing_channel()
        yield channel
        if session is self._live and len(self._idle) < _IDLE_AT_MOST:
            self._idle.append(channel)
        else:
            await session.drop(channel)

    def _idle_channel(self, session: Session) -> "AbstractChannel | None":
        while session is self._live and self._idle:
            channel = self._idle.pop()
            if not channel.is_closed:
                return channel
        return None

    @asynccontextmanager
    async def _in_time(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(self._limits.publish_timeout_s):
                yield
        except TimeoutError:
            raise BrokerUnavailable(f"no lease within {self._limits.publish_timeout_s:g} s") from None
