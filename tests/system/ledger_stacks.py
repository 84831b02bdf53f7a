"""Whole Copydesks with a ledger: on the embedded broker with SQLite, and on RabbitMQ with PostgreSQL."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import aio_pika
import aiohttp
import pytest

from tests.postgres_cluster import PostgresCluster
from tests.rabbit_node import RabbitNode
from tests.system.processes import Process, copydesk, running

SETTINGS = {"COPYDESK_FETCH_ALLOW_NETWORKS": "127.0.0.0/8"}
PORTS = ("--ops-port", "0")
KINDS = ("embedded", pytest.param("replicas", marks=pytest.mark.rabbit))
"""The parameters of a fixture that opens stacks."""
TEXT = "The harbour council voted on Tuesday evening to move the ferry landing two hundred metres up the coast. " * 5


@dataclass
class Stack:
    """A running Copydesk. `recorders` record, `servers` answer, `workers` work; one process may be all of it."""

    ledger_url: str
    start: Callable[[str], Process]  # one more of a role
    recorders: list[Process]
    servers: list[Process]
    workers: list[Process]
    amqp_url: str | None = None

    @property
    def api(self) -> str:
        return self.servers[0].wait_for_urls("api")["api"]

    def kill_recorder(self) -> None:
        """Kills the oldest recorder, and returns when a new one listens."""
        self.kill("record")

    def kill(self, role: str) -> None:
        """Kills the oldest process of `role`, and returns when a new one listens."""
        self._of(role)[0].kill()
        self.start_again(role)

    def start_again(self, role: str = "record") -> None:
        """Starts a process in place of the oldest one of `role`, which has ended."""
        ended, process = self._of(role)[0], self.start(role)
        process.wait_for_urls("api" if ended in self.servers else "ops")
        for processes in (self.recorders, self.servers, self.workers):
            if ended in processes:
                processes.remove(ended)
                processes.append(process)

    def _of(self, role: str) -> list[Process]:
        return {"record": self.recorders, "serve": self.servers, "work": self.workers}[role]


@contextmanager
def embedded(folder: Path, more: Mapping[str, str] | None = None) -> Iterator[Stack]:
    """`copydesk up`: one process is all of it. `more` are further settings."""
    with ExitStack() as stack:

        def start(_: str) -> Process:
            settings = SETTINGS | dict(more or {})
            return stack.enter_context(running("up", "--port", "0", *PORTS, "--data", str(folder), settings=settings))

        process = start("up")
        yield Stack(f"sqlite:///{folder / 'ledger.db'}", start, [process], [process], [process])


@contextmanager
def replicas(
    node: RabbitNode, cluster: PostgresCluster, more: Mapping[str, str] | None = None, *, workers: int = 2
) -> Iterator[Stack]:
    """Two each of `serve`, `work` and `record`, on a virtual host and in a database of their own."""
    url = cluster.database(like=_empty_ledger(cluster))
    with node.vhost(f"ledger{time.monotonic_ns()}") as amqp_url, replicas_of(amqp_url, url, more, workers) as stack:
        yield stack


@contextmanager
def replicas_of(amqp_url: str, url: str, more: Mapping[str, str] | None = None, workers: int = 2) -> Iterator[Stack]:
    """The same, on this virtual host and with this database."""
    with ExitStack() as stack:
        own = {"COPYDESK_AMQP_URL": amqp_url, "COPYDESK_LEDGER_URL": url, "COPYDESK_SLOTS": "4"}
        settings = SETTINGS | dict(more or {}) | own

        def start(role: str) -> Process:
            port = ("--port", "0") if role == "serve" else ()
            return stack.enter_context(running(role, *port, *PORTS, settings=settings))

        working = [start("work") for _ in range(workers)]
        recorders = [start("record") for _ in range(2)]
        servers = [start("serve") for _ in range(2)]
        yield Stack(url, start, recorders, servers, working, amqp_url)


@cache
def _empty_ledger(cluster: PostgresCluster) -> str:
    """Returns the name of a database with the tables of a ledger, from which others are copied."""
    url = cluster.database()
    made = copydesk("ledger", "upgrade", settings={"COPYDESK_LEDGER_URL": url})
    assert made.returncode == 0, made.stderr
    return url.rpartition("/")[2]


def opened(
    request: pytest.FixtureRequest, folder: Path, more: Mapping[str, str] | None = None
) -> AbstractContextManager[Stack]:
    """Opens a new stack of the kind that the fixture's parameter names."""
    if request.param == "embedded":
        return embedded(folder, more)
    return replicas(request.getfixturevalue("rabbit_node"), request.getfixturevalue("cluster"), more)


