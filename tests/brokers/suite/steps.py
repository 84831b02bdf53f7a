"""Common steps of tests with a broker."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import aclosing, asynccontextmanager, suppress

from contract.broker import Broker, BrokerError, Delivery, EventLog, Handler, JobSink, JobSource, LogEntry
from contract.capacity import Capacity
from contract.codec import decode_event, decode_job
from contract.job import Job
from contract.verdicts import Publish
from tests.brokers import samples
from tests.brokers.suite.backend import Backend
from tests.brokers.suite.handlers import Gate, Recorder


@asynccontextmanager
async def consuming(
    broker: JobSource, handle: Handler, *, slots: int = 4, capacity: Capacity | None = None
) -> AsyncIterator[None]:
    """Consumes while the context lasts, then drains."""
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(broker.consume(handle, capacity=capacity or Capacity(slots=slots), stop=stop))
        yield
        stop.set()


async def consume_until(broker: JobSource, recorder: Recorder, *, slots: int = 4) -> None:
    async with consuming(broker, recorder, slots=slots):
        await recorder.done.wait()


async def put_all(broker: JobSink, jobs: Iterable[Job]) -> None:
    async with asyncio.TaskGroup() as group:
        for job in jobs:
            group.create_task(broker.put(job))


async def decide_new(broker: Broker, count: int = 1, *, host: str = "www.example.com") -> list[str]:
    """Puts `count` jobs one after the other, publishes an event for each, and returns their ids in that order."""
    ids = []
    for _ in range(count):
        job = samples.job()
        await broker.put(job)
        await consume_until(broker, Recorder(1, lambda d: Publish(samples.processed(decode_job(d.body), host=host))))
        ids.append(job.id)
    return ids


async def crash_holding(backend: Backend, count: int = 1) -> list[Delivery]:
    """Crashes a consumer that holds `count` deliveries, and returns these."""
    gate = Gate(count)
    async with backend.broker() as broker, asyncio.TaskGroup() as group:
        task = group.create_task(_consume_until_crash(broker, gate, slots=count))
        await gate.full.wait()
        await backend.crash(broker)
        task.cancel()
    return gate.held


async def _consume_until_crash(broker: JobSource, handle: Handler, *, slots: int) -> None:
    with suppress(BrokerError):
        await broker.consume(handle, capacity=Capacity(slots=slots), stop=asyncio.Event())


async def take(broker: EventLog, count: int, after: int | None = -1) -> list[LogEntry]:
    """Returns the next `count` entries of the log above `after`."""
    entries: list[LogEntry] = []
    async with aclosing(broker.read(after)) as stream:
        async for entry in stream:
            entries.append(entry)
            if len(entries) == count:
                break
    return entries


def subjects(entries: Iterable[LogEntry]) -> list[str]:
    return [decode_event(entry.body).subject for entry in entries]


async def assert_nothing_waits(broker: Broker) -> None:
    """Asserts that no other job is left: a job put now is the only one to consume."""
    fence = samples.job()
    await broker.put(fence)
    recorder = Recorder(1)
    await consume_until(broker, recorder, slots=1)
    assert recorder.ids == [fence.id]
