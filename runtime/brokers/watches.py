"""The watches of documents in this process: each gets the events of its document."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from contract.broker import BrokerError, BrokerUnavailable

_KEPT_EVENTS: Final = 4  # chosen: a run and its repeats; whoever watches takes them at once


class Watch:
    """Implements `contract.broker.Watch`."""

    def __init__(self) -> None:
        self._events: asyncio.Queue[bytes | BrokerError] = asyncio.Queue(_KEPT_EVENTS)

    async def next(self) -> bytes:
        """See `contract.broker.Watch.next`."""
        event = await self._events.get()
        if isinstance(event, BrokerError):
            raise event
        return event

    def tell(self, event: bytes | BrokerError) -> None:
        """Hands over an event, or why none may come. What nobody takes is dropped, the newest first."""
        if not self._events.full():
            self._events.put_nowait(event)


class Watches:
    """The open watches, by document."""

    def __init__(self) -> None:
        self._open: dict[str, set[Watch]] = {}

    def __contains__(self, document_id: str) -> bool:
        return document_id in self._open

    @contextmanager
    def watch(self, document_id: str) -> Iterator[Watch]:
        """Watches a document while the context is open."""
        watch = Watch()
        self._open.setdefault(document_id, set()).add(watch)
        try:
            yield watch
        finally:
            watches = self._open[document_id]
            watches.discard(watch)
            if not watches:
                del self._open[document_id]

    def tell(self, document_id: str, event: bytes | BrokerError) -> None:
        """Hands an event of this document to all who watch it."""
        for watch in self._open.get(document_id, ()):
            watch.tell(event)

    def lose(self, detail: str) -> None:
        """Tells all who watch that events may have been missed."""
        for document_id in self._open:
            self.tell(document_id, BrokerUnavailable(detail))
