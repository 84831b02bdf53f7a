"""The spans of an attempt, and the trace that its event states."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from opentelemetry.trace import SpanKind, StatusCode
from prometheus_client import CollectorRegistry

from contract.article import Article, Fetched
from contract.broker import Delivery
from contract.capacity import Reservation
from contract.codec import encode
from contract.job import Job, Kind, Lane
from contract.metrics import Metrics
from contract.reasons import Reason
from contract.tracing import OFF, TraceContext, Tracer, current, document
from contract.verdicts import Answer, Bury, Publish, Retry, Verdict
from tests.spans import SpanRecorder, parent_id, span_id, trace_id
from tests.workers.test_worker import PAGE, TEXT_JOB, URL_JOB, article_of
from workers.document import RawDocument
from workers.failures import Failed
from workers.fetch import FetchedPage
from workers.worker import Worker, WorkerLimits

TRACE, SENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
CARRIED = TraceContext(f"00-{TRACE}-{SENT}-01", "congo=1")
SECRET_URL = "https://example.com:8443/capability?token=secret"


class Site:
    def __init__(self, answer: FetchedPage | Exception) -> None:
        self._answer = answer

    async def fetch(self, url: str, reservation: Reservation) -> FetchedPage:  # noqa: ARG002 - one page behind every URL
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer


class Parser:
    def __init__(self, failure: Failed | None = None) -> None:
        self.seen: list[tuple[TraceContext | None, str | None]] = []
        self._failure = failure

    async def run(self, document_: RawDocument, *, fresh: bool = False) -> Article:  # noqa: ARG002 - one process
        self.seen.append((current(), document()))
        if self._failure is not None:
            raise self._failure
        article = article_of(document_)
        return replace(article, provenance=replace(article.provenance, timings={"extract": 0.5, "normalise": 0.25}))


async def verdict_on(  # noqa: PLR0913 - what a test may replace
    job: Job,
    tracer: Tracer,
    *,
    answer: FetchedPage | Exception = PAGE,
    parser: Parser | None = None,
    deliveries: int = 1,
    preview: bool = False,
) -> Verdict:
    worker = Worker(
        fetcher=Site(answer),
        parser=parser or Parser(),
        metrics=Metrics(CollectorRegistry()),
        clock=lambda: datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        limits=WorkerLimits(),
        tracer=tracer,
    )
    delivery = Delivery(body=encode(job), message_id=job.id, deliveries=deliveries, preview=preview)
    return await worker.handle(delivery)


async def test_without_a_tracer_the_event_states_what_the_job_carries() -> None:
    parser = Parser()
    verdict = await verdict_on(replace(TEXT_JOB, trace=CARRIED), OFF, parser=parser)
    assert isinstance(verdict, Publish)
    assert verdict.event.trace == CARRIED
    assert parser.seen == [(CARRIED, "d-1")]
    assert (current(), document()) == (None, None)


@pytest.mark.parametrize("trace", [None, TraceContext("nonsense")])
async def test_without_a_trace_the_event_states_none(trace: TraceContext | None) -> None:
    verdict = await verdict_on(replace(TEXT_JOB, trace=trace), OFF)
    assert isinstance(verdict, Publish)
    assert verdict.event.trace is None
    assert b"traceparent" not in encode(verdict.event)


async def test_the_next_attempt_carries_the_same_trace() -> None:
    failure = Failed(Reason.SERVER_ERROR, "503")
    recorder = SpanRecorder()
    verdict = await verdict_on(replace(URL_JOB, trace=CARRIED), recorder.tracer, answer=failure)
    assert isinstance(verdict, Retry)
    assert verdict.job.trace == CARRIED


async def test_an_attempt_at_a_url_has_a_span_for_each_stage() -> None:
    recorder = SpanRecorder()
    fetched = Fetched(url=SECRET_URL, status=200, media_type="text/html", redirects=("https://example.com/a",))
    job = replace(URL_JOB, url=SECRET_URL, trace=CARRIED, attempt=2)
    verdict = await verdict_on(job, recorder.tracer, answer=replace(PAGE, fetched=fetched), deliveries=3)
    attempt = recorder.named("process copydesk.intake")
    assert (attempt.kind, parent_id(attempt)) == (SpanKind.CONSUMER, int(SENT, 16))
    stages = [recorder.named(name) for name in ("fetch", "extract", "normalise")]
    assert {parent_id(span) for span in stages} == {span_id(attempt)}
    assert {f"{trace_id(span):032x}" for span in [attempt, *stages]} == {TRACE}
    assert isinstance(verdict, Publish)
    assert verdict.event.trace == TraceContext(f"00-{TRACE}-{span_id(attempt):016x}-01", "congo=1")
    assert dict(attempt.attributes or {}) == {
        "messaging.system": "rabbitmq",
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        "messaging.destination.name": "copydesk.intake",
        "messaging.message.id": "d-2",
        "copydesk.document.id": "d-2",
        "copydesk.document.kind": "url",
        "copydesk.run": 1,
        "copydesk.attempt": 2,
        "copydesk.deliveries": 3,
        "copydesk.verdict": "publish",
        "copydesk.reason": "processed",
    }
    assert dict(stages[0].attributes or {}) == {
        "server.address": "example.com",
        "server.port": 8443,
        "url.scheme": "https",
        "http.response.status_code": 200,
        "http.request.resend_count": 1,
    }
    assert "secret" not in "".join(span.to_json() for span in recorder.spans)
    assert "capability" not in "".join(span.to_json() for span in recorder.spans)


async def test_the_stages_in_a_parser_child_follow_each_other_as_long_as_they_took() -> None:
    recorder = SpanRecorder()
    await verdict_on(TEXT_JOB, recorder.tracer)
    extract, normalise = recorder.named("extract"), recorder.named("normalise")
    assert extract.start_time is not None
    assert extract.end_time is not None
    assert normalise.start_time is not None
    assert normalise.end_time is not None
    assert extract.end_time - extract.start_time == pytest.approx(0.5e9, rel=1e-3)
    assert normalise.end_time - normalise.start_time == pytest.approx(0.25e9, rel=1e-3)
    assert extract.end_time == normalise.start_time


@pytest.mark.parametrize(
    ("job", "more", "stage"),
    [
        (URL_JOB, {"answer": Failed(Reason.NOT_FOUND, "404")}, "fetch"),
        (TEXT_JOB, {"parser": Parser(Failed(Reason.NO_ARTICLE, "nothing"))}, "extract"),
    ],
)
async def test_a_failure_is_named_by_its_reason(job: Job, more: dict[str, Any], stage: str) -> None:
    recorder = SpanRecorder()
    verdict = await verdict_on(job, recorder.tracer, **more)
    assert isinstance(verdict, Publish)
    for span in (recorder.named(stage), recorder.named("process copydesk.intake")):
        assert (span.attributes or {})["error.type"] == verdict.event.reason
        assert span.status.status_code is StatusCode.ERROR
        assert span.events == ()  # an exception's message may quote the document


async def test_a_message_that_cannot_be_decoded_has_a_span_and_its_event_a_trace() -> None:
    recorder = SpanRecorder()
    worker = Worker(
        fetcher=Site(PAGE),
        parser=Parser(),
        metrics=Metrics(CollectorRegistry()),
        clock=lambda: datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        limits=WorkerLimits(),
        tracer=recorder.tracer,
    )
    verdict = await worker.handle(Delivery(body=b"no job", message_id="d-9"))
    attempt = recorder.named("process copydesk.intake")
    assert isinstance(verdict, Bury)
    assert verdict.event is not None
    assert verdict.event.trace is not None
    assert verdict.event.trace.span_id == f"{span_id(attempt):016x}"
    assert (attempt.attributes or {})["error.type"] == "undecodable"


async def test_a_preview_states_its_trace_too() -> None:
    verdict = await verdict_on(replace(TEXT_JOB, lane=Lane.INTERACTIVE, trace=CARRIED), OFF, preview=True)
    assert isinstance(verdict, Answer)
    assert verdict.event is not None
    assert verdict.event.trace == CARRIED
    assert TEXT_JOB.kind is Kind.TEXT


async def test_a_trace_that_the_caller_does_not_sample_makes_no_spans_and_is_carried_on() -> None:
    recorder = SpanRecorder()
    verdict = await verdict_on(replace(TEXT_JOB, trace=TraceContext(f"00-{TRACE}-{SENT}-00")), recorder.tracer)
    assert recorder.spans == ()
    assert isinstance(verdict, Publish)
    assert verdict.event.trace is not None
    assert (verdict.event.trace.trace_id, verdict.event.trace.is_sampled) == (TRACE, False)
