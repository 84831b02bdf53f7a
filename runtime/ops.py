"""The ops port of every role: /metrics, /livez, /readyz."""

from collections.abc import Awaitable, Callable

from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

Readiness = Callable[[], Awaitable[dict[str, bool]]]


def build_ops_app(registry: CollectorRegistry, readiness: Readiness) -> web.Application:
    """Returns the ops application.

    `readiness` returns named conditions. /readyz answers 200 if all of them are true, else 503.
    """

    async def metrics(request: web.Request) -> web.Response:
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        return web.Response(body=encode(registry), headers={"Content-Type": content_type})

    async def live(_: web.Request) -> web.Response:
        return web.json_response({"alive": True})

    async def ready(_: web.Request) -> web.Response:
        states = await readiness()
        fine = all(states.values())
        return web.json_response({"ready": fine, **states}, status=200 if fine else 503)

    app = web.Application()
    app.add_routes([web.get("/metrics", metrics), web.get("/livez", live), web.get("/readyz", ready)])
    return app
