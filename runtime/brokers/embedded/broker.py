"""The broker protocol over one SQLite file."""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, aclosing, asynccontextmanager
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from contract.batches import BatchClosed
from contract.broker import (
    BrokerUnavailable,
    Handler,
    LogEntry,
    NoQueues,
    NotPut,
    QueueDepth,
    Stop,
    UnknownOffset,
    Watch,
)
from contract.capacity import Capacity
from contract.codec import encode
from contract.dead import DeadLetterPage, Handled, Wanted
from contract.events import Announcement
from contract.job import Job, Lane
from contract.labels import Destination
from contract.metrics import Metrics
from contract.requests import OwnerRequest
from contract.streams import Stream
from contract.topology import DELIVERY_LIMIT, lane_queue
from contract.tracing import OFF, Tracer
from runtime.brokers import dead
from runtime.brokers.embedded import streams, tables
from runtime.brokers.embedded.consumer import Consumer
from runtime.brokers.embedded.dead import DeadTable
from runtime.brokers.embedded.disk import DiskWatch
from runtime.brokers.embedded.folder import locked
from runtime.brokers.embedded.lanes import Lanes
from runtime.brokers.embedded.limits import EmbeddedLimits
from runtime.brokers.embedded.previews import Previews
from runtime.brokers.embedded.store import Operation, Store
from runtime.brokers.local_leases import LocalLeases
from runtime.brokers.notifier import Notifier

FILE = "copydesk.db"
T = TypeVar("T")

_LIMITS = EmbeddedLimits()
_LANES = frozenset(map(lane_queue, Lane))


