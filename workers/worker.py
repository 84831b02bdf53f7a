"""Turns a delivery into a verdict: fetches, extracts, and decides what follows from a failure."""

import asyncio
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Protocol

import structlog

from contract.article import Article
from contract.broker import Delivery
from contract.capacity import NoRoom, Reservation
from contract.codec import UndecodableError, decode_job
from contract.events import Event, ProcessedEvent
from contract.job import Job, Kind
from contract.labels import Outcome, Stage, VerdictKind
from contract.metrics import Metrics
from contract.reasons import Reason
from contract.requests import Action
from contract.tracing import OFF, Span, Tracer, current, exemplar_of
from contract.verdicts import Answer, Bury, Defer, Publish, Retry, Verdict, acceptance_of
from workers import outcome, traces
from workers.children.pool import ParserDefect
from workers.document import RawDocument
from workers.duplicates import Duplicates, is_dropped, marked
from workers.failures import DocumentFailure, Failed
from workers.fetch import FetchedPage, HostBusy, Reader
from workers.requests import OwnerRequests
from workers.retry import RetryPolicy, decide

log = structlog.get_logger(__name__)

_AWAY_S = 10.0  # before a document for whose page there was no room is tried again; chosen: as for a busy host


class Fetch(Protocol):
    """Fetches a URL's page, whose bytes `reservation` counts.

    Raises Failed; HostBusy where the host may not be asked now; NoRoom where there is none for its bytes.
    """

    async def fetch(self, url: str, reservation: Reservation) -> FetchedPage: ...


class Parse(Protocol):
    """Extracts the article of a raw document in a parser child, or raises Failed or ParserDefect.

    `fresh` asks for a child that has seen no other document.
    """

    async def run(self, document: RawDocument, *, fresh: bool = False) -> Article: ...


@dataclass(frozen=True, slots=True)
class WorkerLimits:
    """How long an attempt may take, and when it is repeated.

    `job_timeout_s` bounds the whole of one attempt: the limits of fetching (30 s) and parsing (20 s), the waits for
    hosts (10 s each) and for a parser child. A fetched page's wait for a slot does not count: others are to blame for
    it, and the broker bounds it. Both together are well under RabbitMQ's consumer timeout (30 minutes).
    `preview_timeout_s` bounds the same for a preview: with the time that it may wait for a worker (10 s), it is what
    whoever asks is told to expect at most.
    """

    job_timeout_s: float = 120.0
    preview_timeout_s: float = 20.0
    retry: RetryPolicy = field(default_factory=RetryPolicy)


@dataclass(frozen=True, slots=True)
class _Failure:
    """Why an attempt failed; `cause` is the traceback of a defect."""

    failure: DocumentFailure
    cause: str | None = None


