"""Documents that are posted twice: over several servers and workers, and over their deaths."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp
import pytest

from tests.postgres_cluster import running_postgres
from tests.rabbit_node import RabbitNode
from tests.system.ledger_stacks import KINDS, Stack, look_up, opened, replicas, until

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]


@pytest.fixture(params=KINDS)
def stack(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stack]:
    with opened(request, tmp_path) as stack:
        yield stack


def story() -> str:
    """Returns a text of a hundred words that nobody has posted."""
    return " ".join(f"The {word} of {uuid4().hex[:6]} sails on." for word in ("ferry", "boat", "ship", "tug") * 5)


async def posted(
    http: aiohttp.ClientSession, api: str, body: dict[str, object], key: str | None = None
) -> tuple[int, dict[str, Any]]:
    headers = {} if key is None else {"Idempotency-Key": key}
    async with http.post(f"{api}/v1/documents", json=body, headers=headers) as response:
        return response.status, await response.json(content_type=None)


async def decided(http: aiohttp.ClientSession, api: str, **body: object) -> dict[str, Any]:
    """Posts a document, and returns its event when it is in the ledger."""
    status, receipt = await posted(http, api, body)
    assert status == 202, receipt
    return await event_of(http, api, receipt["id"])


async def event_of(http: aiohttp.ClientSession, api: str, document_id: str) -> dict[str, Any]:
    async def is_decided() -> bool:
        status, told = await look_up(http, api, document_id)
        return status == 200 and told["state"] in {"processed", "failed"}

    await until(is_decided)
    _, event = await look_up(http, api, document_id, format="event")
    return event


async def test_duplicates_are_known_to_all_workers_and_over_their_deaths(stack: Stack) -> None:
    text = story()
    nearly = f"{text} Nothing else is new today."
    async with aiohttp.ClientSession() as http:
        first = await decided(http, stack.api, text=text, url="https://example.org/ferry")
        assert first["data"]["duplicate_of"] is None
        for _ in stack.workers[:]:
            stack.kill("work")
        own = [await decided(http, stack.api, text=text) for _ in range(3)]
        near = await decided(http, stack.api, text=nearly)
        moved = await decided(http, stack.api, text=story(), url="http://example.org/ferry")
        dropped = await decided(http, stack.api, text=nearly, options={"on_duplicate": "drop"})
        other = await decided(http, stack.api, text=story(), options={"on_duplicate": "drop"})
    named = {"id": first["subject"], "kind": "content", "similarity": 1.0}
    assert [event["data"]["duplicate_of"] for event in own] == [named] * 3
    assert near["data"]["duplicate_of"]["id"] == first["subject"]
    assert near["data"]["duplicate_of"]["kind"] == "near"
    assert (moved["data"]["duplicate_of"]["id"], moved["data"]["duplicate_of"]["kind"]) == (first["subject"], "url")
    assert moved["data"]["duplicate_of"]["similarity"] < 0.2
    assert (dropped["type"], dropped["data"]["reason"]) == ("copydesk.document.failed.v1", "duplicate")
    assert dropped["data"]["duplicate_of"]["id"] == near["subject"]
    assert "text" not in dropped["data"]
    assert (other["type"], other["data"]["duplicate_of"]) == ("copydesk.document.processed.v1", None)
    assert {event["data"]["provenance"]["duplicates_checked"] for event in (*own, near, moved, dropped)} == {True}


async def test_a_key_belongs_to_its_first_body_on_every_server(stack: Stack) -> None:
    key, text = f"key-{uuid4()}", story()
    async with aiohttp.ClientSession() as http:
        status, receipt = await posted(http, stack.api, {"text": text}, key)
        assert status == 202
        event = await event_of(http, stack.api, receipt["id"])
        assert event["data"]["provenance"]["idempotency"]["checked"] is True
        stack.kill("serve")
        for server in stack.servers:
            api = server.wait_for_urls("api")["api"]
            status, problem = await posted(http, api, {"text": f"{text} And more."}, key)
            assert (status, problem["type"]) == (422, "/problems/idempotency-key-reused")
            assert await posted(http, api, {"text": text}, key) == (202, receipt)


@pytest.mark.rabbit
async def test_workers_go_on_without_the_database(rabbit_node: RabbitNode) -> None:
    with running_postgres() as cluster, replicas(rabbit_node, cluster, workers=1) as stack:
        async with aiohttp.ClientSession() as http:
            text = story()
            before = await decided(http, stack.api, text=text)
            cluster.kill()
            told = await waited(http, stack.api, text)
        assert told["data"]["duplicate_of"]["id"] == before["subject"]
        assert told["data"]["provenance"]["duplicates_checked"] is False
        assert told["data"]["provenance"]["idempotency"]["checked"] is False


async def waited(http: aiohttp.ClientSession, api: str, text: str) -> dict[str, Any]:
    """Posts a text with a key, and returns the event without the ledger."""
    headers = {"Idempotency-Key": f"key-{uuid4()}", "Prefer": "wait=30", "Accept": "application/cloudevents+json"}
    async with http.post(f"{api}/v1/documents", json={"text": text}, headers=headers) as response:
        assert response.status == 200, await response.text()
        event: dict[str, Any] = json.loads(await response.read())
        return event
