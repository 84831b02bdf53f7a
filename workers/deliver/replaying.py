"""Runs one replay to a webhook or a queue, until it has ended, another process has it, or this one stops."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeVar

import structlog

from contract.broker import QueueForbidden, QueueMissing, SubscriberQueues, UnknownOffset
from contract.ledger import LedgerUnavailable
from contract.metrics import Metrics
from contract.replay_choice import ReplayChoice, sendable
from contract.replays import Replay, ReplayCause, ReplayState, ReplayStore, ReplayTarget, Step
from contract.streams import Stream, Streams
from contract.webhooks import Delivery, Documents, Webhook
from workers.deliver.feeds import FeedEntry
from workers.deliver.limits import DeliveryLimits
from workers.deliver.selection import WebhookEvents
from workers.deliver.stopping import Stopping, check, pause

T = TypeVar("T")

log = structlog.get_logger(__name__)


class ReplayBroker(Streams, SubscriberQueues, Protocol):
    """What replays need of a broker."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayContext:
    """What all replays share. `stopping`: begin nothing new."""

    broker: ReplayBroker
    store: ReplayStore
    metrics: Metrics
    limits: DeliveryLimits
    clock: Callable[[], datetime]
    stopping: asyncio.Event


class _Over(Exception):
    """The replay ends now. Without a `state` it is not this process's any more."""

    def __init__(self, state: ReplayState | None = None, cause: ReplayCause | None = None) -> None:
        super().__init__(state)
        self.state = state
        self.cause = cause


