"""The tables, and the statements on them, but for dead letters (`dead_rows`). They run in the store's transaction."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from sqlite3 import Connection, DatabaseError

import orjson

from contract.accepted import Accepted
from contract.batches import BatchClosed
from contract.broker import LogEntry
from contract.codec import encode
from contract.job import Lane
from contract.topology import DEAD, DELAYED, lane_queue

VERSION = 6  # counts the versions of these tables; SQLite's user_version stores it in the file

_NO_LANE = ""  # of the end of a batch

# Triggers keep the sums over jobs: counting 100,000 rows on every put would cost more than the put.
_ACCEPTED = """
CREATE TABLE accepted (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    run TEXT NOT NULL, -- the id of its event
    lane TEXT NOT NULL,
    at TEXT NOT NULL -- RFC 3339, UTC
);
"""
# Few jobs are suspects, and each claim looks for them.
_SUSPECTS = "CREATE INDEX jobs_suspect ON jobs (deliveries, due, seq) WHERE deliveries >= 2;"
_RECORDS = """
ALTER TABLE accepted ADD COLUMN body BLOB; -- the whole record; none in rows of older versions
CREATE TABLE attempts (seq INTEGER PRIMARY KEY AUTOINCREMENT, body BLOB NOT NULL);
"""
_REQUESTS = "CREATE TABLE requests (seq INTEGER PRIMARY KEY AUTOINCREMENT, body BLOB NOT NULL);"
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
    body BLOB NOT NULL,
    reason TEXT
);
CREATE TABLE probe (writes INTEGER NOT NULL);
INSERT INTO probe VALUES (0);
"""

