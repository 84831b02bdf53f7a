"""Common steps of tests with dead letters."""

import asyncio
from dataclasses import replace

from contract.broker import Broker, DeadLetters, Delivery
from contract.codec import decode_job
from contract.dead import DeadLetter as Letter
from contract.events import FailedEvent
from contract.job import Job
from contract.reasons import Reason
from contract.verdicts import Bury, Verdict
from tests.brokers import samples
from tests.brokers.suite.handlers import Recorder
from tests.brokers.suite.steps import consume_until


def everything(_: Letter) -> bool:
    return True


async def bury(broker: Broker, job: Job, *, event: FailedEvent | None = None, cause: str = "signal 11") -> None:
    """Puts `job` and buries it."""
    verdict = Bury(event or samples.failed(job.id, Reason.PARSER_CRASH), cause)
    await broker.put(job)
    await consume_until(broker, Recorder(1, lambda _: verdict), slots=1)


async def bury_many(broker: Broker, count: int) -> list[Job]:
    """Puts and buries new jobs, and returns them in the order in which they were buried."""
    jobs, recorder = samples.jobs(count), Recorder(count, bury_as_crashed)
    for job in jobs:
        await broker.put(job)
    await consume_until(broker, recorder, slots=1)
    assert recorder.ids == [job.id for job in jobs]
    return jobs


async def until_dead(broker: DeadLetters, *, run: int) -> None:
    """Waits until a letter of this run is there."""

    def is_there(letter: Letter) -> bool:
        return letter.job is not None and letter.job.run == run

    while not (await broker.dead(is_there)).letters:  # noqa: ASYNC110 - burying sets no event
        await asyncio.sleep(0.02)


def bury_as_crashed(delivery: Delivery) -> Verdict:
    job = decode_job(delivery.body)
    return Bury(replace(samples.failed(job.id, Reason.PARSER_CRASH), id=job.event_id), "signal 11")
