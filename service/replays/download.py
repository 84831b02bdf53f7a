"""GET /v1/replays/{id}/events: sends the events of a replay that is a download, as lines, compressed if the client can.

The connection is the download: a client that is cut off asks again with the last offset that it has.
"""

import asyncio
import re
import time
import zlib
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass
from typing import Final

from aiohttp import hdrs, web

from contract.broker import BrokerError, LogEntry, UnknownOffset
from contract.labels import StreamEnd
from contract.ledger import LedgerUnavailable
from contract.replay_choice import ReplayChoice, sendable
from contract.replays import Replay, ReplayBook, ReplayState, ReplayTarget, Step
from contract.webhooks import Documents
from service import problems
from service.access.callers import check_still_known
from service.api.replays import GET_REPLAYED, REPLAYED_PATTERN
from service.context import BROKER, CLOCK, LIMITS, METRICS, IntakeLimits
from service.events.stream_filter import decoded
from service.events.streams import STREAMS, EventLines, StreamClosed
from service.http.parameters import check_parameters
from service.refusals import Problem, ProblemError, invalid_parameter
from service.replays.lookup import replay_of, replays_of

_AT_ONCE: Final = 100  # events that are looked up together; chosen: a question to the ledger for each hundred
_NOTE_EVERY_S: Final = 1.0  # chosen: as often as a person looks
_PAUSE_S: Final = 1.0  # while the ledger is away or behind; chosen: it is a second behind at most times
_OFFSET: Final = re.compile(REPLAYED_PATTERN, re.ASCII)
_ACCEPTS_GZIP: Final = re.compile(  # RFC 9110, sections 8.4.1.3 and 12.5.3
    r"(?:^|,)\s*(?:x-)?gzip\s*(?!;\s*q=0(?:\.0{0,3})?\s*(?:,|$))(?=[;,]|$)", re.IGNORECASE
)
_GZIP: Final = 31  # zlib: a window of 32 KiB, with the header of gzip


class ReplayedLines(EventLines):
    """Lines of events; compressed if the client takes that."""

    def __init__(self, limits: IntakeLimits, *, compressed: bool) -> None:
        super().__init__(limits)
        self._gzip = zlib.compressobj(wbits=_GZIP) if compressed else None
        self.headers[hdrs.VARY] = hdrs.ACCEPT_ENCODING
        if compressed:
            self.headers[hdrs.CONTENT_ENCODING] = "gzip"

    async def send_heartbeat(self) -> None:
        """Sends what keeps the connection alive, and what was compressed before it."""
        await super().send_heartbeat()
        if self._gzip is not None and not self._is_sending:
            await self._write(self._gzip.flush(zlib.Z_SYNC_FLUSH))

    async def leave(self) -> None:
        """Sends why the stream has ended, and the end of the compressed data."""
        await super().leave()
        if self._gzip is not None and self.ended.result() is not StreamEnd.CLIENT_LEFT:
            with suppress(StreamClosed):
                await self._write(self._gzip.flush())

    async def _put(self, data: bytes) -> None:
        await self._write(data if self._gzip is None else self._gzip.compress(data))

    async def _write(self, data: bytes) -> None:
        if data:  # the compressor keeps what is little
            await super()._put(data)


