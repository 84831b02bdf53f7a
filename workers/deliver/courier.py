"""Delivers for one webhook, until it is cancelled."""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial

import structlog

from contract.broker import UnknownOffset
from contract.deliveries import DeliveryStore, Disabled, PendingDeliveries, Settlement
from contract.events import ERASED
from contract.labels import DeliveryOutcome
from contract.ledger import LedgerUnavailable
from contract.metrics import Metrics
from contract.replays import REPLAY_HEADER
from contract.signals import seconds_since
from contract.spans import ATTEMPT, EVENT_ID, WEBHOOK_ID
from contract.tracing import exemplar_of
from contract.webhooks import BEFORE_ALL, Delivery, DeliveryState, Webhook, new_id
from workers.deliver.feeds import FeedEntry, Feeds, decoded
from workers.deliver.limits import DeliveryLimits
from workers.deliver.messages import Signers, body_of
from workers.deliver.outcome import after, cause_to_disable, pause_s
from workers.deliver.selection import EventSelection
from workers.deliver.stopping import Stopping, check, pause
from workers.deliver.traces import Posting, trace_in
from workers.deliver.window import OffsetWindow

log = structlog.get_logger(__name__)

_BLOCKING_AT_ONCE = 100  # deliveries that are read at a time; chosen: bounds memory


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


