"""The role `deliver`: takes its share of the webhooks, runs a courier for each, and stores what comes of deliveries."""

import asyncio
import random
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from uuid import uuid4

import structlog

from contract.broker import BrokerError, EventLog, Stop, SubscriberQueues
from contract.deliveries import DeliveryStore, HeldWebhook, PendingDeliveries, Settlement, WebhookSnapshot
from contract.events import DisabledWebhook, WebhookDisabledEvent
from contract.labels import WebhookState
from contract.ledger import LedgerUnavailable
from contract.metrics import Metrics
from contract.replays import ReplayStore
from contract.requests import RequestSink
from contract.streams import Streams
from contract.timestamps import rfc3339
from contract.webhooks import Webhook
from workers.deliver.assignment import LiveProcesses, holder_of
from workers.deliver.attempts import CourierContext
from workers.deliver.callbacks import Callbacks
from workers.deliver.courier import Courier
from workers.deliver.feeds import Feeds
from workers.deliver.limits import DeliveryLimits
from workers.deliver.receiver import Receivers
from workers.deliver.replaying import ReplayContext
from workers.deliver.replays import Replays

log = structlog.get_logger(__name__)

_NOBODY = -1  # the end of a log whose end is not known


class DeliverBroker(EventLog, RequestSink, Streams, SubscriberQueues, Protocol):
    """What the role needs of a broker."""


@dataclass(slots=True)
class _Run:
    """A courier at work."""

    courier: Courier
    task: asyncio.Task[None]
    sweep_at: float  # on the monotonic clock
    retrying: asyncio.Task[None] | None = None
    requested: asyncio.Task[None] | None = None


