"""The reservation of a delivery that leaves its slot and waits for another."""

import asyncio
from collections.abc import Callable

import pytest

from contract.capacity import Capacity, NoRoom
from contract.labels import InHand
from runtime.brokers import reservations
from runtime.brokers.held_bytes import HeldBytes
from runtime.brokers.reservations import SlotReservation
from runtime.brokers.slots import QueueClass, Slots


@pytest.fixture
def slots() -> Slots[SlotReservation]:
    return Slots(Capacity(slots=1, waiting=8, unconfirmed=8, held_bytes=1000), bulk_max_wait_s=10.0)


@pytest.fixture
def waits() -> asyncio.Event:
    """Is set as soon as a delivery waits for a slot again."""
    return asyncio.Event()


@pytest.fixture
def begun(slots: Slots[SlotReservation], waits: asyncio.Event) -> Callable[[], SlotReservation]:
    """Begins a delivery, which gets the slot."""

    def changed() -> None:
        if slots.coming_back(QueueClass.INTERACTIVE):
            waits.set()

    def begin() -> SlotReservation:
        reservation = SlotReservation(QueueClass.INTERACTIVE, slots, HeldBytes(1000), changed)
        slots.add(reservation.kind, reservation, 0.0)
        assert slots.take(0.0) is reservation
        assert reservation.grant()
        return reservation

    return begin


async def test_who_gets_no_slot_in_time_gives_up_and_waits_for_none(
    slots: Slots[SlotReservation], begun: Callable[[], SlotReservation], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reservations, "SLOT_MAX_WAIT_S", 0.05)
    first, others = begun(), []
    with pytest.raises(NoRoom, match="no slot within"):
        async with first.without_slot():
            others.append(begun())
    assert slots.coming_back(first.kind) == 0
    first.decide()
    assert slots.counts == {InHand.WORKING: 1, InHand.UNCONFIRMED: 1, InHand.WAITING: 0}
    first.end()
    others[0].end()
    assert slots.in_hand == 0


async def test_who_waits_gets_the_slot_that_is_freed(
    slots: Slots[SlotReservation], begun: Callable[[], SlotReservation], waits: asyncio.Event
) -> None:
    first, others = begun(), []

    async def leave_and_come_back() -> None:
        async with first.without_slot():
            others.append(begun())

    waiting = asyncio.create_task(leave_and_come_back())
    await waits.wait()
    others[0].end()
    assert slots.take(0.0) is first
    assert not first.grant()
    await waiting
    assert slots.counts[InHand.WORKING] == 1
