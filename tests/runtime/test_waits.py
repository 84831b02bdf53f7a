"""Waiting clients that leave, or whose server stops, on a real port."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp
import pytest
from prometheus_client import CollectorRegistry

from contract.labels import Listener, WaitFor, WaitOutcome
from contract.metrics import Metrics
from runtime.process import ListenAddress, listening
from service.access.keys import ApiKeys
from service.app import build_app
from service.http.connections import ConnectionLimits
from service.http.hosts import Hosts
from tests.service.conftest import LIMITS, NOW
from tests.service.memory_broker import MemoryBroker
from workers.decode import decode

BODY = {"text": "The ferry sails again."}
PREFER = {"Prefer": "wait=30"}


@dataclass(frozen=True, slots=True)
class Port:
    api: str
    metrics: Metrics
    broker: MemoryBroker

    def ended(self, wait_for: WaitFor, outcome: WaitOutcome) -> float:
        labels: dict[str, str] = {"kind": wait_for, "outcome": outcome}
        return self.metrics.registry.get_sample_value("copydesk_waits_total", labels) or 0.0

    def waiting(self, wait_for: WaitFor) -> float:
        return self.metrics.registry.get_sample_value("copydesk_waiting_requests", {"kind": wait_for}) or 0.0

    async def until_ended(self, wait_for: WaitFor, outcome: WaitOutcome) -> None:
        async with asyncio.timeout(60):
            while not self.ended(wait_for, outcome):  # noqa: ASYNC110 - a counter tells nobody that it changed
                await asyncio.sleep(0.01)


@asynccontextmanager
async def opened(number: int) -> AsyncIterator[Port]:
    metrics, broker = Metrics(CollectorRegistry()), MemoryBroker()
    app = build_app(
        broker=broker,
        keys=ApiKeys(),
        hosts=Hosts(),
        limits=LIMITS,
        metrics=metrics,
        clock=lambda: NOW,
        decode=decode,
    )
    address = ListenAddress(Listener.API, "127.0.0.1", number, ConnectionLimits())
    async with listening(app, address, metrics, shutdown_timeout_s=60):
        yield Port(f"http://127.0.0.1:{number}", metrics, broker)


@pytest.fixture
def number(unused_tcp_port_factory: Callable[[], int]) -> int:
    return unused_tcp_port_factory()


async def test_a_client_that_leaves_gives_its_place_back_at_once(number: int) -> None:
    async with opened(number) as port, aiohttp.ClientSession() as http:
        asked = asyncio.ensure_future(http.post(f"{port.api}/v1/documents", json=BODY, headers=PREFER))
        await port.broker.until_put()
        assert port.waiting(WaitFor.SUBMISSION) == 1
        asked.cancel()
        await port.until_ended(WaitFor.SUBMISSION, WaitOutcome.CLIENT_GONE)
        await port.broker.until_watched(0)
        assert port.waiting(WaitFor.SUBMISSION) == 0


async def test_a_client_that_leaves_a_preview_gives_its_place_back_at_once(number: int) -> None:
    async with opened(number) as port, aiohttp.ClientSession() as http:
        asked = asyncio.ensure_future(http.post(f"{port.api}/v1/extract", json=BODY))
        await port.broker.until_previewed()
        assert port.waiting(WaitFor.EXTRACTION) == 1
        asked.cancel()
        await port.until_ended(WaitFor.EXTRACTION, WaitOutcome.CLIENT_GONE)
        refused = {"reason": "extraction_timeout"}
        assert not port.metrics.registry.get_sample_value("copydesk_refused_total", refused)
        assert port.waiting(WaitFor.EXTRACTION) == 0


async def test_a_server_that_stops_keeps_nobody_waiting(number: int) -> None:
    async with aiohttp.ClientSession() as http, asyncio.timeout(20):
        async with opened(number) as port:
            asked = asyncio.ensure_future(http.post(f"{port.api}/v1/documents", json=BODY, headers=PREFER))
            await port.broker.until_put()
        answer = await asked
        assert (answer.status, answer.headers["Preference-Applied"]) == (202, "wait=30")
    assert port.ended(WaitFor.SUBMISSION, WaitOutcome.STOPPING) == 1
