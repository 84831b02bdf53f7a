"""The ops port of every role: /metrics, /livez, /readyz."""

from collections.abc import Awaitable, Callable

from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from contract.metrics import Metrics
from service.context import METRICS
from service.http.hosts import HOSTS, Hosts, serve_known_hosts
from service.http.middlewares import answer_problems, name_server, refuse_odd_header

Readiness = Callable[[], Awaitable[dict[str, bool]]]
Gather = Callable[[], Awaitable[Collector]]


def build_ops_app(
    metrics: Metrics, readiness: Readiness, hosts: Hosts, gather: Gather | None = None
) -> web.Application:
    """Returns the ops application, which serves `metrics` under the names in `hosts`.

    `readiness` returns named conditions. /readyz answers 200 if all of them are true, else 503. With `gather`, /metrics
    answers what it returns instead of `metrics`.
    """

    async def scrape(request: web.Request) -> web.Response:
        registry = metrics.registry
        if gather is not None:
            registry = CollectorRegistry()
            registry.register(await gather())
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        return web.Response(body=encode(registry), headers={"Content-Type": content_type})

    async def live(_: web.Request) -> web.Response:
        return web.json_response({"alive": True})

    async def ready(_: web.Request) -> web.Response:
        states = await readiness()
        fine = all(states.values())
        return web.json_response({"ready": fine, **states}, status=200 if fine else 503)

    app = web.Application(middlewares=[answer_problems, refuse_odd_header, serve_known_hosts])
    app[METRICS] = metrics
    app[HOSTS] = hosts
    app.on_response_prepare.append(name_server)
    app.add_routes([web.get("/metrics", scrape), web.get("/livez", live), web.get("/readyz", ready)])
    return app
