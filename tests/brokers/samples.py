"""Jobs and events to send through a broker."""

from contract.article import Article, Failure
from contract.events import DisabledWebhook, FailedEvent, ProcessedEvent, WebhookDisabledEvent
from contract.ids import new_document_id
from contract.job import Attempt, Job, Kind, Lane
from contract.reasons import Reason
from contract.tracing import TraceContext
from contract.webhooks import DisabledCause

NOW = "2025-03-01T12:00:00Z"
TRACE = TraceContext("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "congo=1")


def job(lane: Lane = Lane.INTERACTIVE, *, content: str = "Grüße aus Łódź.") -> Job:
    """Returns a new text job."""
    return Job(
        id=new_document_id(),
        kind=Kind.TEXT,
        lane=lane,
        accepted_at=NOW,
        content=content,
        labels={"desk": "foreign"},
        owner="newsroom",
        trace=TRACE,
    )


def jobs(count: int, lane: Lane = Lane.INTERACTIVE) -> list[Job]:
    """Returns `count` new text jobs."""
    return [job(lane) for _ in range(count)]


def again(before: Job, reason: Reason = Reason.SERVER_ERROR) -> Job:
    """Returns the next attempt at `before`."""
    return before.next_attempt(Attempt(reason=reason, at=NOW, detail="503"))


def processed(done: Job, *, host: str = "www.example.com") -> ProcessedEvent:
    """Returns the event of an article made of `done`."""
    text = done.content or "Text."
    article = Article(
        id=done.id,
        kind=done.kind,
        labels=done.labels,
        host=host,
        language="en",
        text=text,
        excerpt=text,
        word_count=3,
        char_count=len(text),
        reading_time_s=1,
        content_sha256="0" * 64,
        simhash="0" * 16,
    )
    parent, state = (None, None) if done.trace is None else (done.trace.traceparent, done.trace.tracestate)
    return ProcessedEvent(
        id=done.event_id, subject=done.id, time=NOW, traceparent=parent, tracestate=state, data=article
    )


def failed(document_id: str, reason: Reason) -> FailedEvent:
    """Returns the event of a document that came to nothing."""
    failure = Failure(id=document_id, kind=None, reason=reason, detail="", attempts=1)
    return FailedEvent(id=f"{document_id}.1", subject=document_id, time=NOW, data=failure)


def webhook_disabled(webhook_id: str) -> WebhookDisabledEvent:
    data = DisabledWebhook(id=webhook_id, cause=DisabledCause.FAILING, failing_since="2026-11-26T12:00:00.000Z")
    at = "2026-11-29T12:00:00.000Z"
    return WebhookDisabledEvent(id=f"{webhook_id}.disabled.1", subject=webhook_id, time=at, data=data)
