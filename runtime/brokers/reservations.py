"""The reservation of a delivery in a worker: its slot, and the bytes that are held for it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Final

from contract.capacity import NoRoom
from contract.metrics import Metrics
from runtime.brokers.held_bytes import HeldBytes
from runtime.brokers.slots import QueueClass, Slots

SLOT_MAX_WAIT_S: Final = 600.0
"""For so long a fetched page waits for a slot before its document goes back to its queue. Chosen: with the time of an
attempt (120 s) it is well under RabbitMQ's consumer timeout (30 minutes), should hundreds of pages hang parsers."""


class SlotReservation:
    """`contract.capacity.Reservation` of a delivery of class `kind`. The consumer calls what begins and ends it.

    `changed` is called when a slot was freed, or when the delivery waits for one: the consumer then hands out slots.
    """

    def __init__(self, kind: QueueClass, slots: Slots[Any], held: HeldBytes, changed: Callable[[], None]) -> None:
        self.kind = kind
        self._slots = slots
        self._held = held
        self._changed = changed
        self._has_slot = False
        self._is_decided = False
        self._turn: asyncio.Future[None] | None = None

    def grant(self) -> bool:
        """Notes that the delivery got a slot. Returns True if it begins, False if it comes back."""
        self._has_slot = True
        if self._turn is None:
            return True
        self._turn.set_result(None)
        return False

    @asynccontextmanager
    async def without_slot(self) -> AsyncIterator[None]:
        """See `contract.capacity.Reservation.without_slot`."""
        self._leave()
        self._changed()
        yield
        await self._come_back()

    def take_now(self, size_bytes: int) -> bool:
        """See `contract.capacity.Reservation.take_now`."""
        return self._held.take_now(self, size_bytes)

    async def take(self, size_bytes: int) -> None:
        """See `contract.capacity.Reservation.take`."""
        await self._held.take(self, size_bytes)

    def decide(self) -> None:
        """Frees the slot: there is a verdict, which is to be confirmed."""
        self._leave()
        self._is_decided = True
        self._slots.decide()
        self._changed()

    def end(self) -> None:
        """Frees everything: the delivery is done."""
        self._leave()
        if self._is_decided:
            self._slots.confirm()
        self._slots.release(self.kind)
        self._held.free(self)
        self._changed()

    def _leave(self) -> None:
        if self._has_slot:
            self._has_slot = False
            self._slots.leave(self.kind)

    async def _come_back(self) -> None:
        loop = asyncio.get_running_loop()
        self._turn = loop.create_future()
        self._slots.come_back(self.kind, self, loop.time())
        self._changed()
        try:
            async with asyncio.timeout(SLOT_MAX_WAIT_S):
                await self._turn
        except TimeoutError:
            raise NoRoom(f"no slot within {SLOT_MAX_WAIT_S:g} s") from None
        finally:
            if not self._has_slot:
                self._slots.forget(self.kind, self)


def show(metrics: Metrics, slots: Slots[Any], held: HeldBytes) -> None:
    """Sets the gauges of deliveries and their bytes."""
    for state, count in slots.counts.items():
        metrics.in_hand.labels(state).set(count)
    metrics.held_bytes.set(held.total)
