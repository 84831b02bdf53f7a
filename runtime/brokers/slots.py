"""Decides which delivery gets a free slot. Pure: it knows neither the broker nor the clock."""

import math
import random
from collections import Counter, deque
from collections.abc import Callable, Collection, Mapping, Sequence
from enum import StrEnum
from typing import Final, Generic, TypeVar

from contract.capacity import Capacity, previews_at_once
from contract.labels import InHand

T = TypeVar("T")

_BULK_WAITING: Final = 3, 4
"""The part of those that may wait that bulk may take. Chosen: a quarter lets the other lane begin at once."""
_PREVIEWS_WAITING: Final = 1, 8
"""The part that previews may take. Chosen: a process of the API asks for 20 at once."""


class QueueClass(StrEnum):
    """The kind of queue that a delivery comes from."""

    LOST = "lost"
    SUSPECT = "suspect"
    PREVIEW = "preview"
    INTERACTIVE = "interactive"
    BULK = "bulk"


_PROMPT = (QueueClass.PREVIEW, QueueClass.INTERACTIVE)


def most_working(slots: int) -> dict[QueueClass, int]:
    """Returns how many deliveries of each class may have a slot. Bulk leaves one free, unless there is only one."""
    return {
        QueueClass.LOST: 1,
        QueueClass.SUSPECT: 1,
        QueueClass.PREVIEW: previews_at_once(slots),
        QueueClass.INTERACTIVE: slots,
        QueueClass.BULK: max(1, slots - 1),
    }


