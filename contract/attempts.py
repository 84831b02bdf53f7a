"""The record of failed attempts: the reason of each, and when the next attempt is due."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from contract.reasons import Reason
from contract.timestamps import rfc3339
from contract.verdicts import Retry


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedAttempt:
    """One failed attempt at a run. `id` is the id of the event that the run will have.

    `attempt` counts from 1 within the run. `at` is its end, `next_at` the earliest time of the next attempt: RFC 3339,
    UTC.
    """

    id: str
    attempt: int
    reason: Reason
    at: str
    next_at: str
    detail: str = ""


def failed_attempt(retry: Retry, at: datetime) -> FailedAttempt:
    """Returns the record of the attempt that `retry`, decided at the aware time `at`, makes again."""
    job = retry.job
    return FailedAttempt(
        id=job.event_id,
        attempt=job.attempt - 1,
        reason=retry.reason,
        at=rfc3339(at),
        next_at=rfc3339(at + timedelta(seconds=retry.delay_s)),
        detail=job.history[-1].detail if job.history else "",
    )