class EmbeddedBroker:
    """Implements `contract.broker.Broker` for one process, in `folder`.

    A job with the id of a waiting job is stored a second time, as on RabbitMQ: readers drop repeats.

    Args:
        folder: holds the database; created if it is missing. One process at a time may use it.
        metrics: counts confirmed messages.
        limits: how much the broker holds.
        delivery_limit: how many deliveries a job gets beyond the first before it is handed over as lost.
        tracer: makes the spans of events that are written.
    """

    def __init__(
        self,
        folder: Path,
        *,
        metrics: Metrics,
        limits: EmbeddedLimits = _LIMITS,
        delivery_limit: int = DELIVERY_LIMIT,
        tracer: Tracer = OFF,
    ) -> None:
        self._folder = folder
        self._metrics = metrics
        self._limits = limits
        self._delivery_limit = delivery_limit
        self._tracer = tracer
        self._store = Store(folder / FILE, DiskWatch(metrics))
        self._lanes = Lanes(self._store, metrics=metrics, limits=limits)
        self._previews = Previews(self._lanes.changed, limits.preview_wait_s)
        self._leases = LocalLeases()
        self._requested = Notifier()
        self._scope = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Opens the database. A broker is opened once.

        Raises:
            FolderError: the folder cannot be used; FolderInUseError, if another process runs on it.
            BrokerUnavailable: the file cannot be used.
        """
        async with AsyncExitStack() as stack:
            stack.enter_context(locked(self._folder))
            stack.push_async_callback(self._store.close)
            await self._store.open()
            self._scope = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._scope.aclose()
        self._lanes.changed.notify_all()  # ends the waits of readers and consumers
        self._lanes.logged.notify_all()
        self._lanes.recorded.notify_all()
        self._requested.notify_all()
        self._lanes.watches.lose("the embedded broker is closed")

    async def put(self, job: Job) -> None:
        """Stores `job`; see `contract.broker.Broker`."""
        await self._in_time(self._lanes.put(job))

    async def put_many(self, jobs: Sequence[Job]) -> Sequence[NotPut]:
        """Stores `jobs` in one transaction; see `contract.broker.JobSink`."""
        try:
            return await self._in_time(self._lanes.put_many(jobs))
        except BrokerUnavailable as error:
            return [error] * len(jobs)

    async def request(self, request: OwnerRequest) -> None:
        """Puts a request on record; see `contract.requests.RequestSink`."""
        await self._write(
            partial(streams.note_request, request=request, keep=self._limits.max_requests), Destination.REQUESTS
        )
        self._requested.notify_all()

    async def close_batch(self, closed: BatchClosed) -> None:
        """Puts the end of a batch on record; see `contract.batches.BatchSink`."""
        note = partial(tables.close_batch, closed=closed, keep=self._limits.max_acceptances)
        await self._write(note, Destination.ACCEPTED)
        self._lanes.recorded.notify_all()

    async def announce(self, event: Announcement) -> None:
        """Writes to the log; see `contract.requests.RequestSink`. Subscribers read nothing else here."""
        keep, body = self._limits.max_log_events, encode(event)
        await self._write(partial(tables.append, routing_key=event.routing_key, body=body, keep=keep), Destination.LOG)
        self._lanes.logged.notify_all()

    async def _write(self, operation: Operation[None], to: Destination) -> None:
        await self._in_time(self._store.run(operation))
        self._metrics.published.labels(to).inc()

    async def _in_time(self, write: Awaitable[T]) -> T:
        try:
            async with asyncio.timeout(self._limits.publish_timeout_s):
                return await write
        except TimeoutError:
            raise BrokerUnavailable(f"the disk did not confirm in {self._limits.publish_timeout_s:g} s") from None

    async def consume(self, handle: Handler, *, capacity: Capacity, stop: Stop) -> None:
        """Hands deliveries to `handle`; see `contract.broker.Broker`.

        A job runs alone from its third delivery on. A delivery whose handler raised is due again after
        `give_back_delay_s`. While the disk refuses writes, nothing new is taken, and each verdict is written again
        every `disk_pause_s`.

        Raises:
            BrokerUnavailable: the database is damaged or was closed; work in progress was cancelled and given back.
        """
        consumer = Consumer(
            self._lanes,
            self._previews,
            handle,
            capacity=capacity,
            delivery_limit=self._delivery_limit,
            disk_pause_s=self._limits.disk_pause_s,
            metrics=self._metrics,
            tracer=self._tracer,
        )
        await consumer.run(stop)

    async def read(self, after: int | None = None) -> AsyncGenerator[LogEntry, None]:
        """Yields the log; see `contract.broker.Broker`.

        Raises:
            UnknownOffset: retention removed the entry that follows `after`.
            BrokerUnavailable: the database failed, or was closed.
        """
        offset = await self._store.read(tables.last_offset) if after is None else after
        while True:
            notified = self._lanes.logged.subscribe()
            entries = await self._store.read(partial(tables.page, after=offset))
            if offset >= 0 and entries and entries[0].offset > max(offset, 0) + 1:
                raise UnknownOffset(f"the log begins at {entries[0].offset}, after {offset + 1}")
            for entry in entries:
                yield entry
                offset = entry.offset
            if not entries:
                await notified.wait()

    async def follow(self, stream: Stream, after: int) -> AsyncGenerator[Sequence[LogEntry], None]:
        """Yields what is new in one of the records; see `contract.streams.Streams`."""
        notifiers = {Stream.ACCEPTED: self._lanes.recorded, Stream.REQUESTS: self._requested}
        notifier = notifiers.get(stream, self._lanes.logged)
        async with aclosing(streams.follow(self._store, notifier, stream, after, self._limits)) as batches:
            async for batch in batches:
                yield batch

    async def log_bounds(self) -> tuple[int, int]:
        """Returns the offsets of the oldest and the newest event; see `contract.broker.Broker`."""
        return await self._store.read(lambda db: (tables.oldest_offset(db), tables.last_offset(db)))

    async def dead(self, wanted: Wanted, *, bodies: bool = False) -> DeadLetterPage:
        """Returns dead letters; see `contract.broker.Broker`."""
        return await dead.find(self._dead_letters(), wanted, bodies=bodies)

    async def retry_dead(self, wanted: Wanted) -> Handled:
        """Puts the next runs of dead letters; see `contract.broker.DeadLetters`. One transaction a letter."""
        return await dead.retry(self._dead_letters(), wanted)

    async def drop_dead(self, wanted: Wanted) -> Handled:
        """Removes dead letters; see `contract.broker.Broker`."""
        return await dead.drop(self._dead_letters(), wanted)

    def _dead_letters(self) -> DeadTable:
        return DeadTable(self._store, self._lanes, self._limits)

    @asynccontextmanager
    async def watch(self, document_id: str) -> AsyncIterator[Watch]:
        """Tells of the document's events as they are on the disk; see `contract.broker.Decisions`."""
        with self._lanes.watches.watch(document_id) as watch:
            yield watch

    async def preview(self, job: Job) -> bytes:
        """Has `job` extracted for the caller alone; see `contract.broker.Previews`."""
        return await self._previews.ask(job)

    def lease(self, name: str) -> AbstractAsyncContextManager[bool]:
        """Holds a name; see `contract.broker.Broker`. One process has the folder, so its memory knows all."""
        return self._leases.hold(name)

    async def depths(self) -> Mapping[str, QueueDepth]:
        """Returns what waits, by lane, and what is delayed or dead; see `contract.broker.QueueDepths`."""
        found = await self._store.read(lambda db: tables.queues(db, time.time()))
        lanes = {name: QueueDepth(count, age_s) for name, (count, age_s) in found.items() if name in _LANES}
        return {name: QueueDepth(count) for name, (count, _) in found.items()} | lanes

    async def has_queue(self, name: str) -> bool:
        """There are none; see `contract.broker.SubscriberQueues`."""
        raise NoQueues(name)

    async def send_again(self, queue: str, _entries: Sequence[LogEntry], _replay_id: str) -> Sequence[LogEntry]:
        """There is nowhere to send to; see `contract.broker.SubscriberQueues`."""
        raise NoQueues(queue)

    async def ready(self) -> bool:
        """Returns True if the disk takes writes: it writes a few bytes to find out."""
        try:
            async with asyncio.timeout(self._limits.publish_timeout_s):
                await self._store.run(tables.touch)
        except (BrokerUnavailable, TimeoutError):
            return False
        return True
