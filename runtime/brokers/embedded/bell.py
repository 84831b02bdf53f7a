"""A wake-up for many waiters that is never lost between a look and a wait."""

import asyncio


class Bell:
    """Listen first, then look, then wait: a ring since the listening ends the wait at once."""

    def __init__(self) -> None:
        self._next = asyncio.Event()

    def listen(self) -> asyncio.Event:
        """Returns the event that the next ring sets."""
        return self._next

    def ring(self) -> None:
        """Wakes all who listened."""
        rung, self._next = self._next, asyncio.Event()
        rung.set()
