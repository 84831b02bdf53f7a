"""The record of what was accepted: a few words on each run that a broker took, beside the job itself."""

from dataclasses import dataclass
from datetime import datetime

from contract.job import Job, Lane
from contract.timestamps import rfc3339


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """One run of a document whose job is stored. `id` is the id of the event to come, `at` RFC 3339, UTC."""

    id: str
    lane: Lane
    at: str


def acceptance(job: Job, at: datetime) -> Accepted:
    """Returns the record of `job`, stored at the aware time `at`: a later run is accepted when it is put again."""
    return Accepted(id=job.event_id, lane=job.lane, at=rfc3339(at))
