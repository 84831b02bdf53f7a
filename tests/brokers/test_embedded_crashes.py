"""Real processes on the embedded broker, killed with -9 at any moment."""

import asyncio
import os
import random
import sqlite3
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from subprocess import PIPE, Popen

import pytest
from prometheus_client import CollectorRegistry

from contract.broker import Delivery
from contract.capacity import Capacity
from contract.metrics import Metrics
from contract.verdicts import Publish, Verdict
from runtime.brokers.embedded import EmbeddedBroker, FolderInUseError
from tests.brokers import crash_worker
from tests.brokers.suite import subjects, take
from tests.forking.command import start

pytestmark = pytest.mark.processes

_ROOT = Path(__file__).parents[2]


def broker(folder: Path) -> EmbeddedBroker:
    return EmbeddedBroker(folder, metrics=Metrics(CollectorRegistry()))


@asynccontextmanager
async def doomed(folder: Path) -> AsyncIterator[Popen[bytes]]:
    """A process that works on `folder`; killed at the end."""
    command = [sys.executable, "-m", crash_worker.__name__, str(folder)]
    with start(command, env=os.environ, cwd=_ROOT, stdout=PIPE) as process:
        try:
            yield process
        finally:
            process.kill()


async def confirmed_before_the_kill(folder: Path, after_s: float) -> list[str]:
    async with doomed(folder) as process:
        assert process.stdout is not None
        output = await asyncio.to_thread(process.stdout.readline)
        await asyncio.sleep(after_s)
        process.kill()
        output += process.stdout.read()
    return output.decode().rpartition("\n")[0].split("\n")


async def finish(folder: Path) -> list[str]:
    """Decides the remaining jobs, and returns the ids in the log."""
    left, stop = count(folder, "jobs"), asyncio.Event()

    async def decide(delivery: Delivery) -> Verdict:
        nonlocal left
        verdict = await crash_worker.decide(delivery)
        left -= isinstance(verdict, Publish)
        if left == 0:
            stop.set()
        return verdict

    async with broker(folder) as last:
        if left:
            await last.consume(decide, capacity=Capacity(slots=8), stop=stop)
        return subjects(await take(last, count(folder, "events")))


def count(folder: Path, table: str) -> int:
    with closing(sqlite3.connect(folder / "copydesk.db")) as db:
        (number,) = db.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608 - a name from this file
    return int(number)


async def test_a_process_holds_its_folder_until_it_is_killed(tmp_path: Path) -> None:
    async with doomed(tmp_path) as process:
        assert process.stdout is not None
        await asyncio.to_thread(process.stdout.readline)
        with pytest.raises(FolderInUseError, match=str(tmp_path)):
            await broker(tmp_path).__aenter__()
    async with broker(tmp_path) as free:
        assert await free.ready()


async def test_what_was_confirmed_is_decided_exactly_once_over_many_kills(tmp_path: Path) -> None:
    confirmed: list[str] = []
    for _ in range(5):
        confirmed += await confirmed_before_the_kill(tmp_path, random.uniform(0.0, 0.5))  # noqa: S311 - no secret
    decided = await finish(tmp_path)
    assert len(confirmed) > 50
    assert set(confirmed) - set(decided) == set()
    assert len(decided) == len(set(decided))  # the event and the end of the job are one commit
