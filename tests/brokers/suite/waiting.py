"""Who waits for the network has no slot: how much a worker has in hand, and what it holds."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import pytest

from contract.broker import Delivery
from contract.capacity import Capacity, NoRoom
from contract.codec import decode_job, encode
from contract.job import Lane
from contract.verdicts import Verdict
from tests.brokers import samples
from tests.brokers.suite.backend import Backend
from tests.brokers.suite.handlers import Gate, Loner, Recorder, publish
from tests.brokers.suite.steps import assert_nothing_waits, consume_until, consuming, put_all, subjects, take

LARGE = 200_000  # bytes of a large job, far more than a job without content takes


class Away:
    """A handler that waits for the network until `back` is set, and counts those who do and those who have a slot."""

    def __init__(self, expected: int, then: Callable[[Delivery], Awaitable[Verdict]]) -> None:
        self.away = self.working = self.most_working = 0
        self.full, self.back = asyncio.Event(), asyncio.Event()
        self._expected = expected
        self._then = then

    async def __call__(self, delivery: Delivery) -> Verdict:
        async with delivery.reservation.without_slot():
            self.away += 1
            if self.away == self._expected:
                self.full.set()
            await self.back.wait()
        self.working += 1
        self.most_working = max(self.most_working, self.working)
        await asyncio.sleep(0.02)  # time for one too many to come back
        self.working -= 1
        return await self._then(delivery)


class Waiting:
    """Documents that wait for the network."""

    async def test_many_wait_for_the_network_and_few_have_a_slot(self, backend: Backend) -> None:
        recorder = Recorder(20)
        away = Away(12, recorder)
        async with backend.broker() as broker:
            await put_all(broker, samples.jobs(20))
            async with consuming(broker, away, capacity=Capacity(slots=2, waiting=10)):
                await away.full.wait()
                await asyncio.sleep(0.1)  # time for one too many to be taken
                assert away.away == 12
                away.back.set()
                await recorder.done.wait()
        assert away.most_working == 2

    async def test_others_are_worked_on_while_some_wait(self, backend: Backend) -> None:
        far, near = samples.jobs(3), samples.jobs(9)
        ids, recorder = {job.id for job in far}, Recorder(9)
        away = Away(3, Recorder(3))

        async def handle(delivery: Delivery) -> Verdict:
            return await (away if delivery.message_id in ids else recorder)(delivery)

        async with backend.broker() as broker:
            await put_all(broker, far)
            async with consuming(broker, handle, capacity=Capacity(slots=1, waiting=6)):
                await away.full.wait()
                await put_all(broker, near)
                await recorder.done.wait()
                away.back.set()

    async def test_bulk_that_waits_leaves_room_for_the_other_lane(self, backend: Backend) -> None:
        recorder = Recorder(5)
        away = Away(7, Recorder(7))  # one of two slots, and six of eight that may wait

        async def handle(delivery: Delivery) -> Verdict:
            is_bulk = decode_job(delivery.body).lane is Lane.BULK
            return await (away if is_bulk else recorder)(delivery)

        async with backend.broker() as broker:
            await put_all(broker, samples.jobs(20, Lane.BULK))
            async with consuming(broker, handle, capacity=Capacity(slots=2, waiting=8)):
                await away.full.wait()
                await put_all(broker, samples.jobs(5))
                await recorder.done.wait()
                assert away.away == 7
                away.back.set()

    async def test_who_comes_back_in_a_hurry_goes_before_bulk(self, backend: Backend) -> None:
        bulk, urgent = samples.jobs(6, Lane.BULK), samples.jobs(3)
        recorder = Recorder(9)
        away = Away(9, recorder)
        async with backend.broker() as broker:
            await put_all(broker, [*bulk, *urgent])
            async with consuming(broker, away, capacity=Capacity(slots=2, waiting=10)):
                await away.full.wait()
                away.back.set()
                await recorder.done.wait()
        assert max(recorder.ids.index(job.id) for job in urgent) < 5

    async def test_a_failed_fetch_needs_no_slot(self, backend: Backend) -> None:
        gate, failed = Gate(1), asyncio.Event()

        async def handle(delivery: Delivery) -> Verdict:
            if decode_job(delivery.body).content == "held":
                return await gate(delivery)
            with suppress(ConnectionError):
                async with delivery.reservation.without_slot():
                    await gate.full.wait()
                    raise ConnectionError
            failed.set()
            return publish(delivery)

        async with backend.broker() as broker:
            await broker.put(samples.job())
            async with consuming(broker, handle, capacity=Capacity(slots=1, waiting=2)):
                await broker.put(samples.job(content="held"))
                await failed.wait()
                gate.opened.set()

    async def test_no_more_bytes_are_taken_than_may_be_held(self, backend: Backend) -> None:
        jobs = [samples.job(content=str(number) * LARGE) for number in range(8)]
        size, kept, recorder = len(encode(jobs[0])), backend.unheld_bytes(1), Recorder(8)
        away = Away(4 if kept else 3, recorder)  # one is in the room that is kept
        async with backend.broker() as broker:
            await put_all(broker, jobs)
            capacity = Capacity(slots=1, waiting=10, held_bytes=kept + 4 * size - 1)
            async with consuming(broker, away, capacity=capacity):
                await away.full.wait()
                await asyncio.sleep(0.1)  # time for one too many to be taken
                assert away.away == (4 if kept else 3)
                away.back.set()
                await recorder.done.wait()

    async def test_a_page_waits_for_room_and_one_never_waits(self, backend: Backend) -> None:
        both, order, over = asyncio.Barrier(2), iter(("large", "small")), asyncio.Event()
        came: list[str] = []
        recorder = Recorder(2)

        async def handle(delivery: Delivery) -> Verdict:
            async with delivery.reservation.without_slot():
                await both.wait()
                page = next(order)
                if page == "large":
                    assert not delivery.reservation.take_now(10 * LARGE)
                    await delivery.reservation.take(10 * LARGE)
                    over.set()
                else:
                    await over.wait()
                    assert not delivery.reservation.take_now(LARGE)
                    await delivery.reservation.take(LARGE)
                came.append(page)
            return await recorder(delivery)

        async with backend.broker() as broker:
            await put_all(broker, samples.jobs(2))
            capacity = Capacity(slots=1, waiting=4, held_bytes=backend.unheld_bytes(1) + 2 * LARGE)
            async with consuming(broker, handle, capacity=capacity):
                await recorder.done.wait()
        assert came == ["large", "small"]

    async def test_who_finds_no_room_in_time_is_told(self, backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("runtime.brokers.held_bytes.MAX_WAIT_S", 0.05)
        both, order, over = asyncio.Barrier(2), iter(("large", "small")), asyncio.Event()
        gate, recorder = Gate(1), Recorder(1)

        async def handle(delivery: Delivery) -> Verdict:
            async with delivery.reservation.without_slot():
                await both.wait()
                if next(order) == "large":
                    await delivery.reservation.take(10 * LARGE)
                    over.set()
                    return await gate(delivery)
                await over.wait()
                with pytest.raises(NoRoom):
                    await delivery.reservation.take(LARGE)
            return await recorder(delivery)

        async with backend.broker() as broker:
            await put_all(broker, samples.jobs(2))
            capacity = Capacity(slots=1, waiting=4, held_bytes=backend.unheld_bytes(1) + 2 * LARGE)
            async with consuming(broker, handle, capacity=capacity):
                await recorder.done.wait()
                gate.opened.set()

    async def test_a_suspect_waits_for_those_that_wait(self, backend: Backend) -> None:
        loner, far = Loner(2), samples.job(content="innocent: far away")
        suspect = samples.job()
        away = Away(1, loner)

        async def handle(delivery: Delivery) -> Verdict:
            return await (away if delivery.message_id == far.id else loner)(delivery)

        async with backend.broker() as broker:
            await broker.put(far)
            async with consuming(broker, handle, capacity=Capacity(slots=2, waiting=4)):
                await away.full.wait()
                await broker.put(suspect)
                await asyncio.sleep(0.3)  # time for it to become a suspect, and to begin
                assert loner.published == []
                away.back.set()
                await loner.done.wait()
        assert loner.published == [far.id, suspect.id]
        assert not loner.company.is_set()

    async def test_a_drain_finishes_those_that_wait(self, backend: Backend) -> None:
        jobs, recorder, stop = samples.jobs(6), Recorder(6), asyncio.Event()
        away = Away(6, recorder)
        async with backend.broker() as broker:
            await put_all(broker, jobs)
            async with asyncio.TaskGroup() as group:
                group.create_task(broker.consume(away, capacity=Capacity(slots=2, waiting=8), stop=stop))
                await away.full.wait()
                stop.set()
                away.back.set()
            assert sorted(subjects(await take(broker, 6))) == sorted(job.id for job in jobs)
            await assert_nothing_waits(broker)

    async def test_cancelling_gives_back_those_that_wait(self, backend: Backend) -> None:
        jobs, recorder = samples.jobs(6), Recorder(6)
        away = Away(6, Recorder(6))
        async with backend.broker() as broker:
            await put_all(broker, jobs)
            async with asyncio.TaskGroup() as group:
                consuming_ = broker.consume(away, capacity=Capacity(slots=2, waiting=8), stop=asyncio.Event())
                task = group.create_task(consuming_)
                await away.full.wait()
                task.cancel()
            await consume_until(broker, recorder)
        assert sorted(recorder.ids, key=str) == sorted(job.id for job in jobs)
