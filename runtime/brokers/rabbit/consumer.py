"""Takes deliveries, passes them to a handler as slots become free, executes the verdict, and acks."""

import asyncio
import math
import traceback
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Final

import structlog

from contract.broker import Delivery, Handler, Stop
from contract.capacity import Capacity, previews_at_once
from contract.codec import MAX_JOB_BYTES, MAX_PREVIEW_BYTES, MessageTooLarge
from contract.job import Lane
from contract.labels import SessionLoss
from contract.metrics import Metrics
from contract.topology import INTAKE_RETRY, LOST, PREVIEWS, lane_queue
from contract.tracing import outside
from contract.verdicts import Verdict
from runtime.brokers.held_bytes import HeldBytes
from runtime.brokers.rabbit.executor import VerdictExecutor
from runtime.brokers.rabbit.limits import RabbitLimits
from runtime.brokers.rabbit.messages import delivery_of, lane_of
from runtime.brokers.rabbit.session import Session, translated
from runtime.brokers.rabbit.window import PrefetchWindow, Taken
from runtime.brokers.reservations import SlotReservation, show
from runtime.brokers.slots import QueueClass, Slots

if TYPE_CHECKING:
    from aio_pika.abc import AbstractChannel

log = structlog.get_logger(__name__)

_PREFETCH_AT_MOST: Final = 8
"""Deliveries of a queue that are sent ahead, of any size. Chosen: those of three queues are 288 MiB at most."""

_AHEAD_AT_MOST: Final = 12
"""Deliveries of a lane that are sent ahead where there is room. Small texts are decided faster than RabbitMQ replaces a
consumer, so that fewer than 8 are too few (docs/decisions.md). Chosen by bytes: both lanes are 288 MiB."""


@dataclass(frozen=True, slots=True)
class ConsumedQueue:
    """A queue to consume, with its prefetch. `kind` is its messages' class; None if each message names its lane."""

    name: str
    prefetch: int
    kind: QueueClass | None


