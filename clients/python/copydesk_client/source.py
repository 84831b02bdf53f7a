"""The documents of a bulk as lines of JSON, read ahead in a task of their own.

A request that breaks off is cancelled. If it read the documents itself, the cancellation would end your generator, too.
"""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Iterable
from contextlib import suppress
from types import TracebackType
from typing import Self

from copydesk_client.schemas import Submission

_AHEAD = 16  # lines; chosen: the reading of one overlaps with the sending of others, and 16 of 4 MiB fit into memory

Documents = Iterable[Submission] | AsyncIterable[Submission]


class Source:
    """Reads `documents` while the context is open. `error` is what reading raised."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents
        self._lines: deque[bytes] = deque()
        self._filled, self._taken = asyncio.Event(), asyncio.Event()
        self._is_read = False
        self._task: asyncio.Task[None] | None = None
        self.error: Exception | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._read())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def is_ready(self) -> bool:
        """Waits for a line. Returns False if there are no more."""
        while not self._lines and not self._is_read:
            self._filled.clear()
            await self._filled.wait()
        return bool(self._lines)

    def take(self) -> bytes:
        """Returns the next line, where one is ready."""
        self._taken.set()
        return self._lines.popleft()

    async def _read(self) -> None:
        try:
            async for document in _each(self._documents):
                while len(self._lines) >= _AHEAD:
                    self._taken.clear()
                    await self._taken.wait()
                self._lines.append(line_of(document))
                self._filled.set()
        except Exception as error:  # noqa: BLE001 - whatever it is, the bulk raises it when the documents before it are stored
            self.error = error
        self._is_read = True
        self._filled.set()


def line_of(document: Submission) -> bytes:
    """Returns a document as a line. A lone surrogate, which UTF-8 does not have, becomes a question mark."""
    return json.dumps(document, ensure_ascii=False).encode(errors="replace") + b"\n"


async def _each(documents: Documents) -> AsyncIterator[Submission]:
    if isinstance(documents, AsyncIterable):
        async for document in documents:
            yield document
    else:
        for document in documents:
            yield document
