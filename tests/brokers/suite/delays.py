"""Jobs that come back after a while."""

import asyncio

from contract.broker import Delivery
from contract.codec import decode_job
from contract.reasons import Reason
from contract.verdicts import Defer, Publish, Retry, Verdict
from tests.brokers import samples
from tests.brokers.suite.backend import Backend
from tests.brokers.suite.handlers import Recorder, retry_once
from tests.brokers.suite.steps import consume_until, consuming, crash_holding, put_all

_EARLY_S = 0.02  # timers may fire this much before their time


class Delays:
    """Retries and deferred jobs."""

    async def test_a_retry_comes_back_after_its_delay(self, backend: Backend) -> None:
        job, recorder = samples.job(), Recorder(2, retry_once(backend.delays_s[0]))
        async with backend.broker() as broker:
            await broker.put(job)
            await consume_until(broker, recorder)
        assert recorder.jobs == [job, samples.again(job)]
        assert recorder.times[1] - recorder.times[0] >= backend.delays_s[0] - _EARLY_S

    async def test_a_retry_starts_with_fresh_deliveries(self, backend: Backend) -> None:
        recorder = Recorder(2, retry_once(backend.delays_s[0]))
        async with backend.broker() as broker:
            await broker.put(samples.job())
        await crash_holding(backend)
        async with backend.broker() as broker:
            await consume_until(broker, recorder)
        assert [delivery.deliveries for delivery in recorder.seen] == [2, 1]

    async def test_a_retry_survives_a_crash(self, backend: Backend) -> None:
        job = samples.job()
        async with backend.broker() as broker:
            await broker.put(job)
            await consume_until(broker, Recorder(1, retry_once(backend.delays_s[0])))
            await backend.crash(broker)
        recorder = Recorder(1)
        async with backend.broker() as broker:
            await consume_until(broker, recorder)
        assert recorder.jobs == [samples.again(job)]

    async def test_a_deferred_job_comes_back_as_it_was(self, backend: Backend) -> None:
        delay_s = backend.delays_s[0]
        job = samples.job()
        verdicts: list[Verdict] = [Defer(job, delay_s), Publish(samples.processed(job))]
        recorder = Recorder(2, lambda _: verdicts.pop(0))
        async with backend.broker() as broker:
            await broker.put(job)
            await consume_until(broker, recorder)
        assert recorder.jobs == [job, job]
        assert recorder.times[1] - recorder.times[0] >= delay_s - _EARLY_S

    async def test_a_long_delay_does_not_hold_up_a_short_one(self, backend: Backend) -> None:
        slow, quick = samples.jobs(2)
        slow_is_delayed, back = asyncio.Event(), Recorder(2)

        async def delay(delivery: Delivery) -> Verdict:
            job = decode_job(delivery.body)
            if job.attempt > 1:
                return await back(delivery)
            if job.id == slow.id:
                slow_is_delayed.set()
                return Retry(samples.again(job), backend.delays_s[1], Reason.SERVER_ERROR)
            await slow_is_delayed.wait()
            return Retry(samples.again(job), backend.delays_s[0], Reason.SERVER_ERROR)

        async with backend.broker() as broker:
            await put_all(broker, [slow, quick])
            async with consuming(broker, delay, slots=2):
                await back.done.wait()
        assert back.ids == [quick.id, slow.id]
