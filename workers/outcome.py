"""Builds the events of decided documents."""

from dataclasses import fields, replace
from datetime import datetime

from contract.article import Article, Document, Failure, Provenance
from contract.duplicates import DuplicateOf
from contract.events import FailedEvent, ProcessedEvent, host_of
from contract.job import Job
from contract.reasons import Reason
from contract.timestamps import rfc3339
from workers.failures import DocumentFailure


def processed(job: Job, article: Article, at: datetime) -> ProcessedEvent:
    """Returns the event of a document that became `article`, with the attempts before in its provenance."""
    data = replace(article, provenance=replace(article.provenance, history=job.history, idempotency=job.idempotency))
    return ProcessedEvent(id=job.event_id, subject=job.id, time=rfc3339(at), data=data)


def failed(job: Job, failure: DocumentFailure, at: datetime) -> FailedEvent:
    """Returns the event of a document that failed, with all that is known of it."""
    known = failure.metadata.present()
    data = Failure(
        id=job.id,
        kind=job.kind,
        labels=job.labels,
        url=job.url,
        host=host_of(job.url),
        **{name: sourced.value for name, sourced in known.items()},
        reason=failure.reason,
        detail=failure.detail,
        attempts=job.attempt,
        field_sources={name: sourced.source for name, sourced in known.items()},
        provenance=Provenance(fetch=failure.fetched, history=job.history, idempotency=job.idempotency),
    )
    return FailedEvent(id=job.event_id, subject=job.id, time=rfc3339(at), data=data)


def duplicate(article: ProcessedEvent, job: Job, original: DuplicateOf) -> FailedEvent:
    """Returns the event of a document whose article is dropped, because it is a duplicate of `original`."""
    known = {each.name: getattr(article.data, each.name) for each in fields(Document)}
    data = Failure(
        **known,
        reason=Reason.DUPLICATE,
        detail=f"{original.kind} duplicate of {original.id}",
        attempts=job.attempt,
        duplicate_of=original,
        field_sources=article.data.field_sources,
        provenance=article.data.provenance,
    )
    return FailedEvent(id=article.id, subject=article.subject, time=article.time, data=data)


def cancelled(job: Job, attempts: int, at: datetime, *, erased: bool) -> FailedEvent:
    """Returns the event of a cancelled document, after so many attempts.

    The event of an `erased` document has only its id and kind.
    """
    if erased:
        data = Failure(id=job.id, kind=job.kind, reason=Reason.CANCELLED, detail="erased", attempts=attempts)
        return FailedEvent(id=job.event_id, subject=job.id, time=rfc3339(at), data=data)
    event = failed(job, DocumentFailure(Reason.CANCELLED, "its owner cancelled it"), at)
    return replace(event, data=replace(event.data, attempts=attempts))


def undecodable(message_id: str, reason: Reason, detail: str, deliveries: int, at: datetime) -> FailedEvent:
    """Returns the event of a message whose job cannot be decoded. Only its id is known."""
    failure = Failure(id=message_id, kind=None, reason=reason, detail=detail, attempts=deliveries)
    return FailedEvent(id=f"{message_id}.1", subject=message_id, time=rfc3339(at), data=failure)
