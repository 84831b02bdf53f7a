"""All that a dashboard shows something of: documents of each kind, failures, duplicates, webhooks, subscribers."""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress

import aiohttp
from aiohttp import web

from tests.served import served
from tests.system.causes import channel, site, webhook
from tests.system.watched import TEXT, Watched

EVERY_S = 0.25  # chosen: a few documents a second, so that every lane stays far below what it holds
PASTED = f"Menu\nSign in\nShare on Facebook\n\n{TEXT}\n\n{TEXT}\n\nAdvertisement\nRelated articles\n"


@asynccontextmanager
async def pages() -> AsyncIterator[str]:
    """Serves articles: /200/… is one, /404/… and /503/… have these statuses. Yields its URL."""

    async def answer(request: web.Request) -> web.Response:
        name = request.match_info["name"]
        body = f"<title>Ferry {name}</title><h1>Ferry {name}</h1><article><p>{TEXT}</p><p>Ship {name}. {TEXT}</p>"
        return web.Response(status=int(request.match_info["status"]), text=body, content_type="text/html")

    app = web.Application()
    app.add_routes([web.get("/{status:\\d{3}}/{name}", answer)])
    async with served(app) as url:
        yield url


def documents(pages_url: str) -> Iterator[dict[str, str]]:
    """Yields bodies of requests without end: each kind in turn, among them what fails and what is refused."""
    for number in itertools.count():
        yield {"text": f"{TEXT}\n\nEdition {number}."}
        yield {"html": f"<title>Edition {number}</title><article><h1>Edition {number}</h1><p>{TEXT}</p></article>"}
        yield {"text": f"{PASTED}\n\nEdition {number}, pasted."}
        yield {"text": TEXT}  # from the second time on a duplicate
        yield {"html": "<p>"}  # has no article
        yield {"words": "a field that is refused"}
        yield from ({"url": f"{pages_url}/{status}/{number}"} for status in (200, 404, 503))


@asynccontextmanager
async def mixed_load(desk: Watched) -> AsyncIterator[None]:
    """Posts, subscribes and delivers until it is left; then all that it made is removed again."""
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(pages())
        for status in (204, 500):
            receiver, _ = await stack.enter_async_context(site(status))
            await stack.enter_async_context(webhook(desk, receiver))
        await stack.enter_async_context(_full_queue(desk))
        http = await stack.enter_async_context(aiohttp.ClientSession(desk.api))
        tasks = [asyncio.create_task(work) for work in (_post(http, url), _listen(http), _come_and_go(http))]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
            failed = [one for one in ended if not isinstance(one, asyncio.CancelledError)]
            assert failed == []


async def _post(http: aiohttp.ClientSession, url: str) -> None:
    for number, body in enumerate(documents(url)):
        with suppress(aiohttp.ClientError):
            async with http.post("/v1/documents", json=body) as response:
                await response.read()
            if number % 10 == 0:
                await _post_lines(http, [{"text": f"{TEXT}\n\nLine {number}."}])
        await asyncio.sleep(EVERY_S)


async def _post_lines(http: aiohttp.ClientSession, bodies: list[dict[str, str]]) -> None:
    lines = "\n".join(json.dumps(body) for body in bodies)
    headers = {"Content-Type": "application/x-ndjson"}
    async with http.post("/v1/documents", data=lines, headers=headers) as response:
        await response.read()


async def _listen(http: aiohttp.ClientSession) -> None:
    """Follows the events, and connects anew when the broker ends the stream."""
    while True:
        with suppress(aiohttp.ClientError):
            async with http.get("/v1/events") as response:
                async for _ in response.content.iter_any():
                    pass
        await asyncio.sleep(EVERY_S)


async def _come_and_go(http: aiohttp.ClientSession) -> None:
    """Opens streams of events, and leaves each after its first bytes."""
    while True:
        with suppress(aiohttp.ClientError):
            async with http.get("/v1/events") as response:
                await response.content.readany()
        await asyncio.sleep(EVERY_S)


@asynccontextmanager
async def _full_queue(desk: Watched) -> AsyncIterator[None]:
    """A subscriber's queue of failures that nobody reads, and that refuses what it cannot hold."""
    async with channel(desk) as opened:
        queue = await opened.declare_queue(
            "nobody_reads", durable=True, arguments={"x-max-length": 5, "x-overflow": "reject-publish"}
        )
        await queue.bind("copydesk.documents", "failed.#")
    try:
        yield
    finally:
        async with channel(desk) as opened:
            await opened.queue_delete("nobody_reads")
