"""A subscriber that stops reading, or connects too often, harms nobody: limits of users and of subscribers' queues."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from typing import Any

import aio_pika
import pytest
from aio_pika.abc import AbstractIncomingMessage, AbstractQueue
from aio_pika.exceptions import AMQPError, ChannelInvalidStateError
from prometheus_client import CollectorRegistry
from yarl import URL

from contract.broker import BrokerUnavailable
from contract.codec import decode_event
from contract.metrics import Metrics
from contract.topology import DOCUMENTS, design
from contract.users import SUBSCRIBER_CHANNELS, SUBSCRIBER_CONNECTIONS, read_accounts, subscriber_limits
from runtime.brokers.rabbit import RabbitBroker
from runtime.brokers.rabbit.setup import declare_topology
from runtime.brokers.rabbit.subscriber import subscribe
from runtime.brokers.rabbit.users import definitions
from tests.brokers import samples
from tests.brokers.rabbit_backend import QUICK
from tests.brokers.suite import Recorder, consume_until, put_all
from tests.rabbit_node import RabbitNode

pytestmark = pytest.mark.rabbit

VHOST = "limited"
EVENTS = 30
MOST = 5  # events that the queue of the silent subscriber holds
ACCOUNTS = read_accounts("silent:word\nkeen:word\n")


@pytest.fixture
def url(rabbit_node: RabbitNode) -> Iterator[str]:
    with rabbit_node.vhost(VHOST) as found:
        rabbit_node.define(definitions(ACCOUNTS, VHOST))
        asyncio.run(declare_topology(found, design(delays_s=(0.2,))))
        yield found


def limit(node: RabbitNode, **bounds: int) -> None:
    """Makes the limits of subscribers' queues smaller, so that a test reaches them."""
    made = definitions(ACCOUNTS, VHOST)
    made["parameters"][0]["value"]["definition"] |= {name.replace("_", "-"): value for name, value in bounds.items()}
    node.define(made)


def as_user(url: str, name: str) -> str:
    return str(URL(url).with_user(name).with_password("word"))


@asynccontextmanager
async def queue_of(url: str, name: str, **arguments: Any) -> AsyncIterator[AbstractQueue]:  # noqa: ANN401 - AMQP's own
    """A subscriber's durable queue of all events."""
    async with await aio_pika.connect(as_user(url, name)) as connection:
        channel = await connection.channel()
        given = {f"x-{key.replace('_', '-')}": value for key, value in arguments.items()}
        queue = await channel.declare_queue(f"subscriber.{name}", durable=True, arguments=given)
        await queue.bind(DOCUMENTS, "#")
        yield queue


def test_the_node_has_the_limits_of_subscribers_queues(rabbit_node: RabbitNode, url: str) -> None:
    assert url
    (found,) = json.loads(rabbit_node.ctl("list_operator_policies", "--vhost", VHOST, "--formatter", "json"))
    wanted = subscriber_limits()
    assert (found["name"], found["pattern"]) == (wanted.name, wanted.pattern)
    assert json.loads(found["definition"]) == dict(wanted.definition)


@pytest.mark.parametrize("kind", ["classic", "quorum"])
@pytest.mark.parametrize("own", [{}, {"max_length": 1_000_000}], ids=["no limit", "a higher limit"])
async def test_a_subscriber_that_stops_reading_harms_nobody(
    rabbit_node: RabbitNode, url: str, kind: str, own: dict[str, Any]
) -> None:
    await asyncio.to_thread(limit, rabbit_node, max_length=MOST)
    metrics, recorder, got = Metrics(CollectorRegistry()), Recorder(EVENTS), set[str]()

    async def take(message: AbstractIncomingMessage) -> None:
        got.add(decode_event(message.body).subject)
        await message.ack()

    async with (
        queue_of(url, "silent", queue_type=kind, **own) as silent,
        queue_of(url, "keen") as keen,
        RabbitBroker(url, metrics=metrics, topology=design(delays_s=(0.2,)), limits=QUICK) as broker,
        asyncio.timeout(60),
    ):
        await keen.consume(take)
        await put_all(broker, samples.jobs(EVENTS))
        await consume_until(broker, recorder)
        while len(got) < EVENTS:  # noqa: ASYNC110 - the last deliveries are on their way
            await asyncio.sleep(0.05)
        held = (await silent.declare(timeout=10)).message_count
    assert got == set(recorder.ids)
    assert held == MOST
    assert metrics.subscriber_refused._value.get() == 0


