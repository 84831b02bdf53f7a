"""The broker's records in memory, and what a ledger made of them."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from prometheus_client import CollectorRegistry
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from contract.accepted import acceptance
from contract.article import Failure
from contract.attempts import failed_attempt
from contract.batches import BatchClosed
from contract.broker import BrokerUnavailable, LogEntry, UnknownOffset
from contract.codec import encode
from contract.events import Announcement, Event, FailedEvent, erased
from contract.ids import batch_id
from contract.job import Job
from contract.metrics import Metrics
from contract.reasons import Reason
from contract.requests import Action, OwnerRequest
from contract.streams import Stream
from contract.timestamps import rfc3339
from contract.verdicts import Retry
from runtime.ledger.inbox import Linger
from runtime.ledger.journal import Journal
from runtime.ledger.recorder import RecordedBroker, Recorder, RecorderLimits
from runtime.ledger.retention import RetentionLimits
from runtime.ledger.tables import events, labels, runs
from tests.brokers import samples

BEGIN = datetime(2026, 11, 28, 12, tzinfo=UTC)
FOR_EVER = RetentionLimits(keep_days=100_000, keep_bytes=10**12)  # the samples have old dates
QUICK = RecorderLimits(
    retention=FOR_EVER,
    poll_s=0.02,
    heartbeat_timeout_s=0.3,
    heartbeat_s=0.05,
    linger=Linger(0.01, 0.01, 1),
    pause_s=0.02,
    index_maintenance_s=0.1,
)


class Records:
    """Implements `runtime.ledger.recorder.RecordedBroker`.

    `first` is the offset of each stream's oldest entry that is kept. `announced` are the announcements that were
    confirmed, in order. While `refusal` is set, announcements raise it; with `answers_lost` they raise after all is
    written.
    """

    def __init__(self) -> None:
        self.entries: dict[Stream, list[LogEntry]] = {stream: [] for stream in Stream}
        self.first: dict[Stream, int] = dict.fromkeys(Stream, 0)
        self.batch = 7  # several batches for what a test writes
        self.announced: list[Announcement] = []
        self.refusal: BrokerUnavailable | None = None
        self.newest: int | None = None  # in the log, if more comes than there is yet
        self._clock = BEGIN
        self._changed = asyncio.Event()

    def accept(self, *jobs: Job) -> None:
        self._append(Stream.ACCEPTED, encode([acceptance(job, self._tick()) for job in jobs]))

    def retry(self, job: Job, reason: Reason = Reason.DNS_ERROR) -> Job:
        later = samples.again(job, reason)
        self._append(Stream.ATTEMPTS, encode([failed_attempt(Retry(later, 60.0, reason), self._tick())]))
        return later

    def decide(self, event: Event) -> None:
        self._append(Stream.LOG, encode(event))

    def erase(self, job: Job, *streams: Stream) -> None:
        """Writes the entries of an erasure, or only those in `streams`."""
        at, where = rfc3339(self._tick()), streams or (Stream.REQUESTS, Stream.LOG)
        if Stream.REQUESTS in where:
            wanted = OwnerRequest(action=Action.ERASE, id=job.id, at=at, owner=job.owner)
            self._append(Stream.REQUESTS, encode([wanted]))
        if Stream.LOG in where:
            self._append(Stream.LOG, encode(erased(job.id, at)))

    def close_batch(self, name: str, owner: str = "desk", **more: Any) -> BatchClosed:  # noqa: ANN401 - fields
        fields = {"closed_batch": batch_id(owner, name), "owner": owner, "name": name, **more}
        closed = BatchClosed(at=rfc3339(self._tick()), **fields)
        self._append(Stream.ACCEPTED, encode([closed]))
        return closed

    async def log_bounds(self) -> tuple[int, int]:
        return self.first[Stream.LOG], self._last(Stream.LOG) if self.newest is None else self.newest

    async def read(self, after: int | None = None) -> AsyncGenerator[LogEntry, None]:
        async with aclosing(self.follow(Stream.LOG, self._last(Stream.LOG) if after is None else after)) as batches:
            async for batch in batches:
                for entry in batch:
                    yield entry

    async def announce(self, event: Announcement) -> None:
        if self.refusal is not None:
            raise self.refusal
        self._append(Stream.LOG, encode(event))
        self.announced.append(event)

    def write(self, stream: Stream, body: bytes) -> None:
        """Appends any bytes, as another program might."""
        self._append(stream, body)

    def truncate(self, stream: Stream, first: int) -> None:
        """Drops the entries before offset `first`, as retention does."""
        self.entries[stream] = [entry for entry in self.entries[stream] if entry.offset >= first]
        self.first[stream] = first

    def make_anew(self, stream: Stream) -> None:
        """Deletes the stream: its offsets begin with 0 again."""
        self.entries[stream], self.first[stream] = [], 0

    async def follow(self, stream: Stream, after: int) -> AsyncGenerator[Sequence[LogEntry], None]:
        if after >= 0 and (after + 1 < self.first[stream] or after > self._last(stream)):
            raise UnknownOffset(after)
        while True:
            changed = self._changed
            ahead = [entry for entry in self.entries[stream] if entry.offset > after]
            if ahead or stream is not Stream.LOG or self.newest is None or after >= self.newest:
                yield ahead[: self.batch]
            if ahead:
                after = ahead[: self.batch][-1].offset
            else:
                await changed.wait()

    def _last(self, stream: Stream) -> int:
        return self.first[stream] + len(self.entries[stream]) - 1

    def _append(self, stream: Stream, body: bytes) -> None:
        self.entries[stream].append(LogEntry(self._last(stream) + 1, "", body))
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    def _tick(self) -> datetime:
        self._clock += timedelta(seconds=1)
        return self._clock


def failed(job: Job, reason: Reason = Reason.NOT_FOUND, attempts: int = 1) -> FailedEvent:
    failure = Failure(
        id=job.id, kind=job.kind, labels=job.labels, url=job.url, reason=reason, detail="404", attempts=attempts
    )
    return FailedEvent(id=job.event_id, subject=job.id, time=samples.NOW, data=failure)


def next_run(job: Job) -> Job:
    return replace(job, run=job.run + 1)


@asynccontextmanager
async def recording(
    records: RecordedBroker, engine: AsyncEngine, *, metrics: Metrics | None = None, limits: RecorderLimits = QUICK
) -> AsyncIterator[Metrics]:
    """Records while the context lasts."""
    metrics = metrics or Metrics(CollectorRegistry())
    stop = asyncio.Event()
    recorder = Recorder(records, engine, metrics=metrics, limits=limits)
    async with asyncio.TaskGroup() as group:
        group.create_task(recorder.run(stop))
        yield metrics
        stop.set()


async def record_all(records: Records, engine: AsyncEngine, *, limits: RecorderLimits = QUICK) -> Metrics:
    """Records until all entries are in the ledger."""
    async with recording(records, engine, limits=limits) as metrics:
        await until_read(records, engine)
    return metrics


async def until_read(records: Records, engine: AsyncEngine) -> None:
    wanted = {stream: entries[-1].offset for stream, entries in records.entries.items() if entries}

    async def is_read() -> bool:
        places = await Journal(engine, 0).places()
        return {stream: place.offset for stream, place in places.items()} == wanted

    await until(is_read)


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    """Polls until a condition holds: databases and metrics send no signal."""
    async with asyncio.timeout(60):
        while not await holds():  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.01)


async def contents(engine: AsyncEngine) -> dict[tuple[str, int], dict[str, Any]]:
    """Returns all rows of the ledger, by document and run, without `seq`, which depends on the order of reading."""
    async with engine.connect() as connection:
        rows = [dict(row) for row in (await connection.execute(select(runs))).mappings()]
        bodies = {row.seq: row.body for row in await connection.execute(select(events.c.seq, events.c.body))}
        pairs = (await connection.execute(select(labels.c.seq, labels.c.name, labels.c.value))).all()
    for row in rows:
        row["body"] = bodies.pop(row["seq"], None)
        row["pairs"] = sorted((pair.name, pair.value) for pair in pairs if pair.seq == row["seq"])
    assert bodies == {}
    return {(row["document_id"], row["run"]): _without_seq(row) for row in rows}


def _without_seq(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "seq"}