_UPGRADES = {
    1: "ALTER TABLE dead ADD COLUMN reason TEXT;",
    2: _ACCEPTED,
    3: _SUSPECTS,
    4: _RECORDS,
    5: _REQUESTS,
}  # from a version to the next


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message that waits in a lane. `due` is in Unix seconds; `accepted` is recorded with it."""

    message_id: str | None
    lane: Lane
    due: float
    body: bytes
    accepted: Accepted | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """A message that a consumer has, and its row until it is settled. `deliveries` includes this one."""

    seq: int
    message_id: str | None
    lane: Lane
    deliveries: int
    body: bytes


def create(db: Connection) -> None:
    """Creates the tables in a new file, or updates older ones, all or none. Not for use in a transaction.

    Raises:
        DatabaseError: another version wrote the file, or it is not a database.
    """
    (version,) = db.execute("PRAGMA user_version").fetchone()
    if version == VERSION:
        return
    if version != 0 and version not in _UPGRADES:
        raise DatabaseError(f"its tables are of version {version}, not {VERSION}")
    steps = (
        [_UPGRADES[older] for older in range(version, VERSION)]
        if version
        else [_SCHEMA, _ACCEPTED, _SUSPECTS, _RECORDS, _REQUESTS]
    )
    db.executescript(f"BEGIN IMMEDIATE; {' '.join(steps)} PRAGMA user_version = {VERSION}; COMMIT;")


def waiting(db: Connection, lane: Lane) -> tuple[int, int]:
    """Returns the number of jobs in `lane` and their bytes, with delayed and claimed ones."""
    jobs, size = db.execute("SELECT jobs, bytes FROM waiting WHERE lane = ?", (lane,)).fetchone()
    return jobs, size


def touch(db: Connection) -> None:
    """Writes a few bytes, to find out if the disk takes them."""
    # Not `writes = writes`: SQLite skips a write that changes nothing.
    db.execute("UPDATE probe SET writes = writes + 1")


def insert(db: Connection, message: Message) -> None:
    """Adds `message` to its lane."""
    db.execute(
        "INSERT INTO jobs (message_id, lane, due, size, body) VALUES (?, ?, ?, ?, ?)",
        (message.message_id, message.lane, message.due, len(message.body), message.body),
    )


def claim(  # noqa: PLR0913 - what to take, and what not
    db: Connection, lane: Lane, limit: int, *, max_bytes: int, now: float, claimed: Iterable[int]
) -> list[Claimed]:
    """Takes due messages of `lane`, oldest first, and records a delivery of each.

    Takes up to `limit`, of at most `max_bytes` together. `claimed` are the rows of messages that consumers have: while
    there are none, it takes one of any size.
    """
    taken = set(claimed)
    seqs: list[int] = []
    for seq, size in db.execute(
        "SELECT seq, length(body) FROM jobs WHERE lane = ? AND due <= ? AND seq NOT IN (SELECT value FROM json_each(?))"
        " ORDER BY due, seq LIMIT ?",
        (lane, now, _json(taken), limit),
    ).fetchall():
        if size > max_bytes and (taken or seqs):
            break
        seqs.append(seq)
        max_bytes -= size
    return [_deliver(db, seq) for seq in seqs]


def claim_suspect(db: Connection, *, now: float, delivery_limit: int) -> Claimed:
    """Takes the due suspect with the fewest deliveries, and records a delivery. Call it only if one is due.

    A job that crashes its worker gets more deliveries each time, so all other suspects run before it.
    """
    (seq,) = db.execute(
        "SELECT seq FROM jobs WHERE deliveries >= 2 AND deliveries <= ? AND due <= ?"
        " ORDER BY deliveries, due, seq LIMIT 1",
        (delivery_limit, now),
    ).fetchone()
    return _deliver(db, seq)


def suspect_due(db: Connection, *, delivery_limit: int, claimed: Iterable[int]) -> float | None:
    """Returns when the next suspect is due, in Unix seconds; None if there is none.

    A suspect's next delivery is at least the third, and not one of a lost job, which is not parsed.
    """
    (due,) = db.execute(
        "SELECT min(due) FROM jobs WHERE deliveries >= 2 AND deliveries <= ?"
        " AND seq NOT IN (SELECT value FROM json_each(?))",
        (delivery_limit, _json(claimed)),
    ).fetchone()
    return None if due is None else float(due)


def holds_suspect(db: Connection, *, delivery_limit: int, claimed: Iterable[int]) -> bool:
    """Returns True if a claimed message is a suspect."""
    (found,) = db.execute(
        "SELECT count(*) FROM jobs WHERE seq IN (SELECT value FROM json_each(?)) AND deliveries BETWEEN 3 AND ?",
        (_json(claimed), delivery_limit + 1),
    ).fetchone()
    return bool(found)


def _deliver(db: Connection, seq: int) -> Claimed:
    (row,) = db.execute(
        "UPDATE jobs SET deliveries = deliveries + 1 WHERE seq = ? RETURNING message_id, lane, deliveries, body", (seq,)
    ).fetchall()
    message_id, lane, deliveries, body = row
    return Claimed(seq=seq, message_id=message_id, lane=Lane(lane), deliveries=deliveries, body=body)


def next_due(db: Connection, lane: Lane, *, claimed: Iterable[int]) -> float | None:
    """Returns when the next message of `lane` is due, in Unix seconds; None if there is none."""
    row = db.execute(
        "SELECT due FROM jobs WHERE lane = ? AND seq NOT IN (SELECT value FROM json_each(?)) ORDER BY due LIMIT 1",
        (lane, _json(claimed)),
    ).fetchone()
    return None if row is None else float(row[0])


def postpone(db: Connection, seq: int, due: float) -> None:
    """Makes a message wait until `due`."""
    db.execute("UPDATE jobs SET due = ? WHERE seq = ?", (due, seq))


def remove(db: Connection, seq: int) -> None:
    """Removes a settled message from its lane."""
    db.execute("DELETE FROM jobs WHERE seq = ?", (seq,))


def append(db: Connection, routing_key: str, body: bytes, *, keep: int) -> None:
    """Writes an event to the log, and drops the oldest beyond `keep`."""
    offset = db.execute("INSERT INTO events (routing_key, body) VALUES (?, ?)", (routing_key, body)).lastrowid or 0
    db.execute("DELETE FROM events WHERE seq <= ?", (offset - keep,))


def last_offset(db: Connection) -> int:
    """Returns the offset of the newest event, 0 if there is none."""
    (offset,) = db.execute("SELECT coalesce(max(seq), 0) FROM events").fetchone()
    return int(offset)


def oldest_offset(db: Connection) -> int:
    """Returns the offset of the oldest event that is kept, 1 if there never was one."""
    (offset,) = db.execute("SELECT coalesce(min(seq), 1) FROM events").fetchone()
    return int(offset)


def page(db: Connection, after: int, *, max_events: int = 100, max_bytes: int = 4_000_000) -> list[LogEntry]:
    """Returns the next events above offset `after`; at least one if there is one."""
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


def record(db: Connection, accepted: Accepted, *, keep: int) -> None:
    """Records that a run was accepted, and drops the oldest records beyond `keep`."""
    row = (accepted.id, accepted.lane, accepted.at, encode([accepted]))
    seq = db.execute("INSERT INTO accepted (run, lane, at, body) VALUES (?, ?, ?, ?)", row).lastrowid or 0
    db.execute("DELETE FROM accepted WHERE seq <= ?", (seq - keep,))


def close_batch(db: Connection, closed: BatchClosed, *, keep: int) -> None:
    """Records the end of a batch among the acceptances: such a row has no lane. Drops the oldest beyond `keep`."""
    row = (closed.closed_batch, _NO_LANE, closed.at, encode([closed]))
    seq = db.execute("INSERT INTO accepted (run, lane, at, body) VALUES (?, ?, ?, ?)", row).lastrowid or 0
    db.execute("DELETE FROM accepted WHERE seq <= ?", (seq - keep,))


def acceptances(db: Connection, after: int) -> Iterator[tuple[int, Accepted]]:
    """Yields the acceptances above row `after`, each with its row."""
    for seq, run, lane, at in db.execute(
        "SELECT seq, run, lane, at FROM accepted WHERE seq > ? AND lane <> ? ORDER BY seq", (after, _NO_LANE)
    ):
        yield seq, Accepted(id=run, lane=Lane(lane), at=at)


def in_flight(db: Connection) -> set[str]:
    """Returns the ids of all documents in the lanes, with delayed and claimed ones."""
    return {message_id for (message_id,) in db.execute("SELECT message_id FROM jobs") if message_id is not None}


def queues(db: Connection, now: float) -> dict[str, tuple[int, float]]:
    """Returns the depth of each lane, of all delayed jobs and of the dead letters, by the queue names of RabbitMQ.

    Each depth includes the seconds since its first message was due, 0 if none is. Jobs in progress count as due.
    """
    due = {lane_queue(lane): _due(db, lane, now) for lane in Lane}
    (jobs,) = db.execute("SELECT sum(jobs) FROM waiting").fetchone()
    (dead,) = db.execute("SELECT count(*) FROM dead").fetchone()
    delayed = jobs - sum(count for count, _ in due.values())
    return {**due, DELAYED: (delayed, 0.0), DEAD: (dead, 0.0)}


def _due(db: Connection, lane: Lane, now: float) -> tuple[int, float]:
    row = db.execute("SELECT count(*), min(due) FROM jobs WHERE lane = ? AND due <= ?", (lane, now)).fetchone()
    return row[0], now - row[1] if row[0] else 0.0


def _json(seqs: Iterable[int]) -> str:
    return orjson.dumps(list(seqs)).decode()
