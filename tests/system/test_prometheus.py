"""A real Prometheus, with the rules that we deploy, and a real Copydesk."""

import asyncio
import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import which
from typing import Any

import aiohttp
import pytest

from tests.rabbit_node import free_ports
from tests.system.processes import running

pytestmark = [pytest.mark.system, pytest.mark.timeout(120)]

DEPLOYED = Path(__file__).parents[2] / "deploy" / "prometheus"
TEXT = "The harbour council voted on Tuesday evening to move the ferry landing two hundred metres up the coast. " * 5


def program(name: str) -> str:
    found = which(name)
    assert found, f"{name} is missing: apt-get install prometheus"
    return found


@contextmanager
def prometheus(folder: Path, target: str) -> Iterator[str]:
    """Runs a Prometheus that scrapes `target` (host:port) each second, and yields its URL."""
    (port,) = free_ports(1)
    configuration = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(DEPLOYED / "alerts.yml")],
        "scrape_configs": [{"job_name": "copydesk", "static_configs": [{"targets": [target]}]}],
    }
    file = folder / "prometheus.yml"
    file.write_text(json.dumps(configuration))  # YAML holds JSON
    with (folder / "console.log").open("wb") as console:
        process = subprocess.Popen(
            [
                program("prometheus"),
                f"--config.file={file}",
                f"--storage.tsdb.path={folder / 'data'}",
                f"--web.listen-address=127.0.0.1:{port}",
            ],
            stdin=subprocess.DEVNULL,
            stdout=console,
            stderr=console,
        )
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=30)


async def answer(http: aiohttp.ClientSession, path: str, **query: str) -> dict[str, Any]:
    """Returns the data of an answer of Prometheus, {} while it starts."""
    try:
        async with http.get(path, params=query) as response:
            return dict((await response.json())["data"]) if response.status == 200 else {}
    except aiohttp.ClientConnectionError:
        return {}


async def value(http: aiohttp.ClientSession, query: str) -> float | None:
    result = (await answer(http, "/api/v1/query", query=query)).get("result")
    return float(result[0]["value"][1]) if result else None


async def until(http: aiohttp.ClientSession, query: str, wanted: float) -> None:
    async with asyncio.timeout(60):
        while await value(http, query) != wanted:  # noqa: ASYNC110 - Prometheus is asked, it does not tell
            await asyncio.sleep(0.2)


async def test_prometheus_scrapes_copydesk_and_loads_its_alerts(tmp_path: Path) -> None:
    up = ("up", "--port", "0", "--ops-port", "0", "--data", str(tmp_path / "copydesk"), "--slots", "1")
    with running(*up) as process:
        urls = process.wait_for_urls("api", "ops")
        with prometheus(tmp_path, urls["ops"].removeprefix("http://")) as url:
            async with aiohttp.ClientSession(url) as http, aiohttp.ClientSession(urls["api"]) as api:
                await until(http, 'up{job="copydesk"}', 1)
                async with api.post("/v1/documents", json={"text": TEXT}) as response:
                    assert response.status == 202
                await until(http, 'copydesk_verdicts_total{verdict="publish",reason="processed"}', 1)
                await until(http, "sum(copydesk_accepted_total)", 1)
                await until(http, "copydesk_in_flight", 0)
                groups = (await answer(http, "/api/v1/rules"))["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    assert {rule["health"] for rule in rules} == {"ok"}
    assert {rule["state"] for rule in rules} == {"inactive"}, "an alert fires though all is well"


@pytest.mark.parametrize(
    "arguments", [("check", "config", "prometheus.yml"), ("test", "rules", "alerts_test.yml")], ids=["check", "test"]
)
def test_promtool_passes_what_we_deploy(arguments: tuple[str, str, str]) -> None:
    *command, file = arguments
    call = [program("promtool"), *command, str(DEPLOYED / file)]
    done = subprocess.run(call, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
