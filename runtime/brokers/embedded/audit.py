"""Updates the audit's books from the embedded broker's file: read only, while another process may run on it."""

import asyncio
import hashlib
import sqlite3
import time
from contextlib import closing
from pathlib import Path

from contract.broker import BrokerUnavailable, UnknownOffset
from contract.job import Lane
from contract.streams import Stream
from contract.topology import DELAYED, lane_queue
from runtime.audit import Books, QueueSnapshot
from runtime.brokers.embedded import tables
from runtime.brokers.embedded.streams import last

_BUSY_TIMEOUT_S = 5.0  # Python's default for sqlite3.connect: longer than any transaction of the broker


class EmbeddedAudit:
    """Implements `runtime.auditor.AuditSource` on the file at `path`. It reads the file in one transaction.

    The file is recognised by the last entries that were read: the folder may be replaced between two calls.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._accepted = 0
        self._last_run = ""
        self._logged = 0
        self._last_event = b""  # its digest

    async def update(self, books: Books) -> QueueSnapshot:
        """Reads what is new into `books` and returns what the queues hold.

        Raises:
            UnknownOffset: retention removed entries that were not read yet, or this is another file than before: start
                with empty books.
            BrokerUnavailable: the file is not there, or cannot be read.
        """
        return await asyncio.to_thread(self._update, books)

    def _update(self, books: Books) -> QueueSnapshot:
        try:
            with closing(
                sqlite3.connect(f"{self._path.absolute().as_uri()}?mode=ro", uri=True, timeout=_BUSY_TIMEOUT_S)
            ) as db:
                db.execute("BEGIN")
                self._recognise(db)
                self._read_accepted(db, books)
                self._read_log(db, books)
                return _snapshot(db)
        except sqlite3.Error as error:
            raise BrokerUnavailable(f"cannot read {self._path}: {error}") from None

    def _recognise(self, db: sqlite3.Connection) -> None:
        """Compares what was last read with what stands there now, unless retention removed it since.

        Raises:
            UnknownOffset: it is not the same.
        """
        seq, record = next(tables.acceptances(db, self._accepted - 1), (0, None))
        if seq < self._accepted or (seq == self._accepted and record is not None and record.id != self._last_run):
            raise UnknownOffset("the acceptances are those of another data folder")
        offset, body = next(((it.offset, it.body) for it in tables.page(db, self._logged - 1, max_events=1)), (0, b""))
        if offset < self._logged or (offset == self._logged and offset and _digest(body) != self._last_event):
            raise UnknownOffset("the log is that of another data folder")

    def _read_accepted(self, db: sqlite3.Connection, books: Books) -> None:
        for seq, record in tables.acceptances(db, self._accepted):
            books.accept(record)
            self._accepted, self._last_run = seq, record.id

    def _read_log(self, db: sqlite3.Connection, books: Books) -> None:
        while entries := tables.page(db, self._logged):
            first = entries[0]
            if first.offset > self._logged + 1:
                if self._logged:
                    raise UnknownOffset(f"the log begins at {first.offset}, after {self._logged + 1}")
                books.begin_log()
            for entry in entries:
                books.decide(entry.body)
            self._logged, self._last_event = entries[-1].offset, _digest(entries[-1].body)


def _digest(body: bytes) -> bytes:
    return hashlib.sha256(body).digest()


def last_offsets(path: Path) -> dict[Stream, int]:
    """Returns the offset of the newest entry of each record in the file at `path`, even if it was dropped since.

    Raises:
        BrokerUnavailable: the file cannot be read.
    """
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as db:
            return {stream: last(db, stream) for stream in Stream}
    except sqlite3.Error as error:
        raise BrokerUnavailable(f"cannot read {path}: {error}") from None


def _snapshot(db: sqlite3.Connection) -> QueueSnapshot:
    queues = {name: count for name, (count, _) in tables.queues(db, time.time()).items()}
    lanes = {lane: queues[lane_queue(lane)] for lane in Lane}
    return QueueSnapshot(queues=queues, lanes=lanes, elsewhere=queues[DELAYED], documents=tables.in_flight(db))
