"""A private Prometheus with the rules that we deploy, on loopback alone, and what it tells."""

import asyncio
import json
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from shutil import which
from typing import Any

import aiohttp
import yaml

from tests.rabbit_node import free_ports

DEPLOYED = Path(__file__).parents[2] / "deploy" / "prometheus"
RULES = DEPLOYED / "alerts.yml"
SCRAPES_S = 1  # chosen: four scrapes in the shortest range of the rules (5 m) when it is a sixtieth
Targets = Mapping[str, Sequence[str]]
"""What is scraped: host:port of each, by job."""

_UNITS_S = {"m": 60, "h": 3600, "d": 86400}
_DURATION = re.compile(r"(?<=[\[:])\d+[mhd](?=[\]:])|(?<=offset )\d+[mhd]\b")
_PRODUCT = re.compile(r"\b(\d+) \* (60|3600)\b")


def program(name: str) -> str:
    found = which(name)
    package = "prometheus" if name == "promtool" else name
    assert found, f"{name} is missing: apt-get install {package}"
    return found


def rules() -> list[dict[str, Any]]:
    """Returns all rules that we deploy, as the file has them."""
    return [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]


def alerts() -> list[dict[str, Any]]:
    return [rule for rule in rules() if "alert" in rule]


def hurried(text: str, factor: int) -> str:
    """Returns a file of rules with all times divided by `factor`, and nothing else changed.

    These are: the ranges of expressions, `for`, the intervals of groups, and limits in seconds, which the file writes
    as `5 * 60` or `6 * 3600`. Names of metrics, labels, and limits that are no times stay.
    """
    groups = yaml.safe_load(text)
    for group in groups["groups"]:
        if "interval" in group:
            group["interval"] = _divided(group["interval"], factor)
        for rule in group["rules"]:
            expression = _DURATION.sub(lambda found: _divided(found[0], factor), rule["expr"])
            rule["expr"] = _PRODUCT.sub(lambda found: f"{int(found[1]) * int(found[2]) / factor:g}", expression)
            if "for" in rule:
                rule["for"] = _divided(rule["for"], factor)
    return json.dumps(groups)  # YAML holds JSON


def _divided(duration: str, factor: int) -> str:
    return f"{int(duration[:-1]) * _UNITS_S[duration[-1]] * 1000 // factor}ms"


@contextmanager
def prometheus(folder: Path, targets: Targets, *, factor: int = 1, tells: Sequence[str] = ()) -> Iterator[str]:
    """Runs a Prometheus that scrapes each second, with all times of the rules divided by `factor`. Yields its URL.

    `tells`: host:port of the Alertmanagers that it tells of alerts.
    """
    (port,) = free_ports(1)
    folder.mkdir(exist_ok=True)
    rule_file = RULES
    if factor > 1:
        rule_file = folder / "alerts.yml"
        rule_file.write_text(hurried(RULES.read_text(), factor))
    paths = {"rabbitmq": "/metrics/per-object"}
    configuration = {
        "global": {"scrape_interval": f"{SCRAPES_S}s", "evaluation_interval": f"{SCRAPES_S}s"},
        "rule_files": [str(rule_file)],
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": list(tells)}]}]},
        "scrape_configs": [
            {
                "job_name": job,
                "metrics_path": paths.get(job, "/metrics"),
                "static_configs": [{"targets": list(addresses)}],
            }
            for job, addresses in targets.items()
        ],
    }
    file = folder / "prometheus.yml"
    file.write_text(json.dumps(configuration))
    with (folder / "console.log").open("wb") as console:
        process = subprocess.Popen(
            [
                program("prometheus"),
                f"--config.file={file}",
                f"--storage.tsdb.path={folder / 'data'}",
                f"--web.listen-address=127.0.0.1:{port}",
                "--enable-feature=exemplar-storage",
            ],
            stdin=subprocess.DEVNULL,
            stdout=console,
            stderr=console,
        )
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=60)


def linted(text: str) -> str:
    """Returns what `promtool check metrics` says of metrics: what breaks the rules for names, units and help."""
    call = [program("promtool"), "check", "metrics"]
    done = subprocess.run(call, input=text, check=False, capture_output=True, text=True)
    return done.stdout + done.stderr


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
