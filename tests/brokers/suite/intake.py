"""Each job that is put is consumed once, unchanged."""

import asyncio

import pytest

from contract.broker import Delivery, QueueDepths
from contract.codec import MAX_JOB_BYTES, MessageTooLarge, encode
from contract.job import Lane
from contract.verdicts import Bury
from tests.brokers import samples
from tests.brokers.suite.backend import Backend
from tests.brokers.suite.handlers import Recorder
from tests.brokers.suite.steps import assert_nothing_waits, consume_until, consuming, put_all, subjects, take

FRAME_BYTES = 131_064  # of a message in one frame of RabbitMQ: its frame_max of 131,072, less 8 bytes around them


class Intake:
    """Jobs that are put, and consumed."""

    async def test_a_job_is_consumed_as_it_was_put(self, backend: Backend) -> None:
        job = samples.job(content="A “quoted” line,\nand \U0001f4f0.")
        async with backend.broker() as broker:
            await broker.put(job)
            recorder = Recorder(1)
            await consume_until(broker, recorder)
        assert recorder.seen == [Delivery(body=encode(job), message_id=job.id)]
        assert recorder.jobs == [job]

    async def test_a_job_put_while_consuming_is_handed_over(self, backend: Backend) -> None:
        job, recorder = samples.job(), Recorder(1)
        async with backend.broker() as broker, consuming(broker, recorder):
            await broker.put(job)
            await recorder.done.wait()
        assert recorder.ids == [job.id]

    async def test_a_job_over_the_limit_is_refused_and_disturbs_nobody(self, backend: Backend) -> None:
        small, large = samples.job(), samples.job(content='"' * (MAX_JOB_BYTES // 2))  # each becomes two bytes
        async with backend.broker() as broker:
            await broker.put(small)
            with pytest.raises(MessageTooLarge, match=f"over the limit of {MAX_JOB_BYTES}"):
                await broker.put(large)
            recorder = Recorder(1)
            await consume_until(broker, recorder)
            await assert_nothing_waits(broker)
        assert recorder.ids == [small.id]

    async def test_jobs_that_are_put_together_are_consumed_as_they_were_put(self, backend: Backend) -> None:
        jobs, recorder = [*samples.jobs(20, Lane.BULK), *samples.jobs(20)], Recorder(40)
        async with backend.broker() as broker:
            assert await broker.put_many(jobs) == [None] * len(jobs)
            await consume_until(broker, recorder)
            await assert_nothing_waits(broker)
        assert sorted(recorder.jobs, key=lambda job: job.id) == sorted(jobs, key=lambda job: job.id)

    @pytest.mark.parametrize("more", [-1, 0, 1, 131_064, 1_000_000])
    async def test_jobs_of_several_frames_that_are_put_together_are_consumed_as_they_were_put(
        self, backend: Backend, more: int
    ) -> None:
        size = FRAME_BYTES - len(encode(samples.job(content=""))) + more
        jobs, recorder = [samples.job(content="é" + "x" * (size - 2)) for _ in range(3)], Recorder(3)
        assert {len(encode(job)) for job in jobs} == {FRAME_BYTES + more}
        async with backend.broker() as broker:
            assert await broker.put_many(jobs) == [None] * 3
            await consume_until(broker, recorder)
        assert sorted(recorder.jobs, key=lambda job: job.id) == sorted(jobs, key=lambda job: job.id)

    async def test_one_of_many_that_is_too_large_disturbs_none_of_the_others(self, backend: Backend) -> None:
        first, last = samples.jobs(2)
        large = samples.job(content='"' * (MAX_JOB_BYTES // 2))  # each becomes two bytes
        async with backend.broker() as broker:
            outcomes = await broker.put_many([first, large, last])
            recorder = Recorder(2)
            await consume_until(broker, recorder)
            await assert_nothing_waits(broker)
        assert [type(outcome) for outcome in outcomes] == [type(None), MessageTooLarge, type(None)]
        assert set(recorder.ids) == {first.id, last.id}

    async def test_two_jobs_of_one_document_that_are_put_together_are_both_stored(self, backend: Backend) -> None:
        job, recorder = samples.job(), Recorder(2)
        async with backend.broker() as broker:
            assert await broker.put_many([job, job]) == [None, None]
            await consume_until(broker, recorder)
        assert recorder.ids == [job.id, job.id]

    async def test_no_jobs_are_put(self, backend: Backend) -> None:
        async with backend.broker() as broker:
            assert await broker.put_many([]) == []

    async def test_jobs_that_were_put_together_survive_a_crash(self, backend: Backend) -> None:
        jobs, recorder = samples.jobs(30), Recorder(30)
        async with backend.broker() as broker:
            await broker.put_many(jobs)
            await backend.crash(broker)
        async with backend.broker() as broker:
            await consume_until(broker, recorder)
        assert set(recorder.ids) == {job.id for job in jobs}

    async def test_a_put_survives_closing(self, backend: Backend) -> None:
        jobs, recorder = samples.jobs(3), Recorder(3)
        async with backend.broker() as broker:
            await put_all(broker, jobs)
        async with backend.broker() as broker:
            await consume_until(broker, recorder)
        assert set(recorder.ids) == {job.id for job in jobs}

    async def test_a_put_survives_a_crash(self, backend: Backend) -> None:
        jobs, recorder = samples.jobs(3), Recorder(3)
        async with backend.broker() as broker:
            await put_all(broker, jobs)
            await backend.crash(broker)
        async with backend.broker() as broker:
            await consume_until(broker, recorder)
        assert set(recorder.ids) == {job.id for job in jobs}

    @pytest.mark.parametrize("message_id", ["0195-some-id", None])
    async def test_bytes_that_are_no_job_are_delivered_as_they_are(
        self, backend: Backend, message_id: str | None
    ) -> None:
        body = b"\xff\x00{not json"
        await backend.inject(body, message_id)
        recorder = Recorder(1, lambda _: Bury(None, "undecodable"))
        async with backend.broker() as broker:
            await consume_until(broker, recorder)
        assert recorder.seen == [Delivery(body=body, message_id=message_id)]

    async def test_many_jobs_are_decided_exactly_once(self, backend: Backend) -> None:
        jobs = [*samples.jobs(150, Lane.BULK), *samples.jobs(150)]
        recorder = Recorder(len(jobs))
        async with backend.broker() as broker:
            await put_all(broker, jobs)
            await consume_until(broker, recorder, slots=8)
            entries = await take(broker, len(jobs))
            await assert_nothing_waits(broker)
        assert sorted(subjects(entries)) == sorted(job.id for job in jobs)
        assert len(recorder.seen) == len(jobs)

    async def test_an_open_broker_is_ready(self, backend: Backend) -> None:
        async with backend.broker() as broker:
            await broker.put(samples.job())
            assert await broker.ready()

    async def test_the_depth_of_a_lane_is_what_waits_in_it(self, backend: Backend) -> None:
        async with backend.broker() as broker:
            await put_all(broker, samples.jobs(2, Lane.BULK))
            async with asyncio.timeout(60):
                while await depth(broker, Lane.BULK) != 2:  # noqa: ASYNC110 - a queue counts when it is asked
                    await asyncio.sleep(0.02)
            assert await depth(broker, Lane.INTERACTIVE) == 0


async def depth(broker: QueueDepths, lane: Lane) -> int:
    depths = await broker.depths()
    return next(depth.messages for queue, depth in depths.items() if queue.endswith(lane))