def consumed_queues(capacity: Capacity) -> list[ConsumedQueue]:
    """Returns what a worker with this capacity consumes.

    Each lane has a third of the bytes that are left for deliveries that wait. The last third is kept for what is held.
    """
    spare_bytes = capacity.held_bytes - least_prefetched_bytes(capacity.slots)
    return _consumed_queues(capacity.slots, min(capacity.waiting, max(0, spare_bytes) // (3 * MAX_JOB_BYTES)))


def prefetched_bytes(capacity: Capacity) -> int:
    """Returns how many bytes are kept for what is delivered to a worker with this capacity."""
    return _bytes_of(consumed_queues(capacity))


def least_prefetched_bytes(slots: int) -> int:
    """Returns how many bytes a worker with this many slots needs for what is delivered to it."""
    return _bytes_of(_consumed_queues(slots, 0))


def _consumed_queues(slots: int, further: int) -> list[ConsumedQueue]:
    """Returns what is consumed, with up to `further` deliveries of each lane beyond those that slots need."""
    interactive, bulk = min(slots, _PREFETCH_AT_MOST), max(1, min(slots - 1, _PREFETCH_AT_MOST))
    return [
        ConsumedQueue(LOST, 1, QueueClass.LOST),
        ConsumedQueue(PREVIEWS, previews_at_once(slots), QueueClass.PREVIEW),
        ConsumedQueue(INTAKE_RETRY, min(slots, _PREFETCH_AT_MOST), None),
        ConsumedQueue(lane_queue(Lane.INTERACTIVE), min(interactive + further, _AHEAD_AT_MOST), QueueClass.INTERACTIVE),
        ConsumedQueue(lane_queue(Lane.BULK), min(bulk + further, _AHEAD_AT_MOST), QueueClass.BULK),
    ]


def _bytes_of(consumed: Iterable[ConsumedQueue]) -> int:
    return sum(queue.prefetch * _size_at_most(queue) for queue in consumed)


def _size_at_most(queue: ConsumedQueue) -> int:
    return MAX_PREVIEW_BYTES if queue.kind is QueueClass.PREVIEW else MAX_JOB_BYTES


@dataclass(eq=False, slots=True)
class _Consumed:
    """A queue that is consumed. `wanted` is set when another delivery might begin."""

    queue: ConsumedQueue
    window: PrefetchWindow
    wanted: asyncio.Event


class _RabbitReservation(SlotReservation):
    """The reservation of a delivery of RabbitMQ."""

    def __init__(self, consumer: "Consumer", consumed: _Consumed, kind: QueueClass, taken: Taken) -> None:
        super().__init__(kind, consumer.slots, consumer.held, consumer.fill)
        self.consumed = consumed
        self.taken = taken


class Consumer:
    """One call of `consume`. The supervisor calls `run` for each session, which starts without deliveries.

    What is delivered and not acked is bounded by `capacity.held_bytes`: `prefetched_bytes` are kept for what the broker
    sends ahead, and a queue's deliveries are counted before further ones are let in.
    """

    def __init__(  # noqa: PLR0913 - what is consumed, by whom, and the limits
        self,
        handle: Handler,
        executor: VerdictExecutor,
        *,
        capacity: Capacity,
        stop: Stop,
        limits: RabbitLimits,
        metrics: Metrics,
    ) -> None:
        self._handle = handle
        self._executor = executor
        self._capacity = capacity
        self._stop = stop
        self._limits = limits
        self._metrics = metrics
        self.slots: Slots[_RabbitReservation] = Slots(capacity, limits.bulk_max_wait_s)
        self.held = HeldBytes(0)
        self._consumed: list[_Consumed] = []
        self._session: Session | None = None
        self._answered_at = -math.inf
        self._jobs = asyncio.TaskGroup()

    @property
    def is_live(self) -> bool:
        """True if it has a session, to consume or to finish its deliveries."""
        return self._session is not None and not self._session.is_over

    @property
    def is_answered(self) -> bool:
        """True if the broker answered on this connection lately. A connection that is cut silently is noticed late."""
        silent_s = asyncio.get_running_loop().time() - self._answered_at
        return self.is_live and silent_s < self._limits.fresh_confirm_s + self._limits.probe_timeout_s

    async def run(self, session: Session) -> None:
        """Consumes until `stop` is set, then finishes the deliveries in progress.

        Raises:
            BaseExceptionGroup: of `SessionLost`, or of a defect.
        """
        self.slots = Slots(self._capacity, self._limits.bulk_max_wait_s)
        self.held = HeldBytes(self._capacity.held_bytes - prefetched_bytes(self._capacity))
        self._session = session
        self._answered_at = -math.inf
        try:
            async with asyncio.TaskGroup() as group:
                asking = group.create_task(self._ask_for_ever(await session.scratch_channel()))
                await self._consume(session)
                asking.cancel()
        finally:
            self._session = None

    async def _consume(self, session: Session) -> None:
        async with asyncio.TaskGroup() as self._jobs:
            self._consumed = [self._consumed_from(session, queue) for queue in consumed_queues(self._capacity)]
            async with asyncio.TaskGroup() as consuming:
                for consumed in self._consumed:
                    await consumed.window.open()
                    consuming.create_task(self._widen(consumed))
                await self._stop.wait()
                for consumed in self._consumed:
                    consumed.wanted.set()
            for consumed in self._consumed:
                await consumed.window.close()
            await self._give_back_waiting()

    def _consumed_from(self, session: Session, queue: ConsumedQueue) -> _Consumed:
        window = PrefetchWindow(
            session, queue.name, queue.prefetch, lambda taken: self._arrive(consumed, taken), self.held
        )
        consumed = _Consumed(queue, window, asyncio.Event())
        return consumed

    async def _ask_for_ever(self, channel: "AbstractChannel") -> None:
        """Asks the broker for something cheap at intervals, and records when it answered. Runs until cancelled."""
        while True:
            with translated(SessionLoss.CHANNEL_CLOSED):
                await channel.set_qos(prefetch_count=1)
            self._answered_at = asyncio.get_running_loop().time()
            await asyncio.sleep(self._limits.fresh_confirm_s)

    async def _widen(self, consumed: _Consumed) -> None:
        """Lets further deliveries in, each time that one might begin and there is room for their bytes."""
        while not self._stop.is_set():
            await consumed.wanted.wait()
            consumed.wanted.clear()
            if not self._stop.is_set() and self._may_widen(consumed):
                await consumed.window.widen()

    def _may_widen(self, consumed: _Consumed) -> bool:
        kind = consumed.queue.kind or QueueClass.INTERACTIVE
        return consumed.window.may_widen and self.slots.room(kind) > 0

    def _arrive(self, consumed: _Consumed, taken: Taken) -> None:
        loop, queue = asyncio.get_running_loop(), consumed.queue
        if self._delivery_of(queue.kind, taken).suspect:
            kind = QueueClass.SUSPECT
            loop.call_later(self._limits.suspect_pause_s, self._begin_suspects, self.slots)
        else:
            kind = queue.kind or QueueClass(lane_of(taken.message))
        self.slots.add(kind, _RabbitReservation(self, consumed, kind, taken), loop.time())
        self.fill()

    def _begin_suspects(self, slots: "Slots[_RabbitReservation]") -> None:
        slots.begin_suspects()
        self.fill()

    def fill(self) -> None:
        """Hands out the free slots, and lets further deliveries in where there are not enough."""
        if not self.is_live:
            return
        now = asyncio.get_running_loop().time()
        while reservation := self.slots.take(now, begin=not self._stop.is_set()):
            if reservation.grant():
                self._begin(reservation)
        for consumed in self._consumed:
            if self._may_widen(consumed):
                consumed.wanted.set()
        show(self._metrics, self.slots, self.held)

    def _begin(self, reservation: _RabbitReservation) -> None:
        reservation.taken.begun = True
        self._jobs.create_task(self._work(reservation), context=outside())

    async def _work(self, reservation: _RabbitReservation) -> None:
        done = await self._decide(reservation)
        reservation.end()
        if not done:
            await self._hold_back(reservation)

    async def _decide(self, reservation: _RabbitReservation) -> bool:
        message = reservation.taken.message
        verdict = await self._handled(reservation)
        if verdict is None:
            return False
        reservation.decide()
        try:
            await self._executor.execute(verdict, message)
        except MessageTooLarge as error:
            log.error("verdict_too_large", message_id=message.message_id, detail=str(error))  # noqa: TRY400 - it says all
            return False
        await reservation.consumed.window.settle(reservation.taken, message.ack)
        return True

    async def _handled(self, reservation: _RabbitReservation) -> Verdict | None:
        message = reservation.taken.message
        try:
            return await self._handle(
                replace(self._delivery_of(reservation.kind, reservation.taken), reservation=reservation)
            )
        except Exception as error:  # noqa: BLE001 - whatever a handler raises gives the delivery back
            trace = "".join(traceback.format_tb(error.__traceback__))  # its message may quote the document
            log.error("handler_failed", message_id=message.message_id, error=type(error).__name__, trace=trace)  # noqa: TRY400
            return None

    def _delivery_of(self, kind: QueueClass | None, taken: Taken) -> Delivery:
        return delivery_of(taken.message, lost=kind is QueueClass.LOST, preview=kind is QueueClass.PREVIEW)

    async def _hold_back(self, reservation: _RabbitReservation) -> None:
        """Returns a delivery as failed, after a growing pause: else a defect would use up its deliveries at once.

        Rejected, not nacked: from RabbitMQ 4.3 on a nack does not count as a delivery.
        """
        message = reservation.taken.message
        before = delivery_of(message, lost=False).deliveries - 1
        pause_s = min(self._limits.give_back_initial_s * 2**before, self._limits.give_back_max_s)
        with suppress(TimeoutError):
            async with asyncio.timeout(pause_s):
                await self._stop.wait()
        await reservation.consumed.window.settle(reservation.taken, partial(message.reject, requeue=True))

    async def _give_back_waiting(self) -> None:
        """Returns deliveries that were sent ahead and have not begun."""
        for reservation in self.slots.clear():
            await reservation.consumed.window.settle(
                reservation.taken, partial(reservation.taken.message.nack, requeue=True)
            )