class Courier:
    """Delivers for `webhook`, which was taken with `fence`.

    What comes of deliveries is taken from here by `take_settlement`, together with the place: they are stored in one
    transaction, so that no event is passed whose outcome is not on record.
    """

    def __init__(self, webhook: Webhook, fence: int, context: CourierContext) -> None:
        self.webhook = webhook
        self.fence = fence
        self.disabled: Disabled | None = None
        self.failing_since = webhook.failing_since
        self.behind_since: datetime | None = None
        self.pending = self.pending_bytes = 0  # as last counted, and what was stored since
        self._unstored: dict[str, int] = {}  # deliveries that are pending and not stored yet, with their bytes
        self._context = context
        self._limits = context.limits
        self._signers = Signers(webhook)
        self._selection = EventSelection(webhook, context.store, partial(self._pause, context.limits.poll_s))
        self._window = OffsetWindow(webhook.place)
        self._settlement = self._empty()
        self._stored_place = webhook.place
        self._slots = asyncio.Semaphore(1 if webhook.ordered else context.limits.at_once)
        self._on_request = asyncio.Semaphore(1)
        self._under_way: set[str] = set()  # deliveries, until what came of them is stored
        self._erased: set[str] = set()  # documents, while deliveries of them may be under way
        self._changed = asyncio.Condition()
        self._is_disabling_stored = False
        self._failed_in_a_row = 0
        self._not_before_s = 0.0  # on the monotonic clock

    @property
    def is_enabled(self) -> bool:
        """False if no new events are delivered."""
        return self.webhook.enabled and self.disabled is None

    @property
    def place(self) -> int:
        """The offset up to which nothing is under way."""
        return self._window.place

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
        most, before = self._limits.at_once * 2, set(self._under_way)  # what is stored meanwhile may be read as pending
        due = await self._context.store.due(self.webhook.id, at, requested=requested, limit=most + len(before))
        return [it for it in due if it.id not in before | self._under_way][:most]

    def take_settlement(self) -> Settlement | None:
        """Returns what is to be stored, None if nothing is. The caller stores it, and then calls `settled`."""
        taken = self._settlement
        taken.place, taken.failing_since = self.place, self.failing_since
        taken.disabled = None if self._is_disabling_stored else self.disabled
        is_new = taken.fresh or taken.again or taken.erased or taken.hasten_at or taken.missed_at
        if not is_new and taken.place == self._stored_place:
            return None
        self._settlement = self._empty()
        return taken

    async def settled(self, stored: Settlement) -> None:
        """Notes that a settlement is stored, or never will be."""
        self._stored_place = stored.place
        self._is_disabling_stored |= stored.disabled is not None
        ids = {it.id for it in (*stored.fresh, *stored.again)}
        stored_bytes = [self._unstored.pop(it) for it in ids if it in self._unstored]
        self.pending += len(stored_bytes)
        self.pending_bytes += sum(stored_bytes)
        self._under_way -= ids
        async with self._changed:
            self._changed.notify_all()

    def put_back(self, taken: Settlement) -> None:
        """Takes a settlement back that could not be stored."""
        newer = self._settlement
        taken.fresh += newer.fresh
        taken.again += newer.again
        taken.erased |= newer.erased
        taken.hasten_at = newer.hasten_at or taken.hasten_at
        taken.missed_at = newer.missed_at or taken.missed_at
        self._settlement = taken

    async def wake(self) -> None:
        """Makes what waits look again: the process stops."""
        async with self._changed:
            self._changed.notify_all()

    async def counted(self, waiting: PendingDeliveries) -> None:
        """Notes how many deliveries wait for another attempt."""
        async with self._changed:
            self.pending, self.pending_bytes = waiting.count, waiting.bytes
            self._changed.notify_all()

    def _empty(self) -> Settlement:
        webhook = self.webhook
        return Settlement(webhook_id=webhook.id, fence=self.fence, version=webhook.version, place=self._window.place)

    async def _step(self, place: int, group: asyncio.TaskGroup) -> int:
        """Begins to deliver the next events behind `place`. Returns the offset of the last."""
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
        return entries[-1].offset

    async def _wanted(self, entries: Sequence[FeedEntry]) -> set[int]:
        while True:
            try:
                return await self._selection.of(entries)
            except LedgerUnavailable:
                await self._pause(self._limits.pause_s)

    async def _pass(self, entry: FeedEntry, group: asyncio.TaskGroup, *, is_wanted: bool) -> None:
        if entry.event is not None and entry.event["type"] == ERASED:
            self._erase(str(entry.event["subject"]))
        if not is_wanted or entry.event is None:
            self._window.skip([entry.offset])
            return
        self.behind_since = _time_of(entry)
        delivery = self._delivery(entry)
        if self.webhook.ordered:
            await self._room()
            self._window.open(entry.offset)
            await self._deliver_in_order(delivery)
        else:
            await self._room()
            await self._slots.acquire()
            self._window.open(entry.offset)
            group.create_task(self._deliver(delivery, self._window))

    def _delivery(self, entry: FeedEntry) -> Delivery:
        event = entry.event or {}
        subject, at = str(event["subject"]), self._context.clock()
        is_document = str(event["type"]).startswith("copydesk.document.")
        return Delivery(
            id=new_id(),
            webhook_id=self.webhook.id,
            event_id=str(event["id"]),
            event_type=str(event["type"]),
            document_id=subject if is_document else None,
            offset=entry.offset,
            created_at=at,
            next_at=at,
            body=entry.body,
        )

    async def _room(self) -> None:
        """Waits until outcomes are stored, and few enough deliveries are pending."""
        if not self._has_room():
            async with self._changed:
                await self._changed.wait_for(lambda: self._context.stopping.is_set() or self._has_room())
        check(self._context.stopping)

    def _has_room(self) -> bool:
        if len(self._under_way) >= self._limits.unsettled:
            return False
        few = self.pending + len(self._unstored) < self._limits.pending
        small = self.pending_bytes + sum(self._unstored.values()) < self._limits.pending_bytes
        return self.webhook.ordered or (few and small)

    async def _deliver(self, delivery: Delivery, window: OffsetWindow) -> None:
        """Makes the first attempt of a webhook that is not ordered. It has a slot already."""
        try:
            tried = await self._attempt(delivery)
        except Stopping:
            return
        finally:
            self._slots.release()
        self._note(tried, self._settlement.fresh)
        window.end(tried.offset or 0)
        self._context.dirty()

    async def _deliver_in_order(self, delivery: Delivery) -> None:
        async with self._slots:
            tried = await self._attempt(delivery)
        self._note(tried, self._settlement.fresh)
        self._window.end(tried.offset or 0)
        self._context.dirty()
        await self._until_done(tried)

    async def _until_done(self, delivery: Delivery) -> None:
        """Repeats a delivery that holds up those behind it, until it has succeeded or failed for good."""
        while delivery.state is DeliveryState.PENDING and self.is_enabled:
            wait = (delivery.next_at or self._context.clock()) - self._context.clock()
            await self._pause(wait.total_seconds())
            await self._stored(delivery.id)
            if not await self._is_still_there(delivery.id):
                return
            async with self._slots:
                delivery = await self._attempt(delivery)
            self._note(delivery, self._settlement.again)
            self._context.dirty()

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
                await self._stored(delivery.id)
            if not waiting:
                return

    async def _stored(self, delivery_id: str) -> None:
        async with self._changed:
            await self._changed.wait_for(lambda: self._context.stopping.is_set() or delivery_id not in self._under_way)
        check(self._context.stopping)

    async def _pause(self, seconds: float) -> None:
        """Waits, unless the process stops.

        Raises:
            Stopping: it does.
        """
        await pause(self._context.stopping, seconds)

    async def _is_still_there(self, delivery_id: str) -> bool:
        while True:
            try:
                return await self._context.store.is_pending(delivery_id)
            except LedgerUnavailable:
                await self._pause(self._limits.pause_s)

    async def _deliver_again(self, delivery: Delivery) -> None:
        is_replayed = delivery.replay_id is not None and not self.webhook.ordered
        async with self._slots if is_replayed or not delivery.requested else self._on_request:
            if delivery.id in self._under_way or (self.disabled is not None and not delivery.requested):
                return
            self._under_way.add(delivery.id)
            try:
                tried = await self._attempt(delivery)
            except Stopping:
                return
            self._note(tried, self._settlement.again)
        self._context.dirty()

    async def _attempt(self, delivery: Delivery) -> Delivery:
        """Posts once. Returns the delivery as it is after that."""
        await self._pause(self._not_before_s - time.monotonic())
        body = body_of(delivery.body or b"", self.webhook.payload)
        headers = self._signers.headers(delivery.event_id, body, self._context.clock())
        if delivery.replay_id is not None:
            headers = {**headers, REPLAY_HEADER: delivery.replay_id}
        answer = await self._context.posting.post(
            self.webhook.url,
            body,
            headers,
            event=delivery.body or b"",
            about={WEBHOOK_ID: self.webhook.id, EVENT_ID: delivery.event_id, ATTEMPT: delivery.attempts + 1},
        )
        at, exemplar = self._context.clock(), exemplar_of(trace_in(delivery.body or b""))
        self._context.metrics.webhook_attempts.labels(answer.outcome).inc()
        self._context.metrics.webhook_seconds.observe(answer.took_ms / 1000, exemplar)
        self._not_before_s = max(self._not_before_s, time.monotonic() + pause_s(answer, self._limits))
        self._judge(answer.outcome, at)
        if answer.outcome is DeliveryOutcome.DELIVERED and not delivery.requested:
            delay_s = seconds_since(_stated_time(delivery), at)
            self._context.metrics.webhook_delay_seconds.observe(delay_s, exemplar)
        tried = after(delivery, answer, at, self._limits)
        cause = cause_to_disable(answer, self.failing_since, at, self._limits)
        if cause is None or not self.is_enabled:
            return tried
        self.disabled = Disabled(cause, at)
        log.warning("webhook_disabled", id=self.webhook.id, cause=cause, status=answer.status)
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
        if self._failed_in_a_row >= self._limits.down_after and not self.webhook.ordered:
            self._settlement.hasten_at = at
        self._failed_in_a_row, self.failing_since = 0, None

    def _note(self, tried: Delivery, among: list[Delivery]) -> None:
        """Keeps what came of a delivery, to be stored. Nothing is kept of an erased document."""
        if tried.document_id in self._erased and tried.event_type != ERASED and tried.state is DeliveryState.PENDING:
            self._under_way.discard(tried.id)
            return
        among.append(tried)
        self._under_way.add(tried.id)
        if among is self._settlement.fresh and tried.state is DeliveryState.PENDING:
            self._unstored[tried.id] = len(tried.body or b"")

    def _erase(self, document_id: str) -> None:
        self._settlement.erased.add(document_id)
        if self._window.is_open:
            self._erased.add(document_id)
        else:
            self._erased.clear()

    def _missed(self) -> int:
        """Goes on with the oldest event that the log has."""
        self._context.metrics.webhook_gaps.inc()
        log.warning("webhook_missed_events", id=self.webhook.id, place=self.place)
        self._settlement.missed_at = self._context.clock()
        self._window = OffsetWindow(BEFORE_ALL)
        self._context.dirty()
        return BEFORE_ALL


def _stated_time(delivery: Delivery) -> str:
    """Returns the time of a delivery's event, RFC 3339; that of the delivery if the event has none that can be read."""
    stated = (decoded(delivery.body or b"") or {}).get("time", "")
    try:
        return datetime.fromisoformat(stated).astimezone(UTC).isoformat()
    except ValueError:
        return delivery.created_at.isoformat()


def _time_of(entry: FeedEntry) -> datetime | None:
    try:
        return datetime.fromisoformat(str(entry.event["time"])) if entry.event else None
    except ValueError:
        return None
