"""Requests that wait: for the verdict on a document, or for a preview. Bounded in number and in time.

A wait ends at once when its client leaves, and when the server stops.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from typing import TypeVar

import orjson
from aiohttp import web

from contract.broker import BrokerUnavailable, Watch
from contract.labels import WaitFor, WaitOutcome
from contract.metrics import Metrics
from service.context import BROKER, LIMITS
from service.http.prefer import APPLIED, PREFER, WAITED, wait_asked
from service.http.protocol import GONE

T = TypeVar("T")


class Ended(Exception):
    """The wait ended without what was waited for: `outcome`."""

    def __init__(self, outcome: WaitOutcome) -> None:
        super().__init__(outcome)
        self.outcome = outcome


class Waits:
    """The waits of one application, at most `most[wait_for]` of each kind at once."""

    def __init__(self, most: dict[WaitFor, int], metrics: Metrics) -> None:
        self._free = most
        self._metrics = metrics
        self._stopping: asyncio.Future[None] | None = None

    @contextmanager
    def place(self, wait_for: WaitFor) -> Iterator[bool]:
        """Takes a place while the context is open. The context's value is False where all are taken."""
        if self._free[wait_for] <= 0:
            self.count(wait_for, WaitOutcome.REFUSED)
            yield False
            return
        self._free[wait_for] -= 1
        try:
            with self._metrics.waiting_requests.labels(wait_for).track_inprogress():
                yield True
        finally:
            self._free[wait_for] += 1

    async def within(self, request: web.Request, awaited: Awaitable[T], *, timeout_s: float, stops: bool) -> T:
        """Returns the result of `awaited`. `stops`: the wait ends when the server stops.

        Raises:
            Ended: it does not in time, or the client leaves.
        """
        loop = asyncio.get_running_loop()
        outcome = WaitOutcome.TIMED_OUT

        def end_as(why: WaitOutcome) -> Callable[[object], None]:
            def end(_: object) -> None:
                nonlocal outcome
                if outcome is WaitOutcome.TIMED_OUT and not scope.expired():
                    outcome = why
                    scope.reschedule(loop.time())

            return end

        try:
            async with asyncio.timeout(timeout_s) as scope:
                with (
                    _calling(request.get(GONE), end_as(WaitOutcome.CLIENT_GONE)),
                    _calling(self._stop() if stops else None, end_as(WaitOutcome.STOPPING)),
                ):
                    return await awaited
        except TimeoutError:
            raise Ended(outcome) from None

    def count(self, wait_for: WaitFor, outcome: WaitOutcome) -> None:
        """Counts a wait that ended."""
        self._metrics.waits.labels(wait_for, outcome).inc()

    def stop(self) -> None:
        """Ends the waits, and those that begin later."""
        stopping = self._stop()
        if not stopping.done():
            stopping.set_result(None)

    def _stop(self) -> "asyncio.Future[None]":
        if self._stopping is None:
            self._stopping = asyncio.get_running_loop().create_future()
        return self._stopping


WAITS = web.AppKey("WAITS", Waits)


async def stop_waits(app: web.Application) -> None:
    """Ends the waits when the server shuts down: it would be late by as much as they ask for."""
    app[WAITS].stop()


@contextmanager
def _calling(future: "asyncio.Future[None] | None", call: Callable[[object], None]) -> Iterator[None]:
    """Has `call` called when `future` is done while the context is open."""
    if future is None:
        yield
        return
    future.add_done_callback(call)
    try:
        yield
    finally:
        future.remove_done_callback(call)


class DocumentWait:
    """The wait of one request for the verdict on one document."""

    def __init__(self, request: web.Request, watch: Watch, wait_for: WaitFor, seconds: int) -> None:
        self._request = request
        self._watch = watch
        self._wait_for = wait_for
        self._seconds = seconds
        self._end = asyncio.get_running_loop().time() + seconds

    async def event(self, run: int | None = None) -> bytes | None:
        """Returns the event of `run`, or of any; None if there is none in time."""
        waits, outcome = self._request.app[WAITS], WaitOutcome.DECIDED
        self._request[WAITED] = self._seconds
        try:
            return await self._within(self._next(run))
        except Ended as ended:
            outcome = ended.outcome
        except BrokerUnavailable:
            outcome = WaitOutcome.BROKER_LOST
        finally:
            waits.count(self._wait_for, outcome)
        return None

    async def result(self, awaited: Awaitable[T]) -> T | None:
        """Returns the result of `awaited`; None if there is none before the wait is over."""
        with suppress(Ended):
            return await self._within(awaited)
        return None

    async def _within(self, awaited: Awaitable[T]) -> T:
        left_s = max(0.0, self._end - asyncio.get_running_loop().time())
        return await self._request.app[WAITS].within(self._request, awaited, timeout_s=left_s, stops=True)

    async def _next(self, run: int | None) -> bytes:
        while True:
            event = await self._watch.next()
            if run is None or run_of(event) == run:
                return event

    def applied_to(self, answer: web.Response) -> web.Response:
        """Returns `answer`, which says for how long it was waited at most (RFC 7240, section 3)."""
        answer.headers[APPLIED] = f"wait={self._seconds}"
        return answer


@asynccontextmanager
async def waiting(request: web.Request, document_id: str, wait_for: WaitFor) -> AsyncIterator[DocumentWait | None]:
    """Watches a document for a request that prefers to wait. From then on its verdict is not missed.

    The context's value is None where the request does not ask to wait, or cannot: a preference binds nobody.
    """
    seconds = wait_asked(request.headers.getall(PREFER, []), int(request.app[LIMITS].max_wait_s))
    if seconds is None:
        yield None
        return
    async with AsyncExitStack() as stack:
        wait = None
        if stack.enter_context(request.app[WAITS].place(wait_for)):
            try:
                watch = await stack.enter_async_context(request.app[BROKER].watch(document_id))
                wait = DocumentWait(request, watch, wait_for, seconds)
            except BrokerUnavailable:
                request.app[WAITS].count(wait_for, WaitOutcome.REFUSED)
        yield wait


def run_of(event: bytes) -> int:
    """Returns the run that `event` is of."""
    return int(orjson.loads(event)["id"].rpartition(".")[2])
