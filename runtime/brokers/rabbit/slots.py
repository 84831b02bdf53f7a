"""Which waiting delivery takes a free slot. Pure: it knows neither the broker nor the clock."""

from collections import deque
from enum import StrEnum
from typing import Generic, TypeVar

T = TypeVar("T")


class Line(StrEnum):
    """Where a delivery waits for its slot."""

    LOST = "lost"
    INTERACTIVE = "interactive"
    BULK = "bulk"


class Slots(Generic[T]):
    """At most `slots` in hand: lost ones first (they cost nothing), one at a time; then interactive; then bulk.

    Bulk never holds the last slot, unless there is only one. A bulk delivery that has waited `patience_s` seconds goes
    before interactive ones.
    """

    def __init__(self, slots: int, patience_s: float) -> None:
        self._slots = slots
        self._patience_s = patience_s
        self._most = {Line.LOST: 1, Line.INTERACTIVE: slots, Line.BULK: max(1, slots - 1)}
        self._waiting: dict[Line, deque[tuple[float, T]]] = {line: deque() for line in Line}
        self._in_hand = dict.fromkeys(Line, 0)

    def add(self, line: Line, item: T, now: float) -> None:
        """Puts `item` at the end of its line. `now` is in seconds of any clock that does not go back."""
        self._waiting[line].append((now, item))

    def take(self, now: float) -> tuple[Line, T] | None:
        """Returns who takes a free slot, and its line; None when nobody waits or may."""
        line = next((line for line in self._order(now) if self._may(line)), None)
        if line is None:
            return None
        self._in_hand[line] += 1
        return line, self._waiting[line].popleft()[1]

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
        free = sum(self._in_hand.values()) < self._slots and self._in_hand[line] < self._most[line]
        return free and bool(self._waiting[line])

    def _order(self, now: float) -> tuple[Line, Line, Line]:
        bulk = self._waiting[Line.BULK]
        if bulk and now - bulk[0][0] >= self._patience_s:
            return Line.LOST, Line.BULK, Line.INTERACTIVE
        return Line.LOST, Line.INTERACTIVE, Line.BULK
