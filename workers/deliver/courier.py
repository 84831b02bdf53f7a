"""Delivers for one webhook, until it is cancelled."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial

import structlog

from contract.broker import UnknownOffset
from contract.deliveries import Disabled, PendingDeliveries, Settlement
from contract.events import ERASED
from contract.ledger import LedgerUnavailable
from contract.webhooks import BEFORE_ALL, Delivery, DeliveryState, Webhook
from workers.deliver.attempts import Attempts, CourierContext
from workers.deliver.feeds import FeedEntry
from workers.deliver.selection import EventSelection
from workers.deliver.stopping import Stopping, check, pause
from workers.deliver.unsettled import Unsettled
from workers.deliver.window import OffsetWindow

log = structlog.get_logger(__name__)

_BLOCKING_AT_ONCE = 100  # deliveries that are read at a time; chosen: bounds memory
_Waiting = tuple[FeedEntry, OffsetWindow]


class Courier:
    """Delivers for `webhook`, which was taken with `fence`.

    What comes of deliveries is taken from here by `take_settlement`, together with the place. First attempts are made
    by up to `at_once` tasks, which take what waits: to start a task for each delivery takes longer.
    """

    def __init__(self, webhook: Webhook, fence: int, context: CourierContext) -> None:
        self.webhook = webhook
        self.fence = fence
        self.behind_since: datetime | None = None
        self._context = context
        self._limits = context.limits
        self._selection = EventSelection(webhook, context.store, partial(self._pause, context.limits.poll_s))
        self._unsettled = Unsettled(webhook, fence, context.limits)
        self._attempts = Attempts(webhook, context, self._unsettled.hasten)
        self._slots = asyncio.Semaphore(1 if webhook.ordered else context.limits.at_once)
        self._on_request = asyncio.Semaphore(1)
        self._waiting: deque[_Waiting] = deque()
        self._waiting_bytes = 0
        self._tasks = 0  # that take what waits
        self._next_at: datetime | None = None  # the earliest time of a pending delivery, as last counted
        self._changed = asyncio.Event()

    @property
    def is_enabled(self) -> bool:
        """False if no new events are delivered."""
        return self.webhook.enabled and self._attempts.disabled is None

    @property
    def disabled(self) -> Disabled | None:
        """Set if an answer has disabled the webhook."""
        return self._attempts.disabled

    @property
    def failing_since(self) -> datetime | None:
        """The first failure after the last success."""
        return self._attempts.failing_since

    @property
    def place(self) -> int:
        """The offset up to which nothing is under way."""
        return self._unsettled.window.place

    async def run(self) -> None:
        """Delivers what is new in the log, until it is cancelled or the webhook is disabled.

        Raises:
            BrokerUnavailable: the broker failed for good, or was closed.
        """
        if not self.is_enabled:
            return
        async with asyncio.TaskGroup() as group:
            with suppress(Stopping):  # what is under way is finished
                if self.webhook.ordered:
                    await self._unblock()
                place = self.webhook.place
                while self.is_enabled:
                    place = await self._step(place, group)

    async def retry(self, at: datetime, *, requested: bool) -> None:
        """Makes the deliveries that are due at `at`. An ordered webhook makes its own by itself, in their order."""
        while due := await self._due(at, requested=requested):
            await asyncio.gather(*(self._deliver_again(delivery) for delivery in due))

    async def _due(self, at: datetime, *, requested: bool) -> Sequence[Delivery]:
        """Returns some of what is due, without what is under way. None where nothing more is to be begun."""
        if self._context.stopping.is_set() or not (requested or self.is_enabled):
            return ()
        most, before = self._limits.at_once * 2, self._unsettled.under_way  # as stored meanwhile it may be pending
        due = await self._context.store.due(self.webhook.id, at, requested=requested, limit=most + len(before))
        return [it for it in due if it.id not in before and self._unsettled.is_stored(it.id)][:most]

    def take_settlement(self) -> Settlement | None:
        """Returns what is to be stored, None if nothing is. The caller stores it, and then calls `settled`."""
        return self._unsettled.take(self.failing_since, self.disabled)

    def settled(self, stored: Settlement) -> None:
        """Notes that a settlement is stored, or never will be."""
        self._unsettled.stored(stored)
        self._changed.set()

    def put_back(self, taken: Settlement) -> None:
        """Takes a settlement back that could not be stored."""
        self._unsettled.put_back(taken)

    def counted(self, pending: PendingDeliveries) -> None:
        """Notes how many deliveries wait for another attempt, and when the next one is due."""
        self._unsettled.count(pending)
        self._next_at = pending.next_at
        self._changed.set()

    def wake(self) -> None:
        """Makes what waits look again: the process stops."""
        self._changed.set()

    async def _step(self, place: int, group: asyncio.TaskGroup) -> int:
        """Begins to deliver the next events behind `place`. Returns the offset of the last."""
        if not self._tasks:
            self.behind_since = None
        try:
            entries = await self._context.feeds.after(place)
        except UnknownOffset:
            return self._missed()
        wanted = await self._wanted(entries)
        for entry in entries:
            if not self.is_enabled:  # a delivery that was under way has disabled it
                break
            await self._pass(entry, group, is_wanted=entry.offset in wanted)
        await self._until(lambda: len(self._waiting) <= self._limits.at_once or not self.is_enabled)
        return entries[-1].offset

    async def _wanted(self, entries: Sequence[FeedEntry]) -> set[int]:
        while True:
            try:
                return await self._selection.of(entries)
            except LedgerUnavailable:
                await self._pause(self._limits.pause_s)

    async def _pass(self, entry: FeedEntry, group: asyncio.TaskGroup, *, is_wanted: bool) -> None:
        if entry.type == ERASED:
            self._unsettled.erase(entry.subject)
        if not is_wanted or entry.event is None:
            self._unsettled.window.skip(entry.offset)
            return
        if not self._has_room():
            await self._until(lambda: self._has_room() or not self.is_enabled)
            if not self.is_enabled:
                return
        check(self._context.stopping)
        self._unsettled.window.open(entry.offset)
        if self.webhook.ordered:
            await self._deliver_in_order(entry)
            return
        self._waiting.append((entry, self._unsettled.window))
        self._waiting_bytes += len(entry.body)
        if self._tasks < self._limits.at_once:
            self._tasks += 1
            group.create_task(self._deliver_waiting())

    def _has_room(self) -> bool:
        return self._unsettled.has_room(len(self._waiting), self._waiting_bytes)

    async def _deliver_waiting(self) -> None:
        """Makes first attempts, until nothing waits any more."""
        with suppress(Stopping):
            while self._waiting and self.is_enabled:
                async with self._slots:
                    await self._deliver_next()
        self._tasks -= 1
        if not self._tasks:
            self.behind_since = None
        self._changed.set()

    async def _deliver_next(self) -> None:
        if not self._waiting or not self.is_enabled:  # as it turned out when there was a slot
            return
        entry, window = self._waiting.popleft()
        self._waiting_bytes -= len(entry.body)
        self.behind_since = entry.time
        if len(self._waiting) <= self._limits.at_once:
            self._changed.set()
        tried = await self._attempts.first(entry)
        self._unsettled.add_first(tried)
        window.end(entry.offset)
        self._context.dirty()

    async def _deliver_in_order(self, entry: FeedEntry) -> None:
        self.behind_since = entry.time
        async with self._slots:
            tried = await self._attempts.first(entry)
        self._unsettled.add_first(tried)
        self._unsettled.window.end(entry.offset)
        self._context.dirty()
        await self._until_done(tried)

    async def _until_done(self, delivery: Delivery) -> None:
        """Repeats a delivery that holds up those behind it, until it has succeeded or failed for good."""
        while delivery.state is DeliveryState.PENDING and self.is_enabled:
            await self._until(partial(self._unsettled.is_stored, delivery.id))
            if not await self._until_due(delivery.id):
                return
            async with self._slots:
                delivery = await self._attempts.again(delivery)
            self._unsettled.add_again(delivery)
            self._context.dirty()

    async def _until_due(self, delivery_id: str) -> bool:
        """Waits until a stored delivery is due; its owner may ask for it earlier. Returns False if it is gone."""
        while (next_at := await self._asked_next(delivery_id)) is not None:
            if next_at <= self._context.clock():
                return True
            await self._until_due_earlier(next_at)
        return False

    async def _until_due_earlier(self, next_at: datetime) -> None:
        """Waits until this time, or until a count shows that something is due before it."""
        while (wait_s := (next_at - self._context.clock()).total_seconds()) > 0:
            check(self._context.stopping)
            self._changed.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._changed.wait()
            if self._next_at is not None and self._next_at < next_at:
                return

    async def _unblock(self) -> None:
        """Makes the deliveries of an ordered webhook that wait from before."""
        while self.is_enabled:
            try:
                waiting = await self._context.store.blocking(self.webhook.id, limit=_BLOCKING_AT_ONCE)
            except LedgerUnavailable:
                await self._pause(self._limits.pause_s)
                continue
            for delivery in waiting:
                self.behind_since = delivery.created_at
                await self._until_done(delivery)
                await self._until(partial(self._unsettled.is_stored, delivery.id))
            if not waiting:
                return

    async def _asked_next(self, delivery_id: str) -> datetime | None:
        """Returns when a delivery is due, None if it is not pending any more: its document may have been erased."""
        while True:
            try:
                return await self._context.store.next_at(delivery_id)
            except LedgerUnavailable:
                await self._pause(self._limits.pause_s)

    async def _deliver_again(self, delivery: Delivery) -> None:
        is_replayed = delivery.replay_id is not None and not self.webhook.ordered
        async with self._slots if is_replayed or not delivery.requested else self._on_request:
            if self.disabled is not None and not delivery.requested:
                return
            if not self._unsettled.begin_again(delivery.id):
                return
            try:
                tried = await self._attempts.again(delivery)
            except Stopping:
                return
            self._unsettled.add_again(tried)
        self._context.dirty()

    async def _until(self, holds: Callable[[], bool]) -> None:
        """Waits until it holds, as something changes here.

        Raises:
            Stopping: the process stops.
        """
        while not holds() and not self._context.stopping.is_set():
            self._changed.clear()
            await self._changed.wait()
        check(self._context.stopping)

    async def _pause(self, seconds: float) -> None:
        """Waits, unless the process stops.

        Raises:
            Stopping: it does.
        """
        await pause(self._context.stopping, seconds)

    def _missed(self) -> int:
        """Goes on with the oldest event that the log has."""
        self._context.metrics.webhook_gaps.inc()
        log.warning("webhook_missed_events", id=self.webhook.id, place=self.place)
        self._unsettled.miss(self._context.clock())
        self._context.dirty()
        return BEFORE_ALL
