"""Metrics stay few, whatever is fetched, and Prometheus' own linter has nothing to say about them."""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from prometheus_client.parser import text_string_to_metric_families

from tests.system.processes import running
from tests.system.prometheus_server import linted

HOSTS = 10_000 if "COPYDESK_TEST_OPERATIONS" in os.environ else 200
AT_MOST = 500  # series of a process; chosen: 200 processes stay below 100,000, which a small Prometheus holds
TIMEOUT_S = 60 + HOSTS / 20  # some five times what it takes while the machine is free
pytestmark = [pytest.mark.system, pytest.mark.timeout(TIMEOUT_S + 60)]
SETTINGS = {
    "COPYDESK_FETCH_ALLOW_NETWORKS": "127.0.0.0/8,::1/128",
    "COPYDESK_FETCH_ROBOTS": "false",
    "COPYDESK_FETCH_INTERVAL_S": "0.001",
}


@asynccontextmanager
async def site() -> AsyncIterator[int]:
    """Answers 404 to everything, on every name below localhost. Yields its port."""

    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=404)

    app = web.Application()
    app.add_routes([web.get("/{rest:.*}", answer)])
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


async def metrics(ops: str) -> str:
    async with aiohttp.ClientSession(ops) as http, http.get("/metrics") as response:
        return await response.text()


def series(text: str) -> Mapping[str, int]:
    """Returns the number of series of each metric."""
    return {family.name: len(family.samples) for family in text_string_to_metric_families(text)}


def decided(text: str) -> float:
    return sum(
        sample.value
        for family in text_string_to_metric_families(text)
        if family.name == "copydesk_verdicts"
        for sample in family.samples
        if sample.labels.get("verdict") == "publish"
    )


async def test_many_hosts_make_no_more_series(tmp_path: Path) -> None:
    arguments = ("up", "--port", "0", "--ops-port", "0", "--data", str(tmp_path), "--slots", "1")
    with running(*arguments, settings=SETTINGS) as process:
        urls = process.wait_for_urls("api", "ops")
        async with site() as port, aiohttp.ClientSession(urls["api"]) as api, asyncio.timeout(TIMEOUT_S):
            lines = [json.dumps({"url": f"http://host{number}.localhost:{port}/"}) for number in range(HOSTS)]
            body = "\n".join(lines).encode()
            async with api.post(
                "/v1/documents", data=body, headers={"Content-Type": "application/x-ndjson"}
            ) as response:
                assert response.status == 200
                receipts = (await response.text()).splitlines()
            assert len(receipts) == HOSTS
            while decided(text := await metrics(urls["ops"])) < HOSTS:  # noqa: ASYNC110 - it tells only when asked
                await asyncio.sleep(0.5)
    found = series(text)
    assert sum(found.values()) <= AT_MOST, sorted(found.items(), key=lambda one: -one[1])[:10]
    assert linted(text) == ""


def test_the_linter_finds_what_breaks_the_rules() -> None:
    assert "no help text" in linted("copydesk_seconds 1\n")
