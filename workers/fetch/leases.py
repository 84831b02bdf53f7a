"""Leases where one process is all there is."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class LocalLeases:
    """Who holds a name in this process."""

    def __init__(self) -> None:
        self._held: set[str] = set()

    @asynccontextmanager
    async def hold(self, name: str) -> AsyncIterator[bool]:
        """Holds `name` while the context is open: True if nobody else held it, else False."""
        if name in self._held:
            yield False
            return
        self._held.add(name)
        try:
            yield True
        finally:
            self._held.discard(name)
