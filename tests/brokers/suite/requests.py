"""Requests of owners to cancel or erase: recorded, followed by workers, and announced to subscribers."""

import asyncio
from typing import cast

from contract.broker import Broker
from contract.capacity import Capacity
from contract.codec import decode_event, decode_requests, encode
from contract.events import erased
from contract.job import Job
from contract.requests import Action, OwnerRequest, RequestSink
from contract.streams import Stream, Streams
from contract.verdicts import Verdict
from tests.brokers import samples
from tests.brokers.suite.backend import Backend
from tests.brokers.suite.dead_steps import bury, everything
from tests.brokers.suite.handlers import Recorder, retry_once
from tests.brokers.suite.records import at_least, decoded, follow, to_the_end
from tests.brokers.suite.steps import consume_until, put_all, take
from tests.workers.test_worker import worker
from workers.requests import OwnerRequests


def wanted(job: Job, action: Action = Action.CANCEL, run: int | None = 1) -> OwnerRequest:
    return OwnerRequest(action=action, id=job.id, at=samples.NOW, run=run, owner=job.owner)


def sink(broker: Broker) -> RequestSink:
    return cast("RequestSink", broker)


async def known(broker: Broker) -> OwnerRequests:
    """Returns the requests that a worker knows after reading the stream to its end."""
    requests, caught_up = OwnerRequests(), asyncio.Event()
    async with asyncio.TaskGroup() as group:
        following = group.create_task(requests.follow(cast("Streams", broker), caught_up))
        await caught_up.wait()
        following.cancel()
    return requests


class Requests:
    """The record of requests, and the announcement of an erasure."""

    async def test_requests_are_on_record_in_their_order(self, backend: Backend) -> None:
        job = samples.job()
        asked = [wanted(job), wanted(job, Action.ERASE, None)]
        async with backend.broker() as broker:
            for request in asked:
                await sink(broker).request(request)
        async with backend.broker() as broker:
            entries = await follow(broker, Stream.REQUESTS, at_least(2))
        assert decoded(entries, decode_requests) == asked

    async def test_a_worker_that_starts_later_knows_earlier_requests(self, backend: Backend) -> None:
        cancelled, other = samples.jobs(2)
        async with backend.broker() as broker:
            await put_all(broker, [cancelled, other])
            await sink(broker).request(wanted(cancelled))
        async with backend.broker() as broker:
            assert await self._reasons(broker, 2) == {cancelled.id: "cancelled", other.id: "processed"}

    async def test_a_document_that_waits_for_a_retry_is_cancelled_when_it_comes_back(self, backend: Backend) -> None:
        job = samples.job()
        async with backend.broker() as broker:
            await broker.put(job)
            await consume_until(broker, Recorder(1, retry_once(backend.delays_s[1])))
            await follow(broker, Stream.ATTEMPTS, at_least(1))
            await sink(broker).request(wanted(job))
            assert await self._reasons(broker, 1) == {job.id: "cancelled"}
            (entry,) = await take(broker, 1)
        event = decode_event(entry.body)
        assert (event.id, getattr(event.data, "attempts", None)) == (job.event_id, 1)

    async def test_a_dead_letter_of_an_erased_document_that_is_retried_comes_to_nothing(self, backend: Backend) -> None:
        job = samples.job()
        async with backend.broker() as broker:
            await bury(broker, job)
            await sink(broker).request(wanted(job, Action.ERASE, None))
            assert (await broker.retry_dead(everything)).done == 1
            assert await self._reasons(broker, 1) == {job.id: "cancelled"}

    async def test_an_erasure_is_announced_in_the_log_each_time_by_the_same_event(self, backend: Backend) -> None:
        event = erased(samples.job().id, samples.NOW)
        async with backend.broker() as broker:
            await sink(broker).announce(event)
            await sink(broker).announce(event)
            entries = await follow(broker, Stream.LOG, to_the_end)
        assert [(entry.routing_key, entry.body) for entry in entries] == [("erased", encode(event))] * 2

    async def _reasons(self, broker: Broker, count: int) -> dict[str, str]:
        """Returns the reasons with which a worker that knows these requests decides documents, by document."""
        real, reasons = worker(requests=await known(broker)), dict[str, str]()
        done = asyncio.Event()

        async def handle(delivery: object) -> Verdict:
            verdict = await real.handle(delivery)  # type: ignore[arg-type] # a delivery
            reasons[verdict.event.subject] = verdict.event.reason  # type: ignore[union-attr] # published
            if len(reasons) == count:
                done.set()
            return verdict

        stop = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            group.create_task(broker.consume(handle, capacity=Capacity(slots=2), stop=stop))
            await done.wait()
            stop.set()
        return reasons
