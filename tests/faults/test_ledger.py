"""The ledger behind, down, lost; every role killed. At the end it agrees with the log on every document."""

import asyncio
import signal
import sqlite3
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from itertools import count
from pathlib import Path

import aiohttp
import pytest

from tests.faults.balance import Events, event_stream
from tests.faults.conftest import LOAD_S, WITHIN_S
from tests.faults.load import AT_ONCE, Client, Submission, tiny, tiny_ones, within
from tests.postgres_cluster import PostgresCluster
from tests.rabbit_node import RabbitNode
from tests.system.ledger_stacks import Stack, embedded, listed, look_up, replicas, until
from tests.system.processes import copydesk

pytestmark = [pytest.mark.faults, pytest.mark.timeout(2 * WITHIN_S + 60)]

DECIDED = {"processed", "failed"}


@pytest.fixture(scope="module")
def two_of_each(node: RabbitNode, cluster: PostgresCluster) -> Iterator[Stack]:
    with replicas(node, cluster) as stack:
        yield stack


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("up")


@pytest.fixture(scope="module")
def one(folder: Path) -> Iterator[Stack]:
    with embedded(folder) as stack:
        yield stack


class Load:
    """Documents that are posted to all servers, and their events in the log."""

    def __init__(self, stack: Stack, documents: int) -> None:
        self.documents = documents
        self.stack = stack
        self.events = Events()
        self._turn = count()
        self.client = Client(self.api)

    def api(self) -> str:
        servers = self.stack.servers
        return servers[next(self._turn) % len(servers)].wait_for_urls("api")["api"]

    async def until_more_are_decided(self) -> None:
        """Returns when intake and workers have accepted and decided many more documents."""
        await self.client.until_more(self.documents // 8)
        await self.events.until_more(self.documents // 8)

    @asynccontextmanager
    async def runs(self, fault: str) -> AsyncIterator[None]:
        """Posts documents meanwhile; then compares the look-up of each with the log, and prints the row."""
        async with within(WITHIN_S, self.client), event_stream(self.api) as self.events, asyncio.TaskGroup() as group:
            posting = group.create_task(self.client.post_all(mixed(self.documents), over_s=LOAD_S))
            await self.client.until_accepted(self.documents // 8)
            yield
            seconds = await self._level_s()
            await posting
            await self.events.until_decided(self.client.accepted)
        found = await self._looked_up()
        wrong = {key for key in found if found[key] != self.events.reasons[key]}
        accepted = self.client.accepted
        cells = (fault, len(accepted), len(found), len(accepted - found.keys()), len(wrong), f"{seconds:.1f}")
        print(f"\n{' | '.join(map(str, cells))}")  # noqa: T201 - the row of the table
        assert found.keys() >= accepted
        assert wrong == set()
        assert {"processed", "no_article"} <= set(found.values())

    async def _level_s(self) -> float:
        """Returns the seconds until a document that is posted now is known to be processed."""
        began = time.monotonic()
        async with aiohttp.ClientSession() as http:
            document_id = await self.client.post(http, tiny(-1, "interactive"))
            await until(lambda: self._is_decided(http, document_id), seconds=WITHIN_S)
        return time.monotonic() - began

    async def _is_decided(self, http: aiohttp.ClientSession, document_id: str) -> bool:
        try:
            status, seen = await look_up(http, self.api(), document_id)
        except aiohttp.ClientError:
            return False
        return status == 200 and seen["state"] in DECIDED

    async def _looked_up(self) -> dict[str, str]:
        """Returns what the look-up says of each accepted document, and checks that the list says the same."""
        found: dict[str, str] = {}
        places = asyncio.Semaphore(AT_ONCE)
        async with aiohttp.ClientSession() as http:

            async def look(document_id: str) -> None:
                async with places:
                    await until(lambda: self._is_decided(http, document_id), seconds=WITHIN_S)
                    _, seen = await look_up(http, self.api(), document_id)
                    found[document_id] = seen["reason"] if seen["state"] == "failed" else seen["state"]

            async with asyncio.TaskGroup() as group:
                for document_id in self.client.accepted:
                    group.create_task(look(document_id))
            pages = await listed(http, self.api())
        shown = {key: each["reason"] if each["state"] == "failed" else each["state"] for key, each in pages.items()}
        assert {key: shown.get(key) for key in found} == found
        return found


def mixed(documents: int) -> list[Submission]:
    """Returns documents of which one in ten has no article."""
    submissions = tiny_ones(documents)
    for number in range(0, documents, 10):
        submissions[number] = {"html": f"<body><!-- {number} --></body>", "options": {"lane": "bulk"}}
    return submissions


@pytest.mark.rabbit
async def test_ledger_behind(two_of_each: Stack, documents: int) -> None:
    load = Load(two_of_each, documents)
    async with load.runs("ledger behind: recorders stand still"):
        for process in two_of_each.recorders:
            process.signal(signal.SIGSTOP)
        await load.until_more_are_decided()
        for process in two_of_each.recorders:
            process.signal(signal.SIGCONT)


@pytest.mark.rabbit
async def test_ledger_down(two_of_each: Stack, cluster: PostgresCluster, documents: int) -> None:
    load = Load(two_of_each, documents)
    async with load.runs("ledger down: PostgreSQL killed, restarted"):
        await asyncio.to_thread(cluster.kill)
        await load.until_more_are_decided()
        await asyncio.to_thread(cluster.start)


@pytest.mark.rabbit
async def test_ledger_lost(two_of_each: Stack, documents: int) -> None:
    load = Load(two_of_each, documents)
    async with load.runs("ledger lost and rebuilt"):
        rebuilt = await asyncio.to_thread(copydesk, "ledger", "rebuild", "--ledger-url", two_of_each.ledger_url)
        assert rebuilt.returncode == 0, rebuilt.stderr


@pytest.mark.rabbit
async def test_ledger_and_each_role_killed(two_of_each: Stack, documents: int) -> None:
    load = Load(two_of_each, documents)
    async with load.runs("record, work, serve killed in turn, two of each"):
        for role in ("record", "work", "serve", "record"):  # one of the two recorders is on standby
            await asyncio.to_thread(two_of_each.kill, role)


async def test_ledger_behind_in_one_file(one: Stack, folder: Path, documents: int) -> None:
    load = Load(one, documents)
    async with load.runs("`up`: ledger behind, its file is locked"):
        with closing(sqlite3.connect(folder / "ledger.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            await load.until_more_are_decided()
            other.execute("ROLLBACK")


async def test_ledger_lost_in_one_file(one: Stack, folder: Path, documents: int) -> None:
    load = Load(one, documents)
    async with load.runs("`up`: ledger lost, its files deleted"):
        for name in ("ledger.db", "ledger.db-wal", "ledger.db-shm"):
            (folder / name).unlink(missing_ok=True)
        await load.until_more_are_decided()


async def test_ledger_and_up_killed(one: Stack, documents: int) -> None:
    load = Load(one, documents)
    async with load.runs("`up` killed"):
        await asyncio.to_thread(one.kill, "record")
