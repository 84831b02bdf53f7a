"""The dashboards that we deploy, and what a Prometheus answers to their panels."""

import asyncio
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from tests.system.prometheus_server import answer

BOARDS = Path(__file__).parents[2] / "deploy" / "grafana" / "dashboards"
# What Grafana fills in: here ranges that a test of a minute fills, with several scrapes each. A rate needs two of them,
# and on a busy machine many fail: RabbitMQ and a Copydesk then take longer than the second that a scrape has (1.3 s
# at a load of 27 on two cores).
GRAFANA = {"$__rate_interval": "20s", "$__range": "60s"}


@dataclass(frozen=True, slots=True)
class Query:
    board: str
    panel: str
    legend: str
    expression: str


def boards() -> dict[str, dict[str, Any]]:
    """Returns each dashboard by its name, as Grafana reads it."""
    return {file.stem: json.loads(file.read_text()) for file in sorted(BOARDS.glob("*.json"))}


def queries(values: dict[str, str]) -> Iterator[Query]:
    """Yields every query of every panel, with Grafana's variables and `values` filled in."""
    for name, board in boards().items():
        for panel in board["panels"]:
            for target in panel.get("targets", ()):
                expression = target["expr"]
                for variable, value in (GRAFANA | values).items():
                    expression = expression.replace(variable, value)
                yield Query(name, panel["title"], target["legendFormat"], expression)


async def variables(http: aiohttp.ClientSession) -> dict[str, str]:
    """Returns each variable with all its values, as Grafana fills in "All" of what Prometheus lists."""
    found: dict[str, str] = {}
    for board in boards().values():
        for variable in board["templating"]["list"]:
            if variable["type"] == "query":
                metric, label = variable["query"]["query"].removeprefix("label_values(").removesuffix(")").split(", ")
                found["$" + variable["name"]] = "|".join(await _values(http, metric, label))
    return found


async def _values(http: aiohttp.ClientSession, metric: str, label: str) -> list[str]:
    """Returns the values of a label, once there are any: RabbitMQ tells of its queues some seconds after it starts."""
    async with asyncio.timeout(60):
        while True:
            async with http.get(f"/api/v1/label/{label}/values", params={"match[]": metric}) as response:
                if values := (await response.json())["data"]:
                    return list(values)
            await asyncio.sleep(0.5)


async def has_data(http: aiohttp.ClientSession, query: Query) -> bool:
    """Returns whether Prometheus answers with at least one number."""
    result = (await answer(http, "/api/v1/query", query=query.expression)).get("result", [])
    return any(math.isfinite(float(one["value"][1])) for one in result)


async def without_data(http: aiohttp.ClientSession, wanted: list[Query], within_s: float) -> list[Query]:
    """Returns the queries that never had data within this time."""
    missing = wanted
    try:
        async with asyncio.timeout(within_s):
            while missing := [query for query in missing if not await has_data(http, query)]:  # noqa: ASYNC110 - it is asked
                await asyncio.sleep(0.5)
    except TimeoutError:
        pass
    return missing
