"""How much a worker takes at once, and what one delivery takes up of it."""

from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from typing import Protocol

_MOST_PREVIEWS = 4  # chosen: with those of `MAX_PREVIEW_BYTES` and 14 slots a worker stays within its 512 MiB


class NoRoom(Exception):
    """All slots are taken, or the bytes that a worker may hold are used up, and none were given back in time."""


def previews_at_once(slots: int) -> int:
    """Returns how many previews a worker with this many slots works on at once: at most half of them, at least one."""
    return max(1, min(_MOST_PREVIEWS, slots // 2))


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """How much a worker takes at once.

    Attributes:
        slots: documents that are worked on at once.
        waiting: further documents: those that wait, for the network or for a slot, and verdicts that wait for their
            confirm.
        unconfirmed: how many of them may be verdicts, at most.
        held_bytes: most bytes of all of them, as they were delivered and fetched.
    """

    slots: int
    waiting: int = 0
    unconfirmed: int = 64  # chosen: 1,500 verdicts a second at 40 ms each
    held_bytes: int = 512 * 1024 * 1024

    @property
    def most(self) -> int:
        """The most documents that a worker has at once."""
        return self.slots + self.waiting


class Reservation(Protocol):
    """A delivery's part of a worker's capacity: a slot while it is worked on, and the bytes that are held for it."""

    def without_slot(self) -> AbstractAsyncContextManager[None]:
        """Gives the slot to others while the context is open: to wait for the network takes none.

        The context ends when there is a slot again; after an exception it ends at once, without one.

        Raises:
            NoRoom: there was no slot in time.
        """

    def take_now(self, size_bytes: int) -> bool:
        """Counts further bytes that are held for the delivery. Returns False, and counts none, if there is no room."""

    async def take(self, size_bytes: int) -> None:
        """Counts further bytes, as `take_now`, and waits for room.

        Raises:
            NoRoom: there was none in time.
        """


class _Unbounded:
    """A reservation without limits, for a fetch outside a worker."""

    def without_slot(self) -> AbstractAsyncContextManager[None]:
        return nullcontext()

    def take_now(self, _size_bytes: int) -> bool:
        return True

    async def take(self, _size_bytes: int) -> None:
        """Returns at once."""


UNBOUNDED: Reservation = _Unbounded()
