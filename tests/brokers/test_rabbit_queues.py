"""Events of the log are sent to the queues of subscribers, on a real node."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

import aio_pika
import pytest
from aio_pika.abc import AbstractChannel
from prometheus_client import CollectorRegistry
from yarl import URL

from contract.broker import LogEntry, QueueExclusive, QueueForbidden, QueueMissing
from contract.codec import encode
from contract.metrics import Metrics
from contract.topology import design
from contract.users import read_accounts
from runtime.brokers.rabbit import RabbitBroker
from runtime.brokers.rabbit.users import definitions
from tests.brokers import samples
from tests.brokers.rabbit_backend import QUICK
from tests.rabbit_node import RabbitNode

pytestmark = pytest.mark.rabbit

VHOST = "queues"
GIVEN = design(delays_s=(0.2,))


@pytest.fixture
def url(rabbit_node: RabbitNode) -> Iterator[str]:
    with rabbit_node.vhost(VHOST) as found:
        yield found


@pytest.fixture
async def channel(url: str) -> AsyncIterator[AbstractChannel]:
    async with await aio_pika.connect(url) as connection:
        yield await connection.channel()


@pytest.fixture
async def broker(url: str) -> AsyncIterator[RabbitBroker]:
    async with RabbitBroker(url, metrics=Metrics(CollectorRegistry()), topology=GIVEN, limits=QUICK) as broker:
        yield broker


def entries(count: int) -> list[LogEntry]:
    events = [samples.processed(samples.job()) for _ in range(count)]
    return [LogEntry(offset, event.routing_key, encode(event)) for offset, event in enumerate(events)]


async def test_a_queue_gets_the_bytes_of_the_log_with_the_headers_of_the_exchange(
    broker: RabbitBroker, channel: AbstractChannel
) -> None:
    queue = await channel.declare_queue("mine", durable=True)
    unknown = LogEntry(3, "later.event", b'{"type": "of a later version"}')
    sent = [*entries(2), unknown]
    assert await broker.send_again("mine", sent, "replay-1") == []
    for entry in sent:
        message = await queue.get(no_ack=True)
        assert message is not None
        assert (message.body, message.delivery_mode, message.content_type) == (
            entry.body,
            aio_pika.DeliveryMode.PERSISTENT,
            "application/cloudevents+json",
        )
        assert message.headers["copydesk-replay"] == "replay-1"
        assert message.headers["copydesk-routing-key"] == entry.routing_key
        if entry is not unknown:
            assert (message.headers["type"], message.headers["label.desk"]) == ("processed", "foreign")


async def test_what_a_full_queue_refuses_is_returned(broker: RabbitBroker, channel: AbstractChannel) -> None:
    queue = await channel.declare_queue(
        "full",
        durable=True,
        arguments={"x-queue-type": "quorum", "x-max-length": 1, "x-overflow": "reject-publish"},
    )
    left = list(entries(8))
    assert await broker.send_again("full", left[:2], "r") is not None
    refused = await broker.send_again("full", left, "r")
    assert 0 < len(refused) <= 8
    assert set(refused) <= set(left)
    assert await queue.get(no_ack=True) is not None


async def test_a_queue_that_is_not_there_is_told_from_one_that_is_exclusive(
    broker: RabbitBroker, channel: AbstractChannel
) -> None:
    own = await channel.declare_queue(exclusive=True)
    await channel.declare_queue("mine", durable=True)
    assert [await broker.has_queue(name) for name in ("mine", "none")] == [True, False]
    with pytest.raises(QueueExclusive):
        await broker.has_queue(own.name)
    with pytest.raises(QueueMissing):
        await broker.send_again("none", entries(3), "r")
    assert await broker.send_again("mine", entries(3), "r") == []


async def test_a_user_of_the_role_alone_may_not_send_to_queues(
    url: str, rabbit_node: RabbitNode, channel: AbstractChannel
) -> None:
    await channel.declare_queue("mine", durable=True)
    rabbit_node.define(definitions(read_accounts("copydesk-deliver:hush\n"), VHOST))
    scoped = str(URL(url).with_user("copydesk-deliver").with_password("hush"))
    async with RabbitBroker(url, metrics=Metrics(CollectorRegistry()), topology=GIVEN, limits=QUICK) as whole:
        await whole.log_bounds()  # declares
    metrics, checked = Metrics(CollectorRegistry()), replace(GIVEN, only_checked=True)
    async with RabbitBroker(scoped, metrics=metrics, topology=checked, limits=QUICK) as broker:
        with pytest.raises(QueueForbidden):
            await broker.send_again("mine", entries(1), "r")
