"""An upgrade while everything runs: processes of the version before beside those of today, in every combination."""

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest

from tests.postgres_cluster import PostgresCluster
from tests.rabbit_node import RabbitNode
from tests.system.former import FORMER_TABLES, Former
from tests.system.ledger_stacks import PORTS, SETTINGS, accepted, event_of, listed, until_all
from tests.system.processes import Process, copydesk, running

pytestmark = [pytest.mark.system, pytest.mark.timeout(400)]

OPTIONS = {"serve": ("--port", "0"), "work": ("--slots", "2")}


@pytest.fixture(scope="module")
def former(tmp_path_factory: pytest.TempPathFactory) -> Former:
    return Former(tmp_path_factory.mktemp("former"))


@dataclass
class Fleet:
    """Processes of two versions on one broker and one database."""

    former: Former
    settings: dict[str, str]
    stack: ExitStack
    running: dict[str, Process] = field(default_factory=dict)

    def start(self, name: str) -> Process:
        """Starts a process: `old work`, or `new work`."""
        version, role = name.split()
        arguments = (role, *OPTIONS.get(role, ()), *PORTS)
        if version == "new":
            process = self.stack.enter_context(running(*arguments, settings=self.settings))
        else:
            settings = self.settings | self.former.settings
            process = self.stack.enter_context(running(*arguments, settings=settings, program=self.former.program))
        process.wait_for_urls("api" if role == "serve" else "ops")
        self.running[name] = process
        return process

    def stop(self, name: str) -> None:
        """Stops a process, which ends in order."""
        assert self.running.pop(name).stop() == 0, name

    def api(self, version: str) -> str:
        return self.running[f"{version} serve"].wait_for_urls("api")["api"]

    def run(self, *arguments: str, old: bool = False) -> str:
        if old:
            done = copydesk(*arguments, settings=self.settings | self.former.settings, program=self.former.program)
        else:
            done = copydesk(*arguments, settings=self.settings)
        assert done.returncode == 0, done.stderr + done.stdout
        return done.stdout.decode()


@pytest.fixture
def fleet(former: Former, rabbit_node: RabbitNode, cluster: PostgresCluster) -> Iterator[Fleet]:
    with rabbit_node.vhost(f"upgrade{time.monotonic_ns()}") as amqp_url, ExitStack() as stack:
        urls = {"COPYDESK_AMQP_URL": amqp_url, "COPYDESK_LEDGER_URL": cluster.database()}
        yield Fleet(former, SETTINGS | urls, stack)


@pytest.mark.rabbit
async def test_a_rolling_upgrade_loses_nothing_at_any_step(fleet: Fleet) -> None:
    """The order of docs/upgrading.md. At each step documents are posted to each server, and all are decided."""
    numbers = iter(range(1000))
    ids: set[str] = set()

    async def post_and_await(http: aiohttp.ClientSession, *versions: str) -> None:
        new = {await accepted(http, fleet.api(version), next(numbers)) for version in versions for _ in range(3)}
        ids.update(new)
        for document_id in new:
            await event_of(http, fleet.api(versions[-1]), document_id, "processed")

    steps: list[tuple[Callable[[str], object], str]] = [
        *((fleet.start, f"new {role}") for role in ("record", "deliver")),
        *((fleet.stop, f"old {role}") for role in ("record", "deliver")),
        (fleet.start, "new work"),
        (fleet.stop, "old work"),
        (fleet.start, "new serve"),
        (fleet.stop, "old serve"),
    ]
    assert FORMER_TABLES in fleet.run("ledger", "upgrade", old=True)
    for role in ("record", "deliver", "work", "serve"):
        fleet.start(f"old {role}")
    async with aiohttp.ClientSession() as http:
        await post_and_await(http, "old")
        fleet.run("ledger", "upgrade")
        await post_and_await(http, "old")
        for act, name in steps:
            await asyncio.to_thread(act, name)
            await post_and_await(http, *(it for it in ("old", "new") if f"{it} serve" in fleet.running))
        rows = await until_all(fleet.api("new"), ids, "processed")
        assert set(rows) == ids
        balance = json.loads(fleet.run("audit", "--json"))
        counts = {name: balance[name] for name in ("accepted", "missing", "differing", "unreadable")}
        assert counts == {"accepted": len(ids), "missing": 0, "differing": 0, "unreadable": 0}
        assert set(await listed(http, fleet.api("new"), q="harbour council")) == ids


@pytest.mark.rabbit
async def test_new_servers_with_old_workers_and_an_old_recorder(fleet: Fleet) -> None:
    """The other way round: what a new server takes, old processes read."""
    assert FORMER_TABLES in fleet.run("ledger", "upgrade", old=True)
    for role in ("record", "work"):
        fleet.start(f"old {role}")
    fleet.run("ledger", "upgrade")
    fleet.start("new serve")
    async with aiohttp.ClientSession() as http:
        ids = {await accepted(http, fleet.api("new"), number) for number in range(5)}
        for document_id in ids:
            await event_of(http, fleet.api("new"), document_id, "processed")
        await until_all(fleet.api("new"), ids, "processed")


async def test_a_data_folder_of_the_version_before(former: Former, tmp_path: Path) -> None:
    """A job waits in it, a document is decided: today's `up` upgrades both files and goes on."""
    data = ("--data", str(tmp_path))
    arguments = ("up", "--port", "0", *PORTS, *data)
    async with aiohttp.ClientSession() as http:
        with running(*arguments, settings=SETTINGS | former.settings, program=former.program) as old:
            api = old.wait_for_urls("api")["api"]
            ids = {await accepted(http, api, number) for number in range(3)}
            before = await until_all(api, ids, "processed")
            ids.add(await accepted(http, api, 3))
            old.kill()
        with running(*arguments, settings=SETTINGS) as new:
            api = new.wait_for_urls("api")["api"]
            after = await until_all(api, ids, "processed")
            assert {it: after[it]["title"] for it in before} == {it: before[it]["title"] for it in before}
            balance = json.loads(copydesk("audit", "--json", *data).stdout)
            assert (balance["accepted"], balance["missing"]) == (len(ids), 0)
        again = copydesk(*arguments, settings=former.settings, program=former.program)
        assert again.returncode == 2
        assert b"newer" in again.stderr
