"""Many documents at once without a queue: real servers on loopback, real parser children."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import unused_port

from contract.codec import encode
from contract.events import Event
from contract.submission import Checked, check_submission
from runtime.extraction import URLS_AT_ONCE, extract
from runtime.settings import load
from tests.faults.site import PARAGRAPH

SETTINGS = load({"fetch_allow_networks": "127.0.0.0/8", "parsers": 1, "slots": 1}, environ={})
ARTICLE = f"<html lang=en><title>Landing</title><article><h1>Landing</h1>{PARAGRAPH.format(1) * 2}"


class Web:
    """A server at each address of loopback. It answers for `/together` once `URLS_AT_ONCE` such requests have come."""

    def __init__(self, pause_s: float | None = None) -> None:
        self.port = unused_port()
        self.pages = 0
        self._pause_s = pause_s
        self._together = asyncio.Barrier(URLS_AT_ONCE)

    async def answer(self, request: web.Request) -> web.Response:
        if request.path == "/robots.txt":
            return web.Response(text="")
        self.pages += 1
        if request.path == "/together":
            await self._together.wait()
        if self._pause_s is not None:
            return web.Response(status=429, headers={"Retry-After": str(self._pause_s)})
        return web.Response(text=ARTICLE, content_type="text/html")


@asynccontextmanager
async def served(pause_s: float | None = None) -> AsyncIterator[Web]:
    at = Web(pause_s)
    app = web.Application()
    app.router.add_get("/{path:.*}", at.answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "0.0.0.0", at.port, backlog=1024).start()
        yield at
    finally:
        await runner.cleanup()


async def events_of(urls: list[str]) -> tuple[list[dict[str, Any]], float]:
    """Returns the data of the events of `urls`, in the order in which they are shown, and the seconds to the last."""
    shown: list[dict[str, Any]] = []
    began = time.monotonic()

    def submissions() -> Iterator[Checked]:
        nonlocal began
        began = time.monotonic()  # the parser children have started
        for url in urls:
            yield check_submission({"url": url})

    def show(result: Event | str) -> None:
        assert not isinstance(result, str)
        shown.append(json.loads(encode(result))["data"])

    await extract(submissions(), SETTINGS, show)
    return shown, time.monotonic() - began


async def test_urls_of_many_hosts_are_fetched_side_by_side_and_shown_in_order() -> None:
    hosts = [f"127.0.4.{number}" for number in range(1, URLS_AT_ONCE + 1)]
    async with served() as at:
        urls = [f"http://{host}:{at.port}/together" for host in hosts]
        events, _ = await events_of(urls)  # with one parser child
    assert [event["url"] for event in events] == urls
    assert {event["title"] for event in events} == {"Landing"}


async def test_urls_of_a_dead_host_end_at_once_and_hold_up_no_other() -> None:
    dead = f"http://127.0.5.1:{unused_port()}"
    async with served() as at:
        urls = [*(f"{dead}/{number}" for number in range(30)), f"http://127.0.4.1:{at.port}/well"]
        events, seconds = await events_of(urls)
    assert [event.get("reason") for event in events] == ["connect_error"] * 30 + [None]
    assert seconds < 10


async def test_a_host_that_asks_for_a_long_pause_is_not_waited_for() -> None:
    async with served(pause_s=3000) as at:
        events, seconds = await events_of([f"http://127.0.4.1:{at.port}/{number}" for number in range(5)])
    assert {event["reason"] for event in events} == {"rate_limited"}
    assert at.pages == 1
    assert seconds < 10


async def test_a_host_that_asks_for_a_short_pause_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    async with served(pause_s=2) as at:
        monkeypatch.setattr("runtime.extraction._HOST_MAX_WAIT_S", 0.5)
        events, seconds = await events_of([f"http://127.0.4.1:{at.port}/{number}" for number in range(2)])
    assert [event["detail"] for event in events] == ["HTTP status 429"] * 2
    assert (at.pages, seconds > 2) == (2, True)
