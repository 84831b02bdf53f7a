"""Batches over the wire: many documents, one event when all of them are decided, whoever dies meanwhile."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.system.ledger_stacks import KINDS, TEXT, Stack, bound, opened, until
from tests.system.processes import copydesk
from tests.system.test_rabbit import ready

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]

MANY = 200
EVERY = 8  # of the documents each such one fails: its address is refused
FAILED = MANY // EVERY
COMPLETED = "copydesk.batch.completed.v1"


@pytest.fixture(params=KINDS)
def stack(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stack]:
    with opened(request, tmp_path) as stack:
        yield stack


def line(number: int) -> bytes:
    is_bad = number % EVERY == 0
    document = {"url": f"http://10.0.0.1/{number}"} if is_bad else {"text": f"{TEXT} {number}"}
    return json.dumps(document).encode() + b"\n"


async def post(http: aiohttp.ClientSession, api: str, name: str, numbers: range, **query: str) -> list[dict[str, Any]]:
    """Posts documents into a batch, again until all are stored; returns the lines of the last answer."""
    headers = {"Content-Type": "application/x-ndjson", "Idempotency-Key": f"{name}-{numbers.start}"}
    body = b"".join(map(line, numbers))
    async with asyncio.timeout(90):
        while True:
            async with http.post(
                f"{api}/v1/documents", params={"batch": name, **query}, data=body, headers=headers
            ) as response:
                lines = [json.loads(each) for each in (await response.text()).splitlines()]
            if all(each["status"] == 202 for each in lines):
                return lines
            await asyncio.sleep(1)  # a broker takes a while to start


async def batch_events(http: aiohttp.ClientSession, api: str) -> AsyncIterator[bytes]:
    """Yields all events of batches in the log, from the oldest on."""
    query = {"after": "oldest", "pattern": "batch.#"}
    async with http.get(f"{api}/v1/events", params=query) as response:
        async for each in response.content:
            if each.startswith(b"data: "):
                yield each.removeprefix(b"data: ").rstrip(b"\n")


async def until_told(http: aiohttp.ClientSession, api: str, batch: str) -> list[bytes]:
    """Returns the events of all batches in the log up to that of `batch`."""
    found = []
    async with asyncio.timeout(120):
        async for event in batch_events(http, api):
            found.append(event)
            if json.loads(event)["subject"] == batch:
                return found
    raise AssertionError("the stream ended")


async def close(http: aiohttp.ClientSession, api: str, batch: str) -> None:
    async with http.post(f"{api}/v1/batches/{batch}/close") as response:
        assert response.status == 202, await response.text()


async def state_of(http: aiohttp.ClientSession, api: str, batch: str) -> dict[str, Any]:
    async with http.get(f"{api}/v1/batches/{batch}", params={"limit": "500"}) as response:
        return dict(await response.json()) if response.status == 200 else {}


async def listed(http: aiohttp.ClientSession, api: str, **query: str) -> list[str]:
    """Returns the ids of the documents that the list shows, newest first."""
    async with http.get(f"{api}/v1/documents", params={"limit": "500", **query}) as response:
        return [document["id"] for document in (await response.json())["documents"]]


def assert_exact(event: bytes, state: dict[str, Any]) -> None:
    """The event and the look-up tell of every document once."""
    data = json.loads(event)["data"]
    counts = {"accepted": MANY, "processed": MANY - FAILED, "failed": FAILED, "erased": 0}
    assert data["counts"] == counts
    assert state["documents"] == counts | {"waiting": 0}
    assert (state["state"], state["late"], state["completed_at"]) == ("completed", 0, data["completed"])
    failures = [(failure["url"], failure["reason"]) for failure in state["failures"]]
    assert sorted(failures) == sorted((f"http://10.0.0.1/{n}", "blocked_address") for n in range(0, MANY, EVERY))
    assert all(failure in state["failures"] for failure in data["failures"])
    assert len(data["failures"]) == min(20, FAILED)


async def test_one_event_tells_when_all_of_a_batch_is_decided(stack: Stack) -> None:
    first, second = (server.wait_for_urls("api")["api"] for server in (stack.servers[0], stack.servers[-1]))
    async with asyncio.timeout(60):
        await ready(stack.servers[0].wait_for_urls("ops")["ops"])  # the exchange is there
    async with aiohttp.ClientSession() as http, bound(stack.amqp_url) as following:
        receipts = await post(http, first, "import", range(MANY // 2))
        receipts += await post(http, second, "import", range(MANY // 2, MANY))
        (batch,) = {receipt["batch"] for receipt in receipts}

        async def is_decided() -> bool:
            documents = (await state_of(http, second, batch)).get("documents", {})
            return bool(documents.get("accepted") == MANY and documents["waiting"] == 0)

        await until(is_decided)
        assert (await state_of(http, second, batch))["state"] == "open"
        await close(http, first, batch)
        (told,) = await until_told(http, second, batch)
        assert_exact(told, await state_of(http, first, batch))
        *last, end = await post(http, second, "last", range(1, 2), close_batch="true")
        assert len(await until_told(http, first, end["batch"])) == 2
        in_batch = await listed(http, second, batch="import")
        assert sorted(in_batch) == sorted(receipt["id"] for receipt in receipts)
        assert await listed(http, first, batch=batch, state="failed") == await listed(http, first, state="failed")
        assert await listed(http, first, batch=end["batch"]) == [receipt["id"] for receipt in last]
        if stack.amqp_url is not None:
            published = await all_until(following, end["batch"])
            assert [event for event in published if json.loads(event)["type"] == COMPLETED] == [told, published[-1]]
            ids = {json.loads(event)["id"] for event in published}  # an event may be repeated
            assert len(ids) == MANY + 3  # with the last document, and the events of both batches
    balance = json.loads(copydesk("audit", "--json", settings=audit_settings(stack)).stdout)
    assert (balance["accepted"], balance["decided"], balance["missing"]) == (MANY + 1, MANY + 1, 0)


async def all_until(following: Any, batch: str) -> list[bytes]:  # noqa: ANN401 - see `bound`
    """Returns what the exchange delivers up to the completion of `batch`."""
    found: list[bytes] = []
    async with asyncio.timeout(60):
        while not found or json.loads(found[-1])["subject"] != batch:
            found.append(await following())
    return found


def audit_settings(stack: Stack) -> dict[str, str]:
    if stack.amqp_url is not None:
        return {"COPYDESK_AMQP_URL": stack.amqp_url}
    return {"COPYDESK_DATA": str(Path(stack.ledger_url.removeprefix("sqlite:///")).parent)}


async def test_the_event_comes_though_recorders_die(stack: Stack) -> None:
    async with aiohttp.ClientSession() as http:
        *receipts, end = await post(http, stack.api, "import", range(MANY), close_batch="true")
        assert (len(receipts), end["closed"]) == (MANY, True)
        for _ in range(2):
            stack.kill_recorder()
    async with aiohttp.ClientSession() as http:
        told = await until_told(http, stack.api, end["batch"])
        assert_exact(told[0], await state_of(http, stack.api, end["batch"]))
        *_, last = await post(http, stack.api, "last", range(1, 2), close_batch="true")
        *found, _ = await until_told(http, stack.api, last["batch"])
        assert set(found) == {told[0]}
