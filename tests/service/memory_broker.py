"""A broker in memory that can be made to fail, hang or be full."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

from contract.batches import BatchClosed
from contract.broker import (
    BrokerError,
    BrokerUnavailable,
    LogEntry,
    NoQueues,
    NotPut,
    QueueDepth,
    QueueExclusive,
    UnknownOffset,
    Watch,
)
from contract.codec import MAX_JOB_BYTES, MAX_PREVIEW_BYTES, MessageTooLarge, encode, encode_within
from contract.dead import DeadLetter, DeadLetterPage, Handled, NotRetryable, Wanted, next_run
from contract.events import Announcement
from contract.job import Job, Lane
from contract.requests import OwnerRequest
from contract.topology import lane_queue
from runtime.brokers.watches import Watches


class MemoryBroker:
    """Implements `service.app.ApiBroker` without durability: puts, the log, dead letters.

    `refusal` is raised by the next puts and reads, `end_refusal` by ends of batches; while `open_gate` is not set, a
    put hangs. `read_offset` is the last that a reader was given, `readers` how many are reading. `letters` are the dead
    letters, the longest buried first; while `scan_reaches_all` is not set, a look claims that there are more. `answers`
    are what previews are answered with, in order; a preview waits for its answer. `subscribed` are the queues of
    subscribers; None: it has no such queues. Those in `exclusive` belong to a connection.
    """

    def __init__(self) -> None:
        self.jobs: list[Job] = []
        self.queues: dict[str, QueueDepth] = {lane_queue(lane): QueueDepth(0) for lane in Lane}
        self.looks = 0  # at the queues
        self.log: list[LogEntry] = []
        self.letters: list[DeadLetter] = []
        self.requests: list[OwnerRequest] = []
        self.closed: list[BatchClosed] = []
        self.end_refusal: BrokerError | None = None
        self.scan_reaches_all = True
        self.first_offset = 0
        self.refusal: Exception | None = None
        self.open_gate = asyncio.Event()
        self.open_gate.set()
        self.waiting_puts = 0
        self.put_together: list[int] = []
        self.readers = 0
        self.read_offset = -1
        self.changed = asyncio.Condition()
        self.watches = Watches()
        self.watching: list[str] = []
        self.previews: list[Job] = []
        self.subscribed: set[str] | None = None
        self.exclusive: set[str] = set()
        self.answers: asyncio.Queue[bytes | BrokerError] = asyncio.Queue()

    async def put(self, job: Job) -> None:
        self.waiting_puts += 1
        await self._tell()
        try:
            await self.open_gate.wait()
            if self.refusal:
                raise self.refusal
            encode_within(MAX_JOB_BYTES, job)
            self.jobs.append(job)
        finally:
            self.waiting_puts -= 1
            await self._tell()

    async def put_many(self, jobs: Sequence[Job]) -> Sequence[NotPut]:
        self.put_together.append(len(jobs))
        return await asyncio.gather(*map(self._outcome, jobs))

    async def _outcome(self, job: Job) -> NotPut:
        try:
            await self.put(job)
        except (BrokerError, MessageTooLarge) as error:
            return error
        return None

    async def write(self, routing_key: str, body: bytes) -> int:
        """Appends to the log; returns the offset."""
        offset = self.first_offset + len(self.log)
        self.log.append(LogEntry(offset, routing_key, body))
        await self._tell()
        return offset

    async def request(self, request: OwnerRequest) -> None:
        if self.refusal:
            raise self.refusal
        self.requests.append(request)

    async def close_batch(self, closed: BatchClosed) -> None:
        if self.end_refusal or self.refusal:
            raise self.end_refusal or self.refusal  # type: ignore[misc] # one of them is there
        self.closed.append(closed)

    async def announce(self, event: Announcement) -> None:
        if self.refusal:
            raise self.refusal
        await self.write(event.routing_key, encode(event))

    async def read(self, after: int | None = None) -> AsyncGenerator[LogEntry, None]:
        position = (self.log[-1].offset if self.log else -1) if after is None else after
        self.readers += 1
        await self._tell()
        try:
            while True:
                if self.refusal:
                    raise self.refusal
                if -1 < position < self.first_offset - 1:
                    raise UnknownOffset(position)
                for entry in [entry for entry in self.log if entry.offset > position]:
                    position = self.read_offset = entry.offset
                    yield entry
                async with self.changed:
                    await self.changed.wait_for(lambda: self.refusal or self.has_after(position))  # noqa: B023 - called before it changes
        finally:
            self.readers -= 1
            await self._tell()

    async def has_queue(self, name: str) -> bool:
        if self.refusal:
            raise self.refusal
        if self.subscribed is None:
            raise NoQueues(name)
        if name in self.exclusive:
            raise QueueExclusive(name)
        return name in self.subscribed

    async def send_again(self, queue: str, entries: Sequence[LogEntry], replay_id: str) -> Sequence[LogEntry]:
        raise NotImplementedError

    async def log_bounds(self) -> tuple[int, int]:
        if self.refusal:
            raise self.refusal
        return self.first_offset, self.first_offset + len(self.log) - 1

    async def depths(self) -> Mapping[str, QueueDepth]:
        if self.refusal:
            raise self.refusal
        self.looks += 1
        return self.queues

    async def dead(self, wanted: Wanted, *, bodies: bool = False) -> DeadLetterPage:
        found = self._wanted(wanted)
        return DeadLetterPage(
            found if bodies else [replace(letter, body=None) for letter in found], self.scan_reaches_all
        )

    async def retry_dead(self, wanted: Wanted) -> Handled:
        done = kept = 0
        for letter in self._wanted(wanted):
            try:
                await self.put(next_run(letter))
            except NotRetryable:
                kept += 1
            else:
                done += 1
                self.letters.remove(letter)
        return Handled(done=done, kept=kept, complete=self.scan_reaches_all)

    async def drop_dead(self, wanted: Wanted) -> Handled:
        dropped = self._wanted(wanted)
        self.letters = [letter for letter in self.letters if letter not in dropped]
        return Handled(done=len(dropped), complete=self.scan_reaches_all)

    def _wanted(self, wanted: Wanted) -> list[DeadLetter]:
        if self.refusal:
            raise self.refusal
        return [letter for letter in self.letters if wanted(letter)]

    def has_after(self, position: int) -> bool:
        return bool(self.log) and self.log[-1].offset > position

    async def lose(self, refusal: Exception) -> None:
        """Makes puts and reads, those under way too, raise `refusal`."""
        self.refusal = refusal
        await self._tell()

    async def until_readers(self, count: int) -> None:
        async with self.changed:
            await self.changed.wait_for(lambda: self.readers == count)

    async def until_put_waits(self) -> None:
        async with self.changed:
            await self.changed.wait_for(lambda: self.waiting_puts > 0)

    async def refuse_waiting_puts(self, refusal: Exception) -> None:
        """Lets the puts that hang at the gate fail. The gate is closed again when this returns."""
        self.refusal = refusal
        self.open_gate.set()
        async with self.changed:
            await self.changed.wait_for(lambda: self.waiting_puts == 0)
        self.open_gate.clear()

    @asynccontextmanager
    async def watch(self, document_id: str) -> AsyncIterator[Watch]:
        if self.refusal:
            raise BrokerUnavailable("it cannot be watched")
        with self.watches.watch(document_id) as watch:
            self.watching.append(document_id)
            await self._tell()
            try:
                yield watch
            finally:
                self.watching.remove(document_id)
                await self._tell()

    async def preview(self, job: Job) -> bytes:
        if self.refusal:
            raise self.refusal
        encode_within(MAX_PREVIEW_BYTES, job)
        self.previews.append(job)
        await self._tell()
        answer = await self.answers.get()
        if isinstance(answer, BrokerError):
            raise answer
        return answer

    async def until_watched(self, count: int = 1) -> str:
        """Waits until so many watch, and returns the document that the last one does."""
        async with self.changed:
            await self.changed.wait_for(lambda: len(self.watching) == count)
        return self.watching[-1] if self.watching else ""

    async def until_previewed(self, count: int = 1) -> None:
        async with self.changed:
            await self.changed.wait_for(lambda: len(self.previews) >= count)

    async def until_put(self, count: int = 1) -> None:
        async with self.changed:
            await self.changed.wait_for(lambda: len(self.jobs) >= count)

    async def _tell(self) -> None:
        async with self.changed:
            self.changed.notify_all()
