"""Reads the log for many webhooks at once.

A feed reads the log from one place on and keeps the newest entries. Webhooks that are at about the same place read from
one feed: while all keep up, the log is read once, however many there are. One that falls behind what the feed keeps
gets a feed of its own, until it has caught up with another. A feed reads on only when somebody waits for its next
entry, so that the slow never make it forget what the fast have not read.
"""

import asyncio
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import aclosing, contextmanager
from datetime import UTC, datetime
from itertools import islice
from typing import Any

import orjson

from contract.broker import BrokerUnavailable, LogEntry, UnknownOffset
from contract.streams import Stream, Streams
from contract.webhooks import Delivery, new_id
from workers.deliver.messages import thin
from workers.deliver.stopping import Stopping

MOST_FEEDS = 8  # chosen: each is a connection to RabbitMQ
_KEPT_ENTRIES = 4_000  # in a feed; chosen: some seconds of a busy log
_KEPT_BYTES = 16 * 1024 * 1024  # in a feed; chosen: all feeds together stay below 128 MiB
_AT_ONCE = 100  # entries for one webhook at a time; chosen: a webhook stores its place often enough
_NEAR = 1_000  # offsets that a feed may be behind a webhook that waits for it; chosen: read in a fraction of a second


class FeedEntry:
    """An entry of the log, decoded once for all who read it. `event` is None if it holds none.

    `time`: when the event was made, None if it does not say.
    """

    __slots__ = ("_thin", "body", "event", "offset", "raw", "routing_key", "subject", "time", "type")

    def __init__(self, entry: LogEntry) -> None:
        self.raw = entry
        self.offset, self.routing_key, self.body = entry.offset, entry.routing_key, entry.body
        self.event: Mapping[str, Any] | None = decoded(entry.body)
        known = self.event or {"type": "", "subject": ""}
        self.type, self.subject, self.time = str(known["type"]), str(known["subject"]), time_in(self.event)
        self._thin: bytes | None = None

    @property
    def thin(self) -> bytes:
        """The body of a thin delivery, made once."""
        if self._thin is None:
            self._thin = thin(self.event or {})
        return self._thin

    def delivery(self, webhook_id: str, at: datetime, replay_id: str | None = None) -> Delivery:
        """Returns a delivery of its event, due at the aware time `at`. With `replay_id` it is on request."""
        event = self.event or {}
        return Delivery(
            id=new_id(),
            webhook_id=webhook_id,
            event_id=str(event["id"]),
            event_type=self.type,
            document_id=self.subject if self.type.startswith("copydesk.document.") else None,
            offset=self.offset,
            requested=replay_id is not None,
            created_at=at,
            next_at=at,
            body=self.body,
            replay_id=replay_id,
        )


class _Feed:
    """The entries with offsets above `start`, up to `end`."""

    def __init__(self, start: int) -> None:
        self.start = self.end = start
        self.origin = start
        self.failure: UnknownOffset | BrokerUnavailable | Stopping | None = None
        self.readers = 0
        self.used = 0.0  # on the loop's clock
        self._entries: deque[FeedEntry] = deque()
        self._size = 0
        self._changed = asyncio.Condition()
        self._hungry = asyncio.Event()

    def has(self, place: int) -> bool:
        """Returns True if a webhook at this place may read from here."""
        return self.failure is None and self.start <= place <= self.end + _NEAR

    async def follow(self, streams: Streams) -> None:
        """Reads the log until it is cancelled, or fails."""
        try:
            async with aclosing(streams.follow(Stream.LOG, self.start)) as batches:
                async for batch in batches:
                    if batch:
                        await self._take(batch)
                        await self._hungry.wait()
        except (UnknownOffset, BrokerUnavailable) as error:
            await self._fail(error)

    async def close(self) -> None:
        """Ends what waits for entries."""
        await self._fail(Stopping())

    async def _fail(self, failure: UnknownOffset | BrokerUnavailable | Stopping) -> None:
        self.failure = failure
        async with self._changed:
            self._changed.notify_all()

    async def after(self, place: int) -> Sequence[FeedEntry]:
        """Returns the entries behind `place`, one or more; waits for them. Returns none if it has lost them meanwhile.

        Raises:
            UnknownOffset, BrokerUnavailable: it has failed.
        """
        async with self._changed:
            while self.failure is None and self.start <= place:
                if place < self.end:
                    return self._behind(place)
                self._hungry.set()
                await self._changed.wait()
        if self.failure is not None:
            raise self.failure
        return ()

    def _behind(self, place: int) -> Sequence[FeedEntry]:
        behind = 0
        for entry in reversed(self._entries):
            if entry.offset <= place:
                break
            behind += 1
        return list(islice(self._entries, len(self._entries) - behind, len(self._entries) - behind + _AT_ONCE))

    async def _take(self, batch: Sequence[LogEntry]) -> None:
        self._hungry.clear()
        async with self._changed:
            for entry in map(FeedEntry, batch):
                self._entries.append(entry)
                self._size += len(entry.body)
                self.end = entry.offset
            while len(self._entries) > max(_KEPT_ENTRIES, len(batch)) or (
                self._size > _KEPT_BYTES and len(self._entries) > len(batch)
            ):
                oldest = self._entries.popleft()
                self._size -= len(oldest.body)
                self.start = oldest.offset
            self._changed.notify_all()


