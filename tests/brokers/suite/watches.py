"""Watches and previews: clients that wait for a verdict get it."""

import asyncio
from collections.abc import Awaitable
from contextlib import suppress

import pytest

from contract.broker import BrokerUnavailable, Delivery, NotTaken
from contract.capacity import previews_at_once
from contract.codec import MAX_PREVIEW_BYTES, MessageTooLarge, decode_job, encode
from contract.job import Lane
from contract.reasons import Reason
from contract.verdicts import Answer, Bury, Publish, Verdict
from tests.brokers import samples
from tests.brokers.suite.backend import Backend
from tests.brokers.suite.handlers import Gate, Recorder, retry_once
from tests.brokers.suite.steps import assert_nothing_waits, consuming, put_all, take


def answer(delivery: Delivery) -> Verdict:
    """Decides what is delivered, as a worker does: previews are answered, jobs published."""
    event = samples.processed(decode_job(delivery.body))
    return Answer(event) if delivery.preview else Publish(event)


async def unless_dropped(preview: Awaitable[bytes]) -> None:
    with suppress(NotTaken):
        await preview


class Watches:
    """Watches and previews."""

    async def test_a_watch_gets_the_same_bytes_as_the_log(self, backend: Backend) -> None:
        job, others = samples.job(), samples.jobs(3)
        async with backend.broker() as broker, consuming(broker, Recorder(9)), broker.watch(job.id) as watch:
            await put_all(broker, others)
            await broker.put(job)
            heard = await watch.next()
            logged = await take(broker, 4)
        assert heard in [entry.body for entry in logged]
        assert heard == encode(samples.processed(job))

    async def test_a_watch_gets_the_event_of_a_document_that_is_retried_or_buried(self, backend: Backend) -> None:
        retried, buried = samples.job(), samples.job()
        again = retry_once(backend.delays_s[0])

        def decide(delivery: Delivery) -> Verdict:
            job = decode_job(delivery.body)
            return again(delivery) if job.id == retried.id else Bury(samples.failed(job.id, Reason.MEMORY), "memory")

        async with (
            backend.broker() as broker,
            consuming(broker, Recorder(9, decide)),
            broker.watch(retried.id) as first,
            broker.watch(buried.id) as second,
        ):
            await put_all(broker, [retried, buried])
            assert await second.next() == encode(samples.failed(buried.id, Reason.MEMORY))
            assert retried.id.encode() in await first.next()

    async def test_a_watch_gets_the_event_of_a_document_that_is_delivered_again(self, backend: Backend) -> None:
        job = samples.job()

        async def fail_once(delivery: Delivery) -> Verdict:
            if delivery.deliveries == 1:
                raise RuntimeError("no verdict")
            return answer(delivery)

        async with backend.broker() as broker, consuming(broker, fail_once), broker.watch(job.id) as watch:
            await broker.put(job)
            assert await watch.next() == encode(samples.processed(job))

    async def test_all_watches_of_a_document_get_the_event(self, backend: Backend) -> None:
        job = samples.job()
        async with backend.broker() as broker, consuming(broker, Recorder(9)), broker.watch(job.id) as staying:
            async with broker.watch(job.id):
                pass  # the end of one watch does not affect the others
            async with broker.watch(job.id) as later:
                await broker.put(job)
                assert await staying.next() == await later.next()

    async def test_a_document_is_watched_again_after_it_was_left(self, backend: Backend) -> None:
        job = samples.job()
        async with backend.broker() as broker, consuming(broker, Recorder(9)):
            for _ in range(5):
                async with broker.watch(job.id):
                    pass
            async with broker.watch(job.id) as watch:
                await broker.put(job)
                assert job.id.encode() in await watch.next()

    async def test_a_preview_over_the_limit_is_refused(self, backend: Backend) -> None:
        async with backend.broker() as broker:
            with pytest.raises(MessageTooLarge, match=f"over the limit of {MAX_PREVIEW_BYTES}"):
                await broker.preview(samples.job(content='"' * (MAX_PREVIEW_BYTES // 2)))

    async def test_a_preview_is_answered_to_its_caller_alone(self, backend: Backend) -> None:
        job, other = samples.job(), samples.job()
        recorder = Recorder(9, answer)
        async with backend.broker() as broker, consuming(broker, recorder):
            assert await broker.preview(job) == encode(samples.processed(job))
            assert [delivery.preview for delivery in recorder.seen] == [True]
            await broker.put(other)
            (only,) = await take(broker, 1)
            assert only.body == encode(samples.processed(other))
        assert await backend.dead() == []

    async def test_a_preview_that_nobody_takes_is_dropped(self, backend: Backend) -> None:
        async with backend.broker() as broker:
            with pytest.raises(NotTaken):
                await broker.preview(samples.job())
            await assert_nothing_waits(broker)

    async def test_a_preview_whose_worker_fails_is_not_left_waiting_for_ever(self, backend: Backend) -> None:
        """On RabbitMQ another worker answers it without extracting it."""

        hostile, other = samples.jobs(2)

        async def fail(delivery: Delivery) -> Verdict:
            if delivery.message_id == hostile.id and delivery.deliveries == 1:
                raise RuntimeError("no verdict")
            return answer(delivery)

        async with backend.broker() as broker, consuming(broker, fail):
            with suppress(BrokerUnavailable):
                await broker.preview(hostile)
            assert other.id.encode() in await broker.preview(other)

    async def test_previews_leave_slots_to_jobs(self, backend: Backend) -> None:
        held, jobs = previews_at_once(4), samples.jobs(6)
        gate, recorder = Gate(held), Recorder(len(jobs), answer)

        async def handle(delivery: Delivery) -> Verdict:
            if not delivery.preview:
                return await recorder(delivery)
            await gate(delivery)
            return answer(delivery)

        async with backend.broker() as broker, consuming(broker, handle), asyncio.TaskGroup() as group:
            asked = [group.create_task(broker.preview(samples.job())) for _ in range(held)]
            await gate.full.wait()
            one_more = group.create_task(unless_dropped(broker.preview(samples.job())))
            await put_all(broker, jobs)
            await recorder.done.wait()
            assert len(gate.held) == held
            gate.opened.set()
            await asyncio.gather(*asked)
            one_more.cancel()  # it may have been dropped, or be taken now

    @pytest.mark.parametrize("slots", [1, 4])
    async def test_neither_previews_nor_jobs_starve(self, backend: Backend, slots: int) -> None:
        done, both, all_done = {True: 0, False: 0}, asyncio.Event(), asyncio.Event()

        async def handle(delivery: Delivery) -> Verdict:
            await asyncio.sleep(0.01)  # a bulk job takes some time
            done[delivery.preview] += 1
            if not both.is_set() and min(done.values()) >= 3:
                both.set()
                assert max(done.values()) < 8
            if sum(done.values()) == 16:
                all_done.set()
            return answer(delivery)

        async with backend.broker() as broker, asyncio.TaskGroup() as group:
            await put_all(broker, samples.jobs(8))
            asked = [group.create_task(broker.preview(samples.job())) for _ in range(8)]
            async with consuming(broker, handle, slots=slots):
                await asyncio.gather(*asked)
                await all_done.wait()

    async def test_a_preview_goes_before_a_bulk_backlog(self, backend: Backend) -> None:
        recorder = Recorder(41, answer)

        async def slow(delivery: Delivery) -> Verdict:
            await asyncio.sleep(0.01)  # a bulk job takes some time
            return await recorder(delivery)

        async with backend.broker() as broker:
            await put_all(broker, samples.jobs(40, Lane.BULK))
            async with consuming(broker, slow, slots=2):
                job = samples.job()
                await broker.preview(job)
                assert recorder.ids.index(job.id) < 30
                await recorder.done.wait()
