"""A whole Copydesk on RabbitMQ and PostgreSQL, watched by Prometheus and Alertmanager at a hurried pace."""

import asyncio
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiohttp

from tests.faults.deployment import children_of, wait_until_ready
from tests.postgres_cluster import PostgresCluster
from tests.rabbit_node import RabbitNode, free_ports
from tests.system.alertmanager_server import Alertmanager, alertmanager
from tests.system.processes import Process, copydesk
from tests.system.prometheus_server import answer, prometheus

FACTOR = 60
"""By how much the rules' times are divided: `for: 5m` takes 5 s, and a range of 5 minutes still has five scrapes."""

INTAKE_DOCUMENTS = 40  # what a lane holds: the alerts compare with this, not with a number of their own
TEXT = "The harbour council voted on Tuesday evening to move the ferry landing two hundred metres up the coast. " * 5

_SETTINGS = {
    "COPYDESK_INTAKE_DOCUMENTS": str(INTAKE_DOCUMENTS),
    "COPYDESK_FETCH_ALLOW_NETWORKS": "127.0.0.0/8",
    "COPYDESK_FETCH_INTERVAL_S": "0.001",
    "COPYDESK_FETCH_ROBOTS": "false",
    "COPYDESK_WEBHOOK_ALLOW": "127.0.0.0/8",
    "COPYDESK_WEBHOOK_RETRY_DELAYS_S": ",".join(["1"] * 500),
    "COPYDESK_RETRY_DELAYS_S": "0.2,40",
    "COPYDESK_PARSE_TIMEOUT_S": "300",
}
_COMMANDS: Mapping[str, tuple[str, ...]] = {
    "serve": ("serve",),
    "work": ("work", "--slots", "2"),
    "record": ("record",),
    "deliver": ("deliver",),
    "audit": ("audit", "--watch", "1", "--patience", "5"),
}
_OF_ROLE = {"audit": {"COPYDESK_JOB_TIMEOUT_S": "2"}}  # how long the audit believes that a worker may hold a document
_SPARE = "audit_again"  # a second process, for the alert on two of them


class Watched:
    """The processes by name, which listen on the same ports again after a restart."""

    def __init__(self, folder: Path) -> None:
        self.broker_port, api, *ops = free_ports(2 + len(_COMMANDS) + 1)
        settings = f"prometheus.tcp.ip = 127.0.0.1\nprometheus.tcp.port = {self.broker_port}\n"
        (folder / "rabbit").mkdir()
        self.node = RabbitNode(folder / "rabbit", settings=settings, plugins=("rabbitmq_prometheus",))
        self.cluster = PostgresCluster()
        self.api = f"http://127.0.0.1:{api}"
        self._api_port = api
        self._ops = dict(zip((*_COMMANDS, _SPARE), ops, strict=True))
        self._settings = dict(_SETTINGS)
        self.processes: dict[str, Process] = {}
        self.prometheus = ""
        self.alertmanager = Alertmanager("")

    def start_stores(self) -> None:
        self.node.start()
        self.cluster.start()
        self._settings |= {"COPYDESK_AMQP_URL": self.node.url, "COPYDESK_LEDGER_URL": self.cluster.database()}
        made = copydesk("ledger", "upgrade", settings=self._settings)
        assert made.returncode == 0, made.stderr

    def start(self, name: str, program: tuple[str, ...] | None = None, **settings: str) -> None:
        """Starts a process, with `program` in place of the plain `copydesk`, and waits until it is ready."""
        role = "audit" if name == _SPARE else name
        port = ("--port", str(self._api_port)) if role == "serve" else ()
        arguments = (*_COMMANDS[role], *port, "--ops-port", str(self._ops[name]))
        chosen = self._settings | _OF_ROLE.get(role, {}) | settings
        process = Process(*arguments, settings=chosen, **({"program": program} if program else {}))
        self.processes[name] = process
        wait_until_ready(process)

    def start_missing(self) -> None:
        for role in _COMMANDS:
            if role not in self.processes:
                self.start(role)

    def kill(self, name: str) -> None:
        self.processes.pop(name).kill()

    def signal_parsers(self, number: int) -> None:
        """Sends a signal to the parser children of the worker."""
        children = parser_children(self.processes["work"].pid)
        assert children
        for child in children:
            os.kill(child, number)

    def targets(self, *more: str) -> dict[str, list[str]]:
        return {
            "copydesk": [*(f"127.0.0.1:{port}" for name, port in self._ops.items() if name != _SPARE), *more],
            "spare": [f"127.0.0.1:{self._ops[_SPARE]}"],  # its absence is no alert
            "rabbitmq": [f"127.0.0.1:{self.broker_port}"],
        }

    def close(self) -> None:
        for process in self.processes.values():
            process.close()
        self.node.close()
        self.cluster.close()


def parser_children(worker: int) -> list[int]:
    """Returns the children of the process that forks a worker's parser children."""
    return [child for server in children_of(worker) for child in children_of(server)]


@contextmanager
def watched(folder: Path, *more: str) -> Iterator[Watched]:
    """Runs one process of each role, and a Prometheus that scrapes them and `more`, host:port, with an Alertmanager."""
    desk = Watched(folder)
    try:
        desk.start_stores()
        for role in _COMMANDS:
            desk.start(role)
        with alertmanager(folder / "alertmanager", factor=FACTOR) as desk.alertmanager:
            tells = [desk.alertmanager.address]
            with prometheus(folder / "prometheus", desk.targets(*more), factor=FACTOR, tells=tells) as url:
                desk.prometheus = url
                yield desk
    finally:
        desk.close()


class Alerts:
    """What Prometheus says about its alerts."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def firing(self) -> list[dict[str, str]]:
        """Returns the labels of each alert that fires."""
        async with aiohttp.ClientSession(self._url) as http:
            while not (told := await answer(http, "/api/v1/alerts")):  # noqa: ASYNC110 - it starts
                await asyncio.sleep(0.1)
        return [one["labels"] for one in told["alerts"] if one["state"] == "firing"]

    async def fires(self, name: str, *, within_s: float = 60, **labels: str) -> None:
        """Waits until the alert fires with these labels."""
        wanted = {"alertname": name, **labels}.items()
        await self._until(lambda found: any(wanted <= one.items() for one in found), f"{wanted} fires", within_s)

    async def resolves(self, *names: str, within_s: float = 60) -> None:
        """Waits until none of these alerts fires."""
        text = f"{names} resolve"
        await self._until(lambda found: not any(one["alertname"] in names for one in found), text, within_s)

    async def ever_fired(self) -> set[str]:
        """Returns the names of the alerts that fired since Prometheus started."""
        query = 'count by (alertname) (max_over_time(ALERTS{alertstate="firing"}[2h]))'
        async with aiohttp.ClientSession(self._url) as http:
            result = (await answer(http, "/api/v1/query", query=query)).get("result", [])
        return {one["metric"]["alertname"] for one in result}

    async def _until(self, holds: Any, what: str, within_s: float) -> None:  # noqa: ANN401 - a condition
        found: list[dict[str, str]] = []
        try:
            async with asyncio.timeout(within_s):
                while not holds(found := await self.firing()):  # noqa: ASYNC110 - Prometheus is asked, it does not tell
                    await asyncio.sleep(0.3)
        except TimeoutError:
            raise AssertionError(f"not within {within_s} s: {what}; firing: {found}") from None
