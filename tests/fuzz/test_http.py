"""Bytes that are nearly HTTP, thrown at a running Copydesk.

COPYDESK_TEST_FUZZ_REQUESTS sets how many; `make fuzz` throws 10,000.
"""

import asyncio
import json
import os
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from aiohttp import web
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from contract.metrics import Metrics
from runtime.ops import build_ops_app
from service.access.keys import ApiKeys
from service.api.forms import ARTICLE_TYPE
from service.app import IntakeLimits, build_app
from service.http.hosts import Hosts
from tests.fuzz.requests import SECRET, TEXT, Route, Sent, sent
from tests.service.memory_broker import MemoryBroker
from tests.system.processes import Process
from tests.system.test_rabbit import ready
from tests.wire import Wire, ask, request
from workers.decode import decode

REQUESTS = int(os.environ.get("COPYDESK_TEST_FUZZ_REQUESTS", "600"))
AT_ONCE = 25
PORTS = ("api", "ops")

pytestmark = [pytest.mark.system, pytest.mark.timeout(120 + REQUESTS)]

QUICK = {  # so that what is incomplete is answered, and what is answered is closed, within a second
    **{f"COPYDESK_{name}_TIMEOUT_S": "0.4" for name in ("FIRST_BYTE", "HEADER", "BODY", "IDLE")},
    "COPYDESK_HEARTBEAT_S": "0.2",
    "COPYDESK_MAX_EVENT_STREAMS": "100000",
    "COPYDESK_MAX_CONNECTIONS_PER_ADDRESS": "1000",
    "COPYDESK_CALLBACK_SECRET": "callbacks" * 4,  # what is not configured rightly answers 503
    "COPYDESK_SLOTS": "1",
    "COPYDESK_LOG_LEVEL": "debug",
}
OF_THE_PARSER = {400, 408, 431}  # the API has some of these, too
STREAM_S = 0.5  # for which an event stream is read


def routes_of_ports() -> dict[str, list[Route]]:
    """Returns the routes of each port, as its router has them."""
    metrics = Metrics(CollectorRegistry())

    async def checked() -> dict[str, bool]:
        return {}

    def now() -> datetime:
        return datetime.now(UTC)

    hosts, keys, limits = Hosts(), ApiKeys(), IntakeLimits()
    api = build_app(
        broker=MemoryBroker(), keys=keys, hosts=hosts, limits=limits, metrics=metrics, clock=now, decode=decode
    )
    apps = (api, build_ops_app(metrics, checked, hosts))
    return {
        port: sorted({(route.method, _path(route)) for route in app.router.routes()})
        for port, app in zip(PORTS, apps, strict=True)
    }


def routes() -> list[Route]:
    """Returns the routes of both ports."""
    return sorted(set[Route]().union(*routes_of_ports().values()))


def _path(route: web.AbstractRoute) -> str:
    assert route.resource is not None
    return route.resource.canonical.replace("{id}", "0").replace("{slug}", "bad-request")


@pytest.fixture(scope="module", params=["", f"other:{SECRET}-2"], ids=["no keys", "keys"])
def up(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    keys = {"COPYDESK_API_KEYS": request.param} if request.param else {}
    folder = tmp_path_factory.mktemp("data")
    process = Process(*("up", "--port", "0", "--ops-port", "0", "--data", str(folder)), settings=QUICK | keys)
    try:
        yield process
    finally:
        process.close()


def random_requests() -> list[tuple[str, Sent]]:
    """Returns the requests, each with a port. hypothesis only generates them: concurrent requests cannot be shrunk."""
    made: list[tuple[str, Sent]] = []

    @settings(
        max_examples=REQUESTS // 2,  # half of them without keys, half with
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(port=st.sampled_from(PORTS), what=sent(routes()))
    def collect(port: str, what: Sent) -> None:
        made.append((port, what))

    collect()
    return made


def test_no_bytes_cause_a_defect(up: Process) -> None:
    urls = up.wait_for_urls(*PORTS)
    asyncio.run(ready(urls["ops"]))  # before, /readyz rightly answers 503
    ports = {name: int(url.rpartition(":")[2]) for name, url in urls.items()}
    answered: Counter[int] = Counter()
    everything = random_requests()
    for begun in range(0, len(everything), AT_ONCE):
        batch = everything[begun : begun + AT_ONCE]
        for (_, what), got in zip(batch, asyncio.run(send_all(ports, batch)), strict=True):
            check(got, what, answered)
    print(f"answers by status: {sorted(answered.items())}")  # noqa: T201 - whether it was much of a test
    beyond = sum(count for status, count in answered.items() if status not in OF_THE_PARSER)
    assert beyond * 8 >= answered.total(), "too little came beyond the parser"  # usually a quarter
    assert answered[200], "nothing was answered well"
    assert up.returncode is None
    assert up.stop() in {0, 4}
    for entry in up.log:
        assert entry.get("level") in {"debug", "info", "warning"}, entry
        assert not {"exception", "traceback"} & entry.keys(), entry
        assert SECRET not in repr(entry), entry
        assert TEXT not in repr(entry), entry


async def send_all(ports: dict[str, int], batch: list[tuple[str, Sent]]) -> list[bytes]:
    """Sends all at once, and returns the bytes that came on each connection; then the server must answer others."""
    answers = await asyncio.gather(*(send_one(ports[port], what) for port, what in batch))
    for port, target in (("api", "/"), ("ops", "/livez")):
        answer = await ask(ports[port], request(target))
        assert answer is not None
        assert answer.status == 200
    return answers


async def send_one(port: int, what: Sent) -> bytes:
    """Returns all bytes until the server closes the connection; of an event stream those of a short time."""
    wire = await Wire.to(port)
    for part in what.parts:
        wire.send(part)
        await asyncio.sleep(0)
    return await wire.ended(but_within_s=STREAM_S, after=b"text/event-stream")


def check(got: bytes, what: Sent, answered: Counter[int]) -> None:
    """Checks all the answers in what came back on a connection, and counts them by status."""
    assert SECRET.encode() not in got, what
    while got:
        header, ended, rest = got.partition(b"\r\n\r\n")
        assert ended, (got[:200], what)
        assert TEXT.encode() not in header, what
        first, *lines = header.decode("ascii").split("\r\n")
        version, status, _ = first.split(" ", 2)
        assert version in {"HTTP/1.1", "HTTP/1.0"}, what
        headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
        if status == "100":
            got = rest
            continue
        assert headers["server"] == "copydesk", what
        if headers.get("content-type", "").startswith("text/event-stream"):
            return  # what follows are articles, which have the text that was posted
        length = int(headers["content-length"])
        body = b"" if rest.startswith(b"HTTP/1.") or not rest else rest[:length]  # HEAD has a length and no body
        if headers.get("content-type") != ARTICLE_TYPE:  # /v1/extract answers with the article, if it is ready in time
            assert TEXT.encode() not in body, what
        answered[int(status)] += 1
        assert int(status) < 500, (header, body, what)
        if int(status) >= 300:
            assert headers["content-type"] == "application/problem+json", (header, what)
            assert not body or json.loads(body)["status"] == int(status), what
        got = rest[len(body) :]
