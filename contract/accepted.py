"""The record of acceptances: id, lane and time of each run whose job is stored."""

from dataclasses import dataclass
from datetime import datetime

from contract.job import Job, Lane
from contract.timestamps import rfc3339


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """One run of a document whose job is stored. `id` is the id of its event, `at` is RFC 3339 in UTC."""

    id: str
    lane: Lane
    at: str


def acceptance(job: Job, at: datetime) -> Accepted:
    """Returns the record of `job`, stored at the aware time `at`. For a retry that is the time of the retry."""
    return Accepted(id=job.event_id, lane=job.lane, at=rfc3339(at))
