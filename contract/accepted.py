"""The record of what was accepted: a few words on each run that a broker took, beside the job itself."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from contract.job import Job, Kind, Lane


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """One run of a document whose job is stored. `id` is the id of the event to come, `at` RFC 3339, UTC.

    `kind`, `url` and `labels` are as submitted, `owner` names the API key that posted. Records of older versions have
    none of these four.
    """

    id: str
    lane: Lane
    at: str
    kind: Kind | None = None
    url: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    owner: str | None = None


def acceptance(job: Job, at: datetime) -> Accepted:
    """Returns the record of `job`, stored at the aware time `at`: a later run is accepted when it is put again."""
    stated = at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return Accepted(
        id=job.event_id, lane=job.lane, at=stated, kind=job.kind, url=job.url, labels=job.labels, owner=job.owner
    )
