"""Slots and lanes: how many at once, and which first."""

import asyncio

import pytest

from contract.broker import Delivery
from contract.codec import decode_job
from contract.job import Lane
from contract.verdicts import Verdict
from tests.brokers import samples
from tests.brokers.suite.backend import Backend
from tests.brokers.suite.handlers import Gate, Recorder, retry_once
from tests.brokers.suite.steps import assert_nothing_waits, consume_until, consuming, put_all


class Slots:
    """Slots and lanes."""

    async def test_slots_are_all_used_and_never_more(self, backend: Backend) -> None:
        together, in_hand, most, recorder = asyncio.Barrier(3), 0, 0, Recorder(9)

        async def meet(delivery: Delivery) -> Verdict:
            nonlocal in_hand, most
            in_hand += 1
            most = max(most, in_hand)
            await together.wait()
            await asyncio.sleep(0.02)  # time in which one too many would begin
            in_hand -= 1
            return await recorder(delivery)

        async with backend.broker() as broker:
            await put_all(broker, samples.jobs(9))
            async with consuming(broker, meet, slots=3):
                await recorder.done.wait()
        assert most == 3

    async def test_a_held_job_is_not_delivered_again(self, backend: Backend) -> None:
        held, other = samples.jobs(2)
        gate, recorder = Gate(1), Recorder(1)

        async def handle(delivery: Delivery) -> Verdict:
            return await (gate if delivery.message_id == held.id else recorder)(delivery)

        async with backend.broker() as broker:
            await broker.put(held)
            async with consuming(broker, handle, slots=4):
                await gate.full.wait()
                await broker.put(other)
                await recorder.done.wait()
                gate.opened.set()
            await assert_nothing_waits(broker)
        assert len(gate.held) == 1

    async def test_bulk_never_holds_the_last_slot(self, backend: Backend) -> None:
        bulk, interactive = Gate(2), Recorder(5)

        async def by_lane(delivery: Delivery) -> Verdict:
            lane = decode_job(delivery.body).lane
            return await (bulk if lane is Lane.BULK else interactive)(delivery)

        async with backend.broker() as broker:
            await put_all(broker, samples.jobs(10, Lane.BULK))
            async with consuming(broker, by_lane, slots=3):
                await bulk.full.wait()
                await put_all(broker, samples.jobs(5))
                await interactive.done.wait()
                assert len(bulk.held) == 2
                bulk.opened.set()

    async def test_one_slot_serves_both_lanes(self, backend: Backend) -> None:
        recorder = Recorder(4)
        async with backend.broker() as broker:
            await put_all(broker, [*samples.jobs(2, Lane.BULK), *samples.jobs(2)])
            await consume_until(broker, recorder, slots=1)
        assert sorted(job.lane for job in recorder.jobs) == [Lane.BULK] * 2 + [Lane.INTERACTIVE] * 2

    async def test_an_interactive_job_overtakes_a_bulk_backlog(self, backend: Backend) -> None:
        backlog, urgent = samples.jobs(40, Lane.BULK), samples.job()
        first, recorder = asyncio.Event(), Recorder(41)

        async def slow(delivery: Delivery) -> Verdict:
            verdict = await recorder(delivery)
            first.set()
            await asyncio.sleep(0.01)  # a bulk job takes some time
            return verdict

        async with backend.broker() as broker:
            await put_all(broker, backlog)
            async with consuming(broker, slow, slots=2):
                await first.wait()
                await broker.put(urgent)
                await recorder.done.wait()
        assert recorder.ids.index(urgent.id) < 30

    @pytest.mark.parametrize("lane", list(Lane))
    async def test_a_retried_job_keeps_its_lane(self, backend: Backend, lane: Lane) -> None:
        recorder = Recorder(2, retry_once(backend.delays_s[0]))
        async with backend.broker() as broker:
            await broker.put(samples.job(lane))
            await consume_until(broker, recorder)
        assert [job.lane for job in recorder.jobs] == [lane, lane]
