"""Where a document enters: every submission, posted alone or with many others, is put to the broker here."""

import asyncio
from collections.abc import Sequence

from aiohttp import web

from contract.broker import BrokerError, BrokerUnavailable, JobSink, NotPut
from contract.codec import MessageTooLarge
from contract.job import Job
from service.context import BROKER, LIMITS, METRICS
from service.http.bodies import too_large
from service.posting.traces import Sending
from service.refusals import Problem, ProblemError, broker_problem


async def admit(app: web.Application, jobs: Sequence[Job], *, apart: bool = False) -> Sequence[Problem | None]:
    """Puts newly submitted documents, and returns the problem of each that is refused, None for one that is durable.

    `apart`: each begins a trace of its own.
    """
    outcomes = [_problem(outcome) for outcome in await _put(app, jobs, apart=apart)]
    for job, problem in zip(jobs, outcomes, strict=True):
        if problem is None:
            app[METRICS].accepted.labels(job.kind, job.lane).inc()
    return outcomes


async def admit_one(app: web.Application, job: Job) -> None:
    """Returns when `job`, a newly submitted document, is durable.

    Raises:
        ProblemError: it is refused.
    """
    (problem,) = await admit(app, [job])
    if problem is not None:
        raise ProblemError(problem)


async def put_run(app: web.Application, job: Job) -> None:
    """Returns when `job`, a further run of a document, is durable.

    Raises:
        ProblemError: it is refused.
    """
    (outcome,) = await _put(app, [job])
    problem = _problem(outcome)
    if problem is not None:
        raise ProblemError(problem)


async def _put(app: web.Application, jobs: Sequence[Job], *, apart: bool = False) -> Sequence[NotPut]:
    with Sending(app, jobs, apart=apart) as sending:
        outcomes = await _confirmed(app, sending.jobs)
        sending.tell(outcomes)
        return outcomes


async def _confirmed(app: web.Application, jobs: Sequence[Job]) -> Sequence[NotPut]:
    broker: JobSink = app[BROKER]
    try:
        async with asyncio.timeout(app[LIMITS].put_timeout_s):
            if len(jobs) != 1:
                return await broker.put_many(jobs)
            await broker.put(jobs[0])
    except (BrokerError, MessageTooLarge) as error:
        return [error]
    except TimeoutError:
        return [BrokerUnavailable()] * len(jobs)
    return [None]


def _problem(outcome: NotPut) -> Problem | None:
    if outcome is None:
        return None
    return job_too_large(outcome).problem if isinstance(outcome, MessageTooLarge) else broker_problem(outcome)


def job_too_large(error: MessageTooLarge) -> ProblemError:
    """Returns the problem of a job that the broker cannot take: JSON needs escapes, so it is larger than its body."""
    return too_large("document, encoded as JSON,", error.limit_bytes)
