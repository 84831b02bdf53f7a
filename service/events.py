"""GET /v1/events: the event log as server-sent events (the HTML standard's EventSource)."""

import asyncio
import re
from collections import deque
from collections.abc import Iterator
from contextlib import aclosing, contextmanager, suppress
from dataclasses import dataclass
from typing import Final

import structlog
from aiohttp import hdrs, web
from aiohttp_sse import EventSourceResponse, sse_response

from contract.broker import BrokerError, BrokerUnavailable, EventLog, LogEntry, UnknownOffset
from contract.events import matches
from contract.patterns import MAX_PATTERNS, PatternError, checked_pattern
from service import problems
from service.access.callers import check_still_known
from service.api.events import GET_EVENTS, LAST_EVENT_ID
from service.broker_errors import broker_problem, broker_refusal
from service.context import BROKER, LIMITS, METRICS
from service.http.parameters import check_parameters
from service.problems import Problem, ProblemError, invalid_parameter

log = structlog.get_logger(__name__)

_OFFSET = re.compile(r"-1|[0-9]{1,18}")
_COUNT = re.compile(r"[0-9]{1,6}")
_FULL_RETRY_AFTER_S: Final = "10"
_FIRST_WINDOW: Final = 1_000  # events in the first look-back; chosen: RabbitMQ delivers them in a fraction of a second
_LOOK_BACK_EVENTS: Final = 20_000  # chosen: far enough for a person; RabbitMQ delivers as many in a second or two
_LOOK_BACK_S: Final = 10.0  # limits the look-back for large events; chosen: a third of a usual client timeout
_LOG_UNREADABLE: Final = "The event log cannot be read now."


@dataclass(frozen=True, slots=True)
class EventQuery:
    """The events of a stream: those after a log offset (as `EventLog.read` takes it) that match a pattern.

    Without patterns it has all events. `last`, instead of an offset, starts with this many existing events that match.
    """

    after: int | None
    patterns: tuple[str, ...]
    last: int | None = None

    @classmethod
    def of(cls, request: web.Request) -> "EventQuery":
        """Returns the query in `request`.

        `Last-Event-ID` takes precedence over `after`: an EventSource that reconnects sends both; the URL's is older.

        Raises:
            ProblemError: a parameter is unknown or breaks a rule.
        """
        check_parameters(request, GET_EVENTS.parameters)
        after = _offset("after", request.query.getall("after", []))
        resumed = _offset(LAST_EVENT_ID.name, request.headers.getall(LAST_EVENT_ID.name, []))
        patterns = request.query.getall("pattern", [])
        if len(patterns) > MAX_PATTERNS:
            raise invalid_parameter("pattern", "too_many", f"must stand there at most {MAX_PATTERNS} times")
        last = _count("last", request.query.getall("last", []))
        if after is not None and last is not None:
            raise invalid_parameter("last", "exclusive", "does not go with after")
        chosen = tuple(_pattern(pattern) for pattern in patterns)
        return cls(after, chosen, last) if resumed is None else cls(resumed, chosen)

    async def begin(self, event_log: EventLog) -> int | None:
        """Returns the offset to read after.

        Raises:
            BrokerUnavailable: the bounds of the log are unknown.
        """
        if self.last is None:
            return self.after
        oldest, newest = await event_log.log_bounds()
        if self.last == 0 or newest < oldest:
            return newest
        first = await self._first_of_last(event_log, oldest, newest)
        return newest if first is None else first - 1 if first > oldest else -1

    async def _first_of_last(self, event_log: EventLog, oldest: int, newest: int) -> int | None:
        """Returns the offset of the first of the `last` matching events up to `newest`, None if none matches.

        Looks back in growing windows, over at most `_LOOK_BACK_EVENTS` events or for `_LOOK_BACK_S` seconds.
        """
        last, found = self.last or 0, list[int]()
        end, size = newest + 1, _FIRST_WINDOW
        floor = max(oldest, end - _LOOK_BACK_EVENTS)
        with suppress(TimeoutError, UnknownOffset):  # slow, or retention removed older events: use what was found
            async with asyncio.timeout(_LOOK_BACK_S):
                while end > floor and len(found) < last:
                    begin = max(floor, end - size)
                    older = await self._wanted(event_log, begin if begin > oldest else 0, end)
                    found = [*older, *found][-last:]
                    end, size = begin, size * 4
        return found[0] if found else None

    async def _wanted(self, event_log: EventLog, begin: int, end: int) -> list[int]:
        """Returns the offsets of the `last` matching events from `begin` up to, but not including, `end`."""
        offsets: deque[int] = deque(maxlen=self.last)
        async with aclosing(event_log.read(begin - 1)) as entries:
            async for entry in entries:
                if entry.offset < end and self.wants(entry.routing_key):
                    offsets.append(entry.offset)
                if entry.offset >= end - 1:
                    break
        return list(offsets)

    def wants(self, routing_key: str) -> bool:
        """Returns True if the stream has events with this routing key."""
        return not self.patterns or any(matches(pattern, routing_key) for pattern in self.patterns)


