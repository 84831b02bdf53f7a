"""Compares accepted with decided documents, counted by a separate subscriber and in the event log."""

import asyncio
import json
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aio_pika
import aiohttp
from aio_pika.abc import AbstractIncomingMessage

from runtime.audit import digest

LOST_CONNECTION = (aio_pika.exceptions.AMQPError, ConnectionError, OSError, TimeoutError, RuntimeError)
NEVER = aiohttp.ClientTimeout()  # aiohttp's default ends a stream after five minutes
READING_S = 15.0  # and more for more documents
WAITING = ("copydesk.intake.interactive", "copydesk.intake.bulk", "copydesk.intake.retry", "copydesk.lost")


@dataclass
class Events:
    """Terminal events as one reader saw them."""

    seen: Counter[str] = field(default_factory=Counter)
    subjects: set[str] = field(default_factory=set)
    reasons: dict[str, str] = field(default_factory=dict)
    _data: dict[str, set[bytes]] = field(default_factory=lambda: defaultdict(set))
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def add(self, body: bytes) -> None:
        event = json.loads(body)
        async with self._changed:
            self.seen[event["id"]] += 1
            self.subjects.add(event["subject"])
            self.reasons[event["subject"]] = event["data"].get("reason", "processed")
            self._data[event["id"]].add(digest(event["data"]))
            self._changed.notify_all()

    async def until_decided(self, ids: set[str]) -> None:
        """Returns when every one of `ids` has an event."""
        async with self._changed:
            await self._changed.wait_for(lambda: self.subjects >= ids)

    async def until_more(self, count: int) -> None:
        """Returns when `count` more documents are decided than now."""
        goal = len(self.subjects) + count
        async with self._changed:
            await self._changed.wait_for(lambda: len(self.subjects) >= goal)

    def repeats(self, ids: set[str]) -> int:
        """Returns how many events of `ids` came again."""
        return sum(count - 1 for event_id, count in self.seen.items() if _subject(event_id) in ids)

    def differing(self, ids: set[str]) -> int:
        """Returns how many events of `ids` came again with other content."""
        return sum(len(data) - 1 for event_id, data in self._data.items() if _subject(event_id) in ids)


def _subject(event_id: str) -> str:
    return event_id.rpartition(".")[0]


@asynccontextmanager
async def subscriber(url: str, queue: str = "watcher") -> AsyncIterator[Events]:
    """Yields the messages of its own queue once it is declared. Reconnects as often as needed."""
    events, bound = Events(), asyncio.Event()
    async with asyncio.TaskGroup() as group:
        task = group.create_task(_subscribe_for_ever(url, queue, events, bound))
        await bound.wait()
        yield events
        task.cancel()


async def _subscribe_for_ever(url: str, queue: str, events: Events, bound: asyncio.Event) -> None:
    while True:
        try:
            async with asyncio.timeout(5) as opening:
                await _subscribe(url, queue, events, bound, opening)
        except LOST_CONNECTION:
            await asyncio.sleep(0.1)


async def _subscribe(url: str, name: str, events: Events, bound: asyncio.Event, opening: asyncio.Timeout) -> None:
    async with await aio_pika.connect(url) as connection:
        channel = await connection.channel()
        await channel.set_qos(prefetch_count=200)
        queue = await channel.declare_queue(name, durable=True, arguments={"x-queue-type": "quorum"})
        await queue.bind("copydesk.documents", "#")
        async with queue.iterator() as messages:
            bound.set()
            opening.reschedule(None)
            async for message in messages:
                await events.add(message.body)
                await message.ack()


@asynccontextmanager
async def log_reader(url: str, events: Events) -> AsyncIterator[None]:
    """Reads the event log into `events`, from its first entry on. Needs a broker that stays."""
    async with await aio_pika.connect(url) as connection:
        channel = await connection.channel()
        await channel.set_qos(prefetch_count=500)
        queue = await channel.get_queue("copydesk.log", ensure=False)

        async def arrived(message: AbstractIncomingMessage) -> None:
            await events.add(message.body)
            await message.ack()

        await queue.consume(arrived, arguments={"x-stream-offset": "first"})
        yield


