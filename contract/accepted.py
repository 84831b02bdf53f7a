"""The record of acceptances: id, lane and time of each run whose job is stored, and the ends of batches."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from contract.batches import BatchClosed
from contract.charsets import CharsetSource
from contract.job import CallerMetadata, Job, Kind, Lane
from contract.options import Options
from contract.timestamps import rfc3339


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """The input of a run, apart from its acceptance. Another run uses the same input.

    `content` is the submitted text or HTML if it is kept; `charset` and `charset_source` say how it was decoded.
    """

    metadata: CallerMetadata = field(default_factory=CallerMetadata)
    options: Options = field(default_factory=Options)
    content: str | None = None
    charset: str | None = None
    charset_source: CharsetSource | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """One run of a document whose job is stored. `id` is the id of its event, `at` is RFC 3339 in UTC.

    `kind`, `url` and `labels` are as submitted, `owner` is the name of the API key that posted. Records of older
    versions have none of these four. `input` is None if nothing else is kept, as for a URL with default
    options. `body_digest` is that of the body that came with an idempotency key, None without one. `batch` is the name
    of the batch that it was posted with. `callback_url`: where the event of this run is posted to; it may hold secrets.
    """

    id: str
    lane: Lane
    at: str
    kind: Kind | None = None
    url: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    owner: str | None = None
    input: Input | None = None
    body_digest: str | None = None
    batch: str | None = None
    callback_url: str | None = field(default=None, repr=False)


AcceptedEntry = Accepted | BatchClosed
"""What the record holds, in the order in which it was confirmed."""


def acceptance(job: Job, at: datetime) -> Accepted:
    """Returns the record of `job`, stored at the aware time `at`. For a retry that is the time of the retry."""
    return Accepted(
        id=job.event_id,
        lane=job.lane,
        at=rfc3339(at),
        kind=job.kind,
        url=job.url,
        labels=job.labels,
        owner=job.owner,
        input=_input(job),
        body_digest=job.idempotency.body_digest if job.idempotency else None,
        batch=job.batch,
        callback_url=job.callback_url,
    )


def _input(job: Job) -> Input | None:
    """The content itself is kept only where the job says so; without it, nothing else of it is of use."""
    if job.kind is not Kind.URL and not job.keep_input:
        return None
    kept = Input(
        metadata=job.metadata,
        options=job.options,
        content=job.content,
        charset=job.charset,
        charset_source=job.charset_source,
    )
    return None if kept == Input() else kept
