import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from prometheus_client import CollectorRegistry

from contract.article import Article, Fetched, Provenance
from contract.broker import Delivery
from contract.capacity import NoRoom, Reservation
from contract.codec import encode
from contract.events import FailedEvent, ProcessedEvent
from contract.idempotency import Idempotency
from contract.job import Attempt, Job, Kind, Lane
from contract.metrics import Metrics
from contract.reasons import Reason
from contract.verdicts import Bury, Defer, Publish, Retry
from workers.children.pool import ParserDefect
from workers.document import RawDocument
from workers.duplicates import Duplicates
from workers.failures import Failed
from workers.fetch import FetchedPage, HostBusy
from workers.requests import OwnerRequests
from workers.retry import RetryPolicy
from workers.worker import Worker, WorkerLimits

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
TEXT_JOB = Job(id="d-1", kind=Kind.TEXT, lane=Lane.BULK, accepted_at="2026-01-02T03:04:00Z", content="A word.")
URL_JOB = Job(id="d-2", kind=Kind.URL, lane=Lane.BULK, accepted_at="2026-01-02T03:04:00Z", url="https://example.com/a")
PAGE = FetchedPage(
    body=b"<p>A word.</p>",
    charset="utf-8",
    fetched=Fetched(
        url="https://example.com/b", status=200, media_type="text/html", redirects=("https://example.com/a",)
    ),
)


def article_of(document: RawDocument) -> Article:
    return Article(
        id=document.job.id,
        kind=document.job.kind,
        url=document.url,
        text="A word.",
        excerpt="A word.",
        word_count=2,
        char_count=7,
        reading_time_s=1,
        content_sha256="0",
        simhash="0",
        provenance=Provenance(fetch=document.fetched, timings={"extract": 0.5}),
    )


class Site:
    """A fetcher with one page behind every URL, or a failure."""

    def __init__(self, answer: FetchedPage | Exception) -> None:
        self._answer = answer

    async def fetch(self, url: str, reservation: Reservation) -> FetchedPage:  # noqa: ARG002 - one page behind every URL
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer


class InProcessParser:
    """Extracts in this process, with the given function."""

    def __init__(self, extract_article: Callable[[RawDocument], Awaitable[Article]]) -> None:
        self._extract_article = extract_article
        self.fresh: list[bool] = []

    async def run(self, document: RawDocument, *, fresh: bool = False) -> Article:
        self.fresh.append(fresh)
        return await self._extract_article(document)


async def extract_well(document: RawDocument) -> Article:
    return article_of(document)


def worker(  # noqa: PLR0913, PLR0917 - what a test may replace
    site: FetchedPage | Exception = PAGE,
    extract_article: Callable[[RawDocument], Awaitable[Article]] = extract_well,
    job_timeout_s: float = 5.0,
    metrics: Metrics | None = None,
    parser: InProcessParser | None = None,
    requests: OwnerRequests | None = None,
    duplicates: Duplicates | None = None,
) -> Worker:
    return Worker(
        fetcher=Site(site),
        parser=parser or InProcessParser(extract_article),
        metrics=metrics or Metrics(CollectorRegistry()),
        clock=lambda: AT,
        limits=WorkerLimits(job_timeout_s=job_timeout_s, retry=RetryPolicy(delays_s=(10, 60))),
        requests=requests,
        duplicates=duplicates,
    )


def delivery(job: Job, **changes: object) -> Delivery:
    return replace(Delivery(body=encode(job), message_id=job.id), **changes)  # type: ignore[arg-type] # fields by name


async def test_the_wait_for_a_worker_is_measured_at_the_first_delivery_of_a_first_attempt() -> None:
    metrics = Metrics(CollectorRegistry())
    for other in (replace(TEXT_JOB, attempt=2), replace(TEXT_JOB, run=2)):
        await worker(metrics=metrics).handle(delivery(other))
    await worker(metrics=metrics).handle(delivery(TEXT_JOB, deliveries=2))
    await worker(metrics=metrics).handle(delivery(TEXT_JOB, preview=True))
    assert metrics.registry.get_sample_value("copydesk_queue_wait_seconds_count", {"lane": "bulk"}) is None
    verdict = await worker(metrics=metrics).handle(delivery(TEXT_JOB))
    assert metrics.registry.get_sample_value("copydesk_queue_wait_seconds_sum", {"lane": "bulk"}) == 5
    assert metrics.registry.get_sample_value("copydesk_articles_total", {"kind": "text", "content": "unknown"}) == 4
    assert isinstance(verdict, Publish)
    assert verdict.acceptance is not None
    assert verdict.acceptance.at == TEXT_JOB.accepted_at