class Slots(Generic[T]):
    """Holds the deliveries that wait, and hands out at most `capacity.slots` slots at once.

    Lost deliveries go first, one at a time: they take no time. Then come interactive ones and previews, in the order of
    their arrival, then bulk. Previews have few slots, and bulk never takes the last slot, unless there is only one. A
    bulk delivery that has waited `bulk_max_wait_s` seconds goes before interactive ones.

    A delivery is in hand (as the metric `copydesk_in_hand` counts) from its first slot until `release`: it has a slot
    (`take`), has left it to wait for the network (`leave`), waits for one again (`come_back`), or has a verdict that is
    not confirmed yet (`decide`). Those that come back go before those of their class that have not begun. No slot is
    handed out while as many verdicts are unconfirmed as may be.

    A suspect runs alone, so that a worker that crashes on it loses no other delivery: it begins when nothing is in
    hand. After `begin_suspects` only suspects begin until none waits. `draw` picks the next one at random: workers then
    start with different suspects, so that the harmless ones get finished before the one that crashes the worker.
    """

    def __init__(
        self, capacity: Capacity, bulk_max_wait_s: float, draw: Callable[[int], int] = random.randrange
    ) -> None:
        self._capacity = capacity
        self._bulk_max_wait_s = bulk_max_wait_s
        self._draw = draw
        self._most_working = most_working(capacity.slots)
        self._most_in_hand = self._most_working | {
            QueueClass.PREVIEW: self._most_working[QueueClass.PREVIEW] + _part(capacity.waiting, *_PREVIEWS_WAITING),
            QueueClass.INTERACTIVE: capacity.most,
            QueueClass.BULK: self._most_working[QueueClass.BULK] + _part(capacity.waiting, *_BULK_WAITING),
        }
        self._fresh: dict[QueueClass, deque[tuple[float, T]]] = {kind: deque() for kind in QueueClass}
        self._back: dict[QueueClass, deque[tuple[float, T]]] = {kind: deque() for kind in QueueClass}
        self._working: Counter[QueueClass] = Counter()
        self._in_hand: Counter[QueueClass] = Counter()
        self._unconfirmed = 0
        self._suspects_begun = False

    def add(self, kind: QueueClass, item: T, now: float) -> None:
        """Adds `item` behind those of its class. `now` is in seconds of any clock that never goes back."""
        self._fresh[kind].append((now, item))

    def begin_suspects(self) -> None:
        """Lets the waiting suspects be taken."""
        self._suspects_begun = True

    def take(self, now: float, *, begin: bool = True, among: Collection[QueueClass] = tuple(QueueClass)) -> T | None:
        """Returns the delivery of the classes `among` that gets a free slot, or None.

        Without `begin` only those that come back get one.
        """
        order = (kind for kind in self._order(now) if kind in among)
        kind = next((kind for kind in order if self._may_take(kind, begin=begin)), None)
        if kind is None:
            return None
        self._working[kind] += 1
        if self._back[kind]:
            return self._back[kind].popleft()[1]
        self._in_hand[kind] += 1
        waiting = self._fresh[kind]
        place = self._draw(len(waiting)) if kind is QueueClass.SUSPECT else 0
        _, item = waiting[place]
        del waiting[place]
        return item

    def begin(self, kind: QueueClass) -> None:
        """Gives a slot to a delivery of class `kind` that was not added. Call it only if there is `room`."""
        self._working[kind] += 1
        self._in_hand[kind] += 1

    def leave(self, kind: QueueClass) -> None:
        """Frees a slot that `take` gave to a delivery of class `kind`, which stays in hand."""
        self._working[kind] -= 1

    def come_back(self, kind: QueueClass, item: T, now: float) -> None:
        """Lets `item`, which has left its slot, wait for another."""
        self._back[kind].append((now, item))

    def forget(self, kind: QueueClass, item: T) -> None:
        """Ends the wait of one that came back."""
        self._back[kind] = deque(each for each in self._back[kind] if each[1] is not item)

    def decide(self) -> None:
        """Counts a verdict that waits for its confirm. Its delivery has left its slot."""
        self._unconfirmed += 1

    def confirm(self) -> None:
        """Ends the wait that `decide` began."""
        self._unconfirmed -= 1

    def release(self, kind: QueueClass) -> None:
        """Forgets a delivery of class `kind` that has left its slot and is settled."""
        self._in_hand[kind] -= 1

    @property
    def counts(self) -> Mapping[InHand, int]:
        """The number of deliveries in hand, by what they do."""
        working = self._working.total()
        return {
            InHand.WORKING: working,
            InHand.UNCONFIRMED: self._unconfirmed,
            InHand.WAITING: self.in_hand - working - self._unconfirmed,
        }

    @property
    def in_hand(self) -> int:
        """The number of deliveries in hand."""
        return self._in_hand.total()

    def coming_back(self, kind: QueueClass) -> int:
        """Returns how many deliveries of class `kind` wait for a slot again."""
        return len(self._back[kind])

    def room(self, kind: QueueClass) -> int:
        """Returns how many deliveries of class `kind` may begin now."""
        if self._suspects_begun or self._in_hand[QueueClass.SUSPECT]:
            return 0
        return min(
            self._free_slots(kind),
            self._capacity.most - self.in_hand,
            self._most_in_hand[kind] - self._in_hand[kind],
        )

    def clear(self) -> list[T]:
        """Returns all deliveries that have not begun, and forgets them."""
        waiting = [item for kind in QueueClass for _, item in self._fresh[kind]]
        for items in self._fresh.values():
            items.clear()
        return waiting

    def _may_take(self, kind: QueueClass, *, begin: bool) -> bool:
        if self._back[kind]:
            return self._free_slots(kind) > 0
        return begin and bool(self._fresh[kind]) and self._may_begin(kind)

    def _may_begin(self, kind: QueueClass) -> bool:
        if kind is QueueClass.SUSPECT:
            return self._suspects_begun and not self.in_hand
        return self.room(kind) > 0

    def _free_slots(self, kind: QueueClass) -> int:
        if self._unconfirmed >= self._capacity.unconfirmed:
            return 0
        return min(self._capacity.slots - self._working.total(), self._most_working[kind] - self._working[kind])

    def _order(self, now: float) -> tuple[QueueClass, ...]:
        self._suspects_begun = self._suspects_begun and bool(self._fresh[QueueClass.SUSPECT])
        if now - self._since(QueueClass.BULK) >= self._bulk_max_wait_s:
            return QueueClass.SUSPECT, QueueClass.LOST, QueueClass.BULK, *self._prompt()
        return QueueClass.SUSPECT, QueueClass.LOST, *self._prompt(), QueueClass.BULK

    def _prompt(self) -> Sequence[QueueClass]:
        """Returns the classes that somebody waits for, the one first whose first delivery has waited longer."""
        return sorted(_PROMPT, key=self._since)

    def _since(self, kind: QueueClass) -> float:
        """Returns since when the first delivery of class `kind` has waited."""
        return min((waiting[0][0] for waiting in (self._back[kind], self._fresh[kind]) if waiting), default=math.inf)


def _part(whole: int, numerator: int, denominator: int) -> int:
    return whole * numerator // denominator
