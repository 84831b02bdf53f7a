"""Four workers, one busy host and many idle ones: the times of all requests."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from itertools import pairwise

import pytest
from aiohttp import web

from tests.rabbit_node import free_ports
from tests.system.processes import running
from tests.system.test_rabbit import post_all, ready, subscriber

pytestmark = [pytest.mark.system, pytest.mark.rabbit, pytest.mark.timeout(240)]

WORKERS = 4
INTERVAL_S = 0.4
BUSY = "127.0.0.1"
IDLE = [f"127.0.0.{number}" for number in range(2, 22)]
PAGES = 24
ARTICLE = "<!doctype html><html lang=en><title>Ferry</title><article><h1>The ferry moves</h1>" + (
    "<p>The harbour council voted on Tuesday evening to move the ferry landing two hundred metres up the coast, "
    "where the water is deeper and the road is wide enough for two lorries to pass each other.</p>" * 6
)


class Web:
    """A server at many loopback addresses that takes a moment for each page, and records the times of requests."""

    def __init__(self) -> None:
        (self.port,) = free_ports(1)
        self.pages: list[tuple[str, float]] = []
        self.most_at_once: Counter[str] = Counter()
        self._at_once: Counter[str] = Counter()

    async def answer(self, request: web.Request) -> web.Response:
        host = request.url.host or ""
        if request.path == "/robots.txt":
            return web.Response(text="User-agent: *\nDisallow: /private/")
        self.pages.append((host, asyncio.get_running_loop().time()))
        self._at_once[host] += 1
        self.most_at_once[host] = max(self.most_at_once[host], self._at_once[host])
        await asyncio.sleep(INTERVAL_S / 4)  # so that two at once would be seen
        self._at_once[host] -= 1
        return web.Response(text=ARTICLE, content_type="text/html")

    def url(self, host: str, path: object) -> dict[str, str]:
        return {"url": f"http://{host}:{self.port}/{path}"}


@asynccontextmanager
async def served() -> AsyncIterator[Web]:
    at = Web()
    app = web.Application()
    app.router.add_get("/{path:.*}", at.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        for host in (BUSY, *IDLE):
            await web.TCPSite(runner, host, at.port).start()
        yield at
    finally:
        await runner.cleanup()


async def test_a_host_is_asked_in_turn_by_all_workers_and_holds_up_no_other(amqp_url: str) -> None:
    settings = {
        "COPYDESK_AMQP_URL": amqp_url,
        "COPYDESK_FETCH_ALLOW_NETWORKS": "127.0.0.0/8",
        "COPYDESK_FETCH_INTERVAL_S": str(INTERVAL_S),
        "COPYDESK_RETRY_DELAYS_S": "1",
        "COPYDESK_PARSERS": "1",
    }
    with ExitStack() as stack:
        serve = stack.enter_context(running("serve", "--port", "0", "--ops-port", "0", settings=settings))
        work = [
            stack.enter_context(running("work", "--slots", "6", "--ops-port", "0", settings=settings))
            for _ in range(WORKERS)
        ]
        for process in (serve, *work):
            await ready(process.wait_for_urls("ops")["ops"])
        async with served() as at, subscriber(amqp_url) as events:
            busy = [at.url(BUSY, number) for number in range(PAGES)]
            posted = await post_all(
                serve.wait_for_urls("api")["api"],
                [*busy, *(at.url(host, 1) for host in IDLE), at.url(BUSY, "private/1")],
            )
            outcomes = await asyncio.wait_for(decided(events, set(posted)), 180)
    assert Counter(outcomes.values()) == {"processed": PAGES + len(IDLE), "robots_denied": 1}
    assert set(at.most_at_once.values()) == {1}
    times = [when for host, when in at.pages if host == BUSY]
    assert len(times) == PAGES
    assert times[-1] - times[0] >= (PAGES - 1) * INTERVAL_S * 0.95
    assert (
        min(later - earlier for earlier, later in pairwise(times)) >= INTERVAL_S / 2
    )  # as they arrive, on a busy machine
    order = [host for host, _ in at.pages]
    last_idle = max(order.index(host) for host in IDLE)
    assert order[last_idle:].count(BUSY) > PAGES / 2, "the busy host held up others"


async def decided(events: AsyncIterator, wanted: set[str]) -> dict[str, str]:  # type: ignore[type-arg] # aio-pika's
    """Returns for each wanted document `processed`, or why it failed."""
    outcomes: dict[str, str] = {}
    async for message in events:
        await message.ack()
        event = json.loads(message.body)
        outcomes[event["subject"]] = event["data"].get("reason", "processed")
        if outcomes.keys() >= wanted:
            break
    return outcomes