def raising(error: BaseException) -> Callable[[RawDocument], Awaitable[Article]]:
    async def extract_article(_: RawDocument) -> Article:
        raise error

    return extract_article


async def test_text_becomes_an_article() -> None:
    verdict = await worker().handle(delivery(TEXT_JOB))
    assert isinstance(verdict, Publish)
    event = verdict.event
    assert isinstance(event, ProcessedEvent)
    assert (event.id, event.subject, event.time) == ("d-1.1", "d-1", "2026-01-02T03:04:05.000Z")
    assert event.data.text == "A word."


async def test_a_url_is_fetched_and_where_it_led_is_reported() -> None:
    verdict = await worker().handle(delivery(URL_JOB))
    assert isinstance(verdict, Publish)
    assert isinstance(verdict.event, ProcessedEvent)
    article = verdict.event.data
    assert article.url == "https://example.com/b"
    assert article.provenance.fetch == PAGE.fetched
    assert set(article.provenance.timings) == {"fetch", "extract"}


async def test_events_say_which_body_came_with_the_key() -> None:
    keyed = replace(TEXT_JOB, idempotency=Idempotency(body_digest="a", checked=False))
    for extract_article in (extract_well, raising(Failed(Reason.NO_ARTICLE))):
        for job in (keyed, TEXT_JOB):
            verdict = await worker(PAGE, extract_article).handle(delivery(job))
            assert isinstance(verdict, Publish)
            assert verdict.event.data.provenance.idempotency == job.idempotency


async def test_a_failed_document_reports_what_was_fetched() -> None:
    gone = Failed(Reason.NOT_FOUND, "HTTP status 404", fetched=replace(PAGE.fetched, status=404))
    for site, extract_article, reported in (
        (gone, extract_well, gone.failure.fetched),
        (PAGE, raising(Failed(Reason.NO_ARTICLE)), PAGE.fetched),
        (Failed(Reason.INVALID_URL), extract_well, None),
    ):
        verdict = await worker(site, extract_article).handle(delivery(URL_JOB))
        assert isinstance(verdict, Publish)
        assert verdict.event.data.provenance.fetch == reported


@pytest.mark.parametrize(
    ("media_type", "is_html"), [("text/html", True), ("text/plain", False), ("text/markdown", False)]
)
async def test_the_media_type_chooses_the_reader(media_type: str, is_html: bool) -> None:
    seen: list[bool] = []

    async def extract_article(document: RawDocument) -> Article:
        seen.append(document.is_html)
        return article_of(document)

    page = replace(PAGE, fetched=replace(PAGE.fetched, media_type=media_type))
    await worker(page, extract_article).handle(delivery(URL_JOB))
    assert seen == [is_html]


async def test_the_attempts_before_stand_in_the_article() -> None:
    past = Attempt(reason=Reason.DNS_ERROR, at="2026-01-02T03:00:00.000Z")
    verdict = await worker().handle(delivery(TEXT_JOB.next_attempt(past)))
    assert isinstance(verdict, Publish)
    assert verdict.event.data.provenance.history == (past,)


async def test_a_failed_fetch_is_retried() -> None:
    verdict = await worker(Failed(Reason.SERVER_ERROR, "503")).handle(delivery(URL_JOB))
    assert isinstance(verdict, Retry)
    assert (verdict.reason, verdict.job.attempt, verdict.delay_s) == (Reason.SERVER_ERROR, 2, 10)


async def test_a_document_without_an_article_fails_at_once() -> None:
    verdict = await worker(extract_article=raising(Failed(Reason.NO_ARTICLE))).handle(delivery(TEXT_JOB))
    assert isinstance(verdict, Publish)
    assert verdict.event.reason == "no_article"


async def test_a_job_that_takes_too_long_is_ended() -> None:
    async def hang(_: RawDocument) -> Article:
        await asyncio.Event().wait()
        raise AssertionError

    verdict = await worker(extract_article=hang, job_timeout_s=0.05).handle(delivery(TEXT_JOB))
    assert isinstance(verdict, Retry)
    assert verdict.reason is Reason.JOB_TIMEOUT


@pytest.mark.parametrize("defect", [ValueError("the document said: secret"), ParserDefect("ValueError", "Traceback …")])
async def test_a_defect_is_retried_then_buried_with_its_traceback(defect: Exception) -> None:
    tired = replace(TEXT_JOB, attempt=3)
    assert isinstance(await worker(extract_article=raising(defect)).handle(delivery(TEXT_JOB)), Retry)
    verdict = await worker(extract_article=raising(defect)).handle(delivery(tired))
    assert isinstance(verdict, Bury)
    assert isinstance(verdict.event, FailedEvent)
    assert verdict.event.data.reason is Reason.INTERNAL_ERROR
    assert "secret" not in verdict.cause + verdict.event.data.detail
    assert "File" in verdict.cause or "Traceback" in verdict.cause


