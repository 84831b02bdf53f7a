"""The record of acceptances: id, lane and time of each run whose job is stored."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from contract.job import Job, Kind, Lane
from contract.timestamps import rfc3339


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """One run of a document whose job is stored. `id` is the id of its event, `at` is RFC 3339 in UTC.

    `kind`, `url` and `labels` are as submitted, `owner` is the name of the API key that posted. Records of older
    versions have none of these four.
    """

    id: str
    lane: Lane
    at: str
    kind: Kind | None = None
    url: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    owner: str | None = None


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
    )
