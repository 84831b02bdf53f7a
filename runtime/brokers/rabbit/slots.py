"""Decides which waiting delivery gets a free slot. Pure: it knows neither the broker nor the clock."""

import random
from collections import deque
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Generic, TypeVar

from contract.broker import previews_at_once

T = TypeVar("T")


class QueueClass(StrEnum):
    """The kind of queue in which a delivery waits for its slot."""

    LOST = "lost"
    SUSPECT = "suspect"
    PREVIEW = "preview"
    INTERACTIVE = "interactive"
    BULK = "bulk"


_PROMPT = (QueueClass.PREVIEW, QueueClass.INTERACTIVE)


class Slots(Generic[T]):
    """Holds the deliveries that wait, and hands out at most `slots` at once.

    Lost deliveries go first, one at a time: they take no time. Then come interactive ones and previews, in the order of
    their arrival, then bulk. Previews have few slots, and bulk never takes the last slot, unless there is only one. A
    bulk delivery that has waited `patience_s` seconds goes before
    interactive ones.

    A suspect runs alone, so that a worker that crashes on it loses no other delivery. After `begin_suspects` only
    suspects are taken until none waits. `draw` picks the next one at random: workers then start with different
    suspects, so that the harmless ones get finished before the one that crashes the worker.
    """

    def __init__(self, slots: int, patience_s: float, draw: Callable[[int], int] = random.randrange) -> None:
        self._slots = slots
        self._patience_s = patience_s
        self._draw = draw
        self._most = {
            QueueClass.LOST: 1,
            QueueClass.SUSPECT: 1,
            QueueClass.PREVIEW: previews_at_once(slots),
            QueueClass.INTERACTIVE: slots,
            QueueClass.BULK: max(1, slots - 1),
        }
        self._waiting: dict[QueueClass, deque[tuple[float, T]]] = {kind: deque() for kind in QueueClass}
        self._in_hand = dict.fromkeys(QueueClass, 0)
        self._suspects_begun = False

    def add(self, kind: QueueClass, item: T, now: float) -> None:
        """Adds `item` behind those of its class. `now` is in seconds of any clock that never goes back."""
        self._waiting[kind].append((now, item))

    def begin_suspects(self) -> None:
        """Lets the waiting suspects be taken."""
        self._suspects_begun = True

    def take(self, now: float) -> tuple[QueueClass, T] | None:
        """Returns the delivery that gets a free slot, with its class; None if none waits or none may be taken."""
        kind = next((kind for kind in self._order(now) if self._may_take(kind)), None)
        if kind is None:
            return None
        self._in_hand[kind] += 1
        waiting = self._waiting[kind]
        place = self._draw(len(waiting)) if kind is QueueClass.SUSPECT else 0
        _, item = waiting[place]
        del waiting[place]
        return kind, item

    def release(self, kind: QueueClass) -> None:
        """Frees a slot that `take` gave to a delivery of class `kind`."""
        self._in_hand[kind] -= 1

    def clear(self) -> list[T]:
        """Returns all deliveries that wait, and forgets them."""
        waiting = [item for kind in QueueClass for _, item in self._waiting[kind]]
        for items in self._waiting.values():
            items.clear()
        return waiting

    def _may_take(self, kind: QueueClass) -> bool:
        slots = 1 if kind is QueueClass.SUSPECT else self._slots
        free = sum(self._in_hand.values()) < slots and self._in_hand[kind] < self._most[kind]
        return free and bool(self._waiting[kind])

    def _order(self, now: float) -> tuple[QueueClass, ...]:
        self._suspects_begun = self._suspects_begun and bool(self._waiting[QueueClass.SUSPECT])
        if self._suspects_begun or self._in_hand[QueueClass.SUSPECT]:
            return (QueueClass.SUSPECT,)
        bulk = self._waiting[QueueClass.BULK]
        if bulk and now - bulk[0][0] >= self._patience_s:
            return QueueClass.LOST, QueueClass.BULK, *self._prompt()
        return QueueClass.LOST, *self._prompt(), QueueClass.BULK

    def _prompt(self) -> Sequence[QueueClass]:
        """Returns the classes that somebody waits for, the one first whose first delivery has waited longer."""
        since = {kind: self._waiting[kind][0][0] for kind in _PROMPT if self._waiting[kind]}
        return sorted(since, key=lambda kind: since[kind])