class Replaying:
    """Runs `replay`, which was taken with `fence`.

    Its place is stored with what it has handed on: with deliveries in one transaction, behind the queue's confirms. So
    a process that takes it up sends again to a queue what was confirmed since, and makes no delivery twice.
    """

    def __init__(self, replay: Replay, fence: int, context: ReplayContext) -> None:
        self._replay = replay
        self._fence = fence
        self._context = context
        self._limits = context.limits
        self._place = replay.place
        self._choice = ReplayChoice(replay)
        self._webhook: Webhook | None = None
        self._webhook_choice: WebhookEvents | None = None

    async def run(self) -> None:
        """Returns when it has ended, is not this process's any more, or the process stops.

        Raises:
            BrokerUnavailable: the broker failed for good, or was closed.
        """
        with suppress(Stopping):
            try:
                await self._read()
                await self._until_delivered()
                raise _Over(ReplayState.COMPLETED)  # noqa: TRY301 - all ends are stored in one place
            except UnknownOffset:
                await self._end(ReplayState.FAILED, ReplayCause.POSITION_GONE)
            except QueueMissing:
                await self._end(ReplayState.FAILED, ReplayCause.QUEUE_MISSING)
            except QueueForbidden:
                await self._end(ReplayState.FAILED, ReplayCause.QUEUE_FORBIDDEN)
            except _Over as over:
                if over.state is not None:
                    await self._end(over.state, over.cause)

    async def _read(self) -> None:
        if self._place >= self._replay.until:
            return
        async with aclosing(self._context.broker.follow(Stream.LOG, self._place)) as batches:
            async for batch in batches:
                entries = [FeedEntry(entry) for entry in batch if entry.offset <= self._replay.until]
                for begin in range(0, len(entries), self._at_once):
                    await self._pass(entries[begin : begin + self._at_once])
                if not entries or batch[-1].offset >= self._replay.until:  # the last offset may be skipped
                    return

    @property
    def _at_once(self) -> int:
        return max(1, min(self._limits.replay_at_once, self._replay.per_second))

    async def _pass(self, entries: Sequence[FeedEntry]) -> None:
        began = time.monotonic()
        await self._room()
        chosen = await self._chosen(entries)
        deliveries: Sequence[Delivery] = ()
        if self._replay.target is ReplayTarget.QUEUE:
            await self._send(chosen)
        else:
            at = self._context.clock()
            deliveries = [entry.delivery(str(self._replay.webhook_id), at, self._replay.id) for entry in chosen]
        await self._store(entries[-1].offset, len(entries), len(chosen), deliveries)
        self._context.metrics.replayed.labels(self._replay.target).inc(len(chosen))
        await self._pause(began + len(chosen) / self._replay.per_second - time.monotonic())

    async def _chosen(self, entries: Sequence[FeedEntry]) -> Sequence[FeedEntry]:
        """Returns what is wanted. It waits until it is known whose it is. Erased documents are not sent again."""
        wanted = {it.offset: it.event for it in entries if it.event is not None and self._wants(it)}
        owner = self._owner()
        while True:
            sent = await self._asked(lambda: sendable(wanted, owner, self._context.store))
            if sent is not None:
                return [it for it in entries if it.offset in sent]
            await self._wait()  # the recorder is on its way

    def _wants(self, entry: FeedEntry) -> bool:
        event = entry.event or {}
        return self._choice.wants(entry.routing_key, event) and (
            self._webhook_choice is None or self._webhook_choice.has(entry)
        )

    def _owner(self) -> str | None:
        """Returns whose events are sent; None for those of all. A webhook never hears of more than it may."""
        if self._webhook is not None and self._webhook.documents is Documents.OWN:
            return self._webhook.owner
        return None if self._replay.documents is Documents.ALL else self._replay.owner

    async def _send(self, entries: Sequence[FeedEntry]) -> None:
        """Publishes to the queue until all is confirmed: a full queue is waited for."""
        left = [entry.raw for entry in entries]
        while left:
            check(self._context.stopping)
            left = [*await self._context.broker.send_again(str(self._replay.queue), left, self._replay.id)]
            if left:
                await self._store(self._place, 0, 0)  # is it still to run?
                await self._pause(self._limits.poll_s)

    async def _room(self) -> None:
        """Waits until few enough deliveries are pending; and for what a webhook wants now."""
        if self._replay.target is not ReplayTarget.WEBHOOK:
            return
        while True:
            await self._look_at_webhook()
            backlog = await self._asked(lambda: self._context.store.backlog(self._replay.id))
            if backlog.count < self._limits.replay_pending and backlog.bytes < self._limits.replay_bytes:
                return
            await self._wait()

    async def _until_delivered(self) -> None:
        while self._replay.target is ReplayTarget.WEBHOOK:
            await self._look_at_webhook()
            if not (await self._asked(lambda: self._context.store.backlog(self._replay.id))).count:
                return
            await self._wait()

    async def _wait(self) -> None:
        await self._store(self._place, 0, 0)  # is it still to run?
        await self._pause(self._limits.poll_s)

    async def _look_at_webhook(self) -> None:
        webhook = await self._asked(lambda: self._context.store.target(str(self._replay.webhook_id)))
        if webhook is None:
            raise _Over(ReplayState.FAILED, ReplayCause.WEBHOOK_REMOVED)
        if not webhook.enabled:
            raise _Over(ReplayState.FAILED, ReplayCause.WEBHOOK_DISABLED)
        if self._webhook is None or self._webhook.version != webhook.version:
            self._webhook_choice = WebhookEvents(webhook)
        self._webhook = webhook

    async def _store(self, place: int, read: int, sent: int, deliveries: Sequence[Delivery] = ()) -> None:
        step = Step(place=place, read=read, sent=sent, at=self._context.clock(), deliveries=deliveries)
        if not await self._asked(lambda: self._context.store.advance(self._replay.id, self._fence, step)):
            raise _Over
        self._place = place

    async def _end(self, state: ReplayState, cause: ReplayCause | None) -> None:
        at = self._context.clock()
        if not await self._asked(lambda: self._context.store.end(self._replay.id, self._fence, state, cause, at)):
            return  # it was cancelled, or another process has it
        self._context.metrics.replays_ended.labels(state).inc()
        log.info("replay_ended", id=self._replay.id, state=state, cause=cause)

    async def _asked(self, ask: Callable[[], Awaitable[T]]) -> T:
        """Returns the ledger's answer. It waits while the ledger is away."""
        while True:
            try:
                return await ask()
            except LedgerUnavailable:
                await self._pause(self._limits.pause_s)

    async def _pause(self, seconds: float) -> None:
        """Waits, unless the process stops.

        Raises:
            Stopping: it does.
        """
        await pause(self._context.stopping, seconds)
