"""Decides what follows from the answer to an attempt. Pure."""

import random
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from contract.labels import DeliveryOutcome
from contract.webhooks import Delivery, DeliveryState, DisabledCause
from workers.deliver.limits import DeliveryLimits
from workers.deliver.receiver import AttemptResult

_GONE: Final = 410  # RFC 9110, section 15.5.11; Standard Webhooks 1.0: the webhook is to be disabled
_SLOW_DOWN: Final = {429, 503}  # RFC 6585, section 4; RFC 9110, section 15.6.4


def after(delivery: Delivery, answer: AttemptResult, at: datetime, limits: DeliveryLimits) -> Delivery:
    """Returns the delivery after an attempt that ended at the aware time `at`: delivered, due again, or failed."""
    state, next_at = follows(delivery.attempts + 1, answer, at, limits)
    return replace(  # once: it takes as long as the rest of this function
        delivery,
        state=state,
        attempts=delivery.attempts + 1,
        last_at=at,
        next_at=next_at,
        status=answer.status,
        error=answer.error,
        took_ms=answer.took_ms,
        excerpt=answer.excerpt,
        body=delivery.body if state is DeliveryState.PENDING else None,
    )


def follows(
    attempts: int, answer: AttemptResult, at: datetime, limits: DeliveryLimits
) -> tuple[DeliveryState, datetime | None]:
    """Returns the state after so many attempts, and when the next one is due."""
    if answer.outcome is DeliveryOutcome.DELIVERED:
        return DeliveryState.DELIVERED, None
    if attempts > len(limits.delays_s):
        return DeliveryState.FAILED, None
    spread = random.uniform(1 - limits.jitter, 1 + limits.jitter)  # noqa: S311 - it only spreads load
    delay_s = max(limits.delays_s[attempts - 1] * spread, pause_s(answer, limits))
    return DeliveryState.PENDING, at + timedelta(seconds=delay_s)


def pause_s(answer: AttemptResult, limits: DeliveryLimits) -> float:
    """Returns for how long the receiver is to be left alone, in seconds; 0 if it does not ask for that."""
    if answer.status not in _SLOW_DOWN or answer.retry_after_s is None:
        return 0.0
    return min(answer.retry_after_s, limits.pause_at_most_s)


def cause_to_disable(
    answer: AttemptResult, failing_since: datetime | None, at: datetime, limits: DeliveryLimits
) -> DisabledCause | None:
    """Returns why the webhook is to be disabled after this answer, None if it is not."""
    if answer.status == _GONE:
        return DisabledCause.GONE
    if answer.outcome is DeliveryOutcome.DELIVERED or failing_since is None:
        return None
    is_over = at - failing_since >= timedelta(seconds=limits.disable_after_s)
    return DisabledCause.FAILING if is_over else None
