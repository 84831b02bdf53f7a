"""GET /v1/events: reads the event log and sends the events that the client asked for."""

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import AbstractContextManager, aclosing, nullcontext, suppress
from dataclasses import dataclass, field
from typing import Any

import structlog
from aiohttp import hdrs, web

from contract.broker import BrokerError, BrokerUnavailable, UnknownOffset
from contract.labels import StreamEnd
from service import problems
from service.access.callers import check_still_known
from service.access.event_tokens import TOKEN
from service.context import BROKER, LIMITS, METRICS
from service.events.consuming import CONSUMING, Hold, hold
from service.events.query import EventQuery
from service.events.start import Span
from service.events.streams import FORMS, STREAMS, EventStream, StreamClosed
from service.refusals import Problem, ProblemError, broker_problem, broker_refusal

log = structlog.get_logger(__name__)

_LOG_UNREADABLE = "The event log cannot be read now."


@dataclass(frozen=True, slots=True)
class Ending:
    """Why the log is read no further, and the problem to answer with if the stream is not open yet."""

    reason: StreamEnd
    problem: Problem | None = None


@dataclass(frozen=True, slots=True)
class EventFeed:
    """What passes from the log to one client.

    Attributes:
        held: the named consumer that the stream reads for, None without one.
        readable: done when the log has given an entry.
        opened: the stream, once its headers are sent.
    """

    request: web.Request
    query: EventQuery
    span: Span
    held: Hold | None = None
    readable: "asyncio.Future[None]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    opened: "asyncio.Future[EventStream]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    async def pump(self) -> Ending:
        """Sends the events once the stream is open. Returns why it ends.

        It ends before the next event once the caller's key is revoked.
        """
        if self.span.is_empty:
            return Ending(StreamEnd.COMPLETE)
        try:
            return await self._send_all()
        except ProblemError:
            log.info("event_stream_ended", cause=StreamEnd.KEY_REFUSED)
            return Ending(StreamEnd.KEY_REFUSED)
        except UnknownOffset:
            return Ending(StreamEnd.POSITION_GONE, Problem(problems.POSITION_GONE, problems.POSITION_GONE.meaning))
        except StreamClosed as closed:
            return Ending(closed.reason)
        except BrokerError as error:
            log.warning("event_log_lost", error=type(error).__name__)
            return Ending(StreamEnd.BROKER_LOST, broker_problem(error, _LOG_UNREADABLE))

    async def _send_all(self) -> Ending:
        async with aclosing(self.request.app[BROKER].read(self.span.after)) as entries:
            async for entry in entries:
                if not self.readable.done():
                    self.readable.set_result(None)
                stream = await self.opened
                if self.span.is_before(entry.offset):  # the log has removed the end
                    return Ending(StreamEnd.COMPLETE)
                if self.query.stream_filter.wants(entry):
                    check_still_known(self.request)
                    await stream.send_event(entry)
                stream.position = entry.offset
                if self.span.has_ended(entry.offset):
                    return Ending(StreamEnd.COMPLETE)
        return Ending(StreamEnd.BROKER_LOST, broker_problem(BrokerUnavailable(), "The event log ended."))

    async def beat(self, stream: EventStream) -> None:
        """Sends heartbeats until the client has left."""
        with suppress(StreamClosed):
            while True:
                await asyncio.sleep(self.request.app[LIMITS].heartbeat_s)
                await stream.send_heartbeat()


async def get_events(request: web.Request) -> web.StreamResponse:
    """Streams events until the client disconnects, the broker is lost, or the server shuts down.

    Raises:
        ProblemError: the query breaks a rule, the log does not hold the position, or the broker is away.
    """
    query = EventQuery.of(request)
    with request.app[STREAMS].place():
        try:
            feed = await _feed(request, query)
        except BrokerError as error:
            raise broker_refusal(error, _LOG_UNREADABLE) from None
        return await _answer(feed)


async def _feed(request: web.Request, query: EventQuery) -> EventFeed:
    if query.consumer is None:
        return EventFeed(request, query, await query.start.span(request.app[BROKER], query.stream_filter))
    held = await hold(request, query.consumer, query.start, query.stream_filter)
    return EventFeed(request, query, held.span, held)


async def _answer(feed: EventFeed) -> web.StreamResponse:
    problem, stream = None, None
    async with asyncio.TaskGroup() as tasks:
        pump = tasks.create_task(feed.pump())
        wait_s = feed.request.app[LIMITS].open_wait_s
        either: set[asyncio.Future[Any]] = {pump, feed.readable}
        await asyncio.wait(either, timeout=wait_s, return_when=asyncio.FIRST_COMPLETED)
        problem = pump.result().problem if pump.done() else None
        if problem is None:
            stream = await _stream(feed, tasks, pump)
        pump.cancel()
    if problem is not None or stream is None:
        raise ProblemError(problem or broker_problem(BrokerUnavailable(), _LOG_UNREADABLE))
    return stream


async def _stream(feed: EventFeed, tasks: asyncio.TaskGroup, pump: asyncio.Task[Ending]) -> EventStream:
    app = feed.request.app
    stream = FORMS[feed.query.form](app[LIMITS])
    if TOKEN in feed.request.query:
        stream.headers[hdrs.ACCESS_CONTROL_ALLOW_ORIGIN] = "*"  # the token is all that a caller needs
    await stream.prepare(feed.request)
    async with stream:
        with app[STREAMS].hold(stream), _consumer_held(feed, stream), app[METRICS].event_streams.track_inprogress():
            feed.opened.set_result(stream)
            pump.add_done_callback(lambda done: _end(stream, done))
            watching = [tasks.create_task(watch) for watch in _watches(feed, stream)]
            app[METRICS].event_streams_ended.labels(await stream.ended).inc()
            for task in (pump, *watching):
                task.cancel()
            await stream.leave()
    return stream


def _consumer_held(feed: EventFeed, stream: EventStream) -> AbstractContextManager[None]:
    if feed.held is None:
        return nullcontext()
    return feed.request.app[CONSUMING].hold(feed.held, stream)


def _watches(feed: EventFeed, stream: EventStream) -> Iterator[Coroutine[Any, Any, None]]:
    yield feed.beat(stream)
    if feed.held is not None:
        yield feed.held.watch(stream)


def _end(stream: EventStream, pump: asyncio.Task[Ending]) -> None:
    if not pump.cancelled() and pump.exception() is None:
        stream.end(pump.result().reason)
