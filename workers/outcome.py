"""The events of documents that are decided."""

from dataclasses import replace
from datetime import UTC, datetime

from contract.article import Article, Failure, Provenance
from contract.events import FailedEvent, ProcessedEvent, host_of
from contract.job import Job
from contract.reasons import Reason
from workers.failures import DocumentFailure


def processed(job: Job, article: Article, at: datetime) -> ProcessedEvent:
    """Returns the event of a document that became `article`, with the attempts before in its provenance."""
    data = replace(article, provenance=replace(article.provenance, history=job.history))
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
        **{name: found.value for name, found in known.items()},
        reason=failure.reason,
        detail=failure.detail,
        attempts=job.attempt,
        field_sources={name: found.source for name, found in known.items()},
        provenance=Provenance(fetch=failure.fetched, history=job.history),
    )
    return FailedEvent(id=job.event_id, subject=job.id, time=rfc3339(at), data=data)


def undecodable(message_id: str, reason: Reason, detail: str, deliveries: int, at: datetime) -> FailedEvent:
    """Returns the event of a message whose job cannot be decoded. Only its id is known."""
    failure = Failure(id=message_id, kind=None, reason=reason, detail=detail, attempts=deliveries)
    return FailedEvent(id=f"{message_id}.1", subject=message_id, time=rfc3339(at), data=failure)


def rfc3339(at: datetime) -> str:
    """Returns an aware `at` as RFC 3339 in UTC with milliseconds, as `2026-01-31T08:15:00.000Z`."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
