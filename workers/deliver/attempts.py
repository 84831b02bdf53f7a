"""Makes attempts to deliver to one webhook, and judges by the answers whether its receiver works."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from contract.deliveries import DeliveryStore, Disabled
from contract.labels import DeliveryOutcome
from contract.metrics import Metrics
from contract.replays import REPLAY_HEADER
from contract.spans import ATTEMPT, EVENT_ID, WEBHOOK_ID
from contract.tracing import exemplar_of
from contract.webhooks import Delivery, DeliveryState, Payload, Webhook
from workers.deliver.feeds import FeedEntry, Feeds, decoded, time_in
from workers.deliver.limits import DeliveryLimits
from workers.deliver.messages import Signers, body_of
from workers.deliver.outcome import after, cause_to_disable, pause_s
from workers.deliver.receiver import AttemptResult
from workers.deliver.stopping import check, pause
from workers.deliver.traces import Posting, trace_in

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class CourierContext:
    """What all couriers share. `dirty` is called when there is something to store; `stopping`: begin nothing new."""

    store: DeliveryStore
    feeds: Feeds
    posting: Posting
    metrics: Metrics
    limits: DeliveryLimits
    clock: Callable[[], datetime]
    dirty: Callable[[], None]
    stopping: asyncio.Event


class Attempts:
    """The attempts of `webhook`. Calls `came_back` when a receiver that was down answers again."""

    def __init__(self, webhook: Webhook, context: CourierContext, came_back: Callable[[datetime], None]) -> None:
        self.disabled: Disabled | None = None
        self.failing_since = webhook.failing_since
        self._webhook = webhook
        self._context = context
        self._limits = context.limits
        self._came_back = came_back
        self._signers = Signers(webhook)
        self._counters = {it: context.metrics.webhook_attempts.labels(it) for it in DeliveryOutcome}
        self._failed_in_a_row = 0
        self._not_before_s = 0.0  # on the monotonic clock

    async def first(self, entry: FeedEntry) -> Delivery:
        """Makes the first attempt to deliver an event. Returns the delivery as it is after that.

        Raises:
            Stopping: the process stops, and nothing was sent.
        """
        await self._pause()
        at = self._context.clock()
        body = entry.body if self._webhook.payload is Payload.FULL else entry.thin
        delivery = entry.delivery(self._webhook.id, at)
        return await self._post(delivery, body, at, entry.time)

    async def again(self, delivery: Delivery) -> Delivery:
        """Makes a further attempt, or one that an owner asked for.

        Raises:
            Stopping: the process stops, and nothing was sent.
        """
        await self._pause()
        kept = delivery.body or b""
        made_at = None if delivery.requested else time_in(decoded(kept)) or delivery.created_at
        return await self._post(delivery, body_of(kept, self._webhook.payload), self._context.clock(), made_at)

    async def _pause(self) -> None:
        """Waits while the receiver asks to be left alone."""
        wait_s = self._not_before_s and self._not_before_s - time.monotonic()
        if wait_s > 0:
            await pause(self._context.stopping, wait_s)
        check(self._context.stopping)

    async def _post(self, delivery: Delivery, body: bytes, at: datetime, made_at: datetime | None) -> Delivery:
        """Posts once. `made_at`: when the event was made, if its delay is to be measured."""
        headers = self._signers.headers(delivery.event_id, body, at)
        if delivery.replay_id is not None:
            headers[REPLAY_HEADER] = delivery.replay_id
        trace = trace_in(delivery.body or body)
        answer = await self._context.posting.post(
            self._webhook.url,
            body,
            headers,
            trace=trace,
            about={WEBHOOK_ID: self._webhook.id, EVENT_ID: delivery.event_id, ATTEMPT: delivery.attempts + 1},
        )
        at, exemplar = self._context.clock(), exemplar_of(trace)
        self._counters[answer.outcome].inc()
        self._context.metrics.webhook_seconds.observe(answer.took_ms / 1000, exemplar)
        if asked_s := pause_s(answer, self._limits):
            self._not_before_s = max(self._not_before_s, time.monotonic() + asked_s)
        self._judge(answer.outcome, at)
        if answer.outcome is DeliveryOutcome.DELIVERED and made_at is not None:
            delay_s = max(0.0, (at - made_at).total_seconds())
            self._context.metrics.webhook_delay_seconds.observe(delay_s, exemplar)
        return self._followed(delivery, answer, at)

    def _followed(self, delivery: Delivery, answer: AttemptResult, at: datetime) -> Delivery:
        """Returns the delivery after an attempt, which may disable the webhook."""
        tried = after(delivery, answer, at, self._limits)
        cause = cause_to_disable(answer, self.failing_since, at, self._limits)
        if cause is None or not self._webhook.enabled or self.disabled is not None:
            return tried
        self.disabled = Disabled(cause, at)
        log.warning("webhook_disabled", id=self._webhook.id, cause=cause, status=answer.status)
        if delivery.requested:
            return tried
        # It stays pending: when the webhook is enabled again, nothing is missing.
        next_at = tried.next_at or at + timedelta(seconds=self._limits.delays_s[-1])
        return replace(tried, state=DeliveryState.PENDING, next_at=next_at, body=delivery.body)

    def _judge(self, outcome: DeliveryOutcome, at: datetime) -> None:
        """Notes whether the receiver works. When one that was down answers again, all that is pending is due."""
        if outcome is not DeliveryOutcome.DELIVERED:
            self._failed_in_a_row += 1
            self.failing_since = self.failing_since or at
            return
        if self._failed_in_a_row >= self._limits.down_after and not self._webhook.ordered:
            self._came_back(at)
        self._failed_in_a_row, self.failing_since = 0, None