class Deliverer:
    """Delivers for its share of the webhooks, until it is stopped."""

    def __init__(  # noqa: PLR0913 - what it works with
        self,
        broker: DeliverBroker,
        store: DeliveryStore,
        replays: ReplayStore,
        receivers: Receivers,
        *,
        metrics: Metrics,
        limits: DeliveryLimits,
        clock: Callable[[], datetime],
        callbacks: Callbacks | None = None,
    ) -> None:
        self._broker = broker
        self._store = store
        self._receivers = receivers
        self._metrics = metrics
        self._limits = limits
        self._clock = clock
        self._name = str(uuid4())
        self._replay_store = replays
        self._callbacks = callbacks
        self._processes = LiveProcesses(limits.heartbeat_timeout_s)
        self._runs: dict[str, _Run] = {}
        self._wake = asyncio.Event()
        self._storing = asyncio.Lock()  # settlements of one webhook are stored in their order
        self._stopping = asyncio.Event()
        replay_context = ReplayContext(
            broker=broker, store=replays, metrics=metrics, limits=limits, clock=clock, stopping=self._stopping
        )
        self._replays = Replays(self._name, replay_context)
        self._newest = _NOBODY
        self._measure_at, self._sweep_replays_at = 0.0, time.monotonic() + limits.poll_s
        self._is_failing = self._is_over = False
        self._count = 0  # of outcomes that wait to be stored

    async def run(self, stop: Stop) -> None:
        """Delivers until `stop` is set, and then finishes what is under way.

        Raises:
            BrokerUnavailable: the broker failed for good, or was closed.
        """
        async with asyncio.TaskGroup() as group, asyncio.TaskGroup() as reading:
            feeds = Feeds(self._broker, reading)
            context = CourierContext(
                store=self._store,
                feeds=feeds,
                receivers=self._receivers,
                metrics=self._metrics,
                limits=self._limits,
                clock=self._clock,
                dirty=self._dirty,
                stopping=self._stopping,
            )
            group.create_task(self._keep_settling())
            if self._callbacks is not None:
                group.create_task(self._callbacks.run(self._stopping))
            while not stop.is_set():
                await self._poll(group, context)
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._limits.poll_s):
                        await stop.wait()
            await self._end(feeds)
            self._is_over = True
            self._wake.set()
        await self._leave()

    def _dirty(self) -> None:
        self._count += 1
        if self._count >= self._limits.settle_many:
            self._wake.set()

    async def _poll(self, group: asyncio.TaskGroup, context: CourierContext) -> None:
        """Looks once for what has changed, and for what is due."""
        try:
            snapshot = await self._store.heartbeat(self._name)
            members = await self._members(snapshot)
            await self._assign(snapshot, members, group, context)
            await self._replays.share(members, group)
            await self._retry(group)
            await self._tell(snapshot.webhooks)
            await self._sweep()
        except LedgerUnavailable as error:
            self._processes.doubt()
            self._fail(error)
        else:
            self._is_failing = False
        await self._measure()
        self._show()

    async def _members(self, snapshot: WebhookSnapshot) -> set[str]:
        """Returns the processes that are alive, this one included. What ended ones held is given back."""
        now_s = time.monotonic()
        self._processes.see(dict(snapshot.heartbeats), now_s)
        for name in self._processes.ended(now_s) - {self._name}:
            await self._store.leave(name)
        return self._processes.alive(now_s) | {self._name}

    async def _assign(
        self, snapshot: WebhookSnapshot, members: set[str], group: asyncio.TaskGroup, context: CourierContext
    ) -> None:
        """Gives up the webhooks that are no longer this process's share, and takes those that are."""
        webhooks = {it.webhook.id: it for it in snapshot.webhooks}
        mine = {it: held for it, held in webhooks.items() if holder_of(it, members) == self._name}
        for webhook_id in [*self._runs]:
            if not _is_same(mine.get(webhook_id), self._runs[webhook_id].courier):
                await self._drop(webhook_id)
        others = [it for it, held in webhooks.items() if held.holder == self._name and it not in mine]
        if others:  # a process has come, and they are its share now
            await self._store.give_back(others, self._name)
        free = [it for it in mine.values() if it.holder in {None, self._name} or it.holder not in members]
        wanted = {it.webhook.id: it for it in free if it.webhook.id not in self._runs}
        taken = await self._store.take([*wanted.values()], self._name) if wanted else ()
        for webhook in sorted(taken, key=lambda it: it.place):  # the furthest behind opens the feed for those near it
            courier = Courier(webhook, wanted[webhook.id].fence + 1, context)
            sweep_at = time.monotonic() + random.uniform(0, self._limits.sweep_s)  # noqa: S311 - it only spreads load
            self._runs[webhook.id] = _Run(courier, group.create_task(courier.run()), sweep_at)

    async def _drop(self, webhook_id: str) -> None:
        """Ends a courier. What came of its deliveries is stored; what is under way is delivered again by the next."""
        run = self._runs.pop(webhook_id)
        tasks = [it for it in (run.task, run.retrying, run.requested) if it is not None]
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        async with self._storing:
            settlement = run.courier.take_settlement()
            if settlement is not None:
                await self._store.settle([settlement])

    async def _retry(self, group: asyncio.TaskGroup) -> None:
        """Begins the deliveries that are due."""
        waiting, at = await self._store.pending([*self._runs]) if self._runs else {}, self._clock()
        self._metrics.webhook_pending.set(sum(it.count for it in waiting.values()))
        for webhook_id, run in self._runs.items():
            found = waiting.get(webhook_id)
            run.courier.counted(found or PendingDeliveries())
            if found is None:
                continue
            is_due = found.next_at is not None and found.next_at <= at and run.courier.is_enabled
            if is_due and not run.courier.webhook.ordered and (run.retrying is None or run.retrying.done()):
                run.retrying = group.create_task(self._quietly(run.courier, at, requested=False))
            is_requested = found.requested_at is not None and found.requested_at <= at
            if is_requested and (run.requested is None or run.requested.done()):
                run.requested = group.create_task(self._quietly(run.courier, at, requested=True))

    async def _quietly(self, courier: Courier, at: datetime, *, requested: bool) -> None:
        try:
            await courier.retry(at, requested=requested)
        except LedgerUnavailable as error:
            self._fail(error)

    async def _tell(self, webhooks: Sequence[HeldWebhook]) -> None:
        """Publishes an event for each of its webhooks that was disabled."""
        for held in webhooks:
            webhook = held.webhook
            if webhook.is_told or webhook.id not in self._runs:
                continue
            try:
                await self._broker.announce(_disabled(webhook))
            except BrokerError as error:
                log.warning("webhook_disabled_untold", id=webhook.id, error=type(error).__name__)
            else:
                if webhook.disabled_cause is not None:
                    self._metrics.webhooks_disabled.labels(webhook.disabled_cause).inc()
                await self._store.told(webhook.id)

    async def _keep_settling(self) -> None:
        while not self._is_over:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._limits.settle_s):
                    await self._wake.wait()
            self._wake.clear()
            self._count = 0
            if not await self._settle() and not self._is_over:
                await asyncio.sleep(self._limits.pause_s)

    async def _settle(self) -> bool:
        """Stores what there is. Returns False if the ledger is away."""
        async with self._storing:
            return await self._settle_all()

    async def _settle_all(self) -> bool:
        taken: list[tuple[Courier, Settlement]] = []
        for run in self._runs.values():
            settlement = run.courier.take_settlement()
            if settlement is not None:
                taken.append((run.courier, settlement))
        if not taken:
            return True
        try:
            lost = await self._store.settle([settlement for _, settlement in taken])
        except LedgerUnavailable as error:
            for courier, settlement in taken:
                courier.put_back(settlement)
            self._fail(error)
            return False
        for courier, settlement in taken:
            courier.settled(settlement)
        if lost:
            log.info("webhooks_taken_over", count=len(lost))
        return True

    async def _sweep(self) -> None:
        """Deletes what is old: of each webhook at a time of its own, so that it is never much at once."""
        now_s, before = time.monotonic(), self._clock() - timedelta(days=self._limits.keep_days)
        for webhook_id, run in [*self._runs.items()]:
            if now_s >= run.sweep_at:
                run.sweep_at = now_s + self._limits.sweep_s
                await self._store.sweep(webhook_id, before, keep=self._limits.keep_many)
        if now_s >= self._sweep_replays_at:
            self._sweep_replays_at = now_s + self._limits.sweep_s
            await self._replay_store.sweep_replays(before)

    async def _measure(self) -> None:
        """Asks how far the log goes."""
        now_s = time.monotonic()
        if now_s < self._measure_at or not self._runs:
            return
        self._measure_at = now_s + self._limits.measure_s
        with suppress(BrokerError, TimeoutError):  # the gauge stays as it is
            async with asyncio.timeout(self._limits.measure_s / 3):
                _, self._newest = await self._broker.log_bounds()

    def _show(self) -> None:
        couriers = [run.courier for run in self._runs.values()]
        for state in WebhookState:
            self._metrics.webhooks.labels(state).set(sum(_state(it) is state for it in couriers))
        enabled = [it for it in couriers if it.is_enabled]
        self._metrics.webhook_lag_events.set(max((max(0, self._newest - it.place) for it in enabled), default=0))
        since = [it.behind_since for it in enabled if it.behind_since is not None]
        age_s = (self._clock() - min(since)).total_seconds() if since else 0.0
        self._metrics.webhook_lag_seconds.set(max(0.0, age_s))

    def _fail(self, error: LedgerUnavailable) -> None:
        self._metrics.ledger_failures.inc()
        if not self._is_failing:
            log.warning("ledger_unavailable", detail=str(error), hint="deliveries wait until it is back")
        self._is_failing = True

    async def _end(self, feeds: Feeds) -> None:
        """Begins nothing new, and waits for what is under way."""
        self._stopping.set()
        await feeds.close()
        for run in self._runs.values():
            run.courier.wake()
        tasks = [it for run in self._runs.values() for it in (run.task, run.retrying, run.requested) if it is not None]
        if tasks:
            await asyncio.wait(tasks)
        await self._replays.end()

    async def _leave(self) -> None:
        await self._settle()
        try:
            await self._store.leave(self._name)
        except LedgerUnavailable as error:
            self._fail(error)


def _is_same(held: HeldWebhook | None, courier: Courier) -> bool:
    """Returns True if `courier` delivers for the webhook as it is now held."""
    return held is not None and (held.fence, held.webhook.version) == (courier.fence, courier.webhook.version)


def _state(courier: Courier) -> WebhookState:
    if not courier.is_enabled:
        return WebhookState.DISABLED
    return WebhookState.DELIVERING if courier.failing_since is None else WebhookState.FAILING


def _disabled(webhook: Webhook) -> WebhookDisabledEvent:
    if webhook.disabled_cause is None or webhook.disabled_at is None:
        raise ValueError("the webhook was not disabled")
    since = None if webhook.failing_since is None else rfc3339(webhook.failing_since)
    return WebhookDisabledEvent(
        id=f"{webhook.id}.disabled.{round(webhook.disabled_at.timestamp() * 1000)}",
        subject=webhook.id,
        time=rfc3339(webhook.disabled_at),
        data=DisabledWebhook(id=webhook.id, cause=webhook.disabled_cause, failing_since=since),
    )
