"""Queues readings until they are written. Its size in bytes is limited, so that a slow database slows down reading."""

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from contract.streams import Stream
from runtime.ledger.batch import FactBatch


@dataclass(frozen=True, slots=True)
class End:
    """All entries of the stream up to this time (Unix seconds) have been yielded."""

    stream: Stream
    at: float


Arrived = FactBatch | End


@dataclass(frozen=True, slots=True)
class Linger:
    """How long to wait for more: `short_s` seconds, or `long_s` if `many` entries have come by then."""

    short_s: float
    long_s: float
    many: int


class Inbox:
    """Holds up to `max_bytes` bytes of entries. A larger reading is held alone."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._waiting: deque[Arrived] = deque()
        self._size = self._entries = 0
        self._changed = asyncio.Condition()

    async def put(self, arrived: Arrived) -> None:
        """Adds a reading as soon as there is room."""
        size = _size(arrived)
        async with self._changed:
            await self._changed.wait_for(lambda: not self._size or self._size + size <= self._max_bytes)
            self._waiting.append(arrived)
            self._size += size
            self._entries += _count(arrived)
            self._changed.notify_all()

    async def take(self, *, entries: int, max_bytes: int, timeout_s: float, linger: Linger) -> list[Arrived]:
        """Returns the waiting readings up to both limits, at least one; empty if none came in time.

        If the readings reach neither limit, it waits for more, as `linger` says.
        """
        taken: list[Arrived] = []
        async with self._changed:
            await self._wait(lambda: bool(self._waiting), timeout_s)
            if self._size:
                full_bytes = min(max_bytes, self._max_bytes)

                def is_full() -> bool:
                    return self._entries >= entries or self._size >= full_bytes

                await self._wait(is_full, linger.short_s)
                if self._entries >= linger.many:
                    await self._wait(is_full, linger.long_s - linger.short_s)
            while self._waiting and entries > 0 and max_bytes > 0:
                arrived = self._waiting.popleft()
                taken.append(arrived)
                size, count = _size(arrived), _count(arrived)
                self._size -= size
                self._entries -= count
                max_bytes -= size
                entries -= count
            self._changed.notify_all()
        return taken

    async def _wait(self, holds: Callable[[], bool], timeout_s: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self._changed.wait_for(holds)


def _size(arrived: Arrived) -> int:
    return arrived.size if isinstance(arrived, FactBatch) else 0


def _count(arrived: Arrived) -> int:
    return arrived.entries if isinstance(arrived, FactBatch) else 0
