"""Consumes one queue, a few deliveries at a time, and further ones when its owner asks for them."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from contract.labels import SessionLoss
from runtime.brokers.held_bytes import HeldBytes
from runtime.brokers.rabbit.session import Session, translated

if TYPE_CHECKING:
    from aio_pika.abc import AbstractChannel, AbstractIncomingMessage, AbstractQueue

_UNACKED_AT_MOST: Final = 32
"""Deliveries on a channel. When a channel closes, RabbitMQ 3.10 drops the acks beyond 32 that the queue has not taken
yet (`quorum_commands_soft_limit`), and delivers those messages again (measured)."""


@dataclass(eq=False, slots=True)
class ConsumerChannel:
    """A channel, and how many of its deliveries are not acked. `acking` keeps acks from the time of a cancellation."""

    channel: "AbstractChannel"
    queue: "AbstractQueue"
    acking: asyncio.Lock
    unacked: int = 0


@dataclass(eq=False, slots=True)
class Taken:
    """A delivery, where it came from, and whether it has begun."""

    message: "AbstractIncomingMessage"
    origin: ConsumerChannel
    begun: bool = False


class PrefetchWindow:
    """Consumes `queue`. The broker sends at most `prefetch` deliveries ahead, of any size.

    A consumer that has them all can be left: it is cancelled, so that an ack lets no other delivery follow, and a new
    one takes its place. What it leaves is counted in `held` until it is settled. So any number of deliveries may be in
    hand, and no more bytes than there is room for. Channels are used again.
    """

    def __init__(
        self, session: Session, queue: str, prefetch: int, arrive: Callable[[Taken], None], held: HeldBytes
    ) -> None:
        self._session = session
        self._queue = queue
        self._prefetch = prefetch
        self._arrive = arrive
        self._held = held
        self._channels: list[ConsumerChannel] = []
        self._open_channel: ConsumerChannel
        self._tag: str | None = None
        self._current: set[Taken] = set()

    @property
    def may_widen(self) -> bool:
        """True if no further delivery comes, all of those that came have begun, and there is room for their bytes."""
        if len(self._current) < self._prefetch or not all(taken.begun for taken in self._current):
            return False
        return sum(len(taken.message.body) for taken in self._current) <= self._held.room

    async def open(self) -> None:
        """Begins to consume."""
        with translated(SessionLoss.CHANNEL_CLOSED):
            self._open_channel = await self._free_channel()
            current = self._current
            self._tag = await self._open_channel.queue.consume(partial(self._receive, self._open_channel, current))

    async def widen(self) -> None:
        """Leaves the consumer for another one, if it still may be left."""
        # An ack in the meantime would let another delivery come, which the cancelled consumer returns.
        async with self._open_channel.acking:
            if not self.may_widen or self._tag is None:
                return
            await self._cancel(self._tag)
            for taken in self._current:
                self._held.add(taken, len(taken.message.body))
            self._current = set()
        await self.open()

    async def close(self) -> None:
        """Ends consuming. Deliveries can still be settled."""
        if self._tag is not None:
            tag, self._tag = self._tag, None
            await self._cancel(tag)

    async def settle(self, taken: Taken, how: Callable[[], Awaitable[None]]) -> None:
        """Acks or returns a delivery, by the call `how`."""
        async with taken.origin.acking:
            with translated(SessionLoss.CHANNEL_CLOSED):
                await how()
            taken.origin.unacked -= 1
            self._current.discard(taken)
        self._held.free(taken)

    async def _cancel(self, tag: str) -> None:
        with translated(SessionLoss.CHANNEL_CLOSED):
            await self._open_channel.queue.cancel(tag)

    async def _free_channel(self) -> ConsumerChannel:
        for origin in self._channels:
            if origin.unacked + self._prefetch <= _UNACKED_AT_MOST:
                return origin
        channel = await self._session.channel(prefetch=self._prefetch)
        queue = await channel.get_queue(self._queue, ensure=False)
        self._channels.append(ConsumerChannel(channel, queue, asyncio.Lock()))
        return self._channels[-1]

    async def _receive(self, origin: ConsumerChannel, current: set[Taken], message: "AbstractIncomingMessage") -> None:
        taken = Taken(message, origin)
        origin.unacked += 1
        current.add(taken)
        self._arrive(taken)
