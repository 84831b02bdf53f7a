"""What makes alerts fire, or shows that none does: documents, sites, webhooks, and queues made anew."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import aio_pika
import aiohttp
from aio_pika.exceptions import ChannelPreconditionFailed
from aiohttp import web

from contract.topology import LOG, Bounds, design
from tests.served import served
from tests.system.watched import TEXT, Watched


async def post(desk: Watched, body: dict[str, str], *, key: str = "") -> int:
    """Posts a document once, and returns the status of the answer."""
    headers = {"Idempotency-Key": key} if key else {}
    async with (
        aiohttp.ClientSession(desk.api) as http,
        http.post("/v1/documents", json=body, headers=headers) as response,
    ):
        await response.read()
        return response.status


async def stored(desk: Watched, body: dict[str, str], *, key: str = "") -> None:
    """Posts a document until it is accepted: a broker takes a while to start."""
    while (status := await post(desk, body, key=key)) == 503:  # noqa: ASYNC110 - it is tried again, as clients do
        await asyncio.sleep(0.5)
    assert status == 202


async def large(desk: Watched, number: int) -> None:
    """Posts an article of 100 kB, and waits until it is decided: one after the other, no lane fills up."""
    paragraphs = "".join(f"<p>{TEXT} Passage {number}.{passage}.</p>" for passage in range(190))
    body = {"html": f"<title>Edition {number}</title><article>{paragraphs}</article>"}
    async with (
        aiohttp.ClientSession(desk.api) as http,
        http.post("/v1/documents", json=body, headers={"Prefer": "wait=60"}) as response,
    ):
        assert response.status in {200, 202, 503}, await response.text()  # 503: the sessions begin anew


async def accepted(desk: Watched, count: int) -> None:
    for number in range(count):
        await stored(desk, {"text": f"{TEXT}\n\nEdition {number}."})


@asynccontextmanager
async def load(desk: Watched, every_s: float = 0.2) -> AsyncIterator[None]:
    """Posts documents all the time, whatever the answers are."""

    async def posting() -> None:
        while True:
            with suppress(aiohttp.ClientError):
                await post(desk, {"text": TEXT})
            await asyncio.sleep(every_s)

    task = asyncio.create_task(posting())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


@asynccontextmanager
async def site(status: int) -> AsyncIterator[tuple[str, list[int]]]:
    """Serves one path. Yields its URL and the status that it answers, which may be changed."""
    statuses = [status]

    async def answer(request: web.Request) -> web.Response:
        await request.read()
        return web.Response(status=statuses[0], text=f"<article><p>{TEXT}</p></article>", content_type="text/html")

    app = web.Application()
    app.add_routes([web.route("*", "/{rest:.*}", answer)])
    async with served(app) as url:
        yield url, statuses


async def _made(http: aiohttp.ClientSession, wanted: dict[str, object]) -> str | None:
    """Returns the id of a new webhook; None while the broker is away."""
    async with http.post("/v1/webhooks", json=wanted) as response:
        assert response.status in {201, 503}, await response.text()
        return str((await response.json())["id"]) if response.status == 201 else None


@asynccontextmanager
async def webhook(desk: Watched, url: str, *, ordered: bool = False) -> AsyncIterator[None]:
    async with aiohttp.ClientSession(desk.api) as http:
        while (hook := await _made(http, {"url": url, "ordered": ordered})) is None:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.5)
        try:
            yield
        finally:
            async with http.delete(f"/v1/webhooks/{hook}") as response:
                assert response.status == 204


@asynccontextmanager
async def consumer(desk: Watched, name: str) -> AsyncIterator[None]:
    """Makes a named consumer that begins with the oldest event of the log, and never reads."""
    async with aiohttp.ClientSession(desk.api) as http:
        wanted = {"consumer": name, "after": "oldest", "follow": "false", "format": "ndjson"}
        while (status := await _read(http, wanted)) == 503:  # noqa: ASYNC110 - its sessions may have to begin anew
            await asyncio.sleep(0.5)
        assert status == 200
        try:
            yield
        finally:
            async with http.delete(f"/v1/consumers/{name}") as response:
                assert response.status == 204


async def _read(http: aiohttp.ClientSession, wanted: dict[str, str]) -> int:
    async with http.get("/v1/events", params=wanted) as response:
        await response.read()
        return response.status


@asynccontextmanager
async def channel(desk: Watched) -> AsyncIterator[aio_pika.abc.AbstractChannel]:
    async with await aio_pika.connect(desk.node.url) as connection, connection.channel() as opened:
        yield opened


async def make_unbounded(desk: Watched, name: str) -> None:
    """Makes a stream anew without bounds, as an older version or another program may have declared it."""
    async with channel(desk) as opened:
        await opened.queue_delete(name)
        await opened.declare_queue(name, durable=True, arguments={"x-queue-type": "stream"})


async def restore(desk: Watched, name: str) -> None:
    """Makes a queue anew with its bounds; a session that begins just then may declare it as it was."""
    (wanted,) = (queue for queue in design(bounds=Bounds()).queues if queue.name == name)
    async with asyncio.timeout(60):
        while True:
            with suppress(ChannelPreconditionFailed):
                async with channel(desk) as opened:
                    await opened.queue_delete(name)
                    await opened.declare_queue(name, durable=True, arguments=dict(wanted.arguments))
                    return


async def make_small_log(desk: Watched) -> None:
    """Makes the log anew: it holds 20 articles of 100 kB, and removes five at a time."""
    bounds: dict[str, str | int] = {"x-queue-type": "stream", "x-max-age": "7D"}
    bounds |= {"x-max-length-bytes": 2_000_000, "x-stream-max-segment-size-bytes": 500_000}
    async with channel(desk) as opened:
        await opened.queue_delete(LOG)
        await opened.declare_queue(LOG, durable=True, arguments=dict(bounds))
    desk.node.evaluate('rabbit_networking:close_all_connections("a test").')  # each process binds it again
