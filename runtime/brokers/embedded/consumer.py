"""One call of `consume`: takes due messages into free slots and executes each verdict."""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial

import structlog

from contract.broker import Delivery, Handler, Stop, previews_at_once
from contract.codec import encode
from contract.job import Lane
from contract.verdicts import Answer
from runtime.brokers.embedded.disk import DiskRefused
from runtime.brokers.embedded.lanes import Lanes
from runtime.brokers.embedded.previews import Preview, Previews
from runtime.brokers.embedded.tables import Claimed

log = structlog.get_logger(__name__)


class Consumer:
    """Hands messages of `lanes` to `handle`, at most `slots` at once; as lost after `delivery_limit` redeliveries.

    Previews have few of the slots, and take turns with the messages, so that neither keeps the other waiting for ever.

    While the disk refuses writes, it tries again every `disk_pause_s` and takes nothing new.
    """

    def __init__(  # noqa: PLR0913 - what is consumed, by whom, and the limits
        self,
        lanes: Lanes,
        previews: Previews,
        handle: Handler,
        *,
        slots: int,
        delivery_limit: int,
        disk_pause_s: float,
    ) -> None:
        self._lanes = lanes
        self._previews = previews
        self._handle = handle
        self._slots = slots
        self._delivery_limit = delivery_limit
        self._disk_pause_s = disk_pause_s
        self._busy: Counter[Lane] = Counter()
        self._previewing = 0
        self._messages_turn = False

    async def run(self, stop: Stop) -> None:
        """Works until `stop` is set and everything in progress is finished. Cancelling returns it to the lanes instead.

        Raises:
            BrokerUnavailable: the database is damaged, or was closed.
        """
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._ring_when(stop))
                while not stop.is_set():
                    await self._take(group, stop)
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from failures

    async def _ring_when(self, stop: Stop) -> None:
        await stop.wait()
        self._lanes.changed.ring()

    async def _take(self, group: asyncio.TaskGroup, stop: Stop) -> None:
        rung = self._lanes.changed.listen()
        if not self._messages_turn:
            self._start_previews(group)
        messages, due = await self._claim()
        if stop.is_set():
            self._lanes.release(messages)
            return
        for message in messages:
            self._start(group, message)
        if self._messages_turn:
            self._messages_turn = not messages and self._free == 0
            self._start_previews(group)
        await _wait(rung, until=due)

    @property
    def _free(self) -> int:
        return self._slots - self._busy.total() - self._previewing

    def _start_previews(self, group: asyncio.TaskGroup) -> None:
        for preview in self._previews.take(min(self._free, previews_at_once(self._slots) - self._previewing)):
            self._previewing += 1
            self._messages_turn = True
            task = group.create_task(self._preview(preview))
            task.add_done_callback(partial(self._finish_preview, preview))

    async def _preview(self, preview: Preview) -> None:
        try:
            verdict = await self._handle(preview.delivery)
        except Exception as error:  # noqa: BLE001 - whatever a handler raises, whoever asked is told that it failed
            log.warning("preview_failed", error=type(error).__name__, message_id=preview.delivery.message_id)
            return
        if isinstance(verdict, Answer) and verdict.event is not None:
            preview.answer(encode(verdict.event))

    def _finish_preview(self, preview: Preview, _: asyncio.Task[None]) -> None:
        preview.answer(None)
        self._previewing -= 1
        self._lanes.changed.ring()

    async def _claim(self) -> tuple[list[Claimed], float | None]:
        free = self._free
        if free <= 0:
            return [], None
        try:
            return await self._lanes.claim(self._room(), free=free, delivery_limit=self._delivery_limit)
        except DiskRefused:
            return [], time.time() + self._disk_pause_s

    def _room(self) -> dict[Lane, int]:
        """Returns how many of each lane may be taken: bulk leaves one slot free, unless there is only one."""
        for_bulk = max(1, self._slots - 1)
        return {Lane.INTERACTIVE: self._slots, Lane.BULK: for_bulk - self._busy[Lane.BULK]}

    def _start(self, group: asyncio.TaskGroup, message: Claimed) -> None:
        self._busy[message.lane] += 1
        task = group.create_task(self._work(message))
        task.add_done_callback(lambda _: self._finish(message))  # a task cancelled before its start runs no `finally`

    def _finish(self, message: Claimed) -> None:
        self._busy[message.lane] -= 1
        self._lanes.release([message])

    async def _work(self, message: Claimed) -> None:
        try:
            carry_out = self._lanes.settling(message, await self._handle(self._delivery(message)))
        except Exception as error:  # noqa: BLE001 - whatever a handler raises gives the delivery back
            _log_given_back(message, error)
            await self._retry_while_refused(partial(self._lanes.give_back, message))
        else:
            await self._retry_while_refused(carry_out)

    async def _retry_while_refused(self, write: Callable[[], Awaitable[None]]) -> None:
        """Repeats `write` until it succeeds. Returning the message instead would use up one of its deliveries."""
        while True:
            try:
                return await write()
            except DiskRefused:
                await asyncio.sleep(self._disk_pause_s)

    def _delivery(self, message: Claimed) -> Delivery:
        return Delivery(
            body=message.body,
            message_id=message.message_id,
            deliveries=message.deliveries,
            lost=message.deliveries > self._delivery_limit + 1,
        )


def _log_given_back(message: Claimed, error: Exception) -> None:
    log.warning(
        "delivery_given_back",
        error=type(error).__name__,
        message_id=message.message_id,
        deliveries=message.deliveries,
    )


async def _wait(rung: asyncio.Event, *, until: float | None) -> None:
    delay_s = None if until is None else max(0.0, until - time.time())
    with suppress(TimeoutError):
        async with asyncio.timeout(delay_s):
            await rung.wait()