class Worker:
    """Decides deliveries. It keeps no state between them, so one worker serves any number at once.

    Documents that `requests` is about are decided as cancelled: before an attempt, or after one that was under way.
    Without `duplicates` none are looked for.
    """

    def __init__(  # noqa: PLR0913 - each is one thing that a worker stands on
        self,
        *,
        fetcher: Fetch,
        parser: Parse,
        metrics: Metrics,
        clock: Callable[[], datetime],
        limits: WorkerLimits,
        requests: OwnerRequests | None = None,
        duplicates: Duplicates | None = None,
        tracer: Tracer = OFF,
    ) -> None:
        self._fetcher = fetcher
        self._parser = parser
        self._metrics = metrics
        self._clock = clock
        self._limits = limits
        self._requests = requests or OwnerRequests()
        self._duplicates = duplicates
        self._tracer = tracer

    async def handle(self, delivery: Delivery) -> Verdict:
        """Returns the verdict on `delivery`. Every failure becomes a verdict, too."""
        began = time.perf_counter()
        with self._metrics.in_flight.track_inprogress():
            job, fault = _job_in(delivery)
            with traces.attempt(self._tracer, job, delivery) as span:
                decided = self._bury_unread(delivery, fault) if job is None else await self._decide(job, delivery)
                verdict = traces.stated(decided, span.context)
                self._observe(Stage.JOB, time.perf_counter() - began)
                self._report(verdict, delivery, span)
        return verdict

    async def _decide(self, job: Job, delivery: Delivery) -> Verdict:
        if delivery.preview:
            return Answer(await self._preview(job, delivery))
        acceptance = acceptance_of(job)
        if acceptance is not None and job.attempt == delivery.deliveries == 1:
            self._metrics.observe_begun(acceptance, self._clock())
        verdict = await self._judge(job, delivery)
        return replace(verdict, acceptance=acceptance) if isinstance(verdict, Publish | Bury) else verdict

    async def _judge(self, job: Job, delivery: Delivery) -> Verdict:
        cancelled = self._cancelled(job, attempts=job.attempt - 1)
        if cancelled is not None:
            return cancelled
        verdict = self._lose(job, delivery) if delivery.lost else await self._attempt(job, delivery)
        made = job.attempt - isinstance(verdict, Defer)
        return self._cancelled(job, attempts=made) or await self._compared(job, verdict)

    def _cancelled(self, job: Job, *, attempts: int) -> Publish | None:
        action = self._requests.about(job)
        if action is None:
            return None
        return Publish(outcome.cancelled(job, attempts, self._clock(), erased=action is Action.ERASE))

    async def _compared(self, job: Job, verdict: Verdict) -> Verdict:
        """Returns the verdict with the original of an article that is a duplicate, or that the article is dropped.

        It is the last step: a document that is decided otherwise is nobody's original.
        """
        event = verdict.event if isinstance(verdict, Publish) else None
        if self._duplicates is None or not isinstance(event, ProcessedEvent):
            return verdict
        began = time.perf_counter()
        is_gone = partial(self._requests.is_erased, owner=job.owner)
        with traces.stage(self._tracer, Stage.COMPARE):
            looked = await self._duplicates.look(job, event.data, self._clock(), is_gone)
        self._observe(Stage.COMPARE, time.perf_counter() - began)
        if not looked.checked:
            self._metrics.duplicates_unchecked.inc()
        event = replace(event, data=marked(event.data, looked))
        if looked.original is None:
            return Publish(event)
        self._metrics.duplicates.labels(looked.original.kind).inc()
        return Publish(outcome.duplicate(event, job, looked.original) if is_dropped(job, looked.original) else event)

    def _lose(self, job: Job, delivery: Delivery) -> Bury:
        lost = DocumentFailure(Reason.WORKER_LOST, f"no worker survived {delivery.deliveries} deliveries")
        return Bury(outcome.failed(job, lost, self._clock()), f"worker_lost: {lost.detail}")

    async def _attempt(self, job: Job, delivery: Delivery) -> Verdict:
        result = await self._result(job, delivery, timeout_s=self._limits.job_timeout_s)
        match result:
            case Article():
                return Publish(outcome.processed(job, result, self._clock()))
            case HostBusy(delay_s=delay_s):
                return Defer(job, delay_s)
            case NoRoom():
                return Defer(job, _AWAY_S)
            case _Failure(failure, cause):
                return decide(job, failure, self._clock(), self._limits.retry, cause)

    async def _preview(self, job: Job, delivery: Delivery) -> Event:
        """Returns the event of a preview: one attempt, and none where a worker may have died of it."""
        if delivery.deliveries > 1:
            lost = DocumentFailure(Reason.WORKER_LOST, "the worker that had it was lost")
            return outcome.failed(job, lost, self._clock())
        result = await self._result(job, delivery, timeout_s=self._limits.preview_timeout_s)
        match result:
            case Article():
                return outcome.processed(job, result, self._clock())
            case HostBusy():
                busy = DocumentFailure(Reason.RATE_LIMITED, "its host is asked for other documents now")
                return outcome.failed(job, busy, self._clock())
            case NoRoom():
                full = DocumentFailure(Reason.RATE_LIMITED, "the worker has no room for it now")
                return outcome.failed(job, full, self._clock())
            case _Failure(failure, cause):
                if cause is not None:
                    log.error("defect", id=job.id, traceback=cause)
                return outcome.failed(job, failure, self._clock())

    async def _result(
        self, job: Job, delivery: Delivery, *, timeout_s: float
    ) -> "Article | HostBusy | NoRoom | _Failure":
        """Returns what one attempt at `job` came to within `timeout_s` seconds."""
        try:
            async with asyncio.timeout(timeout_s) as clock:
                return await self._article(job, delivery, clock)
        except (HostBusy, NoRoom) as later:
            return later
        except Failed as error:
            return _Failure(error.failure)
        except TimeoutError:
            return _Failure(DocumentFailure(Reason.JOB_TIMEOUT, f"not done within {timeout_s:g} s"))
        except ParserDefect as defect:
            return _Failure(DocumentFailure(Reason.INTERNAL_ERROR, str(defect)), defect.traceback)
        except Exception as defect:  # noqa: BLE001 - our own defects become a verdict with their traceback
            trace = "".join(traceback.format_tb(defect.__traceback__)) + type(defect).__name__
            return _Failure(DocumentFailure(Reason.INTERNAL_ERROR, type(defect).__name__), trace)

    async def _article(self, job: Job, delivery: Delivery, clock: asyncio.Timeout) -> Article:
        """Returns the article of `job`: fetched if it is a URL, then extracted, a suspect in a fresh child.

        Raises:
            Failed: the document cannot become one, now or ever; its reason says which.
            HostBusy, NoRoom: it cannot be fetched now.
            ParserDefect: our own code failed on it.
        """
        fresh = delivery.suspect
        if job.kind is not Kind.URL:
            document = RawDocument(job=job, content=job.content or "", is_html=job.kind is Kind.HTML, url=job.url)
            return await self._parsed(document, fresh=fresh)
        async with delivery.reservation.without_slot():
            page, seconds = await self._fetched(job.url or "", delivery.reservation)
            left_s = None if delivery.preview else _pause(clock)
        if left_s is not None:
            clock.reschedule(asyncio.get_running_loop().time() + left_s)
        try:
            article = await self._parsed(_raw_document(job, page), fresh=fresh)
        except Failed as failed:
            raise failed.knowing(fetched=page.fetched) from failed
        timings = {Stage.FETCH.value: round(seconds, 6), **article.provenance.timings}
        return replace(article, provenance=replace(article.provenance, timings=timings))

    async def _fetched(self, url: str, reservation: Reservation) -> tuple[FetchedPage, float]:
        """Returns the page at `url`, and the seconds that it took, waits for hosts included."""
        began = time.perf_counter()
        try:
            page = await traces.fetched(self._tracer, url, self._fetcher.fetch(url, reservation))
        except Failed:
            self._observe(Stage.FETCH, time.perf_counter() - began)
            raise
        seconds = time.perf_counter() - began
        self._observe(Stage.FETCH, seconds)
        return page, seconds

    def _bury_unread(self, delivery: Delivery, detail: str) -> Answer | Bury:
        event = None
        if delivery.message_id:
            reason = Reason.WORKER_LOST if delivery.lost else Reason.UNDECODABLE
            event = outcome.undecodable(delivery.message_id, reason, detail, delivery.deliveries, self._clock())
        return Answer(event) if delivery.preview else Bury(event, f"undecodable: {detail}")

    async def _parsed(self, document: RawDocument, *, fresh: bool) -> Article:
        began_s = time.time()
        try:
            article = await self._parser.run(document, fresh=fresh)
        except Failed as failed:
            traces.tell_unread(self._tracer, began_s, failed)
            raise
        traces.tell_timings(self._tracer, article.provenance.timings, time.time())
        for stage, seconds in article.provenance.timings.items():
            self._observe(stage, seconds)
        return article

    def _observe(self, stage: str, seconds: float) -> None:
        self._metrics.stage_seconds.labels(stage).observe(seconds, exemplar_of(current()))

    def _report(self, verdict: Verdict, delivery: Delivery, span: Span) -> None:
        kind, reason, subject = _summary(verdict, delivery)
        traces.tell_verdict(span, verdict, kind, reason)
        self._metrics.verdicts.labels(kind, reason).inc()
        if isinstance(verdict, Retry):
            self._metrics.retries.labels(verdict.reason).inc()
        if isinstance(verdict, Publish) and isinstance(verdict.event, ProcessedEvent):
            self._metrics.observe_article(verdict.event.data)
        log.info("verdict", verdict=kind, reason=reason, id=subject, deliveries=delivery.deliveries)
        if isinstance(verdict, Bury) and reason == Reason.INTERNAL_ERROR:
            log.error("defect", id=subject, traceback=verdict.cause)


