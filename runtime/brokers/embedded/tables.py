"""The tables, and every statement that is run on them. All functions run inside the store's transaction."""

from collections.abc import Iterable
from dataclasses import dataclass
from sqlite3 import Connection, DatabaseError

import orjson

from contract.broker import LogEntry
from contract.job import Lane

VERSION = 1  # of these tables; kept in the file's user_version

# Sums over jobs are kept by triggers: counting 100,000 rows on every put would cost more than the put.
_SCHEMA = """
CREATE TABLE jobs (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    message_id TEXT,
    lane TEXT NOT NULL,
    due REAL NOT NULL, -- Unix seconds
    deliveries INTEGER NOT NULL DEFAULT 0,
    size INTEGER NOT NULL,
    body BLOB NOT NULL
);
CREATE INDEX jobs_due ON jobs (lane, due, seq);
CREATE TABLE waiting (lane TEXT PRIMARY KEY, jobs INTEGER NOT NULL, bytes INTEGER NOT NULL);
INSERT INTO waiting VALUES ('interactive', 0, 0), ('bulk', 0, 0);
CREATE TRIGGER jobs_in AFTER INSERT ON jobs BEGIN
    UPDATE waiting SET jobs = jobs + 1, bytes = bytes + new.size WHERE lane = new.lane;
END;
CREATE TRIGGER jobs_out AFTER DELETE ON jobs BEGIN
    UPDATE waiting SET jobs = jobs - 1, bytes = bytes - old.size WHERE lane = old.lane;
END;
CREATE TABLE events (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, -- never reused: it is the offset
    routing_key TEXT NOT NULL,
    body BLOB NOT NULL
);
CREATE TABLE dead (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    message_id TEXT,
    event_id TEXT,
    cause TEXT NOT NULL,
    at REAL NOT NULL, -- Unix seconds
    body BLOB NOT NULL
);
CREATE TABLE probe (writes INTEGER NOT NULL);
INSERT INTO probe VALUES (0);
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What waits in a lane. `due` is in Unix seconds."""

    message_id: str | None
    lane: Lane
    due: float
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """A message handed out, and the row that it stays in until it is settled. `deliveries` counts this one."""

    seq: int
    message_id: str | None
    lane: Lane
    deliveries: int
    body: bytes


def create(db: Connection) -> None:
    """Makes the tables in a new file, all or none. Not for use in a transaction.

    Raises:
        DatabaseError: the file was written by another version, or is no database.
    """
    (version,) = db.execute("PRAGMA user_version").fetchone()
    if version == VERSION:
        return
    if version != 0:
        raise DatabaseError(f"its tables are of version {version}, not {VERSION}")
    db.executescript(f"BEGIN IMMEDIATE; {_SCHEMA} PRAGMA user_version = {VERSION}; COMMIT;")


def waiting(db: Connection, lane: Lane) -> tuple[int, int]:
    """Returns how many jobs there are in `lane`, in hand and delayed ones included, and their bytes."""
    jobs, size = db.execute("SELECT jobs, bytes FROM waiting WHERE lane = ?", (lane,)).fetchone()
    return jobs, size


def touch(db: Connection) -> None:
    """Writes a few bytes, to see whether the disk takes them."""
    # Not `writes = writes`: SQLite skips a write that changes nothing.
    db.execute("UPDATE probe SET writes = writes + 1")


def insert(db: Connection, message: Message) -> None:
    """Adds `message` to its lane."""
    db.execute(
        "INSERT INTO jobs (message_id, lane, due, size, body) VALUES (?, ?, ?, ?, ?)",
        (message.message_id, message.lane, message.due, len(message.body), message.body),
    )


def claim(db: Connection, lane: Lane, limit: int, *, now: float, in_hand: Iterable[int]) -> list[Claimed]:
    """Takes up to `limit` due messages of `lane`, oldest first, and counts the delivery of each."""
    seqs = db.execute(
        "SELECT seq FROM jobs WHERE lane = ? AND due <= ? AND seq NOT IN (SELECT value FROM json_each(?))"
        " ORDER BY due, seq LIMIT ?",
        (lane, now, _json(in_hand), limit),
    ).fetchall()
    return [_deliver(db, seq) for (seq,) in seqs]


def _deliver(db: Connection, seq: int) -> Claimed:
    (row,) = db.execute(
        "UPDATE jobs SET deliveries = deliveries + 1 WHERE seq = ? RETURNING message_id, lane, deliveries, body", (seq,)
    ).fetchall()
    message_id, lane, deliveries, body = row
    return Claimed(seq=seq, message_id=message_id, lane=Lane(lane), deliveries=deliveries, body=body)


def next_due(db: Connection, lane: Lane, *, in_hand: Iterable[int]) -> float | None:
    """Returns when the next message of `lane` is due, in Unix seconds; None where there is none."""
    row = db.execute(
        "SELECT due FROM jobs WHERE lane = ? AND seq NOT IN (SELECT value FROM json_each(?)) ORDER BY due LIMIT 1",
        (lane, _json(in_hand)),
    ).fetchone()
    return None if row is None else float(row[0])


def postpone(db: Connection, seq: int, due: float) -> None:
    """Makes a message wait until `due`."""
    db.execute("UPDATE jobs SET due = ? WHERE seq = ?", (due, seq))


def remove(db: Connection, seq: int) -> None:
    """Takes a settled message off its lane."""
    db.execute("DELETE FROM jobs WHERE seq = ?", (seq,))


def append(db: Connection, routing_key: str, body: bytes, *, keep: int) -> None:
    """Writes an event to the log, and drops the oldest beyond `keep`."""
    offset = db.execute("INSERT INTO events (routing_key, body) VALUES (?, ?)", (routing_key, body)).lastrowid or 0
    db.execute("DELETE FROM events WHERE seq <= ?", (offset - keep,))


def last_offset(db: Connection) -> int:
    """Returns the offset of the newest event, 0 where there is none."""
    (offset,) = db.execute("SELECT coalesce(max(seq), 0) FROM events").fetchone()
    return int(offset)


def oldest_offset(db: Connection) -> int:
    """Returns the offset of the oldest event that is kept, 1 where there never was one."""
    (offset,) = db.execute("SELECT coalesce(min(seq), 1) FROM events").fetchone()
    return int(offset)


def page(db: Connection, after: int, *, max_events: int = 100, max_bytes: int = 4_000_000) -> list[LogEntry]:
    """Returns the next events above offset `after`; at least one where there is one."""
    entries: list[LogEntry] = []
    rows = db.execute(
        "SELECT seq, routing_key, body FROM events WHERE seq > ? ORDER BY seq LIMIT ?", (after, max_events)
    )
    for row in rows:
        entries.append(LogEntry(*row))
        max_bytes -= len(entries[-1].body)
        if max_bytes <= 0:
            break
    rows.close()
    return entries


def bury(db: Connection, claimed: Claimed, *, event_id: str | None, cause: str, at: float) -> None:
    """Keeps the message among the dead letters."""
    db.execute(
        "INSERT INTO dead (message_id, event_id, cause, at, body) VALUES (?, ?, ?, ?, ?)",
        (claimed.message_id, event_id, cause, at, claimed.body),
    )


def _json(seqs: Iterable[int]) -> str:
    return orjson.dumps(list(seqs)).decode()
