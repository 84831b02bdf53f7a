"""Decides the verdict after a failed attempt: retry, fail, or bury. Pure."""

from dataclasses import dataclass
from datetime import datetime

from contract.job import Attempt, Job
from contract.reasons import FailureClass
from contract.timestamps import rfc3339
from contract.topology import DELAYS_S
from contract.verdicts import Bury, Publish, Retry, Verdict
from workers import outcome
from workers.failures import DocumentFailure

_HISTORY_DETAIL_CHARS = 300  # chosen: our details are shorter, and a history of all attempts stays below 2 kB


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """When a failed attempt is repeated.

    `delays_s` are the delays in seconds after the first, second, … attempt; `hostile_attempts` is how often a document
    may kill a parser child before it is buried (the second time is no accident).
    """

    delays_s: tuple[float, ...] = DELAYS_S
    hostile_attempts: int = 2


def decide(job: Job, failure: DocumentFailure, at: datetime, policy: RetryPolicy, cause: str | None = None) -> Verdict:
    """Returns the verdict on an attempt at `job` that ended with `failure`.

    `cause`, such as a traceback, is kept with a buried job; without it the failure's detail is kept.
    """
    reason = failure.reason
    delay_s = _delay_s(job, failure, policy)
    if delay_s is not None:
        attempt = Attempt(reason=reason, at=rfc3339(at), detail=failure.detail[:_HISTORY_DETAIL_CHARS])
        return Retry(job.next_attempt(attempt), delay_s, reason)
    event = outcome.failed(job, failure, at)
    if reason.failure_class in {FailureClass.HOSTILE, FailureClass.UNEXPECTED}:
        return Bury(event, cause or f"{reason}: {failure.detail}")
    return Publish(event)


def _delay_s(job: Job, failure: DocumentFailure, policy: RetryPolicy) -> float | None:
    """Returns the seconds until the next attempt, or None if there is none."""
    match failure.reason.failure_class:
        case FailureClass.PERMANENT:
            return None
        case FailureClass.HOSTILE:
            this_run = job.history[len(job.history) - job.attempt + 1 :]
            hurt = 1 + sum(past.reason.failure_class is FailureClass.HOSTILE for past in this_run)
            return policy.delays_s[0] if hurt < policy.hostile_attempts else None
        case FailureClass.TRANSIENT | FailureClass.UNEXPECTED:
            left = policy.delays_s[job.attempt - 1 :]
            asked = failure.retry_after_s or 0.0
            return next((delay for delay in left if delay >= asked), None)