class Feeds:
    """The feeds of this process. They run in `group`, which the caller ends."""

    def __init__(self, streams: Streams, group: asyncio.TaskGroup) -> None:
        self._streams = streams
        self._group = group
        self._feeds: dict[_Feed, asyncio.Task[None]] = {}
        self._freed = asyncio.Event()
        self._closed = False

    async def after(self, place: int) -> Sequence[FeedEntry]:
        """Returns the entries of the log behind `place`, one or more, as soon as there are any.

        Raises:
            UnknownOffset: the log no longer has the entry that follows `place`.
            BrokerUnavailable: the broker failed for good, or was closed.
            Stopping: the feeds are closed.
        """
        while not self._closed:
            feed = await self._feed(place)
            with self._reading(feed):
                try:
                    if found := await feed.after(place):
                        return found
                except UnknownOffset:
                    if feed.origin == place:
                        raise
        raise Stopping

    async def close(self) -> None:
        """Ends all feeds, and what waits for them."""
        self._closed = True
        self._freed.set()
        for feed, task in self._feeds.items():
            task.cancel()
            await feed.close()
        self._feeds.clear()

    async def _feed(self, place: int) -> _Feed:
        while not self._closed:
            self._forget(feed for feed in [*self._feeds] if feed.failure is not None)
            there = [feed for feed in self._feeds if feed.has(place)]
            if there:
                return max(there, key=lambda feed: feed.end)
            if len(self._feeds) >= MOST_FEEDS:
                idle = [feed for feed in self._feeds if not feed.readers]
                if not idle:
                    self._freed.clear()
                    await self._freed.wait()
                    continue
                self._forget([min(idle, key=lambda feed: feed.used)])
            feed = _Feed(place)
            self._feeds[feed] = self._group.create_task(feed.follow(self._streams))
            return feed
        raise Stopping

    def _forget(self, feeds: "Iterator[_Feed] | Sequence[_Feed]") -> None:
        for feed in feeds:
            self._feeds.pop(feed).cancel()

    @contextmanager
    def _reading(self, feed: _Feed) -> Iterator[None]:
        feed.readers += 1
        try:
            yield
        finally:
            feed.readers -= 1
            feed.used = asyncio.get_running_loop().time()
            self._freed.set()


def decoded(body: bytes) -> Mapping[str, Any] | None:
    """Returns an event of the log; None if it is none: another program may publish to the log."""
    try:
        event = orjson.loads(body)
        is_event = all(isinstance(event[name], str) for name in ("id", "type", "subject", "time"))
        return event if is_event and isinstance(event["data"], dict) else None
    except (orjson.JSONDecodeError, LookupError, TypeError):
        return None


def time_in(event: Mapping[str, Any] | None) -> datetime | None:
    """Returns when an event was made, aware; None if it does not say."""
    try:
        stated = datetime.fromisoformat(str((event or {}).get("time")))
    except ValueError:
        return None
    return stated if stated.tzinfo else stated.replace(tzinfo=UTC)
