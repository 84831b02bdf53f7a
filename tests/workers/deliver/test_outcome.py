"""What follows from the answer to an attempt."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from contract.deliveries import WEBHOOK_DELAYS_S
from contract.labels import DeliveryOutcome
from contract.webhooks import Delivery, DeliveryState, DisabledCause
from workers.deliver.limits import DeliveryLimits
from workers.deliver.outcome import after, cause_to_disable, pause_s
from workers.deliver.receiver import AttemptResult

AT = datetime(2026, 11, 29, 12, tzinfo=UTC)
NEW = Delivery(id="1", webhook_id="w", event_id="e.1", event_type="t", created_at=AT, next_at=AT, body=b"{}")
LIMITS = DeliveryLimits()
EXACT = DeliveryLimits(jitter=0.0)
REFUSED = AttemptResult(outcome=DeliveryOutcome.REFUSED, status=500, took_ms=7, excerpt="no")
DELIVERED = AttemptResult(outcome=DeliveryOutcome.DELIVERED, status=200)


def waits_s(delivery: Delivery) -> float:
    assert delivery.next_at is not None
    return (delivery.next_at - AT).total_seconds()


def test_the_attempts_span_three_days() -> None:
    delivery, waits = NEW, []
    while (delivery := after(delivery, REFUSED, AT, EXACT)).state is DeliveryState.PENDING:
        waits.append(waits_s(delivery))
        assert delivery.body == b"{}"
    assert tuple(waits) == WEBHOOK_DELAYS_S
    assert 3 <= sum(waits) / 86_400 < 3.5
    assert (delivery.attempts, delivery.state, delivery.next_at, delivery.body) == (
        10,
        DeliveryState.FAILED,
        None,
        None,
    )


def test_delays_are_spread() -> None:
    waits = {waits_s(after(NEW, REFUSED, AT, LIMITS)) for _ in range(100)}
    assert len(waits) > 50
    assert 4.5 <= min(waits) < max(waits) <= 5.5


def test_a_success_is_the_end() -> None:
    done = after(replace(NEW, attempts=3), DELIVERED, AT, LIMITS)
    assert (done.state, done.attempts, done.status, done.next_at, done.body) == (
        *(DeliveryState.DELIVERED, 4, 200, None),
        None,
    )


@pytest.mark.parametrize(
    ("status", "retry_after_s", "expected_s"),
    [(429, 100.0, 100.0), (503, 3600.0, 3600.0), (429, 10.0**9, 86_400.0), (500, 100.0, 0.0), (429, None, 0.0)],
)
def test_a_receiver_may_ask_for_a_pause_of_a_day_at_most(
    status: int, retry_after_s: float | None, expected_s: float
) -> None:
    answer = replace(REFUSED, status=status, retry_after_s=retry_after_s)
    assert pause_s(answer, EXACT) == expected_s
    assert waits_s(after(NEW, answer, AT, EXACT)) == max(5.0, expected_s)


@pytest.mark.parametrize(
    ("answer", "failing_for", "cause"),
    [
        (replace(REFUSED, status=410), timedelta(), DisabledCause.GONE),
        (REFUSED, timedelta(days=3), DisabledCause.FAILING),
        (REFUSED, timedelta(days=2, hours=23), None),
        (DELIVERED, timedelta(days=9), None),
    ],
)
def test_why_a_webhook_is_disabled(answer: AttemptResult, failing_for: timedelta, cause: DisabledCause | None) -> None:
    assert cause_to_disable(answer, AT - failing_for, AT, LIMITS) is cause
    assert cause_to_disable(REFUSED, None, AT, LIMITS) is None
