"""How consumers stop."""

import asyncio

from contract.capacity import Capacity
from tests.brokers import samples
from tests.brokers.suite.backend import Backend
from tests.brokers.suite.handlers import Gate, Recorder
from tests.brokers.suite.steps import assert_nothing_waits, consume_until, put_all, subjects, take


class Stopping:
    """Drains and cancellations."""

    async def test_a_drain_finishes_held_jobs_and_takes_no_more(self, backend: Backend) -> None:
        jobs, gate, stop = samples.jobs(6), Gate(2), asyncio.Event()
        async with backend.broker() as broker:
            await put_all(broker, jobs)
            async with asyncio.TaskGroup() as group:
                group.create_task(broker.consume(gate, capacity=Capacity(slots=2), stop=stop))
                await gate.full.wait()
                stop.set()
                gate.opened.set()
        done, rest = {delivery.message_id for delivery in gate.held}, Recorder(4)
        async with backend.broker() as broker:
            assert set(subjects(await take(broker, 2))) == done
            await consume_until(broker, rest)
            await assert_nothing_waits(broker)
        assert len(done) == len(gate.held) == 2
        assert sorted(rest.ids, key=str) == sorted({job.id for job in jobs} - done)

    async def test_nothing_is_taken_when_told_to_stop_before_the_start(self, backend: Backend) -> None:
        job, none, stop, recorder = samples.job(), Recorder(1), asyncio.Event(), Recorder(1)
        stop.set()
        async with backend.broker() as broker:
            await broker.put(job)
            await broker.consume(none, capacity=Capacity(slots=2), stop=stop)
            await consume_until(broker, recorder)
        assert none.seen == []
        assert recorder.ids == [job.id]

    async def test_cancelling_gives_back_held_jobs(self, backend: Backend) -> None:
        jobs, gate, recorder = samples.jobs(3), Gate(2), Recorder(3)
        async with backend.broker() as broker:
            await put_all(broker, jobs)
            async with asyncio.TaskGroup() as group:
                task = group.create_task(broker.consume(gate, capacity=Capacity(slots=2), stop=asyncio.Event()))
                await gate.full.wait()
                task.cancel()
            await consume_until(broker, recorder)
            entries = await take(broker, 3)
        assert len(gate.held) == 2
        assert set(recorder.ids) == set(subjects(entries)) == {job.id for job in jobs}
