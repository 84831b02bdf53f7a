"""Outcomes as events: what a worker says of a document when it is decided."""

from dataclasses import replace
from datetime import datetime

from contract.article import Article, Failure, Provenance
from contract.events import FailedEvent, ProcessedEvent, host_of
from contract.job import Job
from contract.reasons import Reason
from contract.timestamps import rfc3339
from workers.failures import Failed


def processed(job: Job, article: Article, at: datetime) -> ProcessedEvent:
    """Returns the event of a document that became `article`; the attempts before go into its provenance."""
    told = replace(article, provenance=replace(article.provenance, history=job.history))
    return ProcessedEvent(id=job.event_id, subject=job.id, time=rfc3339(at), data=told)


def failed(job: Job, error: Failed, at: datetime) -> FailedEvent:
    """Returns the event of a document that came to nothing, with all that is known of it."""
    known = error.metadata.present()
    failure = Failure(
        id=job.id,
        kind=job.kind,
        labels=job.labels,
        url=job.url,
        host=host_of(job.url),
        **{name: found.value for name, found in known.items()},
        reason=error.reason,
        detail=error.detail,
        attempts=job.attempt,
        field_sources={name: found.source for name, found in known.items()},
        provenance=Provenance(fetch=error.fetched, history=job.history),
    )
    return FailedEvent(id=job.event_id, subject=job.id, time=rfc3339(at), data=failure)


def undecodable(message_id: str, reason: Reason, detail: str, deliveries: int, at: datetime) -> FailedEvent:
    """Returns the event of a message whose job cannot be read: all that is known of it is its id."""
    failure = Failure(id=message_id, kind=None, reason=reason, detail=detail, attempts=deliveries)
    return FailedEvent(id=f"{message_id}.1", subject=message_id, time=rfc3339(at), data=failure)
