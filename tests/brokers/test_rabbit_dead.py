"""The dead letters on RabbitMQ: effects of scanning a queue."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

import aio_pika
import pytest

from contract.broker import Broker, BrokerError, BrokerFull, BrokerUnavailable
from contract.codec import encode
from contract.dead import DeadLetter, Handled
from contract.job import Job
from contract.reasons import Reason
from contract.topology import DEAD, LOST, Topology
from runtime.brokers.rabbit import RabbitBroker
from tests.brokers import samples
from tests.brokers.rabbit_backend import QUICK, RabbitBackend, declare
from tests.brokers.suite import (
    Recorder,
    assert_nothing_waits,
    bury_many,
    consume_until,
    everything,
)
from tests.brokers.test_rabbit_faults import with_arguments
from tests.rabbit_node import RabbitNode

pytestmark = [pytest.mark.rabbit, pytest.mark.timeout(120)]


def ids(letters: Sequence[DeadLetter]) -> list[str]:
    return [letter.id for letter in letters]


async def bury_raw(rabbit: RabbitBackend, *bodies: bytes) -> None:
    """Puts messages among the dead letters, without headers about their burial."""
    async with rabbit.channel() as channel:
        await declare(channel, rabbit.topology)
        for body in bodies:
            await channel.default_exchange.publish(aio_pika.Message(body, message_id="from-elsewhere"), DEAD)


async def test_a_crash_between_put_and_ack_repeats_the_run_and_loses_nothing(rabbit: RabbitBackend) -> None:
    async with rabbit.broker() as broker:
        (job,) = await bury_many(broker, 1)

    class CrashingBroker(RabbitBroker):
        async def put(self, job: Job) -> None:
            await super().put(job)
            await rabbit.crash(self)
            raise BrokerUnavailable

    async with rabbit.broker(kind=CrashingBroker) as broker:
        with pytest.raises(BrokerUnavailable):
            await broker.retry_dead(everything)
    async with rabbit.broker() as broker:
        assert ids(await once_there(broker)) == [job.id]
        assert await broker.retry_dead(everything) == Handled(done=1)
        recorder = Recorder(2)
        await consume_until(broker, recorder)
        await assert_nothing_waits(broker)
    assert [again.event_id for again in recorder.jobs] == [f"{job.id}.2"] * 2


async def test_a_letter_that_rabbitmq_moved_itself_is_told_apart_and_retried(rabbit: RabbitBackend) -> None:
    job, topology = samples.job(), with_arguments(rabbit.topology, LOST, delivery_limit=1)
    await run_out_of_deliveries(rabbit, topology, job)
    async with rabbit.broker(topology=topology) as broker:
        (letter,) = await once_there(broker)
        assert await broker.retry_dead(everything) == Handled(done=1)
        recorder = Recorder(1)
        await consume_until(broker, recorder)
    assert (letter.id, letter.reason, letter.event_id) == (job.id, Reason.WORKER_LOST, None)
    assert "copydesk.lost" in letter.cause
    assert letter.buried_at.year > 2000
    assert [again.event_id for again in recorder.jobs] == [f"{job.id}.2"]


async def once_there(broker: Broker) -> Sequence[DeadLetter]:
    """Returns the letters once there are some: RabbitMQ moves and returns messages with a delay."""
    while not (look := await broker.dead(everything)).letters:  # noqa: ASYNC110 - and tells nobody
        await asyncio.sleep(0.02)
    return look.letters


async def run_out_of_deliveries(rabbit: RabbitBackend, topology: Topology, job: Job) -> None:
    async with rabbit.channel() as channel:
        await declare(channel, topology)
        queue = await channel.get_queue(LOST)
        await channel.default_exchange.publish(aio_pika.Message(encode(job), message_id=job.id), LOST)
        for _ in range(2):
            message = await queue.get()
            assert message is not None
            await message.reject(requeue=True)


async def test_a_letter_from_elsewhere_is_shown_as_unknown(rabbit: RabbitBackend) -> None:
    job = samples.job()
    await bury_raw(rabbit, b"", encode(job))
    async with rabbit.broker() as broker:
        nobody, known = (await broker.dead(everything)).letters
        assert await broker.retry_dead(everything) == Handled(done=1, kept=1)
    assert (nobody.id, nobody.reason, nobody.job) == ("from-elsewhere", None, None)
    assert (known.id, known.reason, known.job) == (job.id, None, replace(job, content=None))


async def test_a_letter_that_another_process_holds_is_found_only_after_its_return(rabbit: RabbitBackend) -> None:
    async with rabbit.broker() as broker:
        (job,) = await bury_many(broker, 1)
        async with rabbit.channel() as channel:
            held = await (await channel.get_queue(DEAD)).get()
            assert held is not None
            assert (await broker.dead(everything)).letters == []
            assert await broker.retry_dead(everything) == Handled(done=0)
            await held.nack(requeue=True)
            assert ids(await once_there(broker)) == [job.id]


async def test_two_processes_at_once_put_each_document_once(rabbit: RabbitBackend) -> None:
    # A put or a scan that its time limit cuts off may leave a letter whose job is put: then a repeat is right.
    limits = replace(QUICK, publish_timeout_s=50.0, scan_timeout_s=50.0)
    async with rabbit.broker(limits=limits) as one, rabbit.broker(limits=limits) as other:
        jobs = await bury_many(one, 60)
        done = 0
        async with asyncio.timeout(60):
            while done < len(jobs):
                async with asyncio.TaskGroup() as group:
                    calls = [group.create_task(broker.retry_dead(everything)) for broker in (one, other)]
                done += sum(call.result().done for call in calls)
        recorder = Recorder(60)
        await consume_until(one, recorder)
        await assert_nothing_waits(one)
    assert done == 60
    assert sorted(recorder.ids, key=str) == sorted(job.id for job in jobs)


@pytest.mark.parametrize("each", [1, 2])
async def test_none_of_many_dropped_letters_comes_back(rabbit: RabbitBackend, each: int) -> None:
    """Three rounds: with more than 32 acks under way, RabbitMQ lost some in two rounds of three."""
    async with rabbit.broker() as broker:
        for _ in range(3):
            jobs = await bury_many(broker, 150)
            chosen = {job.id for job in jobs[::each]}
            handled = await broker.drop_dead(lambda letter, chosen=chosen: letter.id in chosen)  # type: ignore[misc]
            assert handled == Handled(done=len(chosen))
            left = [job.id for job in jobs if job.id not in chosen]
            assert ids((await broker.dead(everything)).letters) == left
            await broker.drop_dead(everything)
            assert ids((await broker.dead(everything)).letters) == []


async def test_a_full_intake_leaves_the_letters_where_they_are(rabbit: RabbitBackend) -> None:
    async with rabbit.broker() as broker:
        jobs = await bury_many(broker, 40)
    async with rabbit.channel() as channel:
        await channel.queue_delete("copydesk.intake.interactive")
    small = with_arguments(rabbit.topology, "copydesk.intake.interactive", max_length=2)
    async with rabbit.broker(topology=small) as broker:
        handled = await broker.retry_dead(everything)
        left = (await broker.dead(everything)).letters
        with pytest.raises(BrokerFull):
            await broker.retry_dead(everything)
        after = (await broker.dead(everything)).letters
    assert not handled.complete
    assert 0 < handled.done < 40
    assert len(left) == 40 - handled.done
    assert sorted(ids(after)) == sorted(ids(left))  # a scan that ends early has no order
    assert set(ids(left)) < {job.id for job in jobs}


@pytest.mark.parametrize("bound", [{"scan_letters": 10}, {"scan_bytes": 3000}, {"scan_timeout_s": 0.0}])
async def test_a_look_is_bounded(rabbit: RabbitBackend, bound: dict[str, float]) -> None:
    limits = replace(QUICK, scan_batch_bytes=1000, **bound)  # type: ignore[arg-type] # each is of its field's type
    async with rabbit.broker() as broker:
        jobs = await bury_many(broker, 30)
    async with rabbit.broker(limits=limits) as broker:
        look = await broker.dead(everything)
        again = await broker.dead(everything)
    assert not look.complete
    assert len(look.letters) < 30
    assert ids(look.letters) == ids(again.letters) == [job.id for job in jobs][: len(look.letters)]


async def test_many_looks_do_not_use_letters_up(rabbit: RabbitBackend) -> None:
    async with rabbit.broker() as broker:
        (job,) = await bury_many(broker, 1)
        for _ in range(30):  # RabbitMQ 4 drops a message after 20 deliveries where nothing else is set
            assert ids((await broker.dead(everything)).letters) == [job.id]


async def test_an_unavailable_broker_is_reported(rabbit: RabbitBackend) -> None:
    async with rabbit.broker() as broker:
        await bury_many(broker, 1)
        await rabbit.crash(broker)
        for call in (broker.dead, broker.retry_dead, broker.drop_dead):
            with pytest.raises(BrokerUnavailable):
                await call(everything)
        await rabbit.mend(broker)
        assert len((await broker.dead(everything)).letters) == 1


async def test_a_look_on_a_broker_that_is_killed_ends_and_loses_nothing(
    mortal_rabbit: RabbitBackend, mortal_node: RabbitNode
) -> None:
    async with mortal_rabbit.broker() as broker:
        jobs = await bury_many(broker, 40)
        await asyncio.to_thread(mortal_node.settle)

        def kill_at_the_first(_: DeadLetter) -> bool:
            if not killed:
                killed.append(True)
                mortal_node.kill()
            return False

        killed: list[bool] = []
        with pytest.raises(BrokerUnavailable):
            await broker.dead(kill_at_the_first)
        await asyncio.to_thread(mortal_node.start)
        letters = await letters_once_returned(broker, len(jobs))
        assert sorted(ids(letters)) == sorted(job.id for job in jobs)


async def letters_once_returned(broker: Broker, count: int) -> Sequence[DeadLetter]:
    """Returns the letters when all are there: the node starts, then notices that who held the first ones is gone."""
    async with asyncio.timeout(60):
        while True:
            with suppress(BrokerError):
                letters = (await broker.dead(everything)).letters
                if len(letters) == count:
                    return letters
            await asyncio.sleep(0.2)
