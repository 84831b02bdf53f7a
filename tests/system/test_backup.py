"""Backup and restore: everything is deleted after a backup under load, and a restore brings back what it holds."""

import asyncio
import json
import shutil
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractContextManager, ExitStack, asynccontextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.postgres_cluster import PostgresCluster
from tests.rabbit_node import RabbitNode
from tests.system.causes import site
from tests.system.ledger_stacks import (
    KINDS,
    SETTINGS,
    TEXT,
    Stack,
    accepted,
    embedded,
    listed,
    look_up,
    post,
    replicas_of,
    shown,
    until,
    until_all,
)
from tests.system.processes import copydesk, running

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]

CONSUMER = {"consumer": "archive", "after": "oldest", "follow": "false", "format": "ndjson"}
AUDIT = ("audit", "--patience", "0")


@dataclass
class Installation:
    """Broker and ledger of one installation: nothing runs on them yet."""

    settings: dict[str, str]
    folder: Path | None = None

    def started(self) -> AbstractContextManager[Stack]:
        if self.folder is not None:
            return embedded(self.folder)
        return replicas_of(self.settings["COPYDESK_AMQP_URL"], self.settings["COPYDESK_LEDGER_URL"])

    def run(self, *arguments: str, code: int = 0) -> Any:  # noqa: ANN401 - JSON
        """Runs a command on this installation, and returns what it prints."""
        quickly = {"COPYDESK_JOB_TIMEOUT_S": "4"}  # an audit waits for so long, and a quarter more
        done = copydesk(*arguments, "--json", settings=self.settings | quickly)
        assert done.returncode == code, done.stderr + done.stdout
        return json.loads(done.stdout)


