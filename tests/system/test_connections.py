"""Thousands of connections that hold a port, and the requests of others meanwhile."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp
import pytest

from tests.forking.command import COPYDESK
from tests.system.processes import Process
from tests.wire import Wire, ask, request

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = [pytest.mark.system, pytest.mark.timeout(180)]

IDLE = 3000
SLOW = 1000
MOST = 1000  # the default of COPYDESK_MAX_CONNECTIONS
HEADER_TIMEOUT_S = 4.0
PATIENCE_S = 20.0  # of a client; what the process serves at all it serves at once: the rest is for a machine under load
FEW_DESCRIPTORS = ("prlimit", "--nofile=256:20000")  # as a shell with low limits would start it


@pytest.fixture
def up(tmp_path: Path) -> Iterator[Process]:
    process = Process(
        *("up", "--port", "0", "--ops-port", "0", "--data", str(tmp_path)),
        program=(*FEW_DESCRIPTORS, COPYDESK),
        settings={"COPYDESK_HEADER_TIMEOUT_S": str(HEADER_TIMEOUT_S), "COPYDESK_FIRST_BYTE_TIMEOUT_S": "6"},
    )
    try:
        yield process
    finally:
        process.close()


async def ready(up: Process) -> tuple[str, str]:
    """Waits until the process takes part, and returns where its API and its ops port are."""
    urls = up.wait_for_urls("api", "ops")
    async with aiohttp.ClientSession() as http, asyncio.timeout(60):
        while True:
            async with http.get(urls["ops"] + "/readyz") as response:
                if response.status == 200:
                    return urls["api"], urls["ops"]
            await asyncio.sleep(0.1)


def port_of(url: str) -> int:
    return int(url.rpartition(":")[2])


@asynccontextmanager
async def connected(port: int, count: int, first: bytes = b"") -> "AsyncIterator[list[Wire]]":
    """Opens `count` connections, a hundred at a time, and sends `first` on each."""
    wires: list[Wire] = []
    try:
        for begun in range(0, count, 100):
            wires += await asyncio.gather(*(Wire.to(port) for _ in range(min(100, count - begun))))
            for wire in wires[begun:]:
                wire.send(first)
        yield wires
    finally:
        await asyncio.gather(*(wire.close() for wire in wires))


async def work(api: str, ops: str, seconds: float) -> list[float]:
    """Posts, reads the log and checks the process, as clients and operators do; returns how long each took."""
    took: list[float] = []
    end = time.monotonic() + seconds
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=PATIENCE_S)) as http:
        while time.monotonic() < end:
            began = time.monotonic()
            async with http.post(f"{api}/v1/documents", json={"text": "The council voted on Tuesday."}) as response:
                assert response.status == 202
            async with http.get(f"{api}/v1/events", params={"last": "1"}) as response:
                assert response.status == 200
            for path in ("/livez", "/readyz", "/metrics"):
                async with http.get(ops + path) as response:
                    assert response.status == 200
            took.append(time.monotonic() - began)
            await asyncio.sleep(0.05)
    return took


async def samples(ops: str, name: str) -> dict[str, float]:
    """Returns the samples of a metric for the API's port, by their labels."""
    async with aiohttp.ClientSession() as http, http.get(f"{ops}/metrics") as response:
        lines = (await response.text()).splitlines()
    found = (line.rsplit(" ", 1) for line in lines if line.startswith(name + "{") and 'listener="api"' in line)
    return {labels: float(value) for labels, value in found}


async def test_idle_connections_keep_nobody_out_and_do_not_stay(up: Process) -> None:
    api, ops = await ready(up)
    async with connected(port_of(api), IDLE) as wires:
        (held,) = (await samples(ops, "copydesk_connections")).values()
        assert held <= MOST
        took = await work(api, ops, 3.0)
        assert len(took) >= 3
        async with asyncio.timeout(60):
            await asyncio.gather(*(wire.ended() for wire in wires))
    cut = await samples(ops, "copydesk_connections_cut_total")
    assert sum(cut.values()) >= IDLE
    assert any("first_byte_timeout" in labels for labels in cut)
    assert not [entry for entry in up.log if entry.get("level") in {"warning", "error", "critical"}]


async def test_headers_that_trickle_in_keep_nobody_out_and_do_not_stay(up: Process) -> None:
    api, ops = await ready(up)
    began = time.monotonic()
    async with connected(port_of(api), SLOW, b"GET / HTTP/1.1\r\nHost: localhost\r\n") as wires:
        async with asyncio.TaskGroup() as group:
            trickle = group.create_task(a_line_a_second(wires))
            took = await work(api, ops, 3.0)
            assert len(took) >= 3
            async with asyncio.timeout(60):
                await asyncio.gather(*(wire.ended() for wire in wires))
            trickle.cancel()
        assert time.monotonic() - began < HEADER_TIMEOUT_S + 60
    cut = await samples(ops, "copydesk_connections_cut_total")
    assert any("header_timeout" in labels for labels in cut)
    assert not [entry for entry in up.log if entry.get("level") in {"warning", "error", "critical"}]


async def a_line_a_second(wires: list[Wire]) -> None:
    while True:
        for wire in wires:
            wire.send(b"A: b\r\n")
        await asyncio.sleep(1)


async def test_the_ops_port_is_bounded_as_well(up: Process) -> None:
    _, ops = await ready(up)
    async with connected(port_of(ops), IDLE) as wires:
        answer = await ask(port_of(ops), request("/livez"))
        assert answer is not None
        assert answer.status == 200
        async with asyncio.timeout(60):
            await asyncio.gather(*(wire.ended() for wire in wires))
