"""A port as `listening` opens it, with short bounds, spoken to in bytes."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from typing import Any

import pytest
from aiohttp import web
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from contract.labels import Cut, Listener
from contract.metrics import Metrics
from runtime.ops import build_ops_app
from runtime.process import ListenAddress, listening
from service.access.keys import ApiKeys
from service.app import build_app
from service.http.connections import ConnectionLimits
from service.http.hosts import Hosts
from service.http.protocol import MAX_FIELDS, MAX_HEADER_BYTES, MAX_LINE_BYTES
from tests.service.conftest import LIMITS, NOW
from tests.service.memory_broker import MemoryBroker
from tests.wire import Wire, ask, request
from workers.decode import decode

BOUNDS = ConnectionLimits()
SOON_S = 0.15  # a bound that a test waits for
CANARY = "canary-7f3a"
BIG_BYTES = 32 * 1024**2  # more than the buffers of both sides of a connection hold


@dataclass(frozen=True, slots=True)
class Port:
    number: int
    metrics: Metrics
    broker: MemoryBroker

    def cut(self, cause: Cut) -> float:
        return self._sample("copydesk_connections_cut_total", cause=cause)

    def held(self) -> float:
        return self._sample("copydesk_connections")

    async def until_held(self, count: int) -> None:
        async with asyncio.timeout(60):
            while self.held() != count:  # noqa: ASYNC110 - a gauge tells nobody that it changed
                await asyncio.sleep(0.01)

    def _sample(self, name: str, **labels: str) -> float:
        return self.metrics.registry.get_sample_value(name, {"listener": "api", **labels}) or 0.0


OpenPort = Callable[..., Awaitable[Port]]


@pytest.fixture
async def open_port(unused_tcp_port_factory: Callable[[], int]) -> AsyncIterator[OpenPort]:
    async with AsyncExitStack() as stack:

        async def start(app: web.Application | None = None, **bounds: Any) -> Port:  # noqa: ANN401 - each has its own
            metrics, broker, number = Metrics(CollectorRegistry()), MemoryBroker(), unused_tcp_port_factory()
            app = app or build_app(
                broker=broker,
                keys=ApiKeys(),
                hosts=Hosts(),
                limits=replace(LIMITS, body_timeout_s=5.0, heartbeat_s=0.2),
                metrics=metrics,
                clock=lambda: NOW,
                decode=decode,
            )
            address = ListenAddress(Listener.API, "127.0.0.1", number, replace(BOUNDS, **bounds))
            await stack.enter_async_context(listening(app, address, metrics, shutdown_timeout_s=5))
            return Port(number, metrics, broker)

        yield start


@pytest.fixture
async def port(open_port: OpenPort) -> Port:
    return await open_port()


MALFORMED = {
    "no HTTP": b"hello " + CANARY.encode() + b"\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00" + CANARY.encode(),
    "no host": b"GET /?q=" + CANARY.encode() + b" HTTP/1.1\r\n\r\n",
    "two hosts": b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: " + CANARY.encode() + b"\r\n\r\n",
    "version": b"GET / HTTP/9.9\r\nHost: " + CANARY.encode() + b"\r\n\r\n",
    "field name": b"GET / HTTP/1.1\r\nHost: localhost\r\n" + CANARY.encode() + b" : a\r\n\r\n",
    "control character": b"GET / HTTP/1.1\r\nHost: localhost\r\nA: " + CANARY.encode() + b"\x00\r\n\r\n",
    "folded": b"GET / HTTP/1.1\r\nHost: localhost\r\nA: b\r\n " + CANARY.encode() + b"\r\n\r\n",
    "length and chunks": b"POST /v1/documents HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + CANARY.encode(),
    "two lengths": b"POST /v1/documents HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n"
    + CANARY.encode(),
    "length": b"POST /v1/documents HTTP/1.1\r\nHost: localhost\r\nContent-Length: -5\r\n\r\n" + CANARY.encode(),
    "coding": b"POST /v1/documents HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked, "
    + CANARY.encode()
    + b"\r\n\r\n",
    "target": b"GET :" + CANARY.encode() + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "expectation": b"GET / HTTP/1.1\r\nHost: localhost\r\nExpect: " + CANARY.encode() + b"\r\n\r\n",
}


@pytest.mark.parametrize("raw", MALFORMED.values(), ids=MALFORMED)
async def test_malformed_http_is_a_problem_that_quotes_nothing_and_no_line_in_the_log(port: Port, raw: bytes) -> None:
    with capture_logs() as logs:
        answer = await ask(port.number, raw)
    assert answer is not None
    assert answer.problem()["type"] == "/problems/bad-request"
    assert answer.status == 400
    assert answer.headers["server"] == "copydesk"
    assert CANARY not in repr(answer)
    assert logs == []
    assert port.metrics.registry.get_sample_value("copydesk_refused_total", {"reason": "bad_request"}) == 1


SECOND = b"GET /problems/bad-request HTTP/1.1\r\nHost: localhost\r\n\r\n"
POST = b"POST /v1/documents HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\n"
SMUGGLED = {
    "length, then chunks": POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + SECOND,
    "chunks, then length": POST + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n" + SECOND,
    "two lengths": POST + b"Content-Length: 0\r\nContent-Length: 5\r\n\r\n" + SECOND,
    "two lengths in one": POST + b"Content-Length: 0, 5\r\n\r\n" + SECOND,
    "a signed length": POST + b"Content-Length: +0\r\n\r\n" + SECOND,
    "a coding that is none": POST + b"Transfer-Encoding: xchunked\r\n\r\n" + SECOND,
    "chunks that are not last": POST + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n" + SECOND,
    "a coding behind a control": POST + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n" + SECOND,
    "a space before the colon": POST + b"Transfer-Encoding : chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n" + SECOND,
    "a folded line": POST + b"Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n" + SECOND,
    "a size with a prefix": POST + b"Transfer-Encoding: chunked\r\n\r\n0x0\r\n\r\n" + SECOND,
    "a size that is negative": POST + b"Transfer-Encoding: chunked\r\n\r\n-1\r\n\r\n" + SECOND,
    "a size beyond all": POST + b"Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\n" + SECOND,
    "an end without a return": POST + b"Transfer-Encoding: chunked\r\n\r\n0\n\n" + SECOND,
}


@pytest.mark.parametrize("raw", SMUGGLED.values(), ids=SMUGGLED)
async def test_a_request_with_an_ambiguous_length_closes_the_connection(port: Port, raw: bytes) -> None:
    wire = await Wire.to(port.number)
    wire.send(raw)
    answer = await wire.answer()
    assert answer is not None
    assert answer.status == 400
    assert answer.problem()
    assert await wire.ended() == b"", "the second request must not be seen"
    assert port.broker.jobs == []


@pytest.mark.parametrize(
    ("raw", "status", "slug"),
    [
        (request("/" + "a" * (MAX_LINE_BYTES + 1)), 414, "target-too-long"),
        (request("/", "A: " + "a" * (MAX_LINE_BYTES + 1)), 431, "header-too-large"),
        (request("/", "a" * (MAX_LINE_BYTES + 1) + ": a"), 431, "header-too-large"),
        (request("/", *(f"A{n}: a" for n in range(MAX_FIELDS + 1))), 431, "header-too-large"),
        (request("/", *(f"A{n}: " + "a" * 4000 for n in range(9))), 431, "header-too-large"),
    ],
    ids=["target", "field", "name", "fields", "all"],
)
async def test_headers_are_bounded(port: Port, raw: bytes, status: int, slug: str) -> None:
    answer = await ask(port.number, raw)
    assert answer is not None
    assert answer.status == status
    assert answer.problem()["type"] == f"/problems/{slug}"


async def test_a_header_that_does_not_end_is_bounded_as_it_comes_in(port: Port) -> None:
    wire = await Wire.to(port.number)
    wire.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n")
    wire.send(*(f"A{n}: ".encode() + b"a" * 4000 + b"\r\n" for n in range(MAX_HEADER_BYTES // 4000 + 1)))
    answer = await wire.answer()
    assert answer is not None
    assert answer.problem()["type"] == "/problems/header-too-large"
    await wire.ended()


async def test_a_connection_that_asks_nothing_is_cut(open_port: OpenPort) -> None:
    port = await open_port(first_byte_timeout_s=SOON_S)
    wire = await Wire.to(port.number)
    assert await wire.ended() == b""
    assert port.cut(Cut.FIRST_BYTE_TIMEOUT) == 1
    await port.until_held(0)


@pytest.mark.parametrize("first", [b"GET /", b"\r\nGET /", b"GET / HTTP/1.1\r\nHost: loc"])
async def test_a_header_that_trickles_in_is_answered_and_cut(open_port: OpenPort, first: bytes) -> None:
    port = await open_port(header_timeout_s=SOON_S)
    wire = await Wire.to(port.number)
    wire.send(first)
    async with asyncio.TaskGroup() as group:
        trickle = group.create_task(trickled(wire))
        answer = await wire.answer()
        trickle.cancel()
    assert answer is not None
    assert answer.problem()["type"] == "/problems/header-timeout"
    assert answer.headers["connection"] == "close"
    assert port.cut(Cut.HEADER_TIMEOUT) == 1
    await port.until_held(0)
    await wire.close()


async def trickled(wire: Wire) -> None:
    """Sends a byte of a header every few milliseconds, endlessly, so that no pause occurs."""
    while True:
        wire.send(b"a")
        await asyncio.sleep(SOON_S / 20)


async def test_a_connection_that_asks_nothing_more_is_cut(open_port: OpenPort) -> None:
    port = await open_port(idle_timeout_s=SOON_S)
    wire = await Wire.to(port.number)
    wire.send(request())
    assert await wire.answer() is not None
    assert await wire.ended() == b""
    assert port.cut(Cut.IDLE_TIMEOUT) == 1


async def test_time_for_a_header_begins_anew_with_each_request(open_port: OpenPort) -> None:
    port = await open_port(header_timeout_s=1.0)
    wire = await Wire.to(port.number)
    began = asyncio.get_running_loop().time()
    while asyncio.get_running_loop().time() - began < 1.2:
        wire.send(b"GET / HTTP/1.1\r\n")
        await asyncio.sleep(0.05)
        wire.send(b"Host: localhost\r\n\r\n")
        answer = await wire.answer()
        assert answer is not None
        assert answer.status == 200
    await wire.close()
    assert port.cut(Cut.HEADER_TIMEOUT) == 0


async def test_a_slow_request_is_not_idle(open_port: OpenPort) -> None:
    async def slow(_: web.Request) -> web.Response:
        await asyncio.sleep(SOON_S * 3)
        return web.Response(text="done")

    app = web.Application()
    app.router.add_get("/", slow)
    port = await open_port(app, first_byte_timeout_s=SOON_S, header_timeout_s=SOON_S, idle_timeout_s=SOON_S)
    answer = await ask(port.number, request())
    assert answer is not None
    assert answer.body == b"done"


def big_app() -> web.Application:
    async def big(_: web.Request) -> web.Response:
        return web.Response(body=b"a" * BIG_BYTES)

    app = web.Application()
    app.router.add_get("/", big)
    return app


async def test_an_answer_that_is_not_taken_is_cut(open_port: OpenPort) -> None:
    port = await open_port(big_app(), send_timeout_s=SOON_S, least_send_bytes_s=2**40)
    wire = await Wire.to(port.number, buffer_bytes=1024)
    wire.send(request())
    await port.until_held(1)
    await port.until_held(0)
    assert port.cut(Cut.SEND_TIMEOUT) == 1
    assert len(await wire.ended()) < BIG_BYTES


async def test_a_large_answer_may_take_its_time(open_port: OpenPort) -> None:
    port = await open_port(big_app(), send_timeout_s=SOON_S, least_send_bytes_s=BIG_BYTES // 10)
    wire = await Wire.to(port.number)
    wire.send(request())
    await asyncio.sleep(SOON_S * 2)
    answer = await wire.answer()
    assert answer is not None
    assert len(answer.body) == BIG_BYTES
    await wire.close()


async def test_answers_that_are_not_taken_do_not_pile_up(open_port: OpenPort) -> None:
    made = 0

    async def big(_: web.Request) -> web.Response:
        nonlocal made
        made += 1
        return web.Response(body=b"a" * BIG_BYTES)

    app = web.Application()
    app.router.add_get("/", big)
    port = await open_port(app, send_timeout_s=SOON_S, least_send_bytes_s=2**40)
    wire = await Wire.to(port.number, buffer_bytes=1024)
    wire.send(request() * 20)
    await port.until_held(1)
    await port.until_held(0)
    assert made == 1
    await wire.close()


async def test_pipelined_requests_are_answered_in_order(port: Port) -> None:
    wire = await Wire.to(port.number)
    wire.send(b"".join(request(target) for target in ("/", "/nothing", "/v1/dead/0/retry") * 30))
    statuses = []
    for _ in range(90):
        answer = await wire.answer()
        assert answer is not None
        statuses.append(answer.status)
    assert statuses == [200, 404, 405] * 30
    await wire.close()


async def test_a_refused_body_is_not_read_on(port: Port) -> None:
    wire = await Wire.to(port.number)
    wire.send(b"POST /nothing HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n", b"a" * 1000)
    answer = await wire.answer()
    assert answer is not None
    assert answer.status == 404
    assert answer.headers["connection"] == "close"
    wire.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")  # within the body: no request
    assert await wire.ended() == b""


@pytest.mark.parametrize("coding", ["br", "gzip", "deflate", "zstd"])
async def test_a_body_that_is_not_in_its_coding_is_no_line_in_the_log(port: Port, coding: str) -> None:
    headers = (f"Content-Encoding: {coding}", "Content-Type: text/plain")
    with capture_logs() as logs:
        answer = await ask(port.number, request("/v1/documents", *headers, method="POST", body=CANARY.encode() * 10))
        await port.until_held(0)
    assert answer is not None
    assert answer.status == (400 if coding in {"gzip", "deflate", "zstd"} else 415)
    assert answer.problem()
    assert logs == []


@pytest.mark.parametrize(("media_type", "status"), [("application/json", 400), ("application/x-ndjson", 200)])
async def test_chunks_that_break_off_are_refused_at_once(port: Port, media_type: str, status: int) -> None:
    wire = await Wire.to(port.number)
    head = f"POST /v1/documents HTTP/1.1\r\nHost: localhost\r\nContent-Type: {media_type}\r\nExpect: 100-continue\r\n"
    wire.send(head.encode() + b"Transfer-Encoding: chunked\r\n\r\n")
    assert b"100 Continue" in await wire.first_line()  # the request is in hand
    began = asyncio.get_running_loop().time()
    wire.send(b'4\r\n{"te' + CANARY.encode() + b"\r\n")
    answer = await wire.ended()
    assert asyncio.get_running_loop().time() - began < 4  # the body's time is 5 s
    assert f"HTTP/1.1 {status} ".encode() in answer
    assert b"/problems/malformed-body" in answer
    assert b'"rule":"framing"' in answer
    assert answer.count(b"HTTP/1.1") == 1  # none to what aiohttp takes for a second request
    assert CANARY.encode() not in answer
    assert port.metrics.registry.get_sample_value("copydesk_refused_total", {"reason": "malformed_body"}) == 1


async def test_idle_connections_give_way_to_new_ones(open_port: OpenPort) -> None:
    port = await open_port(connections=10, connections_per_address=10)
    idle = [await Wire.to(port.number) for _ in range(50)]
    answer = await ask(port.number, request())
    assert answer is not None
    assert answer.status == 200
    assert port.cut(Cut.GAVE_WAY) >= 41
    assert port.held() <= 10
    for wire in idle:
        await wire.close()


async def test_slow_headers_give_way_to_new_ones(open_port: OpenPort) -> None:
    port = await open_port(connections=10, connections_per_address=10)
    slow = [await Wire.to(port.number) for _ in range(10)]
    for wire in slow:
        wire.send(b"GET / HT")
    await port.until_held(10)
    answer = await ask(port.number, request())
    assert answer is not None
    assert answer.status == 200
    for wire in slow:
        await wire.close()


async def test_new_connections_are_refused_if_all_others_have_requests(open_port: OpenPort) -> None:
    go_on = asyncio.Event()

    async def wait(_: web.Request) -> web.Response:
        await go_on.wait()
        return web.Response(text="done")

    app = web.Application()
    app.router.add_get("/", wait)
    port = await open_port(app, connections_per_address=2)
    working = [await Wire.to(port.number) for _ in range(2)]
    for wire in working:
        wire.send(request())
    await port.until_held(2)
    answer = await ask(port.number)
    assert answer is not None
    assert answer.status == 503
    assert answer.problem()["type"] == "/problems/too-many-connections"
    assert answer.headers["retry-after"] == "1"
    assert port.cut(Cut.TOO_MANY_FROM_ADDRESS) == 1
    go_on.set()
    for wire in working:
        assert (await wire.answer() or answer).body == b"done"
        await wire.close()


async def test_event_streams_are_bounded_and_their_places_come_free(open_port: OpenPort) -> None:
    port = await open_port()
    streams = [await Wire.to(port.number) for _ in range(LIMITS.streams)]
    for wire in streams:
        wire.send(request("/v1/events"))
        assert b"200" in (await wire.first_line())
    answer = await ask(port.number, request("/v1/events"))
    assert answer is not None
    assert answer.problem()["type"] == "/problems/too-many-streams"
    assert answer.headers["retry-after"]
    await streams.pop().close()
    async with asyncio.timeout(60):
        while b"503" in await first_line_of(port.number, request("/v1/events")):  # noqa: ASYNC110 - asks
            await asyncio.sleep(0.05)
    for wire in streams:
        await wire.close()


async def first_line_of(port: int, raw: bytes) -> bytes:
    wire = await Wire.to(port)
    try:
        wire.send(raw)
        return await wire.first_line()
    finally:
        await wire.close()


async def test_an_unhandled_exception_is_a_problem_without_its_message(open_port: OpenPort) -> None:
    async def fail(_: web.Request) -> web.Response:
        raise RuntimeError(CANARY)

    app = web.Application()
    app.router.add_get("/", fail)
    port = await open_port(app)
    with capture_logs() as logs:
        answer = await ask(port.number, request())
    assert answer is not None
    assert answer.status == 500
    assert answer.problem()["type"] == "/problems/internal-error"
    assert CANARY not in repr(answer)
    assert [(entry["event"], entry["error"]) for entry in logs] == [("request_failed", "RuntimeError")]


async def test_the_ops_port_answers_as_the_api_does(open_port: OpenPort) -> None:
    async def ready() -> dict[str, bool]:
        return {}

    metrics = Metrics(CollectorRegistry())
    port = await open_port(build_ops_app(metrics, ready, Hosts()))
    for raw, status in [
        (request("/metrics"), 200),
        (request("/nothing"), 404),
        (request("/metrics", method="POST"), 405),
        (request("/metrics", host="example.com"), 421),
        (b"nonsense\r\n\r\n", 400),
    ]:
        answer = await ask(port.number, raw)
        assert answer is not None
        assert answer.status == status
        assert answer.headers["server"] == "copydesk"
        assert status == 200 or answer.problem()
