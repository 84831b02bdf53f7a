"""A subscriber over HTTP: an event log is served for it, whose streams break off and whose server goes away."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from aiohttp import hdrs, web

from runtime.conformance.cases import Case, cases, small
from runtime.conformance.course import QUIET_S, Course, Finding, Tell
from runtime.conformance.subscriber import Subscriber, subscriber

_HEARTBEAT_S = 5.0  # chosen: a subscriber gets some during a check; the server's own are every 15 s
_AWAY = 2  # requests that are answered 503; chosen: a subscriber that tries once more is not enough
_WHILE_DOWN = 3  # events; chosen: one is missed, or all


class NotConnected(Exception):
    """The subscriber does not ask for events."""


class ServedEvents:
    """Answers GET /v1/events, as a server does. The offset of an event is its place, from 1."""

    def __init__(self) -> None:
        self._events: list[bytes] = []
        self._committed: dict[str, int] = {}
        self._changed = asyncio.Condition()
        self._breaks = self._stops = False
        self._away = 0
        self.begun: list[str | None] = []
        """The `Last-Event-ID` of each stream."""

    @property
    def size(self) -> int:
        """How many events there are: the offset of the last one."""
        return len(self._events)

    async def add(self, event: bytes, *, breaks: bool = False) -> None:
        """Adds an event. `breaks`: the stream breaks off in the middle of it."""
        async with self._changed:
            self._events.append(event)
            self._breaks = breaks
            self._changed.notify_all()

    async def go_away(self) -> None:
        """Ends the streams, and answers the next requests with 503."""
        async with self._changed:
            self._stops, self._away = True, _AWAY
            self._changed.notify_all()

    def come_back(self) -> None:
        """Answers requests again."""
        self._away = 0

    async def until_asked(self, times: int, seconds: float) -> bool:
        """Waits until so many streams have begun. Returns False if that takes too long."""
        try:
            async with asyncio.timeout(seconds), self._changed:
                await self._changed.wait_for(lambda: len(self.begun) >= times)
        except TimeoutError:
            return False
        return True

    async def get(self, request: web.Request) -> web.StreamResponse:
        """Streams events until it breaks off, ends, or the client leaves."""
        if self._away:
            self._away -= 1
            return web.json_response({"type": "/problems/stopping"}, status=503, headers={hdrs.RETRY_AFTER: "1"})
        position = self._position(request)
        response = web.StreamResponse(headers={hdrs.CONTENT_TYPE: "text/event-stream"})
        await response.prepare(request)
        async with self._changed:
            self._stops = False
            self.begun.append(request.headers.get("Last-Event-ID"))
            self._changed.notify_all()
        await self._stream(request, response, position)
        return response

    async def commit(self, request: web.Request) -> web.Response:
        """Answers POST /v1/consumers/{name}/commit."""
        self._committed[request.match_info["name"]] = int((await request.json())["offset"])
        return web.json_response({"name": request.match_info["name"]})

    def _position(self, request: web.Request) -> int:
        given = request.headers.get("Last-Event-ID") or request.query.get("after")
        committed = self._committed.get(request.query.get("consumer", ""))
        if committed is not None and "Last-Event-ID" not in request.headers:
            return committed
        if given is None:
            return len(self._events)
        return max(0, int(given)) if given != "oldest" else 0

    async def _stream(self, request: web.Request, response: web.StreamResponse, position: int) -> None:
        await response.write(b"retry: 500\n: a comment\n\n")
        while True:
            for event in self._events[position:]:
                position += 1
                frame = b"id: %d\ndata: %b\n\n" % (position, event)
                if self._breaks and position == len(self._events):
                    self._breaks = False
                    await response.write(frame[: len(frame) // 2])
                    if request.transport is not None:
                        request.transport.close()
                    return
                await response.write(frame)
            if self._stops:
                await response.write(b": ended: stopping\n\n")
                return
            if not await self._more(position):
                await response.write(b": heartbeat\n\n")

    async def _more(self, position: int) -> bool:
        try:
            async with asyncio.timeout(_HEARTBEAT_S), self._changed:
                await self._changed.wait_for(lambda: len(self._events) > position or self._stops)
        except TimeoutError:
            return False
        return True


async def check(port: int, command: Sequence[str], patience_s: float, tell: Tell) -> None:
    """Tells what is found of the subscriber that `command` starts, and that reads `{url}/v1/events`.

    Raises:
        NotConnected: the subscriber does not ask for events.
        OSError: there is no such program, or the port is taken.
    """
    async with _served(port) as (log, url), subscriber(command, url) as tested:
        await _Check(log, tested, patience_s, tell).run()


@asynccontextmanager
async def _served(port: int) -> AsyncIterator[tuple[ServedEvents, str]]:
    log = ServedEvents()
    app = web.Application()
    app.router.add_get("/v1/events", log.get)
    app.router.add_post("/v1/consumers/{name}/commit", log.commit)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", port)
        await site.start()
        yield log, f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


class _Check:
    def __init__(self, log: ServedEvents, tested: Subscriber, patience_s: float, tell: Tell) -> None:
        self._log, self._tested = log, tested
        self._patience_s, self._tell = patience_s, tell

    async def run(self) -> None:
        await self._start()
        await Course(self._tested, self._send, self._again, self._patience_s).run(cases(), self._tell)
        await self._broken_stream()
        await self._server_away()
        await self._restart()

    async def _broken_stream(self) -> None:
        (case,) = small(1)
        streams = len(self._log.begun)
        await self._log.add(case.events[0], breaks=True)
        rule = "connects again when a stream breaks off, and says where it was (Last-Event-ID)"
        if not await self._log.until_asked(streams + 1, self._patience_s):
            self._tell(Finding("broken stream", rule, "it did not come back"))
            await self._again()
            return
        wanted, given = str(self._log.size - 1), self._log.begun[-1]
        fault = None if given == wanted else f"Last-Event-ID is {given or 'not there'}, instead of {wanted}"
        self._tell(Finding("broken stream", rule, fault))
        await self._taken(
            "half an event", "takes an event once whose first half came before the stream broke off", case
        )

    async def _server_away(self) -> None:
        streams = len(self._log.begun)
        await self._log.go_away()
        rule = "tries again until the server is back"
        if not await self._log.until_asked(streams + 1, self._patience_s):
            self._tell(Finding("server away", rule, "it did not come back"))
            self._log.come_back()
            await self._again()
            return
        (case,) = small(1)
        await self._send(case)
        await self._taken("server away", rule, case)

    async def _restart(self) -> None:
        await self._tested.until_quiet(QUIET_S)
        await self._tested.kill()
        missed = small(_WHILE_DOWN)
        for case in missed:
            await self._send(case)
        await self._start()
        lines = self._tested.lines
        await self._tested.until(lambda: all(lines[case.document] for case in missed), self._patience_s)
        lost = sum(1 for case in missed if not lines[case.document])
        fault = f"{lost} of {_WHILE_DOWN} events were never taken" if lost else None
        self._tell(Finding("restart", "takes after a restart what came while it was down", fault))

    async def _taken(self, name: str, rule: str, case: Case) -> None:
        lines = self._tested.lines
        await self._tested.until(lambda: lines[case.document] > 0, self._patience_s)
        await self._tested.until_quiet(QUIET_S)
        found = lines[case.document]
        self._tell(Finding(name, rule, None if found == 1 else f"{found} lines name the document, instead of 1"))

    async def _send(self, case: Case) -> None:
        for event in case.events:
            await self._log.add(event)

    async def _start(self) -> None:
        streams = len(self._log.begun)
        await self._tested.start()
        if not await self._log.until_asked(streams + 1, self._patience_s):
            raise NotConnected

    async def _again(self) -> None:
        await self._tested.kill()
        await self._start()
