"""Replies on RabbitMQ: their effect on subscribers, and the loss of their session."""

import asyncio
from collections.abc import Awaitable
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import replace

import pytest

from contract.broker import BrokerFull, BrokerUnavailable, Watch
from contract.codec import encode
from contract.topology import DOCUMENTS, PREVIEWS, PREVIEWS_AT_MOST
from runtime.brokers.rabbit.messages import event_headers
from tests.brokers import samples
from tests.brokers.rabbit_backend import QUICK, RabbitBackend
from tests.brokers.suite import Recorder, consuming
from tests.brokers.suite.watches import answer
from tests.rabbit_node import RabbitNode

pytestmark = pytest.mark.rabbit


async def next_event(watch: Watch) -> bytes:
    async with asyncio.timeout(60):
        return await watch.next()


async def test_subscribers_get_each_event_once_and_see_no_second_key(rabbit: RabbitBackend) -> None:
    job = samples.job()
    async with rabbit.broker() as broker, rabbit.channel() as channel, broker.watch(job.id) as watch:
        subscriber = await channel.declare_queue(exclusive=True)
        for pattern in ("#", "processed.#", job.id):
            await subscriber.bind(DOCUMENTS, pattern)
        async with consuming(broker, Recorder(1)):
            await broker.put(job)
            event = await next_event(watch)
        message = await subscriber.get()
        assert message is not None
        assert (message.body, message.headers) == (event, event_headers(samples.processed(job)))
        assert message.routing_key == samples.processed(job).routing_key
        assert await subscriber.get(fail=False) is None


async def test_a_lost_session_ends_the_watches_and_the_next_one_takes_new_ones(rabbit: RabbitBackend) -> None:
    job = samples.job()
    async with rabbit.broker() as broker:
        async with broker.watch(samples.job().id) as watch:
            await rabbit.crash(broker)
            with pytest.raises(BrokerUnavailable):
                await next_event(watch)
        with pytest.raises(BrokerUnavailable):
            async with broker.watch(job.id):
                pass
        await rabbit.mend(broker)
        async with consuming(broker, Recorder(1)):
            async with asyncio.timeout(60):
                while True:
                    with suppress(BrokerUnavailable):
                        async with broker.watch(job.id) as watch:
                            await broker.put(job)
                            assert job.id.encode() in await next_event(watch)
                            break


async def test_a_watch_that_ends_during_its_binding_does_not_affect_the_others(rabbit: RabbitBackend) -> None:
    job = samples.job()

    async def leave_soon(watching: AbstractAsyncContextManager[Watch]) -> None:
        async with watching:
            await asyncio.Event().wait()

    async with rabbit.broker() as broker, consuming(broker, Recorder(1)), broker.watch(job.id) as watch:
        for turns in range(20):
            leaving = asyncio.ensure_future(leave_soon(broker.watch(samples.job().id)))
            for _ in range(turns):
                await asyncio.sleep(0)  # a little later each time
            leaving.cancel()
            await asyncio.wait({leaving})
        await broker.put(job)
        assert job.id.encode() in await next_event(watch)
    assert rabbit.metrics.registry.get_sample_value(
        "copydesk_session_losses_total", {"role": "replies", "cause": "channel_closed"}
    ) in {None, 0.0}


async def test_a_reply_queue_ends_with_its_process(rabbit: RabbitBackend, rabbit_node: RabbitNode) -> None:
    async with rabbit.broker() as broker, broker.watch(samples.job().id):
        assert len(reply_queues(rabbit_node)) == 1
    assert reply_queues(rabbit_node) == []


def reply_queues(node: RabbitNode) -> list[str]:
    return [queue["name"] for queue in node.queues() if queue["name"].startswith("copydesk.replies.")]


async def test_previews_are_refused_when_too_many_wait(rabbit: RabbitBackend) -> None:
    """A quorum queue enforces its limit with a delay, so they are put one after the other."""
    patient = replace(QUICK, preview_wait_s=10.0)
    async with rabbit.broker(limits=patient) as broker, asyncio.TaskGroup() as group:
        asked: list[asyncio.Task[type[Exception] | None]] = []
        while not any(task.done() for task in asked):
            asked.append(group.create_task(outcome(broker.preview(samples.job()))))
            await asyncio.wait(asked[-1:], timeout=0.01)
        assert {task.result() for task in asked if task.done()} == {BrokerFull}
        assert PREVIEWS_AT_MOST < len(asked) < 2 * PREVIEWS_AT_MOST
        for task in asked:
            task.cancel()


async def test_a_preview_returned_to_a_process_that_is_gone_goes_nowhere(rabbit: RabbitBackend) -> None:
    async with rabbit.broker() as broker, asyncio.TaskGroup() as group:
        async with broker.watch(samples.job().id):
            pass  # all is declared now
        asked = group.create_task(outcome(broker.preview(samples.job())))
        async with rabbit.channel() as channel:
            previews = await channel.get_queue(PREVIEWS)
            async with asyncio.timeout(60):
                while (message := await previews.get(no_ack=True, fail=False)) is None:  # noqa: ASYNC110 - polled
                    await asyncio.sleep(0.05)
        assert message.reply_to is not None
        assert message.routing_key == message.reply_to
        await rabbit.crash(broker)
        assert await asked is BrokerUnavailable
    async with rabbit.broker() as broker, consuming(broker, Recorder(9, answer)):
        job = samples.job()
        assert await broker.preview(job) == encode(samples.processed(job))


async def outcome(preview: Awaitable[bytes]) -> type[Exception] | None:
    try:
        await preview
    except Exception as error:  # noqa: BLE001 - which one it is, is the question
        return type(error)
    return None