class Streams:
    """The open streams of one application, at most `limit`."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._places = 0
        self._open: set[EventSourceResponse] = set()
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
    def hold(self, stream: EventSourceResponse) -> Iterator[None]:
        """Registers `stream`, whose headers are sent, as open."""
        self._open.add(stream)
        if self._closing:
            stream.stop_streaming()
        try:
            yield
        finally:
            self._open.discard(stream)

    def close(self) -> None:
        """Ends all streams, and each one that opens later."""
        self._closing = True
        for stream in self._open:
            stream.stop_streaming()


STREAMS = web.AppKey("STREAMS", Streams)


async def close_streams(app: web.Application) -> None:
    """Ends the streams when the server shuts down. Otherwise they would keep it running."""
    app[STREAMS].close()


async def get_events(request: web.Request) -> web.StreamResponse:
    """Streams events until the client disconnects, the broker is lost, or the server shuts down.

    Each event has its log offset as `id` and its bytes as `data`. It has no `event` field: the type is in the data, and
    an EventSource passes unnamed events to a single listener, but needs a listener for each name of event.

    Raises:
        ProblemError: the query breaks a rule, the log does not hold the position, or the broker is away.
    """
    query = EventQuery.of(request)
    with request.app[STREAMS].place():
        return await _answer(request, query)


async def _answer(request: web.Request, query: EventQuery) -> web.StreamResponse:
    try:
        after = await query.begin(request.app[BROKER])
    except BrokerError as error:
        raise broker_refusal(error, _LOG_UNREADABLE) from None
    opened: asyncio.Future[EventSourceResponse] = asyncio.get_running_loop().create_future()
    async with asyncio.TaskGroup() as tasks:
        pump = tasks.create_task(_pump(request, after, query, opened))
        await asyncio.wait({pump}, timeout=request.app[LIMITS].open_wait_s)
        response = None if pump.done() else await _stream(request, pump, opened)
        pump.cancel()
    if response is None:
        raise ProblemError(pump.result() or broker_problem(BrokerUnavailable(), "The event log ended."))
    return response


async def _stream(
    request: web.Request, pump: asyncio.Task[Problem | None], opened: asyncio.Future[EventSourceResponse]
) -> EventSourceResponse:
    limits = request.app[LIMITS]
    async with sse_response(
        request, ping_interval=limits.heartbeat_s, send_timeout=limits.send_timeout_s, sep="\n"
    ) as stream:
        with request.app[STREAMS].hold(stream), request.app[METRICS].event_streams.track_inprogress():
            opened.set_result(stream)
            pump.add_done_callback(lambda _: stream.stop_streaming())
            await stream.wait()
    return stream


async def _pump(
    request: web.Request, after: int | None, query: EventQuery, opened: asyncio.Future[EventSourceResponse]
) -> Problem | None:
    """Sends the events of `query` once the stream is `opened`. Returns the problem that ended the log, if any.

    It ends before the next event once the caller's key is revoked.
    """
    try:
        async with aclosing(request.app[BROKER].read(after)) as entries:
            async for entry in entries:
                if query.wants(entry.routing_key):
                    stream = await opened
                    check_still_known(request)
                    if not await _sent(stream, entry):
                        return None
    except ProblemError:
        log.info("event_stream_ended", cause="key_refused")
    except UnknownOffset:
        return Problem(problems.POSITION_GONE, problems.POSITION_GONE.meaning)
    except BrokerError as error:
        log.warning("event_log_lost", error=type(error).__name__)
        return broker_problem(error, _LOG_UNREADABLE)
    return None


async def _sent(stream: EventSourceResponse, entry: LogEntry) -> bool:
    try:
        await stream.send(entry.body.decode(errors="replace"), id=str(entry.offset))
    except (ConnectionError, TimeoutError):
        return False  # the client disconnected, or did not read in time
    return True


def _offset(name: str, values: list[str]) -> int | None:
    if not values:
        return None
    value = "-1" if values[0] == "oldest" else values[0]
    if len(values) > 1 or not _OFFSET.fullmatch(value):
        raise invalid_parameter(name, "offset", "must be one log offset: a whole number, or -1 or oldest for the start")
    return int(value)


def _count(name: str, values: list[str]) -> int | None:
    if not values:
        return None
    if len(values) > 1 or not _COUNT.fullmatch(values[0]):
        raise invalid_parameter(name, "count", "must be one whole number of at most six digits")
    return int(values[0])


def _pattern(pattern: str) -> str:
    try:
        return checked_pattern(pattern)
    except PatternError as error:
        raise invalid_parameter("pattern", error.rule, str(error)) from None
