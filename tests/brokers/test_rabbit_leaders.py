"""Streams of RabbitMQ get new leaders: what is confirmed stays, and each stream has a channel of its own."""

import asyncio
import gc
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from uuid import uuid4

import pytest
from aiormq import spec
from pamqp.frame import unmarshal

from contract.broker import Broker
from contract.topology import ACCEPTED, LOG, REQUESTS, exchange_to
from tests.brokers import samples
from tests.brokers.announcer import Announcer, event_of, missing_in_log
from tests.brokers.rabbit_backend import QUICK, RabbitBackend, declare
from tests.brokers.suite import Recorder, consume_until, put_all
from tests.brokers.suite.requests import sink, wanted
from tests.rabbit_node import RabbitNode

pytestmark = [pytest.mark.rabbit, pytest.mark.timeout(120)]

BETWEEN = 200  # events between two deaths of a leader


async def test_what_is_confirmed_is_kept_when_the_leader_of_the_log_dies(
    rabbit: RabbitBackend, rabbit_node: RabbitNode
) -> None:
    async with rabbit.broker() as broker:
        announced = await announced_while_leaders_die(broker, rabbit_node, deaths=5)
        missing, _ = await missing_in_log(broker, announced)
    assert missing == set()


async def test_a_log_that_is_deleted_and_declared_again_keeps_what_is_confirmed_from_the_next_channel_on(
    rabbit: RabbitBackend, rabbit_node: RabbitNode
) -> None:
    limits = replace(QUICK, stream_channel_s=0.5)
    async with rabbit.broker(limits=limits) as broker:
        for _ in range(BETWEEN):
            await sink(broker).announce(event_of(uuid4().hex))
        async with rabbit.channel() as channel:
            await channel.queue_delete(LOG)
            await declare(channel, rabbit.topology)
        await sink(broker).announce(event_of(uuid4().hex))
        await asyncio.sleep(limits.stream_channel_s)
        announced = await announced_while_leaders_die(broker, rabbit_node, deaths=3)
        missing, _ = await missing_in_log(broker, announced)
    assert missing == set()


async def announced_while_leaders_die(broker: Broker, node: RabbitNode, *, deaths: int) -> set[str]:
    """Returns the documents whose event was confirmed while the log got a new leader `deaths` times."""
    announcer = Announcer(broker)
    async with asyncio.TaskGroup() as group:
        group.create_task(announcer.run())
        for _ in range(deaths):
            await announcer.until_more(BETWEEN)
            await asyncio.to_thread(kill_leader, node, LOG)
        await announcer.until_more(BETWEEN)
        announcer.stop()
    return announcer.confirmed


def kill_leader(node: RabbitNode, stream: str) -> None:
    """Kills the process that leads a stream, as the death of its node does: the stream elects another one."""
    node.evaluate(
        f'{{ok, Queue}} = rabbit_amqqueue:lookup(rabbit_misc:r(<<"/">>, queue, <<"{stream}">>)),'
        "exit(amqqueue:get_pid(Queue), kill).",
    )


async def test_a_channel_that_publishes_to_a_stream_publishes_to_nothing_else(rabbit: RabbitBackend) -> None:
    """RabbitMQ 3.10 may confirm and drop what follows a new leader on a channel that does both."""
    sent = await sent_to_publish(rabbit)
    channels: dict[int, list[str]] = defaultdict(list)
    for channel, frame in frames(sent):
        if isinstance(frame, spec.Basic.Publish):
            channels[channel].append(frame.exchange)
    goals = [set(goals) for goals in channels.values()]
    for stream in map(exchange_to, (LOG, ACCEPTED, REQUESTS)):
        assert {stream} in goals
        assert sum(stream in goal for goal in goals) == 1


async def test_a_channel_confirms_from_its_first_message_on(rabbit: RabbitBackend) -> None:
    """Messages without a confirm would have a number in the stream, and none in the channel."""
    confirming = set()
    for channel, frame in frames(await sent_to_publish(rabbit)):
        if isinstance(frame, spec.Confirm.Select):
            confirming.add(channel)
        elif isinstance(frame, spec.Basic.Publish):
            assert channel in confirming


async def sent_to_publish(rabbit: RabbitBackend) -> bytes:
    """Returns what a broker of ours sends where jobs, events and requests are published."""
    async with rabbit.broker() as broker:
        await put_all(broker, samples.jobs(8))
        await consume_until(broker, Recorder(8))
        await sink(broker).request(wanted(samples.job()))
        (publisher,) = [relay for relay in rabbit.wire(broker).relays if relay.is_called("publisher")]
    return bytes(publisher.sent)


async def test_the_channel_to_a_stream_is_replaced_and_closed(rabbit: RabbitBackend) -> None:
    limits = replace(QUICK, stream_channel_s=0.1, confirm_timeout_s=0.2)
    async with rabbit.broker(limits=limits) as broker:
        await broker.put(samples.job())
        await asyncio.sleep(limits.stream_channel_s)
        await broker.put(samples.job())
        (publisher,) = [relay for relay in rabbit.wire(broker).relays if relay.is_called("publisher")]
        first, second = channels_to(ACCEPTED, bytes(publisher.sent))
        async with asyncio.timeout(60):
            while (first, spec.Channel.Close) not in [(n, type(frame)) for n, frame in frames(bytes(publisher.sent))]:  # noqa: ASYNC110 - what was sent can only be looked at
                await asyncio.sleep(0.05)
        await broker.put(samples.job())
    assert first != second
    assert session_losses(rabbit) == 0


def channels_to(queue: str, sent: bytes) -> list[int]:
    """Returns the channels on which messages went to `queue`, one for each message."""
    return [
        channel
        for channel, frame in frames(sent)
        if isinstance(frame, spec.Basic.Publish) and frame.exchange == exchange_to(queue)
    ]


async def test_channels_that_are_done_leave_nothing_behind(rabbit: RabbitBackend) -> None:
    limits = replace(QUICK, stream_channel_s=0.0, confirm_timeout_s=0.5)
    async with rabbit.broker(limits=limits) as broker:
        await put_all(broker, samples.jobs(20))
        before = objects()
        await put_all(broker, samples.jobs(100))
        async with asyncio.timeout(60):
            while objects() > before + 300:  # noqa: ASYNC110 - the last ones close behind the puts
                await asyncio.sleep(0.2)
    assert session_losses(rabbit) == 0


def session_losses(rabbit: RabbitBackend) -> float:
    """Returns how often a broker of ours lost a connection, for whatever cause."""
    (family,) = rabbit.metrics.session_losses.collect()
    return sum(sample.value for sample in family.samples if sample.name.endswith("_total"))


def objects() -> int:
    """Returns how many objects there are that the garbage collector knows."""
    gc.collect()
    return len(gc.get_objects())


def frames(sent: bytes) -> Iterator[tuple[int, object]]:
    """Yields the AMQP frames that a client sent, with their channels."""
    while sent:
        size, channel, frame = unmarshal(sent)
        sent = sent[size:]
        yield channel, frame