@pytest.fixture(params=KINDS)
def installations(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[list[Installation]]:
    """Two installations: one to be lost, and an empty one."""
    with ExitStack() as stack:
        if request.param == "embedded":
            folders = [tmp_path / "first", tmp_path / "second"]
            yield [Installation({"COPYDESK_DATA": str(folder)}, folder) for folder in folders]
            return
        node: RabbitNode = request.getfixturevalue("rabbit_node")
        cluster: PostgresCluster = request.getfixturevalue("cluster")
        yield [on_rabbit(stack, node, cluster) for _ in range(2)]


def on_rabbit(stack: ExitStack, node: RabbitNode, cluster: PostgresCluster) -> Installation:
    amqp_url = stack.enter_context(node.vhost(f"backup{time.monotonic_ns()}"))
    settings = {"COPYDESK_AMQP_URL": amqp_url, "COPYDESK_LEDGER_URL": cluster.database()}
    assert copydesk("ledger", "upgrade", settings=settings).returncode == 0
    return Installation(settings)


@asynccontextmanager
async def load(api: str) -> AsyncIterator[dict[str, float]]:
    """Posts while the context is open. Yields the documents that are accepted, each with the time of its answer."""
    taken: dict[str, float] = {}
    over = asyncio.Event()

    async def go_on() -> None:
        async with aiohttp.ClientSession() as http:
            for number in count(1_000):
                if over.is_set():
                    return
                if (document_id := await post(http, api, number)) is not None:
                    taken[document_id] = time.time()

    async with asyncio.TaskGroup() as group:
        group.create_task(go_on())
        try:
            yield taken
        finally:
            over.set()


async def committed(http: aiohttp.ClientSession, api: str, events: int) -> None:
    """Reads for a named consumer, and commits the last of the first `events` events."""
    async with http.get(f"{api}/v1/events", params=CONSUMER) as response:
        lines = (await response.text()).splitlines()
    offset = json.loads(lines[events - 1])["offset"]
    async with http.post(f"{api}/v1/consumers/archive/commit", json={"offset": offset}) as response:
        assert response.status == 200, await response.text()


async def consumed(http: aiohttp.ClientSession, api: str) -> list[str]:
    """Returns the documents whose events the consumer has not committed."""
    async with http.get(f"{api}/v1/events", params=CONSUMER) as response:
        assert response.status == 200, await response.text()
        *lines, _ = (await response.text()).splitlines()  # the last one says why the stream ended
        return [json.loads(line)["event"]["subject"] for line in lines]


async def test_what_a_backup_under_load_holds_is_there_after_everything_is_lost(
    installations: list[Installation], tmp_path: Path
) -> None:
    first, second = installations
    backup = str(tmp_path / "backup")
    async with aiohttp.ClientSession() as http:
        with first.started() as stack:
            before = {await accepted(http, stack.api, number) for number in range(20)}
            rows = await until_all(stack.api, before, "processed", accepted=True)
            await committed(http, stack.api, 5)
            async with load(stack.api) as during:
                await until(lambda: enough(during, 10))
                begun = time.time()
                await asyncio.to_thread(first.run, "backup", backup)
                ended = time.time()
                so_far = len(during)
                await until(lambda: enough(during, so_far + 10))
            left = (await consumed(http, stack.api))[: 15 + 5]
        lose(first)
        restored = await asyncio.to_thread(copydesk, "restore", backup, "--json", settings=second.settings)
        assert restored.stderr == b""
        lost = {run.rpartition(".")[0] for run in json.loads(restored.stdout)["lost"]}
        assert restored.returncode == bool(lost)
        with second.started() as stack:
            kept = {it for it, at in during.items() if at < begun} | before
            found = await until_all(stack.api, kept - lost, "processed")
            assert shown({it: found[it] for it in before}) == shown({it: rows[it] for it in before})
            assert not {it for it, at in during.items() if at > ended + 5} & set(found)
            assert (await consumed(http, stack.api))[: len(left)] == left
            assert await accepted(http, stack.api, 1) not in found
            assert await searched(http, stack.api) >= before
            audited = await asyncio.to_thread(second.run, *AUDIT, code=bool(lost))
            assert audited["missing"] == len(lost)


async def enough(taken: dict[str, float], many: int) -> bool:
    return len(taken) >= many


async def searched(http: aiohttp.ClientSession, api: str) -> set[str]:
    return set(await listed(http, api, q="harbour council"))


def lose(installation: Installation) -> None:
    """What an installation on the embedded broker holds is deleted; nobody looks at the other kind again."""
    if installation.folder is not None:
        shutil.rmtree(installation.folder)


@pytest.mark.rabbit
async def test_documents_without_a_verdict_are_put_again_or_named(
    rabbit_node: RabbitNode, cluster: PostgresCluster, tmp_path: Path
) -> None:
    backup = str(tmp_path / "backup")
    with ExitStack() as stack:
        first, second = (on_rabbit(stack, rabbit_node, cluster) for _ in range(2))
        async with site(200) as (url, _), aiohttp.ClientSession() as http:
            with running("serve", "--port", "0", "--ops-port", "0", settings=first.settings) as server:
                api = server.wait_for_urls("api")["api"]
                bodies = ({"url": f"{url}/page"}, {"text": TEXT})
                by_url, by_text = [await waiting(http, api, body) for body in bodies]
            first.run("backup", backup)
            restored = second.run("restore", backup, code=1)
            assert (restored["again"], restored["lost"]) == (1, [f"{by_text}.1"])
            with second.started() as running_on:

                async def is_decided() -> bool:
                    status, answer = await look_up(http, running_on.api, by_url)
                    return status == 200 and answer.get("state") in {"processed", "failed"}

                await until(is_decided)
            audited = second.run(*AUDIT, code=1)
            assert (audited["missing"], audited["missing_ids"]) == (1, [f"{by_text}.1"])


async def waiting(http: aiohttp.ClientSession, api: str, body: dict[str, str]) -> str:
    async with http.post(f"{api}/v1/documents", json=body) as response:
        assert response.status == 202, await response.text()
        return str((await response.json())["id"])


@pytest.mark.parametrize(("part", "lost"), [("ledger", "ledger.db"), ("broker", "copydesk.db")])
async def test_one_part_is_restored_beside_the_other(part: str, lost: str, tmp_path: Path) -> None:
    """After the backup two documents come. Whichever part stays knows them."""
    data, backup = tmp_path / "data", str(tmp_path / "backup")
    settings = {"COPYDESK_DATA": str(data)}
    async with aiohttp.ClientSession() as http:
        with embedded(data) as stack:
            before = {await accepted(http, stack.api, number) for number in range(3)}
            await until_all(stack.api, before, "processed")
            assert copydesk("backup", backup, settings=settings).returncode == 0
            later = {await accepted(http, stack.api, number) for number in range(3, 5)}
            await until_all(stack.api, later, "processed")
            assert len(await consumed(http, stack.api)) == len(before | later)
            await committed(http, stack.api, 5)
        for file in data.glob(f"{lost}*"):
            file.unlink()
        restored = copydesk("restore", backup, "--only", part, settings=settings)
        assert (restored.returncode, restored.stderr) == (0, b"")
        with embedded(data) as stack:
            await until_all(stack.api, before | later, "processed")
            new = await accepted(http, stack.api, 9)
            await until_all(stack.api, {new}, "processed")
            events = await consumed(http, stack.api)
            assert events[-1] == new
            assert len(events) == (1 if part == "broker" else len(before | later) + 1), "the consumer misses nothing"


def test_what_is_not_whole_or_not_empty_is_refused(tmp_path: Path) -> None:
    settings = {"COPYDESK_DATA": str(tmp_path / "data")}
    with embedded(tmp_path / "data") as stack:
        assert stack.api
        again = tmp_path / "again"
        assert copydesk("backup", str(again), settings=settings).returncode == 0
        assert "in use by another" in refusal("restore", str(again), settings=settings)
    assert refusal("backup", str(again), settings=settings).endswith("name a new folder for each backup")
    assert refusal("restore", str(again), settings=settings).endswith("is there already: move it away")
    assert copydesk("restore", str(again), "--check", settings=settings).returncode == 0
    with (again / "copydesk.db").open("r+b") as file:
        file.seek(1000)
        file.write(b"?")
    elsewhere = {"COPYDESK_DATA": str(tmp_path / "elsewhere")}
    for option in ((), ("--check",)):
        assert refusal("restore", str(again), *option, settings=elsewhere).endswith("use another backup")
    (again / "manifest.json").unlink()
    assert "holds no whole backup" in refusal("restore", str(again), settings=elsewhere)
    assert not (tmp_path / "elsewhere" / "copydesk.db").exists()


def refusal(*arguments: str, settings: dict[str, str]) -> str:
    done = copydesk(*arguments, settings=SETTINGS | settings)
    assert (done.returncode, done.stdout) == (2, b"")
    (line,) = done.stderr.decode().splitlines()
    return line
