"""The Python client on both brokers, through a load balancer, while servers are killed."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from pathlib import Path

import pytest
from copydesk_client import Client, Outcome, Submission, connect

from tests.system.front import front
from tests.system.ledger_stacks import KINDS, TEXT, Stack, opened
from tests.system.processes import copydesk

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]

MANY = 400


@pytest.fixture(params=KINDS)
def stack(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stack]:
    with opened(request, tmp_path, {"COPYDESK_DUPLICATE_DAYS": "0"}) as stack:
        yield stack


@pytest.fixture
async def client(stack: Stack) -> AsyncIterator[Client]:
    async with front(lambda: stack.api) as url, connect(url) as client:
        yield client


def story(number: int) -> Submission:
    return {"text": f"{TEXT} Edition {number}.", "labels": {"number": str(number)}}


def balance(stack: Stack) -> dict[str, int]:
    """Returns what `copydesk audit` counts."""
    folder = str(Path(stack.ledger_url.removeprefix("sqlite:///")).parent)
    done = (
        copydesk("audit", "--json", "--data", folder)
        if stack.amqp_url is None
        else copydesk("audit", "--json", settings={"COPYDESK_AMQP_URL": stack.amqp_url})
    )
    counts: dict[str, int] = json.loads(done.stdout)
    return counts


async def test_a_document_is_posted_awaited_and_looked_up(client: Client, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text(f"<meta charset=latin1><article><h1>Fähre</h1><p>{TEXT}</p></article>", encoding="latin1")
    first = await client.submit_file(page, labels={"desk": "7"}, options={"formats": ["markdown"], "keep_all": False})
    again = await client.submit(story(1), key="one")
    assert (await client.submit(story(1), key="one"))["id"] == again["id"]
    event = await client.wait(first["id"])
    assert event["type"] == "copydesk.document.processed.v1"
    assert (event["data"]["labels"], event["data"].get("title")) == ({"desk": "7"}, "Fähre")
    assert event["data"].get("markdown")
    other = await client.process({"url": "http://10.0.0.1/"})
    assert other["type"] == "copydesk.document.failed.v1"
    assert other["data"]["reason"] == "blocked_address"
    assert (await client.look_up(again["id"]))["id"] == again["id"]


async def test_a_bulk_loses_nothing_and_repeats_nothing_while_its_server_is_killed(
    stack: Stack, client: Client
) -> None:
    killed = asyncio.Event()

    async def documents() -> AsyncIterator[Submission]:
        for number in range(MANY):
            if number == MANY // 2:  # the server has half of a request when it dies
                await killed.wait()
            yield story(number)

    found: dict[int, Outcome] = {}
    async with asyncio.TaskGroup() as group, aclosing(client.bulk(documents(), key="ferries")) as outcomes:
        async for number, outcome in outcomes:
            assert number not in found
            found[number] = outcome
            if len(found) == MANY // 4:
                group.create_task(asyncio.to_thread(stack.kill, "serve")).add_done_callback(lambda _: killed.set())
    assert sorted(found) == list(range(1, MANY + 1))
    again = {number: outcome async for number, outcome in client.bulk(map(story, range(MANY)), key="ferries")}
    assert again == found
    labels = Counter[str]()
    async with asyncio.timeout(120):
        async for delivery in client.subscribe(after="oldest"):
            assert delivery.event["type"] == "copydesk.document.processed.v1"
            labels[delivery.event["data"]["labels"]["number"]] += 1
            if len(labels) == MANY:
                break
    assert labels == Counter(map(str, range(MANY)))
    counts = await asyncio.to_thread(balance, stack)
    assert (counts["accepted"], counts["missing"]) == (MANY, 0)


async def test_a_subscription_has_each_event_once_while_its_server_is_killed(stack: Stack, client: Client) -> None:
    found: list[str] = []
    posted: list[str] = []

    async def read(count: int, *, kill_at: int | None = None) -> None:
        async with aclosing(client.subscribe(consumer="archive", after="oldest")) as deliveries:
            async for delivery in deliveries:
                assert delivery.event["type"] == "copydesk.document.processed.v1"
                found.append(delivery.event["subject"])
                if len(found) == kill_at:
                    await asyncio.to_thread(stack.kill, "serve")
                await client.commit("archive", delivery.offset)
                if len(found) == count:
                    return

    async def post(first: int, count: int) -> None:
        posted.extend(
            [(await client.submit(story(number), key=str(number)))["id"] for number in range(first, first + count)]
        )

    async with asyncio.timeout(200), asyncio.TaskGroup() as group:
        group.create_task(read(40, kill_at=10))
        group.create_task(post(0, 40))
    assert Counter(found) == Counter(posted)
    await asyncio.to_thread(stack.kill, "serve")
    await post(40, 5)
    async with asyncio.timeout(100):
        await read(45)  # as another process: only what was not committed
    assert Counter(found) == Counter(posted)
