"""The rows of dead letters, and the statements that are run on them, inside a transaction of the store."""

from dataclasses import dataclass
from datetime import UTC, datetime
from sqlite3 import Connection

from contract.dead import Burial


@dataclass(frozen=True, slots=True)
class Buried:
    """A dead letter and its row."""

    seq: int
    body: bytes
    burial: Burial


def bury(db: Connection, body: bytes, burial: Burial) -> None:
    """Adds a message to the dead letters."""
    db.execute(
        "INSERT INTO dead (message_id, event_id, reason, cause, at, body) VALUES (?, ?, ?, ?, ?, ?)",
        (burial.message_id, burial.event_id, burial.reason, burial.cause, burial.at.timestamp(), body),
    )


def last_buried(db: Connection) -> int:
    """Returns the number of the row that was buried last, 0 if there is none."""
    (seq,) = db.execute("SELECT coalesce(max(seq), 0) FROM dead").fetchone()
    return int(seq)


def page(db: Connection, after: int, until: int, *, max_letters: int, max_bytes: int = 4_000_000) -> list[Buried]:
    """Returns the next dead letters above row `after`, up to row `until`; at least one if there is one."""
    letters: list[Buried] = []
    rows = db.execute(
        "SELECT seq, body, message_id, event_id, reason, cause, at FROM dead WHERE seq > ? AND seq <= ?"
        " ORDER BY seq LIMIT ?",
        (after, until, max_letters),
    )
    for seq, body, *noted, at in rows:
        letters.append(Buried(seq, body, _burial(*noted, at=datetime.fromtimestamp(at, UTC))))
        max_bytes -= len(body)
        if max_bytes <= 0:
            break
    rows.close()
    return letters


def _burial(message_id: str | None, event_id: str | None, reason: str | None, cause: str, *, at: datetime) -> Burial:
    return Burial(message_id=message_id, event_id=event_id, reason=reason, cause=cause, at=at)


def exhume(db: Connection, seq: int) -> bool:
    """Removes a dead letter. Returns True if it was there."""
    return db.execute("DELETE FROM dead WHERE seq = ?", (seq,)).rowcount == 1
