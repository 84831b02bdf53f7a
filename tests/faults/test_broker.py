"""The broker dies, is stopped, loses a queue, or runs out of memory while documents come in."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import aio_pika
import pytest

from tests.faults.balance import balance, subscriber
from tests.faults.conftest import LOAD_S, WITHIN_S
from tests.faults.deployment import Deployment
from tests.faults.load import Client, recovery_s, tiny_ones, within
from tests.rabbit_node import RabbitNode

if TYPE_CHECKING:
    from pamqp.common import Arguments

pytestmark = [pytest.mark.faults, pytest.mark.rabbit, pytest.mark.timeout(2 * WITHIN_S + 60)]

HEARTBEAT_S = 2


@pytest.fixture(scope="module")
def deployment(node: RabbitNode) -> Iterator[Deployment]:
    running = Deployment(f"{node.url}?heartbeat={HEARTBEAT_S}")
    try:
        running.wait_until_ready()
        yield running
    finally:
        running.close()


async def test_broker_killed_and_restarted(
    deployment: Deployment, node: RabbitNode, documents: int, within_s: float
) -> None:
    client = Client(lambda: deployment.api)
    async with within(within_s, client, node), subscriber(node.url) as events, asyncio.TaskGroup() as group:
        await asyncio.to_thread(node.settle)
        group.create_task(client.post_all(tiny_ones(documents), over_s=LOAD_S))
        await client.until_accepted(documents // 4)
        await asyncio.to_thread(node.kill)
        await client.until_refused(1)  # longer than the timeout of a put, so that clients notice
        await asyncio.to_thread(node.start)
        seconds = await recovery_s(client, events.until_decided)
        await client.until_accepted(documents + 1)
        row = await balance("broker killed, restarted", node.url, client.accepted, events, seconds, within_s=within_s)
    assert row.lost == row.differing == 0
    assert events.subjects >= client.accepted


async def test_broker_stands_still(deployment: Deployment, node: RabbitNode, documents: int, within_s: float) -> None:
    client = Client(lambda: deployment.api)
    async with within(within_s, client, node), subscriber(node.url) as events, asyncio.TaskGroup() as group:
        posting = group.create_task(client.post_all(tiny_ones(documents), over_s=LOAD_S))
        await client.until_accepted(documents // 4)
        node.pause()
        await asyncio.sleep(4 * HEARTBEAT_S)
        node.resume()
        seconds = await recovery_s(client, events.until_decided)
        await posting
        name = f"broker stopped for {4 * HEARTBEAT_S} s, heartbeat {HEARTBEAT_S} s"
        row = await balance(name, node.url, client.accepted, events, seconds, within_s=within_s)
    assert row.lost == row.differing == 0
    assert events.subjects >= client.accepted


async def test_queue_deleted_under_its_consumers(
    deployment: Deployment, node: RabbitNode, documents: int, within_s: float
) -> None:
    client = Client(lambda: deployment.api)
    async with within(within_s, client, node), subscriber(node.url) as events, asyncio.TaskGroup() as group:
        posting = group.create_task(client.post_all(tiny_ones(documents, "interactive"), over_s=LOAD_S))
        await client.until_accepted(documents // 4)
        await asyncio.to_thread(node.ctl, "delete_queue", "copydesk.intake.bulk")  # empty: nothing in it to be lost
        await client.post_all(tiny_ones(documents // 4))
        seconds = await recovery_s(client, events.until_decided)
        await posting
        name = "queue deleted under its consumers"
        row = await balance(name, node.url, client.accepted, events, seconds, within_s=within_s)
    assert row.lost == row.differing == 0
    assert events.subjects >= client.accepted


async def test_subscriber_that_is_full(
    deployment: Deployment, node: RabbitNode, documents: int, within_s: float
) -> None:
    client = Client(lambda: deployment.api)
    async with within(within_s, client, node), subscriber(node.url) as events, full_subscriber(node.url):
        await client.post_all(tiny_ones(documents))
        seconds = await recovery_s(client, events.until_decided)
        row = await balance("subscriber's queue is full", node.url, client.accepted, events, seconds, within_s=within_s)
    assert row.lost == row.differing == row.repeated[0] == 0
    assert row.repeated[1] < documents  # some are offered again, to all, most are not
    assert events.subjects >= client.accepted


@asynccontextmanager
async def full_subscriber(url: str) -> AsyncIterator[None]:
    """A subscriber whose queue takes one event, and that reads none."""
    async with await aio_pika.connect(url) as connection:
        channel = await connection.channel()
        arguments: Arguments = {"x-max-length": 1, "x-overflow": "reject-publish"}
        queue = await channel.declare_queue("full", exclusive=True, arguments=arguments)
        await queue.bind("copydesk.documents", "#")
        yield
