"""Many deliveries in hand: their bytes, their confirms and their acks."""

import asyncio

import pytest

from contract.broker import Delivery
from contract.capacity import Capacity
from contract.codec import encode
from contract.job import Lane
from contract.topology import lane_queue
from contract.verdicts import Answer, Verdict
from runtime.brokers.rabbit.consumer import least_prefetched_bytes, prefetched_bytes
from tests.brokers import samples
from tests.brokers.rabbit_backend import RabbitBackend
from tests.brokers.suite import Recorder, assert_nothing_waits, consuming, publish, put_all, subjects, take
from tests.brokers.suite.waiting import Away

pytestmark = pytest.mark.rabbit

MANY = 150
LARGE = 200_000  # bytes


async def test_many_that_end_at_once_are_acked_before_the_worker_ends(rabbit: RabbitBackend) -> None:
    stop, together = asyncio.Event(), asyncio.Barrier(MANY)

    async def end_together(_: Delivery) -> Verdict:
        await together.wait()
        stop.set()
        await asyncio.sleep(0.5)  # consuming has ended: acks are all that is left to send
        return Answer(None)  # nothing to publish: the ack follows at once

    async with rabbit.broker() as broker:
        await put_all(broker, samples.jobs(MANY))
        await broker.consume(end_together, capacity=Capacity(slots=MANY), stop=stop)
    async with rabbit.broker() as broker:
        await assert_nothing_waits(broker)


async def test_what_there_is_no_room_for_stays_in_the_queue(rabbit: RabbitBackend) -> None:
    jobs = [samples.job(content=str(number) * LARGE) for number in range(9)]
    away = Away(6, Recorder(9))
    held_bytes = least_prefetched_bytes(2) + 4 * len(encode(jobs[0]))
    async with rabbit.broker() as broker:
        await put_all(broker, jobs)
        async with consuming(broker, away, capacity=Capacity(slots=2, waiting=20, held_bytes=held_bytes)):
            await away.full.wait()
            await asyncio.sleep(0.2)  # time for one too many to be sent
            assert (await broker.depths())[lane_queue(Lane.INTERACTIVE)].messages == 3
            away.back.set()


@pytest.mark.parametrize("slots", [1, 2, 4, 40])
@pytest.mark.parametrize("spare_bytes", [0, 100 * 1024**2, 1024**3])
def test_what_is_sent_ahead_leaves_a_third_of_the_room(slots: int, spare_bytes: int) -> None:
    least_bytes = least_prefetched_bytes(slots)
    capacity = Capacity(slots=slots, waiting=100, held_bytes=least_bytes + spare_bytes)
    assert least_bytes <= prefetched_bytes(capacity) <= least_bytes + spare_bytes * 2 // 3


async def test_a_worker_with_few_slots_is_sent_more_than_it_works_on(rabbit: RabbitBackend) -> None:
    """Small texts are decided faster than RabbitMQ sends one more for each ack."""
    working, release = asyncio.Event(), asyncio.Event()

    async def wait(delivery: Delivery) -> Verdict:
        working.set()
        await release.wait()
        return publish(delivery)

    async with rabbit.broker() as broker:
        await put_all(broker, samples.jobs(20))
        async with consuming(broker, wait, capacity=Capacity(slots=2, waiting=20)):
            await working.wait()
            await asyncio.sleep(0.2)  # time for one too many to be sent
            assert (await broker.depths())[lane_queue(Lane.INTERACTIVE)].messages == 8
            release.set()
            await take(broker, 20)


async def test_verdicts_that_wait_for_their_confirm_have_no_slot_and_are_bounded(rabbit: RabbitBackend) -> None:
    jobs, enough = samples.jobs(8), asyncio.Event()
    decided: list[str | None] = []

    async with rabbit.broker() as broker:

        async def decide(delivery: Delivery) -> Verdict:
            if not decided:
                rabbit.wire(broker).hold("publisher")
            decided.append(delivery.message_id)
            if len(decided) == 3:
                enough.set()
            return publish(delivery)

        await put_all(broker, jobs)
        async with consuming(broker, decide, capacity=Capacity(slots=1, waiting=6, unconfirmed=3)):
            await enough.wait()
            await asyncio.sleep(0.2)  # time for one too many to begin
            assert len(decided) == 3
            await rabbit.crash(broker)
            await rabbit.mend(broker)
            entries = await take(broker, 8)
    assert {job.id for job in jobs} <= set(subjects(entries)) | set(decided)


async def test_a_queue_that_is_consumed_anew_all_the_time_delivers_once(rabbit: RabbitBackend) -> None:
    """A consumer that is cancelled with deliveries under way would return them: they would count as redelivered."""
    jobs = samples.jobs(MANY)
    recorder = Recorder(MANY)

    async def come_and_go(delivery: Delivery) -> Verdict:
        async with delivery.reservation.without_slot():
            await asyncio.sleep(0)
        return await recorder(delivery)

    async with rabbit.broker() as broker:
        await put_all(broker, jobs)
        async with consuming(broker, come_and_go, capacity=Capacity(slots=2, waiting=20)):
            await recorder.done.wait()
    assert sorted(recorder.ids, key=str) == sorted(job.id for job in jobs)
    assert {delivery.deliveries for delivery in recorder.seen} == {1}
