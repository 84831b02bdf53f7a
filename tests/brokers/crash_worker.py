"""Puts and decides jobs endlessly, and prints the confirmed ones. Tests kill it at any moment.

Usage: python -m tests.brokers.crash_worker FOLDER
"""

import asyncio
import sys
from pathlib import Path

from prometheus_client import CollectorRegistry

from contract.broker import Delivery, JobSink
from contract.capacity import Capacity
from contract.codec import decode_job
from contract.job import Lane
from contract.metrics import Metrics
from contract.verdicts import Publish, Retry, Verdict
from runtime.brokers.embedded import EmbeddedBroker
from tests.brokers import samples


async def decide(delivery: Delivery) -> Verdict:
    job = decode_job(delivery.body)
    if job.attempt == 1 and int(job.id[-1], 16) < 4:
        again = samples.again(job)
        return Retry(again, 0.02, again.history[-1].reason)
    return Publish(samples.processed(job))


async def put_without_end(broker: JobSink, lane: Lane) -> None:
    while True:
        job = samples.job(lane)
        await broker.put(job)
        sys.stdout.write(job.id + "\n")
        sys.stdout.flush()


async def run(folder: Path) -> None:
    async with EmbeddedBroker(folder, metrics=Metrics(CollectorRegistry())) as broker, asyncio.TaskGroup() as group:
        group.create_task(broker.consume(decide, capacity=Capacity(slots=4), stop=asyncio.Event()))
        for lane in [*Lane] * 2:
            group.create_task(put_without_end(broker, lane))


if __name__ == "__main__":
    asyncio.run(run(Path(sys.argv[1])))
