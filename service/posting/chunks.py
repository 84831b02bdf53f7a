"""Puts the documents of one request together in chunks, several at once, within a limit of what waits for confirms."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from time import perf_counter
from typing import Any, Final

from aiohttp import web

from service.context import IntakeLimits
from service.posting.entries import Entry
from service.posting.reading import BodyReading

CHUNK: Final = 64  # documents that are put together; chosen: they share costs, and their receipts come soon
_AT_ONCE: Final = 4  # chunks of one request; chosen: as many documents as a RabbitMQ broker has unconfirmed


class ConfirmWindow:
    """Limits the bytes of one request that wait for their confirms.

    It is shut when the broker takes no more. It is short if documents are not stored that may be sent again.
    """

    def __init__(self, limits: IntakeLimits, reading: BodyReading) -> None:
        self._limits = limits
        self._reading = reading
        self._held = 0
        self._given_back = asyncio.Event()
        self.is_shut = False
        self.is_short = False

    def has_room(self, size: int) -> bool:
        """Tells whether `size` bytes more may wait. There is always room where nothing else waits."""
        return not self._held or (
            self._held + size <= self._limits.bulk_bytes and self._reading.held + size <= self._limits.all_bulk_bytes
        )

    async def until_given_back(self) -> None:
        """Returns when fewer bytes wait."""
        self._given_back.clear()
        await self._given_back.wait()

    def take(self, size: int) -> None:
        """Counts `size` bytes that wait."""
        self._held += size
        self._reading.held += size

    def give_back(self, size: int) -> None:
        """Counts `size` bytes no more."""
        self.take(-size)
        self._given_back.set()

    def close(self) -> None:
        """Counts nothing any more."""
        self.take(-self._held)

    def shut(self) -> None:
        """Says that nothing more is to be stored."""
        self.is_shut = True
        self._given_back.set()


class Chunks:
    """The chunks of one request. What comes while others wait for their confirms is put together with the next one.

    `receipts` puts a chunk whose first entry has waited since a time of `perf_counter`, and returns its lines of the
    answer. `tasks` holds the chunks that are under way.
    """

    def __init__(
        self,
        receipts: Callable[[Sequence[Entry], ConfirmWindow, float], Coroutine[Any, Any, bytes]],
        window: ConfirmWindow,
        tasks: asyncio.TaskGroup,
    ) -> None:
        self._receipts = receipts
        self._window = window
        self._tasks = tasks
        self._gathered: list[Entry] = []
        self._since = 0.0
        self._begun: asyncio.Queue[tuple[int, asyncio.Task[bytes]] | None] = asyncio.Queue()
        self._under_way = 0

    async def add(self, entry: Entry) -> None:
        """Takes the next entry. Waits for room for it."""
        while not self._window.is_shut and not self._has_room(entry):
            if not self.begin():
                await self._window.until_given_back()
        self._window.take(entry.size)
        self._since = self._since if self._gathered else perf_counter()
        self._gathered.append(entry)

    def _has_room(self, entry: Entry) -> bool:
        return len(self._gathered) < CHUNK and self._window.has_room(entry.size)

    def begin(self) -> bool:
        """Puts what is gathered, and returns True, unless there is nothing, or as much as may be is under way."""
        if not self._gathered or self._under_way == _AT_ONCE or self._window.is_shut:
            return False
        chunk, self._gathered = self._gathered, []
        self._under_way += 1
        size = sum(entry.size for entry in chunk)
        self._begun.put_nowait((size, self._tasks.create_task(self._receipts(chunk, self._window, self._since))))
        return True

    async def end(self) -> None:
        """Puts what is left, once there is room. Nothing is added any more."""
        while self._gathered and not self._window.is_shut:
            if not self.begin():
                await self._window.until_given_back()
        self._begun.put_nowait(None)

    async def write(self, response: web.StreamResponse) -> None:
        """Answers with the lines of each chunk, in their order, until the end."""
        while (chunk := await self._begun.get()) is not None:
            size, receipts = chunk
            await response.write(await receipts)
            self._under_way -= 1
            self._window.give_back(size)
            self.begin()
