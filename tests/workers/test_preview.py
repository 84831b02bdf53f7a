"""A worker's answer to a preview: one attempt, and an event for the caller alone."""

import asyncio

import pytest
from prometheus_client import CollectorRegistry

from contract.broker import Delivery
from contract.events import FailedEvent, ProcessedEvent
from contract.metrics import Metrics
from contract.reasons import Reason
from contract.verdicts import Answer
from tests.workers.test_worker import AT, TEXT_JOB, URL_JOB, InProcessParser, delivery, extract_well, raising, worker
from workers.children.pool import ParserDefect
from workers.document import RawDocument
from workers.failures import Failed
from workers.fetch import HostBusy
from workers.worker import Worker, WorkerLimits

PREVIEW_OF = {"text": TEXT_JOB, "url": URL_JOB}


async def answered(by: Worker, asked: Delivery) -> ProcessedEvent | FailedEvent:
    verdict = await by.handle(asked)
    assert isinstance(verdict, Answer)
    assert verdict.event is not None
    return verdict.event


@pytest.mark.parametrize("kind", PREVIEW_OF)
async def test_a_preview_is_answered_with_the_event_that_would_have_been_published(kind: str) -> None:
    event = await answered(worker(), delivery(PREVIEW_OF[kind], preview=True))
    assert isinstance(event, ProcessedEvent)
    assert (event.subject, event.data.text) == (PREVIEW_OF[kind].id, "A word.")


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (Failed(Reason.DNS_ERROR), Reason.DNS_ERROR),  # it would be tried again
        (Failed(Reason.MEMORY), Reason.MEMORY),  # it would be buried in the end
        (Failed(Reason.NOT_FOUND), Reason.NOT_FOUND),
        (HostBusy(5.0), Reason.RATE_LIMITED),  # it would come back
        (RuntimeError("no"), Reason.INTERNAL_ERROR),
    ],
)
async def test_failures_of_previews_are_reported_and_not_retried(error: Exception, reason: Reason) -> None:
    event = await answered(worker(error), delivery(URL_JOB, preview=True))
    assert isinstance(event, FailedEvent)
    assert (event.data.reason, event.data.attempts) == (reason, 1)


async def test_a_defect_of_the_parser_is_reported_without_its_traceback() -> None:
    broken = worker(extract_article=raising(ParserDefect("ValueError", "Traceback: secret text")))
    event = await answered(broken, delivery(TEXT_JOB, preview=True))
    assert isinstance(event, FailedEvent)
    assert (event.data.reason, "secret" in event.data.detail) == (Reason.INTERNAL_ERROR, False)


async def test_a_preview_that_a_worker_may_have_died_of_is_not_parsed_again() -> None:
    parser = InProcessParser(extract_well)
    event = await answered(worker(parser=parser), delivery(TEXT_JOB, preview=True, deliveries=2))
    assert isinstance(event, FailedEvent)
    assert (event.data.reason, parser.fresh) == (Reason.WORKER_LOST, [])


async def test_a_preview_has_a_time_limit_of_its_own() -> None:
    async def hang(_: RawDocument) -> None:
        await asyncio.Event().wait()

    slow = Worker(
        fetcher=worker()._fetcher,
        parser=InProcessParser(hang),  # type: ignore[arg-type] # it returns nothing, ever
        metrics=Metrics(CollectorRegistry()),
        clock=lambda: AT,
        limits=WorkerLimits(job_timeout_s=60, preview_timeout_s=0.05),
    )
    async with asyncio.timeout(30):
        event = await answered(slow, delivery(TEXT_JOB, preview=True))
    assert isinstance(event, FailedEvent)
    assert event.data.reason is Reason.JOB_TIMEOUT


async def test_an_undecodable_preview_is_answered_so() -> None:
    event = await answered(worker(), Delivery(body=b"{", message_id="some-id", preview=True))
    assert (event.subject, event.reason) == ("some-id", Reason.UNDECODABLE)


async def test_a_preview_without_a_caller_is_not_answered() -> None:
    assert await worker().handle(Delivery(body=b"{", message_id=None, preview=True)) == Answer(None)


async def test_a_suspect_is_never_a_preview() -> None:
    assert not delivery(TEXT_JOB, preview=True, deliveries=9).suspect
