"""Cancel, erase and run again, on whole Copydesks: with several of each process, kills and rebuilds."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from tests.postgres_cluster import PostgresCluster
from tests.rabbit_node import RabbitNode
from tests.system.ledger_stacks import (
    KINDS,
    TEXT,
    Stack,
    accepted,
    bound,
    embedded,
    event_of,
    listed,
    look_up,
    opened,
    posted,
    replicas,
    streamed,
    until,
    until_all,
)
from tests.system.processes import INSTALLED, copydesk

RETRY_S = 4
SETTINGS = {"COPYDESK_RETRY_DELAYS_S": str(RETRY_S), "COPYDESK_KEEP_INPUT": "true"}
REFUSES = "http://127.0.0.1:9/"  # nobody listens on the discard port

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]

Http = aiohttp.ClientSession


@pytest.fixture(scope="module", params=KINDS)
def stack(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """One for all tests that kill nothing: each looks at its own documents alone.

    It runs until the module ends, so the tests that use it stand last.
    """
    with opened(request, tmp_path_factory.mktemp("shared"), SETTINGS) as stack:
        yield stack


@pytest.fixture(params=KINDS)
def own_stack(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stack]:
    """For a test that kills processes of it, or counts all of its documents."""
    with opened(request, tmp_path, SETTINGS) as stack:
        yield stack


@pytest.fixture
async def http() -> AsyncIterator[Http]:
    async with aiohttp.ClientSession() as session:
        yield session


async def asked(http: Http, stack: Stack, method: str, document_id: str, what: str = "", **headers: str) -> Any:  # noqa: ANN401 - JSON
    """Returns status and answer, as soon as the document is on record. Each call asks another server."""
    stack.servers.append(stack.servers.pop(0))
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    while True:
        url = f"{stack.api}/v1/documents/{document_id}{what}"
        async with http.request(method, url, headers=named) as response:
            answer = await response.json(content_type=None)
            if answer.get("type") not in {"/problems/not-recorded", "/problems/broker-unavailable"}:
                return response.status, answer
        await asyncio.sleep(0.2)


async def until_answered(http: Http, stack: Stack, document_id: str, **wanted: object) -> dict[str, Any]:
    """Waits until the look-up says what is `wanted`, and returns all that it says."""
    found: dict[str, Any] = {}

    async def is_so() -> bool:
        found.clear()
        found.update((await look_up(http, stack.api, document_id))[1])
        return all(found.get(name) == value for name, value in wanted.items())

    await until(is_so)
    return found


async def new(http: Http, stack: Stack, **body: str) -> str:
    return str((await (await posted(http, stack.api, body)).json())["id"])


def audited(stack: Stack, folder: Path) -> dict[str, Any]:
    if stack.amqp_url is None:
        done = copydesk("audit", "--json", "--data", str(folder))
    else:
        done = copydesk("audit", "--json", settings=SETTINGS | {"COPYDESK_AMQP_URL": stack.amqp_url})
    assert done.stdout, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


async def test_an_erased_document_stays_erased_after_a_kill_and_a_rebuild(
    own_stack: Stack, http: Http, tmp_path: Path
) -> None:
    stack = own_stack
    gone = await new(http, stack, text=f"Zweihundertmetertief. {TEXT}")
    stays = await accepted(http, stack.api, 1)
    await until_all(stack.api, {gone, stays}, "processed")
    assert set(await listed(http, stack.api, q="zweihundertmetertief")) == {gone}
    async with bound(stack.amqp_url) as following:
        status, told = await asked(http, stack, "DELETE", gone)
        assert (status, told["state"]) == (202, "erasing")
        tombstone = await following()
    await asyncio.to_thread(stack.kill_recorder)
    await until_answered(http, stack, gone, type="/problems/erased")
    event = await streamed(http, stack.api)
    assert tombstone in {None, event}
    assert (json.loads(event)["type"], json.loads(event)["subject"]) == ("copydesk.document.erased.v1", gone)
    assert await listed(http, stack.api, q="zweihundertmetertief") == {}
    status, again = await asked(http, stack, "DELETE", gone)
    assert (status, again) == (200, {**told, "state": "erased"})

    rebuilt = await asyncio.to_thread(
        copydesk, "ledger", "rebuild", "--ledger-url", stack.ledger_url, program=INSTALLED
    )
    assert rebuilt.returncode == 0, rebuilt.stderr
    assert set(await until_all(stack.api, {stays}, "processed")) == {stays}
    await until_answered(http, stack, gone, type="/problems/erased")
    balance = await asyncio.to_thread(audited, stack, tmp_path)
    assert {name: balance[name] for name in ("accepted", "decided", "missing", "unrecorded", "unreadable")} == {
        "accepted": 2,
        "decided": 2,
        "missing": 0,
        "unrecorded": 0,
        "unreadable": 0,
    }


@pytest.mark.rabbit
async def test_the_first_worker_decides_documents_cancelled_while_none_ran(
    rabbit_node: RabbitNode, cluster: PostgresCluster, http: Http
) -> None:
    with replicas(rabbit_node, cluster, SETTINGS, workers=0) as stack:
        ids = [await accepted(http, stack.api, number) for number in range(4)]
        await until_all(stack.api, set(ids), "accepted")
        assert (await asked(http, stack, "POST", ids[0], "/cancel"))[0] == 202
        assert (await asked(http, stack, "DELETE", ids[1]))[0] == 202
        for _ in range(2):
            stack.start("work")
        found = await until_all(stack.api, set(ids[2:]), "processed")
        await until_answered(http, stack, ids[0], reason="cancelled", attempts=0)
        assert ids[1] not in found


async def test_a_document_behind_others_is_cancelled_unread(tmp_path: Path, http: Http) -> None:
    """With one document in hand at a time: a page that does not come."""
    one = {"COPYDESK_SLOTS": "1", "COPYDESK_MAX_WAITING": "0", "COPYDESK_FETCH_FIRST_BYTE_TIMEOUT_S": "5"}
    async with silent_site() as url:
        with embedded(tmp_path, SETTINGS | one) as stack:
            first = await new(http, stack, url=url)
            second = await accepted(http, stack.api, 2)
            await until_answered(http, stack, second, state="accepted")
            assert (await asked(http, stack, "POST", second, "/cancel"))[0] == 202
            await until_answered(http, stack, second, reason="cancelled", attempts=0)
            await until_answered(http, stack, first, reason="first_byte_timeout")


async def test_without_the_setting_text_is_not_kept(tmp_path: Path, http: Http) -> None:
    with embedded(tmp_path) as stack:
        document_id = await accepted(http, stack.api, 1)
        await until_all(stack.api, {document_id}, "processed")
        status, told = await asked(http, stack, "POST", document_id, "/rerun")
    assert (status, told["type"]) == (409, "/problems/nothing-kept")


async def test_a_document_that_waits_for_a_retry_is_cancelled_when_it_comes_back(stack: Stack, http: Http) -> None:
    document_id = await new(http, stack, url=REFUSES)
    await until_answered(http, stack, document_id, state="processing", reason="connect_error")
    status, told = await asked(http, stack, "POST", document_id, "/cancel")
    assert (status, told["state"], told["cancel"]) == (202, "processing", "requested")
    decided = await until_answered(http, stack, document_id, state="failed")
    assert (decided["reason"], decided["attempts"], decided["run"]) == ("cancelled", 1, 1)
    status, told = await asked(http, stack, "POST", document_id, "/cancel")
    assert (status, told["type"]) == (409, "/problems/already-decided")
    status, told = await asked(http, stack, "POST", document_id, "/rerun")
    assert (status, told["run"]) == (202, 2)
    await until_answered(http, stack, document_id, run=2, state="processing", reason="connect_error")


async def test_the_event_of_an_erased_waiting_document_has_none_of_its_content(stack: Stack, http: Http) -> None:
    document_id = await new(http, stack, url=REFUSES)
    await until_answered(http, stack, document_id, state="processing")
    assert (await asked(http, stack, "DELETE", document_id))[0] == 202
    event = await event_of(http, stack.api, document_id, "failed")
    assert json.loads(event)["data"]["reason"] == "cancelled"
    assert b"127.0.0.1" not in event
    await until_answered(http, stack, document_id, type="/problems/erased")


async def test_kept_text_is_run_again_and_one_of_many_gets_the_run(stack: Stack, http: Http) -> None:
    document_id = await new(http, stack, text=TEXT)
    await until_all(stack.api, {document_id}, "processed")
    answers = await asyncio.gather(*(asked(http, stack, "POST", document_id, "/rerun") for _ in range(6)))
    statuses = sorted(status for status, _ in answers)
    assert statuses == [202, *[409] * 5]
    found = await until_answered(http, stack, document_id, run=2, state="processed")
    assert [run["state"] for run in found["runs"]] == ["processed", "processed"]
    texts = []
    for run in ("1", "2"):
        async with http.get(
            f"{stack.api}/v1/documents/{document_id}", params={"format": "text", "run": run}
        ) as response:
            texts.append(await response.text())
    assert texts[0] == texts[1] != ""


async def test_a_url_is_run_again_with_its_options(stack: Stack, http: Http) -> None:
    async with changing_site() as (url, appear):
        body = {"url": url, "options": {"formats": ["text", "markdown"]}}
        async with http.post(f"{stack.api}/v1/documents", json=body) as response:
            document_id = (await response.json())["id"]
        await until_answered(http, stack, document_id, state="failed", reason="not_found")
        appear()
        keyed = {"Idempotency_Key": "once-more"}
        for _ in range(2):
            status, told = await asked(http, stack, "POST", document_id, "/rerun", **keyed)
            assert (status, told["run"]) == (202, 2)
        await until_answered(http, stack, document_id, run=2, state="processed")
        assert (await asked(http, stack, "POST", document_id, "/rerun", **keyed))[1]["run"] == 2
    async with http.get(f"{stack.api}/v1/documents/{document_id}?format=markdown") as response:
        assert (response.status, "ferry" in await response.text()) == (200, True)


@asynccontextmanager
async def silent_site() -> AsyncIterator[str]:
    """Yields the URL of a page that is never answered."""

    async def stay_silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(1000):
            pass
        writer.close()

    server = await asyncio.start_server(stay_silent, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"


@asynccontextmanager
async def changing_site() -> AsyncIterator[tuple[str, Callable[[], None]]]:
    """Yields the URL of a page that is not there, and what makes it appear."""
    there = asyncio.Event()

    async def answer(request: web.Request) -> web.Response:
        if not there.is_set() or request.path == "/robots.txt":
            raise web.HTTPNotFound
        page = (
            f"<html><head><title>Ferry</title></head><body><article><h1>Ferry</h1><p>{TEXT}</p></article></body></html>"
        )
        return web.Response(text=page, content_type="text/html")

    app = web.Application()
    app.router.add_get("/{path:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        host, port = runner.addresses[0][:2]
        yield f"http://{host}:{port}/page", there.set
    finally:
        await runner.cleanup()