@asynccontextmanager
async def event_stream(api: Callable[[], str]) -> AsyncIterator[Events]:
    """Yields the event log from GET /v1/events, requested again from the oldest event on each time it ends."""
    events = Events()
    async with asyncio.TaskGroup() as group:
        task = group.create_task(_read_for_ever(api, events))
        yield events
        task.cancel()


async def _read_for_ever(api: Callable[[], str], events: Events) -> None:
    while True:
        try:
            url = f"{api()}/v1/events?after=oldest"
            async with aiohttp.ClientSession(timeout=NEVER, read_bufsize=2**24) as http, http.get(url) as response:
                async for line in response.content:
                    if line.startswith(b"data: "):
                        await events.add(line.removeprefix(b"data: "))
        except aiohttp.ClientError:
            await asyncio.sleep(0.2)


async def until_nothing_waits(url: str) -> None:
    """Waits until no job is left in the queues that workers consume. Jobs that workers hold do not count."""
    async with await aio_pika.connect(url) as connection, connection.channel() as channel:
        while any([await _ready(channel, queue) for queue in WAITING]):  # noqa: ASYNC110 - queues are only polled
            await asyncio.sleep(0.2)


async def _ready(channel: aio_pika.abc.AbstractChannel, queue: str) -> int:
    declared = await channel.declare_queue(queue, passive=True)
    return declared.declaration_result.message_count or 0


async def waiting_in(url: str, queue: str) -> int:
    """Returns how many messages wait in `queue`."""
    async with await aio_pika.connect(url) as connection, connection.channel() as channel:
        return await _ready(channel, queue)


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """One row of docs/reliability.md. Repeats are counted in the log and at the subscriber."""

    fault: str
    documents: int
    terminal: int
    repeated: tuple[int, int]
    differing: int
    recovered_s: float

    @property
    def lost(self) -> int:
        return self.documents - self.terminal

    def __str__(self) -> str:
        repeated = " / ".join(map(str, self.repeated))
        cells = (self.fault, self.documents, self.terminal, self.lost, repeated, self.differing)
        return " | ".join([*map(str, cells), f"{self.recovered_s:.1f}"])


async def balance(  # noqa: PLR0913 - what stands in a row
    fault: str, url: str, accepted: set[str], subscribed: Events, recovered_s: float, *, within_s: float
) -> Balance:
    """Waits until all are decided, prints the row and returns it. Documents not decided in time count as lost."""
    deadline = time.monotonic() + within_s
    while True:
        logged = await _read_all(url, accepted, min(deadline, time.monotonic() + READING_S + len(accepted) / 100))
        if logged.subjects >= accepted or time.monotonic() > deadline:
            break
    await _at_most(min(deadline, time.monotonic() + READING_S), subscribed.until_decided(accepted))
    return counted(fault, accepted, logged, subscribed, recovered_s)


async def _read_all(url: str, accepted: set[str], deadline: float) -> Events:
    """Returns what the log holds by `deadline`, or sooner where it holds all.

    In a cluster each call reads from another node: one that is just back may have no part in the stream yet.
    """
    logged = Events()
    try:
        async with log_reader(url, logged):
            await _at_most(deadline, logged.until_decided(accepted))
            await _at_most(deadline, until_nothing_waits(url))
            await asyncio.sleep(0.5)  # time for events that come too often: nothing signals the end
    except LOST_CONNECTION:
        await asyncio.sleep(1)
    return logged


def counted(fault: str, accepted: set[str], logged: Events, subscribed: Events, recovered_s: float) -> Balance:
    """Returns the row, printed."""
    row = Balance(
        fault=fault,
        documents=len(accepted),
        terminal=len(accepted & logged.subjects),
        repeated=(logged.repeats(accepted), subscribed.repeats(accepted)),
        differing=logged.differing(accepted),
        recovered_s=recovered_s,
    )
    print(f"\n{row}")  # noqa: T201 - the row of the table
    return row


async def _at_most(deadline: float, waiting: Any) -> None:  # noqa: ANN401 - any awaitable
    try:
        async with asyncio.timeout(max(0.1, deadline - time.monotonic())):
            await waiting
    except TimeoutError:
        return  # the row shows what is missing
