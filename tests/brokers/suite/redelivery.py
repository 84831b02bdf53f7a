"""Deliveries without a verdict."""

import asyncio

import pytest

from contract.broker import Delivery
from contract.codec import encode
from contract.reasons import Reason
from contract.verdicts import Bury, Verdict
from tests.brokers import samples
from tests.brokers.suite.backend import Backend, DeadLetter
from tests.brokers.suite.handlers import Loner, Recorder, publish
from tests.brokers.suite.steps import (
    assert_nothing_waits,
    consume_until,
    consuming,
    crash_holding,
    put_all,
    subjects,
    take,
)


class Redelivery:
    """Crashes, handlers that raise, and jobs that crash every consumer."""

    async def test_a_crash_redelivers_the_jobs_that_were_held(self, backend: Backend) -> None:
        jobs, recorder = samples.jobs(2), Recorder(2)
        async with backend.broker() as broker:
            await put_all(broker, jobs)
        held = await crash_holding(backend, 2)
        async with backend.broker() as broker:
            await consume_until(broker, recorder)
        assert {delivery.deliveries for delivery in held} == {1}
        assert {(delivery.message_id, delivery.deliveries) for delivery in recorder.seen} == {
            (job.id, 2) for job in jobs
        }

    async def test_a_handler_that_raises_gives_the_delivery_back(self, backend: Backend) -> None:
        def raise_once(delivery: Delivery) -> Verdict:
            if delivery.deliveries == 1:
                raise RuntimeError("a defect")
            return publish(delivery)

        job, recorder = samples.job(), Recorder(2, raise_once)
        async with backend.broker() as broker:
            await broker.put(job)
            await consume_until(broker, recorder)
            assert subjects(await take(broker, 1)) == [job.id]
        assert [(delivery.message_id, delivery.deliveries) for delivery in recorder.seen] == [(job.id, 1), (job.id, 2)]

    async def test_a_job_that_no_consumer_survives_arrives_as_lost(self, backend: Backend) -> None:
        poison, others = samples.job(), samples.jobs(3)
        async with backend.broker() as broker:
            await broker.put(poison)
        for _ in range(backend.delivery_limit + 1):
            assert [delivery.lost for delivery in await crash_holding(backend)] == [False]

        recorder = Recorder(4, _bury_what_is_lost)
        async with backend.broker() as broker:
            await put_all(broker, others)
            await consume_until(broker, recorder)
            entries = await take(broker, 4)
            await assert_nothing_waits(broker)
        assert [delivery.message_id for delivery in recorder.seen if delivery.lost] == [poison.id]
        assert sorted(subjects(entries)) == sorted(job.id for job in (poison, *others))
        assert await backend.dead() == [DeadLetter(encode(poison), "worker_lost", poison.id)]

    async def test_a_job_that_no_handler_survives_arrives_as_lost(self, backend: Backend) -> None:
        def raise_or_bury(delivery: Delivery) -> Verdict:
            if not delivery.lost:
                raise RuntimeError("a defect")
            return _bury_what_is_lost(delivery)

        job, recorder = samples.job(), Recorder(backend.delivery_limit + 2, raise_or_bury)
        async with backend.broker() as broker:
            await broker.put(job)
            await consume_until(broker, recorder)
            assert subjects(await take(broker, 1)) == [job.id]
        assert [delivery.lost for delivery in recorder.seen] == [False] * (backend.delivery_limit + 1) + [True]

    @pytest.mark.parametrize("count", [1, 3])
    async def test_a_job_delivered_three_times_runs_alone(self, backend: Backend, count: int) -> None:
        loner, suspects = Loner(count + 1), samples.jobs(count)
        async with backend.broker() as broker, consuming(broker, loner):
            await put_all(broker, suspects)
            await loner.begun.wait()
            innocent = samples.job(content="innocent")
            await broker.put(innocent)
            async with asyncio.timeout(60):
                await loner.done.wait()
        assert not loner.company.is_set()
        assert sorted(map(str, loner.published)) == sorted(job.id for job in [*suspects, innocent])


def _bury_what_is_lost(delivery: Delivery) -> Verdict:
    if not delivery.lost or delivery.message_id is None:
        return publish(delivery)
    return Bury(samples.failed(delivery.message_id, Reason.WORKER_LOST), "worker_lost")
