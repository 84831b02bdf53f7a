"""Named consumers and event tokens over the wire: on the embedded broker, and on RabbitMQ with two servers."""

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.system.ledger_stacks import KINDS, Stack, accepted, event_of, opened

pytestmark = [pytest.mark.system, pytest.mark.timeout(240)]

SETTINGS = {"COPYDESK_EVENT_TOKENS_SECRET": "only the servers know this secret"}


@pytest.fixture(params=KINDS)
def stack(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stack]:
    with opened(request, tmp_path, SETTINGS) as stack:
        yield stack


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as http:
        yield http


def server(stack: Stack, number: int) -> str:
    return stack.servers[number].wait_for_urls("api")["api"]


async def unread(http: aiohttp.ClientSession, api: str, **more: str) -> list[tuple[int, str]]:
    """Returns offset and document of each event that the consumer has not committed."""
    params = {"consumer": "archive", "after": "oldest", "follow": "false", "format": "ndjson", **more}
    async with http.get(f"{api}/v1/events", params=params) as response:
        assert response.status == 200, await response.text()
        *lines, end = [json.loads(line) async for line in response.content]
    assert end == {"ended": "complete"}
    return [(line["offset"], line["event"]["subject"]) for line in lines]


async def test_a_client_without_state_loses_nothing_at_any_server_also_after_a_crash(
    stack: Stack, http: aiohttp.ClientSession
) -> None:
    ids = [await accepted(http, server(stack, 0), number) for number in range(3)]
    for document_id in ids:
        await event_of(http, server(stack, 0), document_id, "processed")
    first = await unread(http, server(stack, 0))
    assert {document_id for _, document_id in first} == set(ids)
    commit = f"{server(stack, -1)}/v1/consumers/archive/commit"
    async with http.post(commit, json={"offset": first[1][0]}) as response:
        assert response.status == 200, await response.text()
    stack.kill("serve")
    assert await unread(http, server(stack, -1)) == first[2:]
    assert await unread(http, server(stack, 0), filter="has duplicate_of and not has duplicate_of") == []


async def test_a_second_connection_ends_the_first_at_any_server(stack: Stack, http: aiohttp.ClientSession) -> None:
    await accepted(http, server(stack, 0), 0)
    params = {"consumer": "archive", "format": "ndjson"}
    async with http.get(f"{server(stack, 0)}/v1/events", params=params) as first:
        assert first.status == 200
        async with http.get(f"{server(stack, -1)}/v1/events", params=params) as second:
            assert second.status == 200
            *_, last = [line async for line in first.content]
            assert json.loads(last) == {"ended": "superseded"}


async def test_every_server_takes_a_token_and_no_log_has_it(stack: Stack, http: aiohttp.ClientSession) -> None:
    document_id = await accepted(http, server(stack, 0), 0)
    await event_of(http, server(stack, 0), document_id, "processed")
    async with http.post(f"{server(stack, 0)}/v1/event-tokens") as response:
        token = (await response.json())["token"]
    params = {"token": token, "last": "1", "follow": "false"}
    for number in (0, -1):
        async with http.get(f"{server(stack, number)}/v1/events", params=params) as response:
            assert response.status == 200
            assert document_id in await response.text()
        wrong: dict[str, Any] = {"params": {"token": f"{token[:-4]}AAAA"}}
        async with http.get(f"{server(stack, number)}/v1/events", **wrong) as response:
            assert response.status == 401
    for process in stack.servers:
        assert process.stop() == 0
        assert token[:-4] not in json.dumps(process.log)
