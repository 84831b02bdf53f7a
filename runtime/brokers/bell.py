"""Wakes many waiters. A ring between a check and the wait for it is not lost."""

import asyncio


class Bell:
    """Call `listen`, check, then wait on the event: a ring after `listen` ends the wait at once."""

    def __init__(self) -> None:
        self._next = asyncio.Event()

    def listen(self) -> asyncio.Event:
        """Returns the event that the next ring sets."""
        return self._next

    def ring(self) -> None:
        """Wakes all waiters that called `listen` before."""
        rung, self._next = self._next, asyncio.Event()
        rung.set()