@dataclass(slots=True)
class _Download:
    """What passes from the log to one client."""

    request: web.Request
    replay: Replay
    book: ReplayBook
    choice: ReplayChoice
    place: int
    read: int = 0
    sent: int = 0
    noted_s: float = 0.0

    async def pump(self, stream: ReplayedLines) -> StreamEnd:
        """Sends the events. Returns why it ends."""
        try:
            async for entries in self._batches():
                began = time.monotonic()
                check_still_known(self.request)
                chosen = await self._chosen(entries)
                for entry in chosen:
                    await stream.send_event(entry)
                self._count(stream, entries, chosen)
                if time.monotonic() - self.noted_s >= _NOTE_EVERY_S and not await self._note(completed=False):
                    return StreamEnd.REPLAY_CANCELLED
                await asyncio.sleep(max(0.0, began + len(chosen) / self.replay.per_second - time.monotonic()))
        except ProblemError:
            return StreamEnd.KEY_REFUSED
        except UnknownOffset:
            return StreamEnd.POSITION_GONE
        except StreamClosed as closed:
            return closed.reason
        except BrokerError:
            return StreamEnd.BROKER_LOST
        return StreamEnd.COMPLETE if await self._note(completed=True) else StreamEnd.REPLAY_CANCELLED

    async def beat(self, stream: ReplayedLines) -> None:
        """Sends heartbeats until the client has left."""
        with suppress(StreamClosed):
            while True:
                await asyncio.sleep(self.request.app[LIMITS].heartbeat_s)
                await stream.send_heartbeat()

    async def _batches(self) -> AsyncIterator[Sequence[LogEntry]]:
        if self.place >= self.replay.until:
            return
        batch: list[LogEntry] = []
        size = max(1, min(_AT_ONCE, self.replay.per_second))
        async with aclosing(self.request.app[BROKER].read(self.place)) as entries:
            async for entry in entries:
                if entry.offset <= self.replay.until:
                    batch.append(entry)
                is_over = entry.offset >= self.replay.until
                if batch and (is_over or len(batch) >= size):
                    yield batch
                    batch = []
                if is_over:
                    return

    async def _chosen(self, entries: Sequence[LogEntry]) -> Sequence[LogEntry]:
        """Returns the entries to send, none of erased documents. Waits until the owners of all are known."""
        events = {it.offset: decoded(it.body) for it in entries}
        wanted = {
            it.offset: events[it.offset] for it in entries if self.choice.wants(it.routing_key, events[it.offset])
        }
        owner = None if self.replay.documents is Documents.ALL else self.replay.owner
        while True:
            with suppress(LedgerUnavailable):
                sent = await sendable(wanted, owner, self.book)
                if sent is not None:
                    return [it for it in entries if it.offset in sent]
            await asyncio.sleep(_PAUSE_S)  # nothing tells that the recorder, or the ledger, is there

    def _count(self, stream: ReplayedLines, entries: Sequence[LogEntry], chosen: Sequence[LogEntry]) -> None:
        self.place = stream.position = entries[-1].offset
        self.read += len(entries)
        self.sent += len(chosen)
        self.request.app[METRICS].replayed.labels(ReplayTarget.DOWNLOAD).inc(len(chosen))

    async def _note(self, *, completed: bool) -> bool:
        """Notes how far the download has come. Returns False if it is cancelled. It goes on without the ledger."""
        place = self.replay.until if completed else self.place
        step = Step(place=place, read=self.read, sent=self.sent, at=self.request.app[CLOCK]())
        try:
            runs = await self.book.note(self.replay.id, step, completed=completed)
        except LedgerUnavailable:
            return True
        self.read = self.sent = 0
        self.noted_s = time.monotonic()
        return runs


async def get_replayed(request: web.Request) -> web.StreamResponse:
    """Streams the events of a download, from its beginning or behind `after`.

    Raises:
        ProblemError: there is no such replay, it is no download, it was cancelled, or the ledger is away.
    """
    given = check_parameters(request, GET_REPLAYED.parameters)
    replay, after = await replay_of(request), given.get("after")
    if replay.target is not ReplayTarget.DOWNLOAD:
        raise ProblemError(Problem(problems.NOT_FOUND, "This replay is no download."))
    if replay.state is ReplayState.CANCELLED:
        raise ProblemError(Problem(problems.REPLAY_NOT_RUNNING, problems.REPLAY_NOT_RUNNING.meaning))
    place = replay.after if after is None else max(replay.after, _offset(after))
    download = _Download(request, replay, replays_of(request), ReplayChoice(replay), place)
    stream = ReplayedLines(request.app[LIMITS], compressed=_takes_gzip(request))
    with request.app[STREAMS].place():
        await stream.prepare(request)
        async with stream, asyncio.TaskGroup() as tasks:
            with request.app[STREAMS].hold(stream), request.app[METRICS].event_streams.track_inprogress():
                pump = tasks.create_task(download.pump(stream))
                pump.add_done_callback(lambda done: None if done.cancelled() else stream.end(done.result()))
                beat = tasks.create_task(download.beat(stream))
                request.app[METRICS].event_streams_ended.labels(await stream.ended).inc()
                pump.cancel()
                beat.cancel()
                await stream.leave()
    return stream


def _offset(after: str) -> int:
    if not _OFFSET.fullmatch(after):
        raise invalid_parameter("after", "offset", "must be a log offset: a whole number")
    return int(after)


def _takes_gzip(request: web.Request) -> bool:
    return _ACCEPTS_GZIP.search(",".join(request.headers.getall(hdrs.ACCEPT_ENCODING, []))) is not None
