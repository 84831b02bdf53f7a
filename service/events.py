"""GET /v1/events: the event log as server-sent events (the HTML standard's EventSource)."""

import asyncio
import re
from collections import deque
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing, contextmanager, suppress
from dataclasses import dataclass
from typing import Final

import structlog
from aiohttp import hdrs, web
from aiohttp_sse import EventSourceResponse, sse_response

from contract.broker import Broker, BrokerError, LogEntry, UnknownOffset
from contract.events import matches
from service import problems
from service.context import BROKER, LIMITS, METRICS
from service.problems import Problem, ProblemError, invalid_parameter

log = structlog.get_logger(__name__)

_MAX_PATTERNS: Final = 16
_MAX_PATTERN_CHARS: Final = 255  # AMQP 0-9-1: a short string
_MAX_HASHES: Final = 3  # matching takes time in the power of this
_OFFSET = re.compile(r"-1|[0-9]{1,18}")
_COUNT = re.compile(r"[0-9]{1,6}")
_FIRST_WINDOW: Final = 1_000  # events
_LOOK_BACK_EVENTS: Final = 20_000  # far enough for a person's question; RabbitMQ delivers as many in a second or two
_LOOK_BACK_S: Final = 10.0  # where events are large; a third of what clients usually wait
_LAST_EVENT_ID: Final = "Last-Event-ID"


@dataclass(frozen=True, slots=True)
class EventQuery:
    """Which events a stream carries: those after a log offset (as `Broker.read` takes it) that match a pattern.

    Without patterns it carries all. `last` instead of an offset begins with so many of those that are there.
    """

    after: int | None
    patterns: tuple[str, ...]
    last: int | None = None

    @classmethod
    def of(cls, request: web.Request) -> "EventQuery":
        """Returns what `request` asks for.

        `Last-Event-ID` goes before `after`: an EventSource that comes back sends both, and the URL's is the older.

        Raises:
            ProblemError: an unknown parameter, or one that breaks a rule.
        """
        for name in request.query:
            if name not in {"after", "last", "pattern"}:
                raise invalid_parameter(name[:64], "unknown_parameter", "is not a query parameter of this request")
        after = _offset("after", request.query.getall("after", []))
        resumed = _offset(_LAST_EVENT_ID, request.headers.getall(_LAST_EVENT_ID, []))
        patterns = request.query.getall("pattern", [])
        if len(patterns) > _MAX_PATTERNS:
            raise invalid_parameter("pattern", "too_many", f"must stand there at most {_MAX_PATTERNS} times")
        last = _count("last", request.query.getall("last", []))
        if after is not None and last is not None:
            raise invalid_parameter("last", "exclusive", "does not go with after")
        chosen = tuple(_pattern(pattern) for pattern in patterns)
        return cls(after, chosen, last) if resumed is None else cls(resumed, chosen)

    async def begin(self, broker: Broker) -> int | None:
        """Returns the offset to read after.

        Raises:
            BrokerUnavailable: how long the log is cannot be told.
        """
        if self.last is None:
            return self.after
        oldest, newest = await broker.log_bounds()
        if self.last == 0 or newest < oldest:
            return newest
        first = await self._first_of_last(broker, oldest, newest)
        return newest if first is None else first - 1 if first > oldest else -1

    async def _first_of_last(self, broker: Broker, oldest: int, newest: int) -> int | None:
        """Returns the offset of the first of the `last` events up to `newest` that are wanted, None without any.

        Looks back by windows that grow, at most `_LOOK_BACK_EVENTS` events and `_LOOK_BACK_S` seconds far.
        """
        found: deque[int] = deque(maxlen=self.last)
        end, size = newest + 1, _FIRST_WINDOW
        floor = max(oldest, end - _LOOK_BACK_EVENTS)
        with suppress(TimeoutError, UnknownOffset):  # slow, or older events went meanwhile: what is found has to do
            async with asyncio.timeout(_LOOK_BACK_S):
                while end > floor and len(found) < (self.last or 0):
                    begin = max(floor, end - size)
                    older = await self._wanted(broker, begin if begin > oldest else 0, end)
                    found.extendleft(reversed(older))
                    end, size = begin, size * 4
        return found[0] if found else None

    async def _wanted(self, broker: Broker, begin: int, end: int) -> list[int]:
        """Returns the offsets of the `last` events that are wanted from `begin` up to `end`, without it."""
        offsets: deque[int] = deque(maxlen=self.last)
        async with aclosing(broker.read(begin - 1)) as entries:
            async for entry in entries:
                if entry.offset < end and self.wants(entry.routing_key):
                    offsets.append(entry.offset)
                if entry.offset >= end - 1:
                    break
        return list(offsets)

    def wants(self, routing_key: str) -> bool:
        """Tells whether the stream carries events with this routing key."""
        return not self.patterns or any(matches(pattern, routing_key) for pattern in self.patterns)


