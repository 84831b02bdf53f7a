from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import ClientResponse
from aiohttp.test_utils import TestClient, TestServer
from aiohttp.web import BaseRunner, Request
from prometheus_client import CollectorRegistry
from pytest_aiohttp.plugin import AiohttpClient

from contract.addresses import AddressRule
from contract.consumers import ConsumerBook
from contract.ledger import Ledger
from contract.metrics import Metrics
from contract.quotas import Counter
from contract.replays import ReplayBook
from contract.tracing import OFF, Tracer
from contract.webhooks import WebhookBook
from service.access.keys import ApiKeys
from service.access.stored_keys import StoredKeys
from service.app import IntakeLimits, Keeping, build_app
from service.http.hosts import Hosts
from tests.service.conformance import Conformance
from tests.service.memory_broker import MemoryBroker
from workers.decode import decode

KNOWN = Hosts()
PUBLIC = AddressRule()
SECRET = "t" * 32  # of event tokens, and of callbacks
NOW = datetime(2024, 10, 19, 8, 30, tzinfo=UTC)
LIMITS = IntakeLimits(max_body_bytes=100_000, put_timeout_s=2.0, heartbeat_s=5.0, open_wait_s=0.05)


@dataclass(frozen=True, slots=True)
class RunningApi:
    """A running HTTP API with its dependencies."""

    client: TestClient[Request, None]
    broker: MemoryBroker
    metrics: Metrics

    async def post(
        self, body: bytes | str, content_type: str = "application/json", path: str = "/v1/documents", **headers: str
    ) -> ClientResponse:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.client.post(path, data=body, headers={"Content-Type": content_type, **named})

    def sample(self, name: str, **labels: str) -> float:
        return self.metrics.registry.get_sample_value(name, labels) or 0.0


class PlainServer(TestServer):
    """aiohttp's test server cancels the handler when the client leaves, which a real server does not."""

    async def _make_runner(self, **kwargs: Any) -> BaseRunner:  # noqa: ANN401 - as it is in the base class
        return await super()._make_runner(**{**kwargs, "handler_cancellation": False})


StartApi = Callable[..., Awaitable[RunningApi]]


@pytest.fixture
def conformance() -> Iterator[Conformance]:
    """Fails a test that got an answer which the OpenAPI document does not tell of."""
    found = Conformance()
    yield found
    assert found.faults == []


@pytest.fixture
def start_api(aiohttp_client: AiohttpClient, conformance: Conformance) -> StartApi:
    async def start(  # noqa: PLR0913 - what a test may replace
        *,
        keys: tuple[str, ...] = (),
        limits: Mapping[str, Any] | None = None,
        hosts: Hosts | None = KNOWN,
        ledger: Ledger | None = None,
        keeping: Keeping | None = None,
        operators: frozenset[str] = frozenset(),
        stored_keys: StoredKeys | None = None,
        counter: Counter | None = None,
        consumers: ConsumerBook | None = None,
        tokens_secret: str | None = SECRET,
        webhooks: WebhookBook | None = None,
        replays: ReplayBook | None = None,
        receivers: AddressRule = PUBLIC,
        callback_secret: str | None = SECRET,
        tracer: Tracer = OFF,
    ) -> RunningApi:
        broker, metrics = MemoryBroker(), Metrics(CollectorRegistry())
        app = build_app(
            broker=broker,
            keys=ApiKeys.from_plain(keys),
            hosts=hosts,
            limits=replace(LIMITS, **(limits or {})),
            metrics=metrics,
            clock=lambda: NOW,
            decode=decode,
            ledger=ledger,
            keeping=keeping or Keeping(),
            operators=operators,
            stored_keys=stored_keys,
            counter=counter,
            consumers=consumers,
            tokens_secret=tokens_secret,
            webhooks=webhooks,
            replays=replays,
            receivers=receivers,
            callback_secret=callback_secret,
            tracer=tracer,
        )
        conformance.watch(app)
        return RunningApi(await aiohttp_client(PlainServer(app)), broker, metrics)

    return start


@pytest.fixture
async def api(start_api: StartApi) -> RunningApi:
    return await start_api()


async def problem(response: ClientResponse) -> dict[str, Any]:
    """Returns the problem that `response` is, after checking what every problem promises (RFC 9457)."""
    assert response.content_type == "application/problem+json"
    body: dict[str, Any] = await response.json(content_type=None)
    assert body["status"] == response.status
    assert body["type"].startswith(("/problems/", "https://iana.org/assignments/http-problem-types#"))
    assert body["title"]
    assert body["detail"]
    return body