def _job_in(delivery: Delivery) -> tuple[Job | None, str]:
    """Returns the job in a delivery; None where it cannot be decoded, and why."""
    try:
        return decode_job(delivery.body), ""
    except UndecodableError as error:
        return None, str(error)


def _pause(clock: asyncio.Timeout) -> float | None:
    """Stops a clock, and returns the seconds that are left on it."""
    end = clock.when()
    clock.reschedule(None)
    return None if end is None else end - asyncio.get_running_loop().time()


def _raw_document(job: Job, page: FetchedPage) -> RawDocument:
    is_html = page.reader is Reader.HTML
    url, charset = page.fetched.url, page.charset
    return RawDocument(job=job, content=page.body, is_html=is_html, url=url, charset=charset, fetched=page.fetched)


def _summary(verdict: Verdict, delivery: Delivery) -> tuple[str, str, str | None]:
    """Returns a verdict's kind, its reason and the document's id, as metrics and logs name them."""
    match verdict:
        case Publish(event):
            return VerdictKind.PUBLISH, event.reason, event.subject
        case Retry(job, _, reason):
            return VerdictKind.RETRY, reason, job.id
        case Defer(job, _):
            return VerdictKind.DEFER, Outcome.DEFERRED, job.id
        case Bury(event, _):
            return VerdictKind.BURY, event.reason if event else Reason.UNDECODABLE, delivery.message_id
        case Answer(event):
            return VerdictKind.ANSWER, event.reason if event else Reason.UNDECODABLE, delivery.message_id
