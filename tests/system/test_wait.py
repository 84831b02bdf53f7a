"""Requests that wait for a verdict, on whichever replica, while clients leave."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from uuid import uuid4

import aiohttp
import pytest
from aiohttp import web

from tests.rabbit_node import RabbitNode
from tests.system.ledger_stacks import KINDS, PORTS, SETTINGS, TEXT, Stack, accepted, listed, opened, until_all
from tests.system.processes import running

EVENT = "application/cloudevents+json"
WAIT = {"Prefer": "wait=30", "Accept": EVENT}
PAGE = f"<html><head><title>Ferry</title></head><body><article><h1>Ferry</h1><p>{TEXT}</p></article></body></html>"

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]


@pytest.fixture(scope="module", params=KINDS)
def stack(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """One for all tests: none kills anything, and each looks at its own documents alone."""
    with opened(request, tmp_path_factory.mktemp("shared")) as stack:
        yield stack


class Site:
    """A site whose page comes when `released` is set. `asked` is set when somebody wants it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.asked = asyncio.Event()
        self.released = asyncio.Event()

    async def page(self, request: web.Request) -> web.Response:
        if request.path == "/robots.txt":
            return web.Response(status=404)
        self.asked.set()
        await self.released.wait()
        return web.Response(text=PAGE, content_type="text/html")


