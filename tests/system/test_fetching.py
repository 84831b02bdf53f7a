"""URLs posted to a real `serve`, fetched by a real `work` from a good and evil server; the events on the exchange."""

import asyncio
import gzip
import json
import re
import zlib
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from tests.rabbit_node import free_ports
from tests.system.processes import running
from tests.system.test_rabbit import post_all, ready, subscriber

pytestmark = [pytest.mark.system, pytest.mark.rabbit, pytest.mark.timeout(240)]

MIB = 1024**2
ARTICLE = gzip.compress(
    (
        "<!doctype html><html lang=en><title>Ferry</title><article><h1>The ferry moves</h1>"
        + "<p>The harbour council voted on Tuesday evening to move the ferry landing two hundred metres up the coast, "
        "where the water is deeper and the road is wide enough for two lorries to pass each other.</p>" * 6
    ).encode()
)


def bomb() -> bytes:
    packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    return b"".join([*(packer.compress(bytes(MIB)) for _ in range(64)), packer.flush()])


BOMB = bomb()


class Web:
    """A server on loopback. No request may reach it at the address of `inside`."""

    def __init__(self) -> None:
        self.port, self.inside_port = free_ports(2)
        self.asked_inside: list[str] = []

    async def answer(self, request: web.Request) -> web.Response:
        redirects = {"/old": "/article", "/inwards": f"http://[::1]:{self.inside_port}/secret"}
        if target := redirects.get(request.path):
            return web.Response(status=301, headers={"Location": target})
        bodies = {"/article": ARTICLE, "/bomb": BOMB}
        if body := bodies.get(request.path):
            headers = {"Content-Type": "text/html; charset=utf-8", "Content-Encoding": "gzip"}
            return web.Response(body=body, headers=headers)
        if request.path == "/picture":
            return web.Response(body=b"\x89PNG\r\n\x1a\n", content_type="image/png")
        return web.Response(status=404, text="no such page", content_type="text/html")

    async def answer_inside(self, request: web.Request) -> web.Response:
        self.asked_inside.append(request.path)
        return web.Response(body=ARTICLE, headers={"Content-Type": "text/html", "Content-Encoding": "gzip"})

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"


@asynccontextmanager
async def served() -> AsyncIterator[Web]:
    at = Web()
    runners = []
    try:
        for answer, host, port in ((at.answer, "127.0.0.1", at.port), (at.answer_inside, "::1", at.inside_port)):
            app = web.Application()
            app.router.add_get("/{path:.*}", answer)
            runners.append(web.AppRunner(app))
            await runners[-1].setup()
            await web.TCPSite(runners[-1], host, port).start()
        yield at
    finally:
        for runner in runners:
            await runner.cleanup()


async def data_of(events: AsyncIterator, wanted: set[str]) -> dict[str, dict[str, Any]]:  # type: ignore[type-arg] # aio-pika's
    """Returns the data of the event of each wanted document."""
    data: dict[str, dict[str, Any]] = {}
    async for message in events:
        await message.ack()
        event = json.loads(message.body)
        data[event["subject"]] = event["data"]
        if data.keys() >= wanted:
            break
    return data


