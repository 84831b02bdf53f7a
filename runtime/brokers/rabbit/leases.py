"""Leases that all processes on one broker share. An exclusive queue is the lock.

Only one connection can have an exclusive queue, on all nodes of a cluster, and RabbitMQ deletes it when that
connection ends: leases need no timeout.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
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


class Leases:
    """Takes leases on the live session, if there is one. The supervisor calls `run` for each session."""

    def __init__(self, limits: RabbitLimits) -> None:
        self._limits = limits
        self._live: Session | None = None
        self._up = asyncio.Event()
        self._held: set[str] = set()
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

    @asynccontextmanager
    async def hold(self, name: str) -> AsyncIterator[bool]:
        """See `contract.broker.Leases.lease`."""
        queue = _PREFIX + name[:_NAME_CHARS]
        if queue in self._held:  # the broker lets its own connection declare it again
            yield False
            return
        self._held.add(queue)
        try:
            async with self._taken(queue) as taken:
                yield taken
        finally:
            self._held.discard(queue)

    @asynccontextmanager
    async def _taken(self, queue: str) -> AsyncIterator[bool]:
        session = await self._take(queue)
        if session is None:
            yield False
            return
        try:
            async with self._while_it_lives(session):
                yield True
        finally:
            with suppress(BrokerUnavailable):  # the connection is gone, and the lease with it
                await self._give_back(session, queue)

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

    async def _take(self, queue: str) -> Session | None:
        """Returns the session that has the queue now, None when another process has it."""
        async with self._in_time():
            await self._up.wait()
            session = self._live
            if session is None:
                raise BrokerUnavailable("the session was just lost")
            with translated(SessionLoss.CHANNEL_CLOSED):
                try:
                    async with self._channel(session) as channel:
                        await channel.queue_declare(queue, exclusive=True, durable=False)
                except ChannelLockedResource:
                    return None
            return session

    async def _give_back(self, session: Session, queue: str) -> None:
        async with self._in_time():
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
        except SessionLost as loss:
            raise BrokerUnavailable(loss.detail) from loss
