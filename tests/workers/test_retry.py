from dataclasses import replace
from datetime import UTC, datetime

import pytest

from contract.events import FailedEvent
from contract.job import Attempt, Job, Kind, Lane
from contract.reasons import FailureClass, Reason
from contract.verdicts import Bury, Publish, Retry, Verdict
from workers.failures import DocumentFailure
from workers.retry import RetryPolicy, decide

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
POLICY = RetryPolicy(delays_s=(10, 60, 600, 3600))
JOB = Job(id="d", kind=Kind.URL, lane=Lane.BULK, accepted_at="2026-01-02T03:04:00Z", url="https://example.com/")


def verdict(reason: Reason, job: Job = JOB, retry_after_s: float | None = None) -> Verdict:
    return decide(job, DocumentFailure(reason, "why", retry_after_s=retry_after_s), AT, POLICY, cause="traceback")


def reasons(kind: FailureClass) -> list[Reason]:
    return [reason for reason in Reason if reason.failure_class is kind]


@pytest.mark.parametrize("reason", reasons(FailureClass.TRANSIENT) + reasons(FailureClass.UNEXPECTED))
@pytest.mark.parametrize(("attempt", "delay_s"), [(1, 10), (2, 60), (3, 600), (4, 3600)])
def test_transient_failures_are_retried_with_growing_delays(reason: Reason, attempt: int, delay_s: float) -> None:
    job = replace(JOB, attempt=attempt)
    failed = Attempt(reason=reason, at="2026-01-02T03:04:05.000Z", detail="why")
    assert verdict(reason, job) == Retry(job.next_attempt(failed), delay_s, reason)


@pytest.mark.parametrize("reason", reasons(FailureClass.TRANSIENT))
def test_after_the_last_delay_a_transient_failure_is_final_and_keeps_its_reason(reason: Reason) -> None:
    decided = verdict(reason, replace(JOB, attempt=5))
    assert isinstance(decided, Publish)
    assert isinstance(decided.event, FailedEvent)
    assert (decided.event.data.reason, decided.event.data.attempts) == (reason, 5)


@pytest.mark.parametrize("reason", reasons(FailureClass.UNEXPECTED))
def test_after_the_last_delay_a_defect_is_buried_with_its_traceback(reason: Reason) -> None:
    decided = verdict(reason, replace(JOB, attempt=5))
    assert isinstance(decided, Bury)
    assert decided.cause == "traceback"
    assert decided.event is not None
    assert decided.event.reason == reason


@pytest.mark.parametrize("reason", reasons(FailureClass.PERMANENT))
def test_permanent_failures_are_final(reason: Reason) -> None:
    decided = verdict(reason)
    assert isinstance(decided, Publish)
    assert decided.event.reason == reason


@pytest.mark.parametrize("reason", reasons(FailureClass.HOSTILE))
def test_a_document_that_harms_a_child_is_retried_once_then_buried(reason: Reason) -> None:
    first = verdict(reason)
    assert isinstance(first, Retry)
    second = verdict(reason, first.job)
    assert isinstance(second, Bury)


def test_harming_a_child_is_counted_separately_from_other_failures() -> None:
    weary = JOB.next_attempt(Attempt(reason=Reason.SERVER_ERROR, at="t")).next_attempt(
        Attempt(reason=Reason.DNS_ERROR, at="t")
    )
    assert isinstance(verdict(Reason.MEMORY, weary), Retry)


def test_the_next_run_begins_anew() -> None:
    before = (Attempt(reason=Reason.MEMORY, at="t"), Attempt(reason=Reason.MEMORY, at="t"))
    again = replace(JOB, run=2, history=before)
    first = verdict(Reason.MEMORY, again)
    assert isinstance(first, Retry)
    assert isinstance(verdict(Reason.MEMORY, first.job), Bury)


@pytest.mark.parametrize(("asked_s", "delay_s"), [(0, 10), (10, 10), (11, 60), (601, 3600), (3600, 3600)])
def test_retry_after_takes_the_smallest_delay_not_below_it(asked_s: float, delay_s: float) -> None:
    decided = verdict(Reason.RATE_LIMITED, retry_after_s=asked_s)
    assert isinstance(decided, Retry)
    assert decided.delay_s == delay_s


def test_retry_after_never_shortens_the_next_delay() -> None:
    decided = verdict(Reason.SERVER_ERROR, replace(JOB, attempt=3), retry_after_s=1)
    assert isinstance(decided, Retry)
    assert decided.delay_s == 600


def test_retry_after_beyond_the_longest_delay_is_final() -> None:
    assert isinstance(verdict(Reason.RATE_LIMITED, retry_after_s=3601), Publish)


def test_without_delays_every_failure_is_final() -> None:
    policy = RetryPolicy(delays_s=(), hostile_attempts=1)
    for reason in Reason:
        assert not isinstance(decide(JOB, DocumentFailure(reason), AT, policy), Retry)