async def test_each_url_has_an_event_with_its_fetch(amqp_url: str) -> None:
    settings = {
        "COPYDESK_AMQP_URL": amqp_url,
        "COPYDESK_FETCH_ALLOW_NETWORKS": "127.0.0.1/32",
        "COPYDESK_FETCH_INTERVAL_S": "0.05",
        "COPYDESK_FETCH_MAX_BYTES": str(MIB),
        "COPYDESK_RETRY_DELAYS_S": "1",
        "COPYDESK_PARSERS": "1",
    }
    paths = ("/old", "/inwards", "/gone", "/bomb", "/picture")
    with ExitStack() as stack:
        serve = stack.enter_context(running("serve", "--port", "0", "--ops-port", "0", settings=settings))
        work = stack.enter_context(running("work", "--slots", "4", "--ops-port", "0", settings=settings))
        for process in (serve, work):
            await ready(process.wait_for_urls("ops")["ops"])
        async with served() as at, subscriber(amqp_url) as events:
            urls = [*map(at.url, paths), "http://169.254.169.254/latest/meta-data/"]
            ids = await post_all(serve.wait_for_urls("api")["api"], [{"url": url} for url in urls])
            data = await asyncio.wait_for(data_of(events, set(ids)), 120)
            outcomes = await counted(work.wait_for_urls("ops")["ops"])
    article, inwards, gone, bombed, picture, metadata = (data[id_] for id_ in ids)
    assert article["title"] == "The ferry moves"
    fetch = article["provenance"]["fetch"]
    assert (fetch["url"], fetch["status"], fetch["media_type"]) == (at.url("/article"), 200, "text/html")
    assert (fetch["redirects"], fetch["redirect_statuses"]) == ([at.url("/old")], [301])
    assert fetch["transferred_bytes"] == len(ARTICLE) < fetch["size"] == len(gzip.decompress(ARTICLE))
    assert 0 < fetch["first_byte_s"] <= fetch["total_s"]

    assert [each["reason"] for each in (inwards, gone, bombed, picture, metadata)] == [
        *("blocked_address", "not_found", "decompressed_too_large", "unsupported_media_type", "blocked_address")
    ]
    assert not at.asked_inside
    assert inwards["provenance"]["fetch"]["redirects"] == [at.url("/inwards")]
    assert inwards["provenance"]["fetch"]["redirect_statuses"] == [301]
    assert inwards["provenance"]["fetch"]["status"] is None
    assert gone["provenance"]["fetch"]["status"] == 404
    assert 0 < bombed["provenance"]["fetch"]["transferred_bytes"] < len(BOMB)
    assert MIB < bombed["provenance"]["fetch"]["size"] < 2 * MIB
    assert picture["provenance"]["fetch"]["media_type"] == picture["detail"] == "image/png"
    assert metadata["provenance"]["fetch"]["url"] == "http://169.254.169.254/latest/meta-data/"
    assert outcomes == {
        **dict.fromkeys(("fetched", "not_found", "decompressed_too_large", "unsupported_media_type"), 1.0),
        "blocked_address": 2.0,
    }


async def counted(ops: str) -> dict[str, float]:
    """Returns the outcomes of fetches that a worker has counted."""
    async with aiohttp.ClientSession() as http, http.get(f"{ops}/metrics") as response:
        text = await response.text()
    found = re.findall(r'^copydesk_fetches_total\{outcome="(\w+)"\} (\S+)$', text, re.MULTILINE)
    return {outcome: float(value) for outcome, value in found if float(value)}


async def test_urls_of_hosts_that_cannot_be_used_are_decided_in_seconds(amqp_url: str) -> None:
    settings = {
        "COPYDESK_AMQP_URL": amqp_url,
        "COPYDESK_FETCH_ALLOW_NETWORKS": "127.0.0.0/8",
        "COPYDESK_RETRY_DELAYS_S": "1",
        "COPYDESK_PARSERS": "1",
    }
    (closed,) = free_ports(1)
    hosts = {"http://10.0.0.1": "blocked_address", f"http://127.0.0.1:{closed}": "connect_error"}
    with ExitStack() as stack:
        serve = stack.enter_context(running("serve", "--port", "0", "--ops-port", "0", settings=settings))
        work = [
            stack.enter_context(running("work", "--slots", "4", "--ops-port", "0", settings=settings)) for _ in range(2)
        ]
        for process in (serve, *work):
            await ready(process.wait_for_urls("ops")["ops"])
        async with subscriber(amqp_url) as events:
            urls = [f"{host}/{number}" for number in range(30) for host in hosts]
            ids = await post_all(serve.wait_for_urls("api")["api"], [{"url": url} for url in urls])
            data = await asyncio.wait_for(data_of(events, set(ids)), 60)  # thirty intervals a host would be a minute
    for url, id_ in zip(urls, ids, strict=True):
        reason = hosts[url.rpartition("/")[0]]
        attempts = {"blocked_address": 1, "connect_error": 2}[reason]
        assert (data[id_]["reason"], data[id_]["attempts"], data[id_]["url"]) == (reason, attempts, url)
