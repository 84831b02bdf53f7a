"""One call of `consume`: claims due messages for free slots, and executes each verdict."""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable
from contextlib import nullcontext, suppress
from dataclasses import replace
from functools import partial
from typing import Final

import structlog

from contract.broker import Delivery, Handler, Stop
from contract.capacity import Capacity
from contract.codec import encode
from contract.metrics import Metrics
from contract.spans import send_span
from contract.topology import LOG
from contract.tracing import Tracer
from contract.verdicts import Answer
from runtime.brokers.embedded.disk import DiskRefused
from runtime.brokers.embedded.lanes import Lanes, Room
from runtime.brokers.embedded.previews import Preview, Previews
from runtime.brokers.embedded.settle import decided_by
from runtime.brokers.embedded.tables import Claimed
from runtime.brokers.held_bytes import HeldBytes
from runtime.brokers.reservations import SlotReservation, show
from runtime.brokers.slots import QueueClass, Slots

log = structlog.get_logger(__name__)

_PROMPT: Final = frozenset(QueueClass) - {QueueClass.BULK}


class Consumer:
    """Hands messages of `lanes` to `handle`, as `capacity` allows; as lost after `delivery_limit` redeliveries.

    Previews have few of the slots, and take turns with the messages, so that neither keeps the other waiting for ever.

    While the disk refuses writes, it tries again every `disk_pause_s` and takes nothing new.
    """

    def __init__(  # noqa: PLR0913 - what is consumed, by whom, and the limits
        self,
        lanes: Lanes,
        previews: Previews,
        handle: Handler,
        *,
        capacity: Capacity,
        delivery_limit: int,
        disk_pause_s: float,
        metrics: Metrics,
        tracer: Tracer,
    ) -> None:
        self._lanes = lanes
        self._previews = previews
        self._handle = handle
        self._delivery_limit = delivery_limit
        self._disk_pause_s = disk_pause_s
        self._metrics = metrics
        self._tracer = tracer
        self._slots: Slots[SlotReservation] = Slots(
            capacity, math.inf
        )  # the lanes keep the order in which jobs are due
        self._held = HeldBytes(capacity.held_bytes)
        self._messages_first = False

    async def run(self, stop: Stop) -> None:
        """Works until `stop` is set and everything in progress is finished. Cancelling returns it to the lanes instead.

        Raises:
            BrokerUnavailable: the database is damaged, or was closed.
        """
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._notify_when(stop))
                while not stop.is_set():
                    await self._take(group, stop)
                await self._finish_all()
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from failures

    async def _notify_when(self, stop: Stop) -> None:
        await stop.wait()
        self._lanes.changed.notify_all()

    async def _finish_all(self) -> None:
        while self._slots.in_hand:
            notified = self._lanes.changed.subscribe()
            self._resume_waiting()
            await notified.wait()
        show(self._metrics, self._slots, self._held)

    async def _take(self, group: asyncio.TaskGroup, stop: Stop) -> None:
        notified = self._lanes.changed.subscribe()
        self._resume_waiting(_PROMPT)
        if not self._messages_first:
            self._start_previews(group)
        messages, due = await self._claim()
        if stop.is_set():
            self._lanes.release(messages)
            return
        for message in messages:
            self._start(group, message)
        if self._messages_first:
            self._messages_first = not messages and self._slots.room(QueueClass.INTERACTIVE) == 0
            self._start_previews(group)
        self._resume_waiting()
        show(self._metrics, self._slots, self._held)
        await _wait(notified, until=due)

    def _resume_waiting(self, kinds: frozenset[QueueClass] = frozenset(QueueClass)) -> None:
        """Gives free slots to deliveries that come back from waiting for the network."""
        while reservation := self._slots.take(asyncio.get_running_loop().time(), among=kinds):
            reservation.grant()

    def _reservation(self, kind: QueueClass) -> SlotReservation:
        self._slots.begin(kind)
        reservation = SlotReservation(kind, self._slots, self._held, self._lanes.changed.notify_all)
        reservation.grant()
        return reservation

    def _start_previews(self, group: asyncio.TaskGroup) -> None:
        for preview in self._previews.take(self._slots.room(QueueClass.PREVIEW)):
            reservation = self._reservation(QueueClass.PREVIEW)
            self._messages_first = True
            task = group.create_task(self._preview(preview, reservation))
            task.add_done_callback(partial(self._finish_preview, preview, reservation))

    async def _preview(self, preview: Preview, reservation: SlotReservation) -> None:
        try:
            verdict = await self._handle(replace(preview.delivery, reservation=reservation))
        except Exception as error:  # noqa: BLE001 - whatever a handler raises, the caller gets an error instead of an event
            log.warning("preview_failed", error=type(error).__name__, message_id=preview.delivery.message_id)
            return
        if isinstance(verdict, Answer) and verdict.event is not None:
            preview.answer(encode(verdict.event))

    def _finish_preview(self, preview: Preview, reservation: SlotReservation, _: asyncio.Task[None]) -> None:
        preview.answer(None)
        reservation.end()

    async def _claim(self) -> tuple[list[Claimed], float | None]:
        room = self._room()
        if room.free <= 0:
            return [], None
        try:
            return await self._lanes.claim(room, delivery_limit=self._delivery_limit)
        except DiskRefused:
            return [], time.time() + self._disk_pause_s

    def _room(self) -> Room:
        """Returns how much may be taken, beside the bulk jobs that come back."""
        for_bulk = self._slots.room(QueueClass.BULK) - self._slots.coming_back(QueueClass.BULK)
        return Room(free=self._slots.room(QueueClass.INTERACTIVE), for_bulk=for_bulk, size_bytes=self._held.room)

    def _start(self, group: asyncio.TaskGroup, message: Claimed) -> None:
        reservation = self._reservation(QueueClass(message.lane))
        self._held.add(reservation, len(message.body))
        task = group.create_task(self._work(message, reservation))
        task.add_done_callback(
            lambda _: self._finish(message, reservation)
        )  # one cancelled before it starts has no `finally`

    def _finish(self, message: Claimed, reservation: SlotReservation) -> None:
        reservation.end()
        self._lanes.release([message])

    async def _work(self, message: Claimed, reservation: SlotReservation) -> None:
        try:
            verdict = await self._handle(self._delivery(message, reservation))
            execute = self._lanes.settling(message, verdict)
        except Exception as error:  # noqa: BLE001 - whatever a handler raises gives the delivery back
            _log_failed(message, error)
            event, execute = None, partial(self._lanes.give_back, message)
        else:
            event = decided_by(verdict)
        reservation.decide()
        with nullcontext() if event is None else send_span(self._tracer, event, LOG):
            await self._retry_while_refused(execute)

    async def _retry_while_refused(self, write: Callable[[], Awaitable[None]]) -> None:
        """Repeats `write` until it succeeds. Returning the message instead would use up one of its deliveries."""
        while True:
            try:
                return await write()
            except DiskRefused:
                await asyncio.sleep(self._disk_pause_s)

    def _delivery(self, message: Claimed, reservation: SlotReservation) -> Delivery:
        return Delivery(
            body=message.body,
            message_id=message.message_id,
            deliveries=message.deliveries,
            lost=message.deliveries > self._delivery_limit + 1,
            reservation=reservation,
        )


def _log_failed(message: Claimed, error: Exception) -> None:
    log.warning(
        "handler_failed",
        error=type(error).__name__,
        message_id=message.message_id,
        deliveries=message.deliveries,
    )


async def _wait(notified: asyncio.Event, *, until: float | None) -> None:
    delay_s = None if until is None else max(0.0, until - time.time())
    with suppress(TimeoutError):
        async with asyncio.timeout(delay_s):
            await notified.wait()
