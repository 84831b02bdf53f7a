"""Reads the log for a named consumer: from its offset on, one connection at a time."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final
from uuid import uuid4

from aiohttp import web

from contract.consumers import Consumer, ConsumerBook
from contract.labels import StreamEnd
from contract.ledger import LedgerUnavailable
from service import problems
from service.access.known_keys import CALLER
from service.api.consumers import MAX_CONSUMERS
from service.context import BROKER, CLOCK
from service.events.consumers import book_of
from service.events.start import Span, Start
from service.events.stream_filter import StreamFilter
from service.events.streams import EventStream
from service.lookups.ledger import asked
from service.refusals import Problem, ProblemError

_LOOK_EVERY_S: Final = 5.0  # chosen: two connections may both get events for so long, which their client must expect


class Consuming:
    """The connections of this process that read for a consumer, by owner and name."""

    def __init__(self) -> None:
        self._taking = asyncio.Lock()
        self._latest: dict[tuple[str, str], str] = {}
        self._streams: dict[tuple[str, str], EventStream] = {}

    async def take(self, book: ConsumerBook, owner: str, name: str, holder: str) -> bool:
        """Takes a consumer over for the connection `holder`. Returns False if there is no such consumer.

        One takes after the other, so that this process and the ledger agree on which is the latest.

        Raises:
            ProblemError: the ledger is away.
        """
        async with self._taking:
            if not await asked(book.take(owner, name, holder)):
                return False
            self._latest[owner, name] = holder
            return True

    @contextmanager
    def hold(self, held: "Hold", stream: EventStream) -> Iterator[None]:
        """Registers the stream of a connection, and ends the one before; or it, if another took the consumer since."""
        key = held.owner, held.name
        if self._latest.get(key) != held.holder:
            stream.end(StreamEnd.SUPERSEDED)
            yield
            return
        if key in self._streams:
            self._streams[key].end(StreamEnd.SUPERSEDED)
        self._streams[key] = stream
        try:
            yield
        finally:
            if self._streams.get(key) is stream:
                del self._streams[key]
            if self._latest.get(key) == held.holder:
                del self._latest[key]


CONSUMING = web.AppKey("CONSUMING", Consuming)


@dataclass(frozen=True, slots=True)
class Hold:
    """A connection that reads for a consumer, and the part of the log that it has."""

    book: ConsumerBook
    owner: str
    name: str
    holder: str
    span: Span

    async def watch(self, stream: EventStream) -> None:
        """Ends `stream` when another connection reads for the consumer, or the consumer is removed.

        While the ledger is away nobody can take the consumer over, and the stream goes on.
        """
        while not stream.ended.done():
            await asyncio.sleep(_LOOK_EVERY_S)
            try:
                holder = await self.book.holder(self.owner, self.name)
            except LedgerUnavailable:
                continue
            if holder != self.holder:
                stream.end(StreamEnd.CONSUMER_GONE if holder is None else StreamEnd.SUPERSEDED)


async def hold(request: web.Request, name: str, start: Start, stream_filter: StreamFilter) -> Hold:
    """Takes the caller's consumer `name` over, or makes it.

    A new one begins where `start` says, others behind their offset. A client that resumes goes on where it says.

    Raises:
        ProblemError: the owner has too many consumers, or the ledger is away.
        BrokerUnavailable: the bounds of the log are unknown.
    """
    book, owner = book_of(request), request[CALLER].owner
    consumer = await asked(book.consumer(owner, name))
    if consumer is None:
        consumer = await _made(request, name, start, stream_filter)
    if not start.resumes:
        start = Start(after=consumer.offset, follow=start.follow, until=start.until)
    _, newest = await request.app[BROKER].log_bounds()
    if consumer.offset > newest:  # the log was made anew: nothing would come for long
        raise ProblemError(Problem(problems.POSITION_GONE, "The log has no event with the consumer's offset."))
    span = await start.span(request.app[BROKER], stream_filter)
    holder = str(uuid4())
    if not await request.app[CONSUMING].take(book, owner, name, holder):
        raise ProblemError(Problem(problems.NOT_FOUND, "The consumer was removed just now."))
    return Hold(book, owner, name, holder, span)


async def _made(request: web.Request, name: str, start: Start, stream_filter: StreamFilter) -> Consumer:
    event_log, book = request.app[BROKER], book_of(request)
    after = (await start.span(event_log, stream_filter)).after
    if after is None:
        _, after = await event_log.log_bounds()
    consumer = Consumer(owner=request[CALLER].owner, name=name, offset=after, created_at=request.app[CLOCK]())
    if not await asked(book.add(consumer, at_most=MAX_CONSUMERS)):
        raise ProblemError(Problem(problems.TOO_MANY_CONSUMERS, problems.TOO_MANY_CONSUMERS.meaning))
    return consumer
