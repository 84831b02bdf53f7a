from prometheus_client import CollectorRegistry
from pytest_aiohttp import AiohttpClient

from contract.metrics import Metrics
from runtime.ops import Readiness, build_ops_app
from service.http.hosts import Hosts


async def test_metrics_are_those_of_the_registry(aiohttp_client: AiohttpClient) -> None:
    metrics = Metrics(CollectorRegistry())
    metrics.accepted.labels("text", "bulk").inc()
    client = await aiohttp_client(build_ops_app(metrics, ready({}), Hosts()))
    response = await client.get("/metrics")
    assert response.headers["Content-Type"].startswith("text/plain")
    assert 'copydesk_accepted_total{kind="text",lane="bulk"} 1.0' in await response.text()


async def test_openmetrics_is_served_on_request(aiohttp_client: AiohttpClient) -> None:
    client = await aiohttp_client(build_ops_app(Metrics(CollectorRegistry()), ready({}), Hosts()))
    response = await client.get("/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0"})
    assert response.headers["Content-Type"].startswith("application/openmetrics-text")
    assert (await response.text()).endswith("# EOF\n")


async def test_ready_only_when_everything_is(aiohttp_client: AiohttpClient) -> None:
    states = {"broker": True, "accepting": True}
    client = await aiohttp_client(build_ops_app(Metrics(CollectorRegistry()), ready(states), Hosts()))
    assert (await client.get("/readyz")).status == 200
    states["broker"] = False
    response = await client.get("/readyz")
    assert response.status == 503
    assert await response.json() == {"ready": False, "broker": False, "accepting": True}
    assert (await client.get("/livez")).status == 200


def ready(states: dict[str, bool]) -> Readiness:
    async def readiness() -> dict[str, bool]:
        return states

    return readiness