async def test_an_undecodable_message_with_an_id_fails_and_is_buried() -> None:
    verdict = await worker().handle(Delivery(body=b"\xff", message_id="d-9", deliveries=2))
    assert isinstance(verdict, Bury)
    assert isinstance(verdict.event, FailedEvent)
    assert (verdict.event.id, verdict.event.data.reason, verdict.event.data.kind) == ("d-9.1", Reason.UNDECODABLE, None)


async def test_an_undecodable_message_without_an_id_is_buried() -> None:
    verdict = await worker().handle(Delivery(body=b"\xff", message_id=None))
    assert isinstance(verdict, Bury)
    assert verdict.event is None


@pytest.mark.parametrize("body", [encode(TEXT_JOB), b"\xff"])
async def test_a_lost_message_is_decided_without_being_parsed(body: bytes) -> None:
    lost = Delivery(body=body, message_id="d-1", deliveries=21, lost=True)
    verdict = await worker(extract_article=raising(AssertionError())).handle(lost)
    assert isinstance(verdict, Bury)
    assert verdict.event is not None
    assert (verdict.event.subject, verdict.event.reason) == ("d-1", "worker_lost")


@pytest.mark.parametrize(("deliveries", "fresh"), [(1, False), (2, False), (3, True), (21, True)])
async def test_a_job_delivered_three_times_is_edited_in_a_fresh_child(deliveries: int, fresh: bool) -> None:
    parser = InProcessParser(extract_well)
    verdict = await worker(parser=parser).handle(delivery(TEXT_JOB, deliveries=deliveries))
    assert isinstance(verdict, Publish)
    assert parser.fresh == [fresh]


async def test_cancelling_is_not_a_verdict() -> None:
    began = asyncio.Event()

    async def hang(_: RawDocument) -> Article:
        began.set()
        await asyncio.Event().wait()
        raise AssertionError

    task = asyncio.create_task(worker(extract_article=hang).handle(delivery(TEXT_JOB)))
    await began.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_verdicts_and_stages_are_counted() -> None:
    metrics = Metrics(CollectorRegistry())
    await worker(metrics=metrics).handle(delivery(URL_JOB))
    await worker(Failed(Reason.GONE), metrics=metrics).handle(delivery(URL_JOB))
    await worker(Failed(Reason.DNS_ERROR), metrics=metrics).handle(delivery(URL_JOB))
    value = metrics.registry.get_sample_value
    assert value("copydesk_verdicts_total", {"verdict": "publish", "reason": "processed"}) == 1
    assert value("copydesk_verdicts_total", {"verdict": "publish", "reason": "gone"}) == 1
    assert value("copydesk_retries_total", {"reason": "dns_error"}) == 1
    assert value("copydesk_stage_seconds_count", {"stage": "job"}) == 3
    assert value("copydesk_stage_seconds_count", {"stage": "fetch"}) == 3
    assert value("copydesk_stage_seconds_sum", {"stage": "extract"}) == 0.5
    assert value("copydesk_in_flight") == 0


async def test_a_busy_host_defers_the_same_attempt() -> None:
    assert await worker(HostBusy(7.0)).handle(delivery(URL_JOB)) == Defer(URL_JOB, 7.0)


class SlowReservation:
    """A reservation whose slot is free again only after `seconds`."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    @asynccontextmanager
    async def without_slot(self) -> AsyncIterator[None]:
        yield
        await asyncio.sleep(self._seconds)

    def take_now(self, _size_bytes: int) -> bool:
        return True

    async def take(self, _size_bytes: int) -> None:
        raise AssertionError


async def test_the_wait_for_a_slot_is_not_the_documents_fault() -> None:
    verdict = await worker(job_timeout_s=0.1).handle(delivery(URL_JOB, reservation=SlowReservation(0.3)))
    assert isinstance(verdict, Publish)


async def test_the_rest_of_the_time_counts_after_the_wait_for_a_slot() -> None:
    async def never(_: RawDocument) -> Article:
        await asyncio.Event().wait()
        raise AssertionError

    verdict = await worker(extract_article=never, job_timeout_s=0.1).handle(
        delivery(URL_JOB, reservation=SlowReservation(0.3))
    )
    assert isinstance(verdict, Retry)
    assert verdict.reason is Reason.JOB_TIMEOUT


async def test_a_document_for_whose_page_there_is_no_room_comes_back_later() -> None:
    verdict = await worker(NoRoom("full")).handle(delivery(URL_JOB))
    assert isinstance(verdict, Defer)
