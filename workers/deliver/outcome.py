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
    tried = replace(
        delivery,
        attempts=delivery.attempts + 1,
        last_at=at,
        status=answer.status,
        error=answer.error,
        took_ms=answer.took_ms,
        excerpt=answer.excerpt,
        next_at=None,
    )
    if answer.outcome is DeliveryOutcome.DELIVERED:
        return replace(tried, state=DeliveryState.DELIVERED, body=None)
    if tried.attempts > len(limits.delays_s):
        return replace(tried, state=DeliveryState.FAILED, body=None)
    spread = random.uniform(1 - limits.jitter, 1 + limits.jitter)  # noqa: S311 - it only spreads load
    delay_s = max(limits.delays_s[tried.attempts - 1] * spread, pause_s(answer, limits))
    return replace(tried, next_at=at + timedelta(seconds=delay_s))


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
