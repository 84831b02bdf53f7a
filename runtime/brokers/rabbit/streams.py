"""Follows one of the broker's streams across sessions: in batches, without gap or repeat."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing, suppress
from hashlib import blake2b
from typing import TYPE_CHECKING

from contract.broker import LogEntry, UnknownOffset
from contract.labels import SessionLoss
from contract.streams import Stream, is_next
from runtime.brokers.rabbit.limits import RabbitLimits
from runtime.brokers.rabbit.log import OFFSET, entry_of, newest_offset
from runtime.brokers.rabbit.session import Session, SessionLost, translated
from runtime.brokers.rabbit.supervisor import Supervisor

if TYPE_CHECKING:
    from aio_pika.abc import AbstractChannel, AbstractIncomingMessage

_DIGEST_BYTES = 16  # chosen: two entries collide with probability 2**-128

Inbox = asyncio.Queue["AbstractIncomingMessage | None"]


class StreamFollower:
    """Follows `stream` above offset `after`; -1 begins with the oldest entry. See `contract.streams.Streams`."""

    def __init__(self, supervisor: Supervisor, limits: RabbitLimits, stream: Stream, after: int) -> None:
        self._supervisor = supervisor
        self._limits = limits
        self._stream = stream
        self._after = after
        self._last: bytes | None = None  # a digest of the entry at `after`, once it was seen

    async def batches(self) -> AsyncGenerator[Sequence[LogEntry], None]:
        """Yields batches for ever; sessions come and go unseen.

        Raises:
            UnknownOffset: there is no entry that comes next, or the stream is shorter than it was.
        """
        while True:
            await self._check_length()
            session = await self._supervisor.open()
            try:
                async with aclosing(session), aclosing(self._session_batches(session)) as batches:
                    async for batch in batches:
                        yield batch
            except SessionLost as loss:
                await self._supervisor.recover(loss)

    async def _check_length(self) -> None:
        """Detects a stream that was recreated: it is too short, and RabbitMQ would wait silently for the offset."""
        if self._after < 0:
            return
        async with aclosing(await self._supervisor.open()) as session:
            try:
                newest = await newest_offset(session, self._stream)
            except SessionLost as loss:
                await self._supervisor.recover(loss)
                return
        if newest < self._after:
            raise UnknownOffset(f"{self._stream} ends at {newest}, before {self._after}")

    async def _session_batches(self, session: Session) -> AsyncGenerator[Sequence[LogEntry], None]:
        inbox: Inbox = asyncio.Queue()
        session.when_lost(lambda: inbox.put_nowait(None))
        channel = await self._subscribe(session, inbox)
        while True:
            messages = await self._next(inbox)
            if messages is None:
                session.check()
            elif messages:
                batch = [entry for entry in map(entry_of, messages) if self._is_next(entry)]
                with translated(SessionLoss.CHANNEL_CLOSED):
                    await messages[-1].ack(multiple=True)
                if batch:
                    yield batch
            elif await self._is_at_the_end(channel, inbox):
                yield []

    async def _subscribe(self, session: Session, inbox: Inbox) -> "AbstractChannel":
        channel = await session.channel(prefetch=self._limits.follow_prefetch)
        with translated(SessionLoss.CHANNEL_CLOSED):
            queue = await channel.get_queue(self._stream, ensure=False)
            await queue.consume(inbox.put, arguments={OFFSET: self._start()})
        return channel

    def _start(self) -> int | str:
        """Returns the offset to begin with: that of the last entry, to check that it is still the same."""
        if self._after < 0:
            return "first"
        return self._after + 1 if self._last is None else self._after

    async def _next(self, inbox: Inbox) -> "list[AbstractIncomingMessage] | None":
        """Returns the delivered entries, none after `follow_idle_s` without one, None if the session is over."""
        first = None
        with suppress(TimeoutError):
            async with asyncio.timeout(self._limits.follow_idle_s):
                first = await inbox.get()
                if first is None:
                    return None
        messages = [] if first is None else [first]
        while not inbox.empty():
            message = inbox.get_nowait()
            if message is None:
                inbox.put_nowait(None)  # first what was delivered, then the end
                break
            messages.append(message)
        return messages

    async def _is_at_the_end(self, channel: "AbstractChannel", inbox: Inbox) -> bool:
        with translated(SessionLoss.CHANNEL_CLOSED):
            await channel.get_queue(self._stream)  # the answer comes after what was delivered before it
        return inbox.empty()

    def _is_next(self, entry: LogEntry) -> bool:
        """Returns True if `entry` is new: a stream starts at the beginning of the chunk that holds the offset."""
        if entry.offset > self._after >= 0 and not is_next(entry.offset, self._after):
            raise UnknownOffset(f"{self._stream} begins at {entry.offset}, after {self._after + 1}")
        if entry.offset == self._after and self._last not in {None, _digest(entry)}:
            raise UnknownOffset(f"{self._stream} was made anew: another entry stands at {self._after}")
        if entry.offset <= self._after:
            return False
        self._after, self._last = entry.offset, _digest(entry)
        return True


def _digest(entry: LogEntry) -> bytes:
    return blake2b(entry.body, digest_size=_DIGEST_BYTES).digest()
