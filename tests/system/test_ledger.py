"""Look-ups of documents over HTTP, while recorders and databases are killed, away, or lost."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path

import aiohttp
import pytest

from tests.postgres_cluster import PostgresCluster, running_postgres
from tests.rabbit_node import RabbitNode
from tests.system.ledger_stacks import (
    KINDS,
    Stack,
    accepted,
    bound,
    embedded,
    event_of,
    listed,
    look_up,
    opened,
    post,
    posted,
    replicas,
    shown,
    until,
    until_all,
)
from tests.system.processes import copydesk, running

KILL_AFTER_S = (0.3, 0.05, 0.8, 0.1, 0.5, 0.2, 0.02, 0.4)
MOST = 250

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]


@pytest.fixture(scope="module", params=KINDS)
def stack(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """One for all tests that kill nothing: each looks at its own documents alone.

    It runs until the module ends, so the tests that use it stand last.
    """
    with opened(request, tmp_path_factory.mktemp("shared")) as stack:
        yield stack


@pytest.fixture(params=KINDS)
def own_stack(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stack]:
    """For a test that kills processes of it, or counts all of its documents."""
    with opened(request, tmp_path) as stack:
        yield stack


async def test_recorders_that_are_killed_lose_nothing_and_record_nothing_twice(own_stack: Stack) -> None:
    """Recorders are killed by SIGKILL repeatedly under load; their rows equal those of a rebuild."""
    stack = own_stack
    taken: set[str] = set()
    over = asyncio.Event()

    async def load(worker: int) -> None:
        numbers = count(worker * 1_000)
        async with aiohttp.ClientSession() as http:
            while not over.is_set():
                if len(taken) < MOST and (document_id := await post(http, stack.api, next(numbers))) is not None:
                    taken.add(document_id)
                with suppress(TimeoutError):
                    async with asyncio.timeout(0.05):
                        await over.wait()

    async with asyncio.TaskGroup() as group:
        for worker in range(4):
            group.create_task(load(worker))
        for pause_s in KILL_AFTER_S:
            await asyncio.sleep(pause_s)  # a random moment
            await asyncio.to_thread(stack.kill_recorder)
        over.set()
    assert len(taken) >= len(KILL_AFTER_S)
    before = await until_all(stack.api, taken, "processed")
    rebuilt = await asyncio.to_thread(copydesk, "ledger", "rebuild", "--ledger-url", stack.ledger_url)
    assert rebuilt.returncode == 0, rebuilt.stderr
    after = await until_all(stack.api, set(before), "processed")
    assert shown(after) == shown(before)


@pytest.mark.rabbit
async def test_without_its_database_everything_else_goes_on(rabbit_node: RabbitNode) -> None:
    with running_postgres() as own, replicas(rabbit_node, own) as stack:
        async with aiohttp.ClientSession() as http:
            before = {await accepted(http, stack.api, number) for number in range(5)}
            await until_all(stack.api, before, "processed")
            own.kill()
            async with http.get(f"{stack.api}/v1/documents") as response:
                assert response.status == 503
                assert response.headers["Retry-After"]
                assert (await response.json(content_type=None))["type"] == "/problems/ledger-unavailable"
            during = {await accepted(http, stack.api, number) for number in range(20)}
            tail = ("tail", "--url", stack.api, "--after", "oldest", "--count", "25")
            done = await asyncio.to_thread(copydesk, *tail)
            assert done.returncode == 0, done.stderr
            own.start()
        await until_all(stack.api, before | during, "processed")


@pytest.mark.rabbit
async def test_without_a_ledger_documents_go_through_and_look_ups_say_why_not(rabbit_node: RabbitNode) -> None:
    settings = {"COPYDESK_AMQP_URL": rabbit_node.url}
    with running("serve", "--port", "0", "--ops-port", "0", settings=settings) as server:
        api = server.wait_for_urls("api")["api"]
        async with aiohttp.ClientSession() as http:
            document_id = await accepted(http, api, 1)
            status, answer = await look_up(http, api, document_id)
    assert (status, answer["type"]) == (503, "/problems/ledger-not-configured")


@pytest.mark.parametrize("command", ["serve", "record"])
def test_tables_that_are_not_there_keep_it_from_starting(
    command: str, cluster: PostgresCluster, rabbit_node: RabbitNode
) -> None:
    settings = {"COPYDESK_AMQP_URL": rabbit_node.url, "COPYDESK_LEDGER_URL": cluster.database()}
    done = copydesk(command, "--ops-port", "0", settings=settings)
    assert done.returncode == 2
    last = done.stderr.decode().strip().splitlines()[-1]
    assert last == "copydesk: the ledger's database has no tables: run copydesk ledger upgrade"
    assert "canary" not in done.stderr.decode()


def test_record_reports_missing_settings() -> None:
    done = copydesk("record")
    assert (done.returncode, b"COPYDESK_AMQP_URL" in done.stderr) == (2, True)
    done = copydesk("record", settings={"COPYDESK_AMQP_URL": "amqp://127.0.0.1:1/"})
    assert (done.returncode, b"COPYDESK_LEDGER_URL" in done.stderr) == (2, True)


def test_a_database_that_is_away_is_said_to_be() -> None:
    done = copydesk("ledger", "upgrade", "--ledger-url", "postgresql://u:canary@127.0.0.1:1/d")
    assert done.returncode == 3
    assert done.stderr.startswith(b"copydesk: the ledger's database cannot be used: ")
    assert b"canary" not in done.stderr
    assert b"Traceback" not in done.stderr


async def test_up_goes_on_with_a_new_ledger_when_it_was_deleted(tmp_path: Path) -> None:
    with embedded(tmp_path) as stack:
        async with aiohttp.ClientSession() as http:
            ids = {await accepted(http, stack.api, number) for number in range(3)}
        before = await until_all(stack.api, ids, "processed")
        assert stack.servers[0].stop() == 0
        for name in ("ledger.db", "ledger.db-wal", "ledger.db-shm"):
            (tmp_path / name).unlink(missing_ok=True)
        stack.start_again()
        assert shown(await until_all(stack.api, ids, "processed")) == shown(before)
        async with aiohttp.ClientSession() as http:
            assert set(await listed(http, stack.api, q="ferry landing")) == ids


async def test_a_ledger_that_is_deleted_while_up_runs_is_made_anew(tmp_path: Path) -> None:
    with embedded(tmp_path) as stack:
        async with aiohttp.ClientSession() as http:
            ids = {await accepted(http, stack.api, number) for number in range(3)}
            before = await until_all(stack.api, ids, "processed")
            for name in ("ledger.db", "ledger.db-wal", "ledger.db-shm"):
                (tmp_path / name).unlink(missing_ok=True)
            seen: set[int] = set()

            async def is_back() -> bool:
                async with http.get(f"{stack.api}/v1/documents") as response:
                    seen.add(response.status)
                    return response.status == 200 and len((await response.json())["documents"]) == len(ids)

            await until(is_back)
            assert seen <= {200, 503}
            ids.add(await accepted(http, stack.api, 3))
            after = await until_all(stack.api, ids, "processed")
            assert {key: after[key] for key in before} == before
            looks = [look_up(http, stack.api, next(iter(ids))) for _ in range(20)]
            assert {status for status, _ in await asyncio.gather(*looks)} == {200}


async def test_a_document_is_followed_from_its_receipt_to_its_text(stack: Stack) -> None:
    async with aiohttp.ClientSession() as http:
        receipt = await posted(http, stack.api, {"text": "Grüße aus Łódź. " * 40})
        place = receipt.headers["Location"]
        seen = []

        async def is_text() -> bool:
            async with http.get(stack.api + place, headers={"Accept": "text/plain"}) as response:
                seen.append(response.status)
                assert response.status in {200, 202}, await response.text()
                return response.status == 200 and (await response.text()).startswith("Grüße aus Łódź.")

        await until(is_text)
        assert set(seen) <= {200, 202}


async def test_an_event_is_the_same_bytes_over_every_way(stack: Stack) -> None:
    async with aiohttp.ClientSession() as http:
        await until_all(stack.api, {await accepted(http, stack.api, 0)}, "processed")  # the exchange is there
        async with bound(stack.amqp_url) as following:
            text = "Grüße aus Łódź, wo die Fähre wieder fährt \u2028 \U0001f6a2 <b>&</b>. " * 20
            receipt = await posted(http, stack.api, {"text": text})
            document_id = (await receipt.json())["id"]
            await until_all(stack.api, {document_id}, "processed")
            async with http.get(f"{stack.api}/v1/documents/{document_id}?format=event") as response:
                looked_up = await response.read()
            assert json.loads(looked_up)["subject"] == document_id
            assert await event_of(http, stack.api, document_id, "processed") == looked_up
            published = await following()
            while published is not None and json.loads(published)["subject"] != document_id:
                published = await following()
            assert published in {looked_up, None}
            assert (published is None) == (stack.amqp_url is None)


async def test_a_misspelled_host_says_so_at_once(stack: Stack) -> None:
    async with aiohttp.ClientSession() as http:
        receipt = await posted(http, stack.api, {"url": "http://no-such-host.invalid/"})
        document_id = (await receipt.json())["id"]
        seen: dict[str, object] = {}

        async def waits() -> bool:
            status, seen_now = await look_up(http, stack.api, document_id)
            seen.update(seen_now)
            return status == 200 and seen_now["state"] == "processing"

        await until(waits, seconds=60)
        assert (seen["reason"], seen["attempts"]) == ("dns_error", 1)
        assert str(seen["next_at"]) > str(seen["accepted_at"])
