"""Which waiting delivery takes a free slot. Pure: it knows neither the broker nor the clock."""

import random
from collections import deque
from collections.abc import Callable
from enum import StrEnum
from typing import Generic, TypeVar

T = TypeVar("T")


class Line(StrEnum):
    """Where a delivery waits for its slot."""

    LOST = "lost"
    SUSPECT = "suspect"
    INTERACTIVE = "interactive"
    BULK = "bulk"


class Slots(Generic[T]):
    """At most `slots` in hand: lost ones first (they cost nothing), one at a time; then interactive; then bulk.

    Bulk never holds the last slot, unless there is only one. A bulk delivery that has waited `patience_s` seconds goes
    before interactive ones.

    A suspect runs alone, so that a worker that dies of it takes no other with it. Once `begin_suspects` was called
    nothing else is taken until none of them waits. Each time `draw` says which is next: those that are none get away
    before the one that kills, sooner or later, as long as each worker draws another order.
    """

    def __init__(self, slots: int, patience_s: float, draw: Callable[[int], int] = random.randrange) -> None:
        self._slots = slots
        self._patience_s = patience_s
        self._draw = draw
        self._most = {Line.LOST: 1, Line.SUSPECT: 1, Line.INTERACTIVE: slots, Line.BULK: max(1, slots - 1)}
        self._waiting: dict[Line, deque[tuple[float, T]]] = {line: deque() for line in Line}
        self._in_hand = dict.fromkeys(Line, 0)
        self._suspects_begun = False

    def add(self, line: Line, item: T, now: float) -> None:
        """Puts `item` at the end of its line. `now` is in seconds of any clock that does not go back."""
        self._waiting[line].append((now, item))

    def begin_suspects(self) -> None:
        """Lets the suspects that wait have their turn."""
        self._suspects_begun = True

    def take(self, now: float) -> tuple[Line, T] | None:
        """Returns who takes a free slot, and its line; None when nobody waits or may."""
        line = next((line for line in self._order(now) if self._may(line)), None)
        if line is None:
            return None
        self._in_hand[line] += 1
        waiting = self._waiting[line]
        place = self._draw(len(waiting)) if line is Line.SUSPECT else 0
        _, item = waiting[place]
        del waiting[place]
        return line, item

    def release(self, line: Line) -> None:
        """Frees a slot that `take` gave to `line`."""
        self._in_hand[line] -= 1

    def clear(self) -> list[T]:
        """Returns all that wait, and forgets them."""
        waiting = [item for line in Line for _, item in self._waiting[line]]
        for line in self._waiting.values():
            line.clear()
        return waiting

    def _may(self, line: Line) -> bool:
        taken = sum(self._in_hand.values())
        free = taken < (1 if line is Line.SUSPECT else self._slots) and self._in_hand[line] < self._most[line]
        return free and bool(self._waiting[line])

    def _order(self, now: float) -> tuple[Line, ...]:
        self._suspects_begun = self._suspects_begun and bool(self._waiting[Line.SUSPECT])
        if self._suspects_begun or self._in_hand[Line.SUSPECT]:
            return (Line.SUSPECT,)
        bulk = self._waiting[Line.BULK]
        if bulk and now - bulk[0][0] >= self._patience_s:
            return Line.LOST, Line.BULK, Line.INTERACTIVE
        return Line.LOST, Line.INTERACTIVE, Line.BULK
