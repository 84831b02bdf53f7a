"""Publishes the events of completed batches, each to the log and to the subscribers, and notes when that is done.

An event that was under way when a recorder died is published again, in the same bytes. What is in the log already is
otherwise not published again, not even by a ledger that is built anew: it first reads all that the log held.
"""

import asyncio
from typing import Protocol, cast

import structlog

from contract.broker import BrokerUnavailable
from contract.codec import decode_event
from contract.events import Announcement
from contract.metrics import Metrics
from runtime.ledger.journal import Journal

log = structlog.get_logger(__name__)


class AnnouncingLog(Protocol):
    """The log of a broker, and its subscribers: see `contract.broker.EventLog` and `contract.requests.RequestSink`."""

    async def log_bounds(self) -> tuple[int, int]: ...
    async def announce(self, event: Announcement) -> None: ...


class Completions:
    """Publishes for one recorder. `read_to` is the offset up to which it has read the log, -1 for nothing."""

    def __init__(self, to: AnnouncingLog, journal: Journal, *, read_to: int, metrics: Metrics, pause_s: float) -> None:
        self._log = to
        self._journal = journal
        self._read_to = read_to
        self._metrics = metrics
        self._pause_s = pause_s
        self._is_at_end = False
        self._moved = asyncio.Event()
        self._completed = asyncio.Event()

    def recorded(self, *, read_to: int | None, is_at_end: bool, completed: int) -> None:
        """Tells what a transaction recorded: up to which offset of the log, if it is all, and batches completed."""
        self._read_to = self._read_to if read_to is None else read_to
        self._is_at_end |= is_at_end
        self._moved.set()
        if completed:
            self._completed.set()

    async def run(self) -> None:
        """Publishes events as batches are completed. Runs until it is cancelled.

        Raises:
            Fenced: another recorder has taken over.
            LedgerUnavailable: the database failed.
        """
        await self._until_read(await self._newest())
        while True:
            self._completed.clear()
            while unsent := await self._journal.unsent():
                for batch_id, event in unsent.items():
                    await self._publish(batch_id, event)
            await self._completed.wait()

    async def _publish(self, batch_id: str, event: bytes) -> None:
        await self._journal.mark(batch_id, sent=False)
        await self._announce(cast("Announcement", decode_event(event)))
        await self._journal.mark(batch_id, sent=True)
        self._metrics.batches_completed.inc()
        log.info("batch_completed", batch=batch_id)

    async def _announce(self, event: Announcement) -> None:
        while True:
            try:
                return await self._log.announce(event)
            except BrokerUnavailable as error:
                await self._pause(error)

    async def _newest(self) -> int:
        """Returns the offset of the newest event in the log, -1 if there is none."""
        while True:
            try:
                oldest, newest = await self._log.log_bounds()
            except BrokerUnavailable as error:
                await self._pause(error)
            else:
                return newest if newest >= oldest else -1

    async def _until_read(self, offset: int) -> None:
        while self._read_to < offset and not self._is_at_end:
            self._moved.clear()
            await self._moved.wait()

    async def _pause(self, error: BrokerUnavailable) -> None:
        log.warning("completed_batches_wait", detail=str(error), hint="the broker is asked again")
        await asyncio.sleep(self._pause_s)
