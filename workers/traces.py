"""The spans of a worker: one for each attempt at a document, and in it one for each stage.

Parser children make none. They report how long each stage took, and the worker makes the spans of it.
"""

from collections.abc import Awaitable, Mapping
from dataclasses import replace

from contract.article import Fetched
from contract.broker import Delivery
from contract.events import FailedEvent
from contract.job import Job
from contract.labels import Stage
from contract.spans import (
    DELIVERIES,
    HTTP_STATUS,
    REASON,
    RESENT,
    VERDICT,
    about,
    place_of,
    processing,
)
from contract.topology import INTAKE
from contract.tracing import Span, SpanKind, TraceContext, Tracer, Within, checked, current
from contract.verdicts import Answer, Bury, Defer, Publish, Retry, Verdict
from workers.failures import Failed
from workers.fetch import FetchedPage


def attempt(tracer: Tracer, job: Job | None, delivery: Delivery) -> Within:
    """Returns the span of an attempt at `job`, None if it cannot be decoded. It continues the trace of the job."""
    trace = None if job is None else checked(job.trace)
    if not tracer.is_on:
        return Within(tracer.start("", parent=trace), delivery.message_id)
    attributes = {**processing(INTAKE, delivery.message_id or ""), DELIVERIES: delivery.deliveries}
    if job is not None:
        attributes |= about(job)
    span = tracer.start(f"process {INTAKE}", SpanKind.CONSUMER, parent=trace, attributes=attributes)
    return Within(span, delivery.message_id)


def stated(verdict: Verdict, trace: TraceContext | None) -> Verdict:
    """Returns the verdict, whose event states `trace` as where it was made."""
    if trace is None or not isinstance(verdict, Publish | Bury | Answer) or verdict.event is None:
        return verdict
    event = replace(verdict.event, traceparent=trace.traceparent, tracestate=trace.tracestate)
    return replace(verdict, event=event)


def tell_verdict(span: Span, verdict: Verdict, kind: str, reason: str) -> None:
    """Sets what an attempt came to: `kind` and `reason` are those of its verdict."""
    span.set(VERDICT, kind)
    span.set(REASON, reason)
    is_failed = isinstance(verdict, Retry) or (
        not isinstance(verdict, Defer) and (verdict.event is None or isinstance(verdict.event, FailedEvent))
    )
    if is_failed:
        span.fail(reason)


def stage(tracer: Tracer, name: Stage) -> Within:
    """Returns the span of a stage of the attempt that is under way."""
    return Within(tracer.start(name, parent=current()))


async def fetched(tracer: Tracer, url: str, fetching: Awaitable[FetchedPage]) -> FetchedPage:
    """Returns the page that `fetching` comes to, within a span that names its host, and nothing else of its URL."""
    attributes = place_of(url) if tracer.is_on else None
    with Within(tracer.start(Stage.FETCH, parent=current(), attributes=attributes)) as span:
        try:
            page = await fetching
        except Failed as failed:
            _tell_answer(span, failed.failure.fetched)
            span.fail(failed.reason)
            raise
        _tell_answer(span, page.fetched)
        return page


def _tell_answer(span: Span, answer: Fetched | None) -> None:
    if answer is None:
        return
    if answer.status is not None:
        span.set(HTTP_STATUS, answer.status)
    if answer.redirects:
        span.set(RESENT, len(answer.redirects))


def tell_timings(tracer: Tracer, timings: Mapping[str, float], ended_s: float) -> None:
    """Makes a span of each stage in a parser child. They followed each other, and ended at the Unix time `ended_s`."""
    if not tracer.is_on:
        return
    began_s = ended_s - sum(timings.values())
    for name, seconds in timings.items():
        span = tracer.start(name, parent=current(), began_s=began_s)
        began_s += seconds
        span.end(began_s)


def tell_unread(tracer: Tracer, began_s: float, failed: Failed) -> None:
    """Makes the span of a parser child's work since the Unix time `began_s`, which came to nothing."""
    span = tracer.start(Stage.EXTRACT, parent=current(), began_s=began_s)
    span.fail(failed.reason)
    span.end()
