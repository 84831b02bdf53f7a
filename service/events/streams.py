"""The two forms of a stream of events, and the places that a server has for them."""

import asyncio
import math
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import ClassVar, Final, NoReturn

from aiohttp import hdrs, web
from aiohttp_sse import EventSourceResponse

from contract.broker import LogEntry
from contract.labels import StreamEnd
from service import problems
from service.api.events import LINES_TYPE, STREAM_TYPE
from service.context import IntakeLimits
from service.refusals import Problem, ProblemError

_FULL_RETRY_AFTER_S: Final = "10"
_END_OF_LINE: Final = re.compile(rb"\r\n|\r|\n")


class StreamClosed(Exception):
    """Nothing more can be sent: `reason` says why."""

    def __init__(self, reason: StreamEnd) -> None:
        super().__init__(reason)
        self.reason = reason


class EventStream(EventSourceResponse):
    """An answer that goes on: `aiohttp_sse` prepares it and notices a peer that is gone; subclasses have the forms.

    Attributes:
        ended: done when the stream is to end; its result says why.
        position: the offset of the last event that was read, sent or not; None if there was none.
    """

    media_type: ClassVar[str]

    def __init__(self, limits: IntakeLimits) -> None:
        super().__init__(ping_interval=math.inf, send_timeout=limits.send_timeout_s)
        self.headers[hdrs.CONTENT_TYPE] = self.media_type
        self.ended: asyncio.Future[StreamEnd] = asyncio.get_running_loop().create_future()
        self.position: int | None = None
        self._timeout_s = limits.send_timeout_s
        self._is_sending = False

    def end(self, reason: StreamEnd) -> None:
        """Ends the stream. The first reason counts."""
        if not self.ended.done():
            self.ended.set_result(reason)

    async def send_event(self, entry: LogEntry) -> None:
        """Sends an event with its offset.

        Raises:
            StreamClosed: the client has left, or does not read in time.
        """
        await self._put(self._event(entry))

    async def send_heartbeat(self) -> None:
        """Sends what keeps the connection alive, unless an event is on its way.

        Raises:
            StreamClosed: the client has left, or does not read in time.
        """
        if not self._is_sending:
            await self._put(self._heartbeat())

    async def leave(self) -> None:
        """Sends why the stream has ended. A slow reader finds it if it reads on before its connection is cut."""
        reason = self.ended.result()
        if reason is not StreamEnd.CLIENT_LEFT:
            with suppress(StreamClosed):
                await self._put(self._farewell(reason))

    async def _put(self, data: bytes) -> None:
        self._is_sending = True
        try:
            async with asyncio.timeout(self._timeout_s):
                await self.write(data)
        except TimeoutError:
            self._close(StreamEnd.SLOW_READER)
        except ConnectionError:
            self._close(StreamEnd.CLIENT_LEFT)
        finally:
            self._is_sending = False

    def _close(self, reason: StreamEnd) -> NoReturn:
        self.end(reason)
        raise StreamClosed(reason)

    def _event(self, entry: LogEntry) -> bytes:
        raise NotImplementedError

    def _heartbeat(self) -> bytes:
        raise NotImplementedError

    def _farewell(self, reason: StreamEnd) -> bytes:
        raise NotImplementedError


class ServerSentEvents(EventStream):
    """Server-sent events (the HTML standard's EventSource).

    Each has its log offset as `id` and its bytes as `data`. It has no `event` field: the type is in the data, and an
    EventSource passes unnamed events to a single listener, but needs a listener for each name of event.
    """

    media_type = STREAM_TYPE

    def _event(self, entry: LogEntry) -> bytes:
        data = _END_OF_LINE.sub(b"\ndata: ", entry.body)
        return b"id: %d\ndata: %b\n\n" % (entry.offset, data)

    def _heartbeat(self) -> bytes:
        return b": ping\n\n"

    def _farewell(self, reason: StreamEnd) -> bytes:
        return b": ended: %b\n\n" % reason.encode()


class EventLines(EventStream):
    """A JSON object a line: an event with its offset, an offset up to which all is read, or why the stream ends."""

    media_type = LINES_TYPE

    def _event(self, entry: LogEntry) -> bytes:
        event = _END_OF_LINE.sub(b" ", entry.body)  # in JSON an end of line is a space
        return b'{"offset":%d,"event":%b}\n' % (entry.offset, event)

    def _heartbeat(self) -> bytes:
        return b'{"offset":%b}\n' % (b"null" if self.position is None else b"%d" % self.position)

    def _farewell(self, reason: StreamEnd) -> bytes:
        return b'{"ended":"%b"}\n' % reason.encode()


FORMS: Final[Mapping[str, type[EventStream]]] = {"sse": ServerSentEvents, "ndjson": EventLines}


class OpenStreams:
    """The open streams of one application, at most `limit`."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._places = 0
        self._open: set[EventStream] = set()
        self._closing = False

    @contextmanager
    def place(self) -> Iterator[None]:
        """Reserves a place for a stream, from before the log is read until the stream has ended.

        Raises:
            ProblemError: all places are taken.
        """
        if self._places >= self._limit:
            later: dict[str, str] = {hdrs.RETRY_AFTER: _FULL_RETRY_AFTER_S}
            raise ProblemError(Problem(problems.TOO_MANY_STREAMS, problems.TOO_MANY_STREAMS.meaning, headers=later))
        self._places += 1
        try:
            yield
        finally:
            self._places -= 1

    @contextmanager
    def hold(self, stream: EventStream) -> Iterator[None]:
        """Registers `stream`, whose headers are sent, as open."""
        self._open.add(stream)
        if self._closing:
            stream.end(StreamEnd.STOPPING)
        try:
            yield
        finally:
            self._open.discard(stream)

    def close(self) -> None:
        """Ends all streams, and each one that opens later."""
        self._closing = True
        for stream in self._open:
            stream.end(StreamEnd.STOPPING)


STREAMS = web.AppKey("STREAMS", OpenStreams)


async def close_streams(app: web.Application) -> None:
    """Ends the streams when the server shuts down. Otherwise they would keep it running."""
    app[STREAMS].close()
