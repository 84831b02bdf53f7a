"""An EventSource of a real browser, on a page of another site, reads events with a token."""

from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from tests.system.browser import browser
from tests.system.processes import running

pytestmark = [pytest.mark.system, pytest.mark.timeout(180)]

KEY = "a secret of one operator".replace(" ", "-")
BEARER = {"Authorization": f"Bearer {KEY}"}
LISTEN = """
window.told = [];
const events = new EventSource("{api}/v1/events?last=10&filter=has%20title&token={token}");
events.onmessage = (message) => told.push([message.lastEventId, JSON.parse(message.data).data.title]);
events.onerror = () => told.push(["error", events.readyState]);
"""


async def page_of_another_site(port: int) -> web.AppRunner:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(text="<!doctype html><title>Another site</title>", content_type="text/html")

    app = web.Application()
    app.router.add_get("/", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    return runner


async def test_it_gets_events_with_a_token_and_gives_up_without_one(tmp_path: Path, unused_tcp_port: int) -> None:
    settings = {"COPYDESK_API_KEYS": f"ann:{KEY}"}
    site = await page_of_another_site(unused_tcp_port)
    try:
        with running("up", "--port", "0", "--ops-port", "0", "--data", str(tmp_path / "data"), settings=settings) as up:
            api = up.wait_for_urls("api")["api"]
            async with aiohttp.ClientSession(api, headers=BEARER) as http:
                body = {"text": "The ferry sails again", "metadata": {"title": "Ferry"}}
                async with http.post("/v1/documents", json=body) as response:
                    assert response.status == 202
                async with http.post("/v1/event-tokens") as response:
                    token = (await response.json())["token"]
            async with browser(tmp_path / "profile") as page:
                await page.open(f"http://127.0.0.1:{unused_tcp_port}/")
                await page.until("document.title === 'Another site'")
                await page.evaluate(LISTEN.replace("{api}", api).replace("{token}", token))
                (((offset, title),)) = await page.until("told.length ? told : null")
                assert (offset.isdecimal(), title) == (True, "Ferry")
                await page.open(f"http://127.0.0.1:{unused_tcp_port}/?again")
                await page.until("document.title === 'Another site' && typeof told === 'undefined'")
                await page.evaluate(LISTEN.replace("{api}", api).replace("{token}", token[:-4] + "AAAA"))
                assert await page.until("told.length ? told : null") == [["error", 2]]  # closed for good
    finally:
        await site.cleanup()