class Streams:
    """The open streams of one application."""

    def __init__(self) -> None:
        self._open: set[EventSourceResponse] = set()
        self._closing = False

    @contextmanager
    def hold(self, stream: EventSourceResponse) -> Iterator[None]:
        """Counts `stream`, which is prepared, among the open ones."""
        self._open.add(stream)
        if self._closing:
            stream.stop_streaming()
        try:
            yield
        finally:
            self._open.discard(stream)

    def close(self) -> None:
        """Ends every stream, and every one that still opens."""
        self._closing = True
        for stream in self._open:
            stream.stop_streaming()


STREAMS = web.AppKey("STREAMS", Streams)


async def close_streams(app: web.Application) -> None:
    """Ends the streams when the server shuts down: they would hold it for ever."""
    app[STREAMS].close()


async def get_events(request: web.Request) -> web.StreamResponse:
    """Streams events until the client leaves, the broker is lost, or the server shuts down.

    Each event has its log offset as `id` and its bytes as `data`. There is no `event` field: the type stands in the
    data, and an EventSource hands unnamed events to one listener, named ones to a listener for each name.

    Raises:
        ProblemError: the query breaks a rule, the log does not hold the position, or the broker is away.
    """
    query = EventQuery.of(request)
    try:
        after = await query.begin(request.app[BROKER])
    except BrokerError as error:
        raise ProblemError(_broker_away(error)) from None
    opened: asyncio.Future[EventSourceResponse] = asyncio.get_running_loop().create_future()
    async with asyncio.TaskGroup() as tasks:
        pump = tasks.create_task(_pump(request.app[BROKER].read(after), query, opened))
        await asyncio.wait({pump}, timeout=request.app[LIMITS].open_wait_s)
        response = None if pump.done() else await _stream(request, pump, opened)
        pump.cancel()
    if response is None:
        raise ProblemError(pump.result() or _log_ended())
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
    entries: AsyncGenerator[LogEntry, None], query: EventQuery, opened: asyncio.Future[EventSourceResponse]
) -> Problem | None:
    """Sends what `query` wants as soon as the stream is `opened`. Returns why the log cannot be read on, if so."""
    try:
        async with aclosing(entries):
            async for entry in entries:
                if query.wants(entry.routing_key) and not await _sent(await opened, entry):
                    return None
    except UnknownOffset:
        return Problem(problems.POSITION_GONE, problems.POSITION_GONE.meaning)
    except BrokerError as error:
        log.warning("event_log_lost", error=type(error).__name__)
        return _broker_away(error)
    return None


def _broker_away(error: BrokerError) -> Problem:
    retry_after: dict[str, str] = {hdrs.RETRY_AFTER: str(error.retry_after_s)}
    return Problem(problems.BROKER_UNAVAILABLE, "The event log cannot be read now.", headers=retry_after)


async def _sent(stream: EventSourceResponse, entry: LogEntry) -> bool:
    try:
        await stream.send(entry.body.decode(errors="replace"), id=str(entry.offset))
    except (ConnectionError, TimeoutError):
        return False  # the client left, or did not read in time
    return True


def _log_ended() -> Problem:
    return Problem(problems.BROKER_UNAVAILABLE, "The event log ended.", headers={hdrs.RETRY_AFTER: "5"})


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
    words = pattern.split(".")
    if not pattern or len(pattern) > _MAX_PATTERN_CHARS or any(not word for word in words):
        raise invalid_parameter("pattern", "words", "must be words with dots between, at most 255 characters")
    if any(len(word) > 1 and ("*" in word or "#" in word) for word in words):
        raise invalid_parameter("pattern", "wildcard", "must have * and # as whole words only")
    if words.count("#") > _MAX_HASHES:
        raise invalid_parameter("pattern", "too_many_hashes", f"must hold # at most {_MAX_HASHES} times")
    return pattern
