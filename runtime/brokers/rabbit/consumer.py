"""Takes deliveries, passes them to a handler as slots become free, executes the verdict, and acks."""

import asyncio
import math
import traceback
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import structlog

from contract.broker import Delivery, Handler, Stop, previews_at_once
from contract.codec import MessageTooLarge
from contract.job import Lane
from contract.labels import SessionLoss
from contract.topology import INTAKE_RETRY, LOST, PREVIEWS, lane_queue
from contract.verdicts import Verdict
from runtime.brokers.rabbit.executor import VerdictExecutor
from runtime.brokers.rabbit.limits import RabbitLimits
from runtime.brokers.rabbit.messages import delivery_of, lane_of
from runtime.brokers.rabbit.session import Session, translated
from runtime.brokers.rabbit.slots import QueueClass, Slots

if TYPE_CHECKING:
    from aio_pika.abc import AbstractChannel, AbstractIncomingMessage, AbstractQueue

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Source:
    """A queue to consume, with its prefetch. `kind` is its messages' class; None if each message names its lane."""

    queue: str
    prefetch: int
    kind: QueueClass | None


def sources(slots: int) -> list[Source]:
    """Returns what a worker with this many slots consumes."""
    return [
        Source(LOST, 1, QueueClass.LOST),
        Source(PREVIEWS, previews_at_once(slots), QueueClass.PREVIEW),
        Source(INTAKE_RETRY, slots, None),
        Source(lane_queue(Lane.INTERACTIVE), slots, QueueClass.INTERACTIVE),
        Source(lane_queue(Lane.BULK), max(1, slots - 1), QueueClass.BULK),
    ]


def _delivery_of(kind: QueueClass | None, message: "AbstractIncomingMessage") -> Delivery:
    return delivery_of(message, lost=kind is QueueClass.LOST, preview=kind is QueueClass.PREVIEW)


def in_flight_jobs(slots: int) -> int:
    """Returns how many jobs a worker with this many slots may hold, with those that wait for a slot."""
    return sum(source.prefetch for source in sources(slots) if source.kind is not QueueClass.PREVIEW)


class Consumer:
    """One call of `consume`. The supervisor calls `run` for each session, which starts with nothing in hand."""

    def __init__(
        self, handle: Handler, executor: VerdictExecutor, *, slots: int, stop: Stop, limits: RabbitLimits
    ) -> None:
        self._handle = handle
        self._executor = executor
        self._sources = sources(slots)
        self._slots_count = slots
        self._stop = stop
        self._limits = limits
        self._slots: Slots[AbstractIncomingMessage] = Slots(slots, limits.bulk_patience_s)
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
        self._slots = Slots(self._slots_count, self._limits.bulk_patience_s)
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
            consumers = [await self._subscribe(session, source) for source in self._sources]
            await self._stop.wait()
            for queue, tag in consumers:
                with translated(SessionLoss.CHANNEL_CLOSED):
                    await queue.cancel(tag)
            await self._give_back_waiting()

    async def _ask_for_ever(self, channel: "AbstractChannel") -> None:
        """Asks the broker for something cheap at intervals, and records when it answered. Runs until cancelled."""
        while True:
            with translated(SessionLoss.CHANNEL_CLOSED):
                await channel.set_qos(prefetch_count=1)
            self._answered_at = asyncio.get_running_loop().time()
            await asyncio.sleep(self._limits.fresh_confirm_s)

    async def _subscribe(self, session: Session, source: Source) -> "tuple[AbstractQueue, str]":
        channel = await session.channel(prefetch=source.prefetch)
        with translated(SessionLoss.CHANNEL_CLOSED):
            queue = await channel.get_queue(source.queue, ensure=False)
            return queue, await queue.consume(partial(self._arrive, source))

    async def _arrive(self, source: Source, message: "AbstractIncomingMessage") -> None:
        loop = asyncio.get_running_loop()
        if _delivery_of(source.kind, message).suspect:
            self._slots.add(QueueClass.SUSPECT, message, loop.time())
            loop.call_later(self._limits.suspect_pause_s, self._begin_suspects, self._slots)
            return
        self._slots.add(source.kind or QueueClass(lane_of(message)), message, loop.time())
        self._begin()

    def _begin_suspects(self, slots: "Slots[AbstractIncomingMessage]") -> None:
        slots.begin_suspects()
        self._begin()

    def _begin(self) -> None:
        """Fills the free slots with waiting deliveries."""
        if not self.is_live or self._stop.is_set():
            return
        while taken := self._slots.take(asyncio.get_running_loop().time()):
            self._jobs.create_task(self._work(*taken))

    async def _work(self, kind: QueueClass, message: "AbstractIncomingMessage") -> None:
        done = await self._decide(kind, message)
        self._slots.release(kind)
        self._begin()
        if not done:
            await self._hold_back(message)

    async def _decide(self, kind: QueueClass, message: "AbstractIncomingMessage") -> bool:
        verdict = await self._judge(kind, message)
        if verdict is None:
            return False
        try:
            await self._executor.carry_out(verdict, message)
        except MessageTooLarge as error:
            log.error("verdict_too_large", message_id=message.message_id, detail=str(error))  # noqa: TRY400 - it says all
            return False
        with translated(SessionLoss.CHANNEL_CLOSED):
            await message.ack()
        return True

    async def _judge(self, kind: QueueClass, message: "AbstractIncomingMessage") -> Verdict | None:
        try:
            return await self._handle(_delivery_of(kind, message))
        except Exception as error:  # noqa: BLE001 - whatever a handler raises gives the delivery back
            trace = "".join(traceback.format_tb(error.__traceback__))  # its message may quote the document
            log.error("handler_failed", message_id=message.message_id, error=type(error).__name__, trace=trace)  # noqa: TRY400
            return None

    async def _hold_back(self, message: "AbstractIncomingMessage") -> None:
        """Returns a delivery as failed, after a growing pause: else a defect would use up its deliveries at once.

        Rejected, not nacked: from RabbitMQ 4.3 on a nack does not count as a delivery.
        """
        before = delivery_of(message, lost=False).deliveries - 1
        pause_s = min(self._limits.give_back_initial_s * 2**before, self._limits.give_back_max_s)
        with suppress(TimeoutError):
            async with asyncio.timeout(pause_s):
                await self._stop.wait()
        with translated(SessionLoss.CHANNEL_CLOSED):
            await message.reject(requeue=True)

    async def _give_back_waiting(self) -> None:
        """Returns deliveries that were sent ahead and not started."""
        for message in self._slots.clear():
            with translated(SessionLoss.CHANNEL_CLOSED):
                await message.nack(requeue=True)
