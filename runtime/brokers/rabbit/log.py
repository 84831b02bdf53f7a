"""Reads the event log, a stream, across sessions without gap or repeat."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from contract.broker import LogEntry, UnknownOffset
from contract.labels import SessionLoss
from contract.streams import is_next
from contract.topology import LOG
from runtime.brokers.rabbit.limits import RabbitLimits
from runtime.brokers.rabbit.session import Session, SessionLost, translated
from runtime.brokers.rabbit.supervisor import Supervisor

if TYPE_CHECKING:
    from aio_pika.abc import AbstractIncomingMessage

OFFSET = "x-stream-offset"

_STANDING_PREFETCH = 100  # as `RabbitLimits.read_prefetch`: events of 2 kB fill a few network packets
_MAX_PREFETCH = 65_535  # AMQP 0-9-1: a short integer

Inbox = asyncio.Queue["AbstractIncomingMessage | None"]


class LogReader:
    """Reads the log from one position on. Each reader has its own connection."""

    def __init__(self, supervisor: Supervisor, limits: RabbitLimits, after: int | None) -> None:
        self._supervisor = supervisor
        self._limits = limits
        self._after = after
        self._start: str | datetime = "next"

    async def entries(self) -> AsyncGenerator[LogEntry, None]:
        """Yields entries in order, for ever. It replaces lost sessions.

        Raises:
            UnknownOffset: the next entries are no longer kept.
        """
        while True:
            session = await self._supervisor.open()
            try:
                async with aclosing(session), aclosing(self._session_entries(session)) as entries:
                    async for entry in entries:
                        yield entry
            except SessionLost as loss:
                await self._supervisor.recover(loss)

    async def _session_entries(self, session: Session) -> AsyncGenerator[LogEntry, None]:
        inbox: Inbox = asyncio.Queue()
        session.when_lost(lambda: inbox.put_nowait(None))
        await self._subscribe(session, inbox)
        while (message := await inbox.get()) is not None:
            entry = entry_of(message)
            with translated(SessionLoss.CHANNEL_CLOSED):
                await message.ack()
            if self._is_next(entry):
                self._after = entry.offset
                yield entry
        session.check()

    async def _subscribe(self, session: Session, inbox: Inbox) -> None:
        channel = await session.channel(prefetch=self._limits.read_prefetch)
        with translated(SessionLoss.CHANNEL_CLOSED):
            queue = await channel.get_queue(LOG, ensure=False)
            await queue.consume(inbox.put, arguments={OFFSET: self._offset()})
        # Before the first entry there is no offset to return to. A time is used instead, exact to the stream's chunk.
        self._start = self._start if isinstance(self._start, datetime) else datetime.now(UTC)

    def _offset(self) -> int | str | datetime:
        if self._after is None:
            return self._start
        return "first" if self._after < 0 else self._after + 1

    def _is_next(self, entry: LogEntry) -> bool:
        """Returns True if `entry` was not seen: a stream starts at the beginning of the chunk that holds the offset."""
        if self._after is None or self._after < 0:
            return True
        if entry.offset > self._after and not is_next(entry.offset, self._after):
            raise UnknownOffset(f"the log begins at {entry.offset}, after {self._after + 1}")
        return entry.offset > self._after


async def log_bounds(session: Session) -> tuple[int, int]:
    """Returns the offsets of the oldest and the newest entry; (0, -1) while the log is empty.

    RabbitMQ reports neither for a stream, and its message count is late. So both are taken from delivered entries.

    Raises:
        SessionLost: the session ended.
    """
    newest = await _delivered(session, LOG, "last", prefetch=_MAX_PREFETCH)
    if not newest:
        return 0, -1
    oldest = await _delivered(session, LOG, "first", prefetch=1)
    return oldest[0], newest[-1]


async def standing(session: Session, stream: str, after: int) -> AsyncGenerator[LogEntry, None]:
    """Yields the entries of `stream` above offset `after` that exist now, and ends. -1 starts with the oldest.

    Raises:
        UnknownOffset: the next entries are no longer kept.
        SessionLost: the session ended.
    """
    newest = await newest_offset(session, stream)
    if newest <= after:
        return
    inbox: Inbox = asyncio.Queue()
    session.when_lost(lambda: inbox.put_nowait(None))
    channel = await session.channel(prefetch=_STANDING_PREFETCH)
    with translated(SessionLoss.CHANNEL_CLOSED):
        queue = await channel.get_queue(stream, ensure=False)
        tag = await queue.consume(inbox.put, arguments={OFFSET: "first" if after < 0 else after + 1})
    while after < newest and (message := await inbox.get()) is not None:
        entry = entry_of(message)
        with translated(SessionLoss.CHANNEL_CLOSED):
            await message.ack()
        if entry.offset <= after:
            continue  # a stream starts at the beginning of the chunk that holds the offset
        if after >= 0 and not is_next(entry.offset, after):
            raise UnknownOffset(f"{stream} begins at {entry.offset}, after {after + 1}")
        after = entry.offset
        yield entry
    session.check()
    with translated(SessionLoss.CHANNEL_CLOSED):
        await queue.cancel(tag)


async def newest_offset(session: Session, stream: str) -> int:
    """Returns the offset of a stream's newest entry, -1 where it is empty. Close the session soon: it goes on reading.

    Raises:
        SessionLost: the session ended.
    """
    return max(await _delivered(session, stream, "last", prefetch=_MAX_PREFETCH), default=-1)


async def _delivered(session: Session, stream: str, start: str, *, prefetch: int) -> list[int]:
    """Returns the offsets of the entries that a stream delivers at once from its first or last chunk on."""
    inbox: Inbox = asyncio.Queue()
    channel = await session.channel(prefetch=prefetch)
    with translated(SessionLoss.CHANNEL_CLOSED):
        queue = await channel.get_queue(stream, ensure=False)
        await queue.consume(inbox.put, arguments={OFFSET: start})
        await channel.get_queue(stream)  # the answer arrives after the deliveries
    session.check()
    waiting = [inbox.get_nowait() for _ in range(inbox.qsize())]
    return [entry_of(message).offset for message in waiting if message is not None]


def entry_of(message: "AbstractIncomingMessage") -> LogEntry:
    """Returns what a stream delivered as an entry."""
    offset = message.headers[OFFSET]
    if not isinstance(offset, int):
        raise TypeError(f"a stream's offset is a number: {offset!r}")
    return LogEntry(offset=offset, routing_key=message.routing_key or "", body=message.body)
