"""The four records of the embedded broker, followed in batches as `contract.streams.Streams` says."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import suppress
from functools import partial
from sqlite3 import Connection

from contract.accepted import Accepted
from contract.attempts import FailedAttempt
from contract.broker import LogEntry, UnknownOffset
from contract.codec import encode
from contract.job import Lane
from contract.requests import OwnerRequest
from contract.streams import Stream
from runtime.brokers.embedded.limits import EmbeddedLimits
from runtime.brokers.embedded.store import Store
from runtime.brokers.embedded.tables import page
from runtime.brokers.notifier import Notifier

_MAX_ENTRIES = 500  # in a batch; chosen: one transaction of the recorder
_MAX_BYTES = 4_000_000  # in a batch; chosen: bounds memory, and holds 500 events of 8 kB
_MANY = 10  # in one batch: then at least 100 a second come, and no one waits for a single one; chosen
_TABLES = {
    Stream.ACCEPTED: "accepted",
    Stream.ATTEMPTS: "attempts",
    Stream.LOG: "events",
    Stream.REQUESTS: "requests",
}
_BODIES = {
    stream: f"SELECT seq, body FROM {_TABLES[stream]} WHERE seq > ? ORDER BY seq LIMIT ?"  # noqa: S608 - our own names
    for stream in (Stream.ATTEMPTS, Stream.REQUESTS)
}


async def follow(
    store: Store, notifier: Notifier, stream: Stream, after: int, limits: EmbeddedLimits
) -> AsyncGenerator[Sequence[LogEntry], None]:
    """Yields the entries of `stream` above `after` in batches, for ever; `notifier` tells when there may be new ones.

    Raises:
        UnknownOffset: there is no entry `after` + 1, or the stream is shorter than it was.
        BrokerUnavailable: the database failed, or was closed.
    """
    if after >= 0 and await store.read(partial(last, stream=stream)) < after:
        raise UnknownOffset(f"{stream} ends before {after}")
    while True:
        notified = notifier.subscribe()
        entries = await store.read(partial(_batch, stream=stream, after=after))
        if entries and 0 <= after < entries[0].offset - 1:
            raise UnknownOffset(f"{stream} begins at {entries[0].offset}, after {after + 1}")
        yield entries
        if entries:
            after = entries[-1].offset
        if not _is_full(entries):
            many = len(entries) >= _MANY
            await _wait(notified, limits.follow_idle_s, limits.follow_long_pause_s if many else limits.follow_pause_s)


def note(db: Connection, attempt: FailedAttempt, *, keep: int) -> None:
    """Records a failed attempt, and drops the oldest records beyond `keep`."""
    seq = db.execute("INSERT INTO attempts (body) VALUES (?)", (encode([attempt]),)).lastrowid or 0
    db.execute("DELETE FROM attempts WHERE seq <= ?", (seq - keep,))


def note_request(db: Connection, request: OwnerRequest, *, keep: int) -> None:
    """Writes down a request about a document, and drops the oldest beyond `keep`."""
    seq = db.execute("INSERT INTO requests (body) VALUES (?)", (encode([request]),)).lastrowid or 0
    db.execute("DELETE FROM requests WHERE seq <= ?", (seq - keep,))


def _is_full(entries: Sequence[LogEntry]) -> bool:
    """Returns True if there may be more already."""
    return len(entries) == _MAX_ENTRIES or sum(len(entry.body) for entry in entries) >= _MAX_BYTES


async def _wait(notified: asyncio.Event, idle_s: float, pause_s: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(idle_s):
            await notified.wait()
            await asyncio.sleep(pause_s)


def last(db: Connection, stream: Stream) -> int:
    """Returns the offset of the newest entry, even if it was dropped since."""
    rows = db.execute("SELECT seq FROM sqlite_sequence WHERE name = ?", (_TABLES[stream],)).fetchall()
    return int(rows[0][0]) if rows else -1


def _batch(db: Connection, stream: Stream, after: int) -> list[LogEntry]:
    if stream is Stream.LOG:
        return page(db, after, max_events=_MAX_ENTRIES, max_bytes=_MAX_BYTES)
    if stream in _BODIES:
        return [LogEntry(seq, "", body) for seq, body in db.execute(_BODIES[stream], (after, _MAX_ENTRIES))]
    statement = "SELECT seq, body, run, lane, at FROM accepted WHERE seq > ? ORDER BY seq LIMIT ?"
    rows = db.execute(statement, (after, _MAX_ENTRIES))
    return [LogEntry(seq, "", body or _older(*columns)) for seq, body, *columns in rows]


def _older(run: str, lane: str, at: str) -> bytes:
    return encode([Accepted(id=run, lane=Lane(lane), at=at)])