async def post(http: aiohttp.ClientSession, api: str, number: int) -> str | None:
    """Returns the id of an accepted document, None where the server is away or refuses."""
    body = {"text": f"{TEXT} {number}", "labels": {"load": "yes"}}
    try:
        async with http.post(f"{api}/v1/documents", json=body) as response:
            return str((await response.json())["id"]) if response.status == 202 else None
    except aiohttp.ClientError:
        return None


async def posted(http: aiohttp.ClientSession, api: str, body: dict[str, str]) -> aiohttp.ClientResponse:
    """Returns the receipt. What is answered 503 is posted again, as clients should: a broker takes a while to start."""
    while True:
        async with http.post(f"{api}/v1/documents", json=body) as response:
            await response.read()
        if response.status != 503:
            assert response.status == 202, await response.text()
            return response
        await asyncio.sleep(1)


async def accepted(http: aiohttp.ClientSession, api: str, number: int) -> str:
    """Returns the id of a document that is accepted in the end."""
    return str((await (await posted(http, api, {"text": f"{TEXT} {number}"})).json())["id"])


@asynccontextmanager
async def bound(url: str | None) -> AsyncIterator[Callable[[], Awaitable[bytes | None]]]:
    """Yields a function that returns the next event of the exchange, None without RabbitMQ."""
    if url is None:

        async def nothing() -> None:
            return None

        yield nothing
        return
    connection = await aio_pika.connect(url)
    async with connection, connection.channel() as channel:
        queue = await channel.declare_queue(exclusive=True)
        await queue.bind("copydesk.documents", "#")
        async with queue.iterator() as messages:

            async def following() -> bytes:
                return (await anext(messages)).body

            yield following


async def streamed(http: aiohttp.ClientSession, api: str) -> bytes:
    """Returns the newest event, as server-sent events carry it."""
    async with http.get(f"{api}/v1/events", params={"last": "1"}) as response:
        async for line in response.content:
            if line.startswith(b"data: "):
                return line.removeprefix(b"data: ").rstrip(b"\n")
    raise AssertionError("the stream ended")


async def event_of(http: aiohttp.ClientSession, api: str, document_id: str, state: str) -> bytes:
    """Waits for the event that a document came into `state`, and returns it as server-sent events carry it."""
    async with asyncio.timeout(90), http.get(f"{api}/v1/events", params={"last": "100"}) as response:
        async for line in response.content:
            if line.startswith(b"data: "):
                event = line.removeprefix(b"data: ").rstrip(b"\n")
                told = json.loads(event)
                if (told["subject"], told["type"]) == (document_id, f"copydesk.document.{state}.v1"):
                    return event
    raise AssertionError("the stream ended")


async def look_up(http: aiohttp.ClientSession, api: str, document_id: str, **query: str) -> tuple[int, dict[str, Any]]:
    async with http.get(f"{api}/v1/documents/{document_id}", params=query) as response:
        return response.status, await response.json(content_type=None)


async def listed(http: aiohttp.ClientSession, api: str, **query: str) -> dict[str, dict[str, Any]]:
    """Returns all documents of the list, by id."""
    found: dict[str, dict[str, Any]] = {}
    cursor: dict[str, str] = {}
    while True:
        async with http.get(f"{api}/v1/documents", params={"limit": "500", **query, **cursor}) as response:
            assert response.status == 200, await response.text()
            page = await response.json()
        for document in page["documents"]:
            assert document["id"] not in found
            found[document["id"]] = document
        if page["next"] is None:
            return found
        cursor = {"cursor": page["next"]}


async def until(holds: Callable[[], Awaitable[bool]], *, seconds: float = 90) -> None:
    """Polls until a condition holds."""
    async with asyncio.timeout(seconds):
        while not await holds():  # noqa: ASYNC110 - a process rings no bell
            await asyncio.sleep(0.1)


async def until_all(api: str, ids: set[str], state: str, *, accepted: bool = False) -> dict[str, dict[str, Any]]:
    """Waits until the ledger has all of `ids` in `state`, and returns the whole list.

    A verdict may be recorded before the acceptance; `accepted` waits for both.
    """
    found: dict[str, dict[str, Any]] = {}
    async with aiohttp.ClientSession() as http:

        async def are_there() -> bool:
            found.clear()
            found.update(await listed(http, api))
            return ids <= {
                document_id
                for document_id, document in found.items()
                if document["state"] == state and (document["accepted_at"] or not accepted)
            }

        await until(are_there)
    return found


def shown(ids: dict[str, dict[str, Any]]) -> str:
    """Returns documents in one form, to be compared."""
    return json.dumps(ids, sort_keys=True, indent=1)
