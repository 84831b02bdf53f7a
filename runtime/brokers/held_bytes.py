"""The bytes that a worker holds: of what was delivered to it, and of the pages that it fetches."""

import asyncio
from typing import Final

from contract.capacity import NoRoom
from runtime.brokers.notifier import Notifier

MAX_WAIT_S: Final = 10.0
"""For so long a page waits for room before its document goes back to its queue. Chosen: as long as for a busy host."""


class HeldBytes:
    """Counts the bytes held, at most `limit_bytes`. Each holder is any object.

    One holder may exceed the limit until it is done, the one that waited first: else pages that are half there would
    wait for each other.
    """

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._held: dict[object, int] = {}
        self._total = 0
        self._unbounded: object | None = None
        self._freed = Notifier()

    @property
    def total(self) -> int:
        """The bytes that are held."""
        return self._total

    @property
    def room(self) -> int:
        """The bytes that there is room for; below 0 if the limit is exceeded."""
        return self._limit_bytes - self._total

    def add(self, holder: object, size_bytes: int) -> None:
        """Counts bytes that are there in any case."""
        self._held[holder] = self._held.get(holder, 0) + size_bytes
        self._total += size_bytes

    def take_now(self, holder: object, size_bytes: int) -> bool:
        """Counts bytes if there is room for them, and returns True if so."""
        if size_bytes > self.room and holder is not self._unbounded:
            return False
        self.add(holder, size_bytes)
        return True

    async def take(self, holder: object, size_bytes: int) -> None:
        """Counts bytes as soon as there is room for them.

        Raises:
            NoRoom: there was none in time.
        """
        try:
            async with asyncio.timeout(MAX_WAIT_S):
                while not self.take_now(holder, size_bytes):
                    if self._unbounded is None:
                        self._unbounded = holder
                    else:
                        await self._freed.subscribe().wait()
        except TimeoutError:
            raise NoRoom(f"no room for {size_bytes} bytes within {MAX_WAIT_S:g} s") from None

    def free(self, holder: object) -> None:
        """Forgets a holder and its bytes."""
        self._total -= self._held.pop(holder, 0)
        if self._unbounded is holder:
            self._unbounded = None
        self._freed.notify_all()
