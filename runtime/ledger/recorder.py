"""The role `record`: follows the broker's records and stores them in the ledger."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

import structlog
from sqlalchemy import URL
from sqlalchemy.ext.asyncio import AsyncEngine

from contract.broker import EventLog, LogEntry, Stop, UnknownOffset
from contract.labels import RepeatContent
from contract.ledger import RECORDING_MARGIN_S, LedgerUnavailable
from contract.metrics import Metrics
from contract.streams import Stream, Streams, is_next
from contract.tracing import OFF, Tracer
from runtime.ledger import schema
from runtime.ledger.batch import FactBatch, StreamPosition, digest_of, newest_ms, read
from runtime.ledger.completions import AnnouncingLog, Completions
from runtime.ledger.expiry import Expiry, ExpiryLimits
from runtime.ledger.facts import AcceptedFact, VerdictFact
from runtime.ledger.inbox import End, Inbox, Linger
from runtime.ledger.index_maintenance import maintain_index
from runtime.ledger.journal import Fenced, Journal, Recorded
from runtime.ledger.lease import Lease
from runtime.ledger.retention import Retention, RetentionLimits
from runtime.ledger.traces import tell_recorded

log = structlog.get_logger(__name__)


_NO_LAG_S = (
    3.0  # a smaller lag is shown as 0; chosen: a broker reports only once a second that a record is read to its end
)
_LINGER = Linger(short_s=0.25, long_s=1.0, many=50)  # chosen by bench/recording.py


@dataclass(frozen=True, slots=True, kw_only=True)
class RecorderLimits:
    """Sizes of batches, and times. All values are chosen unless they say "measured".

    - A transaction holds up to `batch_entries` entries or `batch_bytes`, whichever is reached first, or one delivery of
      the broker.
    - If there are fewer, it waits for more, as `linger` says: a transaction costs 4 ms of CPU however little it writes,
      and 0.1 ms for each small document (measured). While 100 documents or more come a second, and each is two entries,
      it waits a second: then transactions cost little, and most documents are written once, with their verdict.
    - Up to `inbox_bytes` of readings wait in memory for their transaction.
    - A recorder that stands by checks every `poll_s`, and takes over if the holder sent no heartbeat for
      `heartbeat_timeout_s`. The holder sends one with each transaction, and at least every `heartbeat_s`.
    - Every `index_maintenance_s` the recorder maintains the full-text index.
    - After an error of the database the recorder waits `pause_s` before it tries again.
    """

    retention: RetentionLimits = field(default_factory=RetentionLimits)
    expiry: ExpiryLimits = field(default_factory=ExpiryLimits)
    batch_entries: int = 1000
    batch_bytes: int = 16_000_000
    linger: Linger = _LINGER
    inbox_bytes: int = 64_000_000
    poll_s: float = 1.0
    heartbeat_timeout_s: float = 5.0
    heartbeat_s: float = 1.0
    index_maintenance_s: float = 5.0
    pause_s: float = 1.0


class RecordedBroker(Streams, EventLog, AnnouncingLog, Protocol):
    """The methods of a broker that the recorder needs."""


class Recorder:
    """Records until it is stopped. While another process records, it stands by.

    Args:
        broker: its records are read, and completed batches are told there.
        engine: of a database whose tables are up to date; it writes.
        metrics: counts what is recorded.
        limits: sizes of batches, times, and retention.
        own_file: the database, if it is a file that no other process can record into. Then the recorder does not wait
            for others, and recreates the file if it was deleted.
        tracer: makes a span of each event that is recorded.
    """

    def __init__(  # noqa: PLR0913 - what it works with
        self,
        broker: RecordedBroker,
        engine: AsyncEngine,
        *,
        metrics: Metrics,
        limits: RecorderLimits,
        own_file: URL | None = None,
        tracer: Tracer = OFF,
    ) -> None:
        self._broker = broker
        self._engine = engine
        self._metrics = metrics
        self._limits = limits
        self._retention = Retention(limits.retention)
        self._lease = Lease(
            engine, poll_s=limits.poll_s, heartbeat_timeout_s=limits.heartbeat_timeout_s, alone=own_file is not None
        )
        self._own_file = own_file
        self._tracer = tracer
        self._recorded_to = time.time()
        self._reached: dict[Stream, int] = {}
        self._failing = False

    async def run(self, stop: Stop) -> None:
        """Records until `stop` is set.

        Raises:
            BrokerUnavailable: the broker failed permanently, or was closed.
            StartError: the tables are of another version.
        """
        for stream in Stream:
            self._metrics.ledger_gaps.labels(stream)  # starts at 0: an alert cannot see the growth of a new series
        while not stop.is_set():
            try:
                await self._prepare()
                await self._hold(stop)
            except Fenced:
                log.warning("recorder_superseded", hint="another process records, or the ledger begins anew")
            except LedgerUnavailable as error:
                self._fail(error)
                await _pause(stop, self._limits.pause_s)
            finally:
                self._metrics.ledger_recording.set(0)

    async def _prepare(self) -> None:
        """Checks the tables. Recreates them if `own_file` was deleted."""
        if self._own_file is not None:
            await schema.upgrade(self._own_file)
        await schema.check(self._engine)

    async def _hold(self, stop: Stop) -> None:
        fence = await self._lease.acquire(stop)
        if fence is None:
            return
        journal = Journal(self._engine, fence)
        places = await journal.places()
        log.info("recording", places={stream: place.offset for stream, place in places.items()})
        self._metrics.ledger_recording.set(1)
        await self._record(journal, places, stop)
        await self._lease.release(fence)

    async def _record(self, journal: Journal, places: Mapping[Stream, StreamPosition], stop: Stop) -> None:
        inbox = Inbox(self._limits.inbox_bytes)
        self._reached = {stream: place.offset for stream, place in places.items()}
        completions = Completions(
            self._broker,
            journal,
            read_to=self._reached.get(Stream.LOG, -1),
            metrics=self._metrics,
            pause_s=self._limits.pause_s,
        )
        expiry = Expiry(self._engine, self._broker, self._metrics, self._limits.expiry)
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(self._follow(stream, places.get(stream), inbox)) for stream in Stream]
                beside = (self._maintain_index(), completions.run(), expiry.run())
                tasks += [group.create_task(it) for it in beside]
                await self._write_until(stop, journal, inbox, completions)
                for task in tasks:
                    task.cancel()
        except BaseExceptionGroup as failures:
            raise _first(failures) from None

    async def _maintain_index(self) -> None:
        """Keeps the full-text index fast, outside the transactions that add to it. Runs until it is cancelled."""
        while True:
            await asyncio.sleep(self._limits.index_maintenance_s)
            await maintain_index(self._engine)

    async def _follow(self, stream: Stream, place: StreamPosition | None, inbox: Inbox) -> None:
        follow = partial(self._resume, stream, place, inbox)
        while True:
            try:
                await follow()
            except UnknownOffset as error:
                log.info("record_read_from_oldest", record=stream, detail=str(error))
            follow = partial(self._read_from_oldest, stream, inbox)

    async def _resume(self, stream: Stream, place: StreamPosition | None, inbox: Inbox) -> None:
        """Continues with the entry that was recorded last, to check that it is still the same."""
        async with aclosing(self._broker.follow(stream, -1 if place is None else place.offset - 1)) as batches:
            unseen = place
            async for batch in batches:
                entries = batch
                if unseen is not None and batch:
                    entries = _behind(unseen, batch)
                    unseen = None
                    if not entries:
                        continue
                await inbox.put(await self._read(stream, entries))

    async def _read_from_oldest(self, stream: Stream, inbox: Inbox) -> None:
        """Begins with the oldest entry."""
        reached = self._reached.get(stream)
        async with aclosing(self._broker.follow(stream, -1)) as batches:
            async for batch in batches:
                if batch and reached is not None:
                    self._tell_gap(stream, reached, batch[0].offset)
                    reached = None
                await inbox.put(await self._read(stream, batch))

    def _tell_gap(self, stream: Stream, reached: int, oldest: int) -> None:
        if is_next(oldest, reached):
            return  # retention removed only recorded entries
        what = "retention took entries" if oldest > reached else "the stream was made anew"
        self._metrics.ledger_gaps.labels(stream).inc()
        log.warning("record_has_gap", record=stream, recorded=reached, oldest=oldest, what=what)

    async def _read(self, stream: Stream, entries: Sequence[LogEntry]) -> FactBatch | End:
        if not entries:
            return End(stream, time.time())
        self._reached[stream] = entries[-1].offset
        return await asyncio.to_thread(read, self._engine.dialect.name, stream, entries)

    async def _write_until(self, stop: Stop, journal: Journal, inbox: Inbox, completions: Completions) -> None:
        while not stop.is_set():
            readings, ends = await self._gather(inbox)
            began_s = time.time()
            kept = await journal.write(readings, self._recorded_ms(readings, ends))
            self._count(readings, kept)
            tell_recorded(self._tracer, readings, began_s)
            completions.recorded(
                read_to=max((it.place.offset for it in readings if it.stream is Stream.LOG), default=None),
                is_at_end=any(end.stream is Stream.LOG for end in ends),
                completed=kept.completed,
            )
            self._recorded_to = max(self._recorded_to, _reached(readings, ends))
            if self._retention.is_due(kept):
                kept = await self._retention.sweep(journal)
            self._show(kept)

    async def _gather(self, inbox: Inbox) -> tuple[list[FactBatch], list[End]]:
        """Returns the waiting readings up to the size of a batch; empty if none came in time."""
        limits = self._limits
        taken = await inbox.take(
            entries=limits.batch_entries,
            max_bytes=limits.batch_bytes,
            timeout_s=limits.heartbeat_s,
            linger=limits.linger,
        )
        return [it for it in taken if isinstance(it, FactBatch)], [it for it in taken if isinstance(it, End)]

    def _recorded_ms(self, readings: Sequence[FactBatch], ends: Sequence[End]) -> int | None:
        newest = newest_ms(readings, AcceptedFact)
        moments = [round(end.at * 1000) for end in ends if end.stream is Stream.ACCEPTED]
        reached = max((*moments, *([] if newest is None else [newest])), default=None)
        return None if reached is None else reached - round(RECORDING_MARGIN_S * 1000)

    def _count(self, readings: Sequence[FactBatch], recorded: Recorded) -> None:
        if self._failing:
            self._failing = False
            log.info("ledger_takes_rows_again")
        for reading in readings:
            self._metrics.ledger_entries.labels(reading.stream).inc(reading.entries)
            self._metrics.ledger_unreadable.labels(reading.stream).inc(reading.unreadable)
        self._metrics.ledger_repeats.labels(RepeatContent.SAME).inc(recorded.repeats - recorded.differing)
        self._metrics.ledger_repeats.labels(RepeatContent.DIFFERING).inc(recorded.differing)

    def _show(self, kept: Recorded) -> None:
        self._metrics.ledger_rows.set(kept.rows)
        self._metrics.ledger_bytes.set(kept.event_bytes)
        behind_s = time.time() - self._recorded_to
        self._metrics.ledger_lag_seconds.set(behind_s if behind_s > _NO_LAG_S else 0.0)

    def _fail(self, error: LedgerUnavailable) -> None:
        self._metrics.ledger_failures.inc()
        self._metrics.ledger_lag_seconds.set(max(0.0, time.time() - self._recorded_to))
        if not self._failing:
            log.warning("ledger_unavailable", detail=str(error), hint="intake and workers go on; it is tried again")
        self._failing = True


def _behind(place: StreamPosition, batch: Sequence[LogEntry]) -> Sequence[LogEntry]:
    """Returns the entries of `batch` after its first, which must be the entry at `place`.

    Raises:
        UnknownOffset: `batch` begins with another entry.
    """
    known = batch[0]
    if known.offset != place.offset or digest_of(known.body) != place.digest:
        raise UnknownOffset(f"there is another entry at {place.offset}")
    return batch[1:]


def _reached(readings: Sequence[FactBatch], ends: Sequence[End]) -> float:
    """Returns the time (Unix seconds) up to which all is recorded: that of the log's end, or of its newest event."""
    newest = newest_ms(readings, VerdictFact)
    moments = [end.at for end in ends if end.stream is Stream.LOG]
    return max((*moments, *([] if newest is None else [newest / 1000])), default=0.0)


async def _pause(stop: Stop, seconds: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await stop.wait()


def _first(errors: BaseExceptionGroup[BaseException]) -> BaseException:
    first = errors.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first
