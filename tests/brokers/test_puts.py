"""Jobs that come one by one share what those that come together share."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest

from contract.broker import BrokerFull, NotPut
from contract.job import Job
from runtime.brokers.rabbit.puts import Puts
from tests.brokers import samples


class Broker:
    """Stores batches. While `gate` is not set, a batch waits. Jobs with the id `full` are refused."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.gate = asyncio.Event()
        self.gate.set()

    async def put_many(self, jobs: Sequence[Job]) -> Sequence[NotPut]:
        self.batches.append([job.id for job in jobs])
        await self.gate.wait()
        return [BrokerFull() if job.id == "full" else None for job in jobs]


def job(name: str) -> Job:
    return replace(samples.job(), id=name)


async def started(group: asyncio.TaskGroup, puts: Puts, *names: str) -> list[asyncio.Task[None]]:
    tasks = [group.create_task(puts.put(job(name))) for name in names]
    for _ in range(3):  # turns of the loop: the puts begin, then their batches
        await asyncio.sleep(0)
    return tasks


async def test_jobs_that_come_alone_are_put_at_once() -> None:
    broker = Broker()
    async with asyncio.TaskGroup() as group:
        puts = Puts(broker.put_many, group)
        for name in "abcd":
            async with asyncio.timeout(60):
                await puts.put(job(name))
    assert broker.batches == [["a"], ["b"], ["c"], ["d"]]


async def test_jobs_that_come_while_others_wait_go_together_in_their_order() -> None:
    broker = Broker()
    broker.gate.clear()
    async with asyncio.TaskGroup() as group:
        puts = Puts(broker.put_many, group)
        await started(group, puts, *"abcdef")
        assert broker.batches == [["a"], ["b"]]
        broker.gate.set()
    assert broker.batches[2:] == [["c", "d", "e", "f"]]


async def test_a_refusal_is_that_of_its_job_alone() -> None:
    broker = Broker()
    broker.gate.clear()
    async with asyncio.TaskGroup() as group:
        puts = Puts(broker.put_many, group)
        await started(group, puts, "a", "b")
        refused = group.create_task(_refused(puts, "full"))
        (taken,) = await started(group, puts, "c")
        broker.gate.set()
        await taken
        await refused
    assert broker.batches[2] == ["full", "c"]


async def _refused(puts: Puts, name: str) -> None:
    with pytest.raises(BrokerFull):
        await puts.put(job(name))


async def test_a_job_whose_caller_has_given_up_is_not_put() -> None:
    broker = Broker()
    broker.gate.clear()
    async with asyncio.TaskGroup() as group:
        puts = Puts(broker.put_many, group)
        *_, given_up, _ = await started(group, puts, *"abcd")
        given_up.cancel()
        await asyncio.wait([given_up])
        broker.gate.set()
    assert broker.batches[2:] == [["d"]]
