"""Many documents over two servers on RabbitMQ with PostgreSQL: the same batch, another one, and duplicates."""

import asyncio
import json
from collections.abc import Iterator, Sequence
from typing import Any
from uuid import uuid4

import aiohttp
import pytest

from tests.postgres_cluster import PostgresCluster
from tests.rabbit_node import RabbitNode
from tests.system.ledger_stacks import Stack, listed, look_up, replicas, until
from tests.system.processes import copydesk

pytestmark = [pytest.mark.system, pytest.mark.rabbit, pytest.mark.timeout(300)]

LINES = 300


@pytest.fixture(scope="module")
def stack(rabbit_node: RabbitNode, cluster: PostgresCluster) -> Iterator[Stack]:
    """One for all tests: each looks at the documents of its own label."""
    with replicas(rabbit_node, cluster) as stack:
        yield stack


class Batch:
    """Stories that nobody has posted, with a label and a key of their own."""

    def __init__(self, count: int) -> None:
        self.name = f"batch-{uuid4()}"
        self.texts = [
            " ".join(f"The {word} of {uuid4().hex[:6]} sails on." for word in ("ferry", "boat", "ship", "tug") * 5)
            for _ in range(count)
        ]

    async def post(self, http: aiohttp.ClientSession, api: str, texts: Sequence[str] | None = None) -> list[Any]:
        """Returns the lines of the answer."""
        lines = [{"text": text, "labels": {"batch": self.name}} for text in texts or self.texts]
        body = b"".join(json.dumps(line).encode() + b"\n" for line in lines)
        headers = {"Content-Type": "application/x-ndjson", "Idempotency-Key": self.name}
        async with http.post(f"{api}/v1/documents", data=body, headers=headers) as response:
            assert response.status == 200
            return [json.loads(line) for line in (await response.text()).splitlines()]

    async def processed(self, http: aiohttp.ClientSession, api: str) -> dict[str, dict[str, Any]]:
        """Waits until the ledger has as many documents of the batch as it has stories, all processed."""
        found: dict[str, dict[str, Any]] = {}

        async def are_all() -> bool:
            found.clear()
            found.update(await listed(http, api, label=f"batch:{self.name}"))
            return [one["state"] for one in found.values()] == ["processed"] * len(self.texts)

        await until(are_all)
        return found


def apis(stack: Stack) -> list[str]:
    return [server.wait_for_urls("api")["api"] for server in stack.servers]


async def test_a_batch_that_goes_to_both_servers_at_once_is_stored_once(stack: Stack) -> None:
    batch = Batch(LINES)
    async with aiohttp.ClientSession() as http:
        first, second = await asyncio.gather(*(batch.post(http, api) for api in apis(stack)))
        assert first == second
        assert {one["status"] for one in first} == {202}
        found = await batch.processed(http, apis(stack)[1])
    assert found.keys() == {one["id"] for one in first}
    settings = {"COPYDESK_AMQP_URL": stack.amqp_url or ""}
    balance = json.loads(await asyncio.to_thread(lambda: copydesk("audit", "--json", settings=settings).stdout))
    assert (balance["missing"], balance["differing"]) == (0, 0)


async def test_a_line_that_is_another_one_at_the_other_server_is_refused_alone(stack: Stack) -> None:
    batch = Batch(LINES)
    one, other = apis(stack)
    async with aiohttp.ClientSession() as http:
        first = await batch.post(http, one)
        await batch.processed(http, other)
        changed = [*batch.texts[:99], f"{batch.texts[99]} And more.", *batch.texts[100:], "One more line."]
        again = await batch.post(http, other, changed)
    assert (again[99]["status"], again[99]["type"]) == (422, "/problems/idempotency-key-reused")
    assert [*again[:99], *again[100:LINES]] == [*first[:99], *first[100:]]
    assert again[LINES]["status"] == 202


async def test_duplicates_are_found_whichever_server_took_the_first(stack: Stack) -> None:
    batch, repeats = Batch(20), Batch(40)
    one, other = apis(stack)
    async with aiohttp.ClientSession() as http:
        first = await batch.post(http, one)
        await batch.processed(http, one)
        texts = [*batch.texts, *(f"{text} Nothing else is new today." for text in batch.texts)]
        again = await repeats.post(http, other, texts)
        await repeats.processed(http, one)
        events = [(await look_up(http, one, receipt["id"], format="event"))[1] for receipt in again]
    told = [event["data"]["duplicate_of"] for event in events]
    assert [(it["id"], it["kind"]) for it in told[:20]] == [(receipt["id"], "content") for receipt in first]
    assert [(it["id"], it["kind"]) for it in told[20:]] == [(receipt["id"], "near") for receipt in first]