async def test_a_queue_that_nobody_reads_expires(rabbit_node: RabbitNode, url: str) -> None:
    await asyncio.to_thread(limit, rabbit_node, expires=300)
    async with queue_of(url, "silent", queue_type="quorum") as queue:
        async with asyncio.timeout(30):
            while await asyncio.to_thread(exists, rabbit_node, queue.name):
                pass


def exists(node: RabbitNode, name: str) -> bool:
    """Asks the node: a question over AMQP is a use of the queue."""
    return name in node.ctl("list_queues", "--vhost", VHOST, "name")


async def test_a_subscriber_has_so_many_connections_and_no_more(url: str) -> None:
    async with AsyncExitStack() as stack:
        for _ in range(SUBSCRIBER_CONNECTIONS):
            await stack.enter_async_context(await aio_pika.connect(as_user(url, "silent")))
        with pytest.raises(BrokerUnavailable, match="the user silent has as many connections as it may") as caught:
            async with aclosing(subscribe(as_user(url, "silent"), "#")) as events:
                await anext(events)
        assert "word" not in str(caught.value)
        async with await aio_pika.connect(as_user(url, "keen")):
            pass


async def test_a_subscriber_has_so_many_channels_and_no_more(url: str) -> None:
    async with AsyncExitStack() as stack:
        one, other = [await stack.enter_async_context(await aio_pika.connect(as_user(url, "silent"))) for _ in "12"]
        for _ in range(SUBSCRIBER_CHANNELS - 1):
            await one.channel()
        await other.channel()
        with pytest.raises((AMQPError, ConnectionError, ChannelInvalidStateError)):
            await other.channel()
        async with await aio_pika.connect(as_user(url, "keen")) as keen:
            await keen.channel()


@pytest.fixture
def impatient(rabbit_node: RabbitNode) -> Iterator[None]:
    """The node waits a second for acks, and looks twice a second. Deployed: thirty minutes, and once a minute."""
    set_times = (
        "application:set_env(rabbit, consumer_timeout, {}), application:set_env(rabbit, channel_tick_interval, {})."
    )
    rabbit_node.evaluate(set_times.format(1000, 500))
    yield
    rabbit_node.evaluate(set_times.format(1_800_000, 60_000))


@pytest.mark.usefixtures("impatient")
async def test_what_a_subscriber_does_not_ack_goes_to_another_one(url: str) -> None:
    async with (
        queue_of(url, "keen", queue_type="quorum") as queue,
        await aio_pika.connect(as_user(url, "keen")) as second,
        asyncio.timeout(60),
    ):
        await publish_one(url)
        held = await taken(queue)
        again = await taken(await (await second.channel()).get_queue(queue.name))
    assert held == again


async def publish_one(url: str) -> None:
    async with RabbitBroker(
        url, metrics=Metrics(CollectorRegistry()), topology=design(delays_s=(0.2,)), limits=QUICK
    ) as broker:
        await broker.put(samples.job())
        await consume_until(broker, Recorder(1))


async def taken(queue: AbstractQueue) -> str | None:
    """Consumes until a message comes, and never acks it."""
    got: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()

    async def keep(message: AbstractIncomingMessage) -> None:
        if not got.done():
            got.set_result(message.message_id)

    await queue.consume(keep)
    return await got