@asynccontextmanager
async def slow_site() -> AsyncIterator[Site]:
    site = Site("")
    app = web.Application()
    app.router.add_get("/{path:.*}", site.page)
    runner = web.AppRunner(app, shutdown_timeout=0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    site.url = f"http://127.0.0.1:{runner.addresses[0][1]}/{uuid4()}"
    try:
        yield site
    finally:
        await runner.cleanup()


def server(stack: Stack, place: int) -> str:
    """Returns the URL of a replica, or of the only server."""
    return stack.servers[place % len(stack.servers)].wait_for_urls("api")["api"]


async def metrics(stack: Stack, place: int) -> list[str]:
    """Returns the lines of a replica's metrics."""
    ops = stack.servers[place % len(stack.servers)].wait_for_urls("api", "ops")["ops"]
    async with aiohttp.ClientSession() as http, http.get(f"{ops}/metrics") as response:
        return (await response.text()).splitlines()


async def lookups_ended(stack: Stack, place: int) -> set[str]:
    """Returns how many look-ups have waited at a replica, one line for each outcome."""
    return {line for line in await metrics(stack, place) if line.startswith('copydesk_waits_total{kind="lookup"')}


async def until_waiting(stack: Stack, place: int, kind: str, count: int) -> None:
    """Waits until so many requests wait at a replica."""
    line = f'copydesk_waiting_requests{{kind="{kind}"}} {count}.0'
    async with asyncio.timeout(60):
        while line not in await metrics(stack, place):  # noqa: ASYNC110 - a gauge tells nobody that it changed
            await asyncio.sleep(0.05)


async def asked(http: aiohttp.ClientSession, method: str, url: str, **options: object) -> tuple[int, bytes]:
    async with http.request(method, url, headers=WAIT, **options) as response:  # type: ignore[arg-type]
        return response.status, await response.read()


async def test_all_ways_to_wait_end_with_the_same_bytes(stack: Stack) -> None:
    """A submission waits at one replica, look-ups at both, while a worker anywhere fetches the page."""
    async with slow_site() as site, aiohttp.ClientSession() as http:
        await accepted(http, server(stack, 0), 0)  # all is up
        async with asyncio.TaskGroup() as group:
            submission = group.create_task(
                asked(http, "POST", f"{server(stack, 0)}/v1/documents", json={"url": site.url})
            )
            await site.asked.wait()
            document_id = await document_of(http, server(stack, 0), site.url)
            look_ups = [
                group.create_task(asked(http, "GET", f"{server(stack, place)}/v1/documents/{document_id}"))
                for place in (0, 1)
            ]
            for place in range(len(stack.servers)):
                await until_waiting(stack, place, "lookup", 2 // len(stack.servers))
            site.released.set()
        await until_all(server(stack, 0), {document_id}, "processed")
        _, recorded = await asked(http, "GET", f"{server(stack, 1)}/v1/documents/{document_id}")
        assert [task.result() for task in (submission, *look_ups)] == [(200, recorded)] * 3


async def document_of(http: aiohttp.ClientSession, api: str, url: str) -> str:
    """Returns the id of the one document that was submitted with `url`, when it is recorded."""
    found: list[str] = []
    async with asyncio.timeout(60):
        while not found:  # a ledger sends no signal
            await asyncio.sleep(0.05)
            documents = await listed(http, api, kind="url")
            found = [document_id for document_id, document in documents.items() if document["url"] == url]
    (document_id,) = found
    return document_id


async def test_a_look_up_right_after_the_receipt_waits_at_another_replica(stack: Stack) -> None:
    async with aiohttp.ClientSession() as http:
        await until_all(server(stack, 0), {await accepted(http, server(stack, 0), 0)}, "processed")  # all is up
        before = await lookups_ended(stack, 1)
        for number in range(20):
            document_id = await accepted(http, server(stack, 0), number)
            status, event = await asked(http, "GET", f"{server(stack, 1)}/v1/documents/{document_id}")
            assert (status, document_id.encode() in event) == (200, True)
    ended = await lookups_ended(stack, 1) - before
    assert all('outcome="decided"' in line for line in ended), ended


async def test_a_client_that_leaves_frees_its_place_and_the_document_is_decided(stack: Stack) -> None:
    async with slow_site() as site, aiohttp.ClientSession() as http:
        await accepted(http, server(stack, 0), 0)
        left = asyncio.ensure_future(asked(http, "POST", f"{server(stack, 0)}/v1/documents", json={"url": site.url}))
        await site.asked.wait()
        await until_waiting(stack, 0, "submission", 1)
        left.cancel()
        await until_waiting(stack, 0, "submission", 0)
        site.released.set()
        await until_all(server(stack, 0), {await document_of(http, server(stack, 0), site.url)}, "processed")


async def previewed(http: aiohttp.ClientSession, api: str, text: str) -> dict[str, str]:
    """Returns the article of a preview. What is answered 503 is asked again, as clients should."""
    while True:
        async with http.post(f"{api}/v1/extract", json={"text": text}) as response:
            answer: dict[str, str] = await response.json(content_type=None)
        if response.status != 503:
            assert response.status == 200, answer
            return answer
        await asyncio.sleep(float(response.headers["Retry-After"]))


async def test_a_preview_leaves_nothing_behind(stack: Stack) -> None:
    async with aiohttp.ClientSession() as http:
        before = await accepted(http, server(stack, 0), 0)
        article = await previewed(http, server(stack, 1), f"{TEXT} preview")
        assert article["text"].endswith("preview")
        later = await accepted(http, server(stack, 0), 1)
        documents = await until_all(server(stack, 0), {before, later}, "processed")
        # Ids are in order of time. `accepted_at` is not there yet when a verdict overtakes its acceptance in the log.
        assert {document_id for document_id in documents if document_id >= before} == {before, later}


@pytest.mark.rabbit
async def test_without_workers_a_preview_is_answered_that_there_are_none(rabbit_node: RabbitNode) -> None:
    with (
        rabbit_node.vhost("previews") as url,
        running("serve", "--port", "0", *PORTS, settings=SETTINGS | {"COPYDESK_AMQP_URL": url}) as process,
    ):
        api = process.wait_for_urls("api")["api"]
        async with aiohttp.ClientSession() as http, http.post(f"{api}/v1/extract", json={"text": TEXT}) as response:
            answer = await response.json(content_type=None)
            assert (response.status, answer["type"]) == (503, "/problems/no-worker")
            assert "Retry-After" in response.headers
