"""Notifies all tasks that wait. A notification between a check and the wait for it is not lost."""

import asyncio


class Notifier:
    """Call `subscribe`, check, then wait on the event: a notification after `subscribe` ends the wait at once."""

    def __init__(self) -> None:
        self._next = asyncio.Event()

    def subscribe(self) -> asyncio.Event:
        """Returns the event that the next notification sets."""
        return self._next

    def notify_all(self) -> None:
        """Wakes all that called `subscribe` before."""
        notified, self._next = self._next, asyncio.Event()
        notified.set()
