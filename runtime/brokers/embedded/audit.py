"""Brings the books up to date with the embedded broker's file: read only, beside the process that runs on it."""

import asyncio
import sqlite3
import time
from contextlib import closing
from pathlib import Path

from contract.broker import BrokerUnavailable, UnknownOffset
from contract.job import Lane
from contract.topology import DELAYED, lane_queue
from runtime.audit import Books, Held
from runtime.brokers.embedded import tables

_BUSY_TIMEOUT_S = 5.0


class EmbeddedAudit:
    """Implements `runtime.auditor.Source` on the file at `path`. What it reads is one state of the file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._accepted = 0
        self._logged = 0

    async def look(self, books: Books) -> Held:
        """Takes down what is new, and returns what the queues hold.

        Raises:
            UnknownOffset: retention took entries that were not read yet: begin anew.
            BrokerUnavailable: the file is not there, or cannot be read.
        """
        return await asyncio.to_thread(self._look, books)

    def _look(self, books: Books) -> Held:
        try:
            with closing(
                sqlite3.connect(f"{self._path.absolute().as_uri()}?mode=ro", uri=True, timeout=_BUSY_TIMEOUT_S)
            ) as db:
                db.execute("BEGIN")
                self._read_accepted(db, books)
                self._read_log(db, books)
                return _held(db)
        except sqlite3.Error as error:
            raise BrokerUnavailable(f"cannot read {self._path}: {error}") from None

    def _read_accepted(self, db: sqlite3.Connection, books: Books) -> None:
        for seq, record in tables.acceptances(db, self._accepted):
            books.accept(record)
            self._accepted = seq

    def _read_log(self, db: sqlite3.Connection, books: Books) -> None:
        while entries := tables.page(db, self._logged):
            first = entries[0]
            if first.offset > self._logged + 1:
                if self._logged:
                    raise UnknownOffset(f"the log begins at {first.offset}, after {self._logged + 1}")
                books.begin_log(first.body)
            for entry in entries:
                books.decide(entry.body)
            self._logged = entries[-1].offset


def _held(db: sqlite3.Connection) -> Held:
    queues = {name: count for name, (count, _) in tables.queues(db, time.time()).items()}
    lanes = {lane: queues[lane_queue(lane)] for lane in Lane}
    return Held(queues=queues, lanes=lanes, elsewhere=queues[DELAYED], documents=tables.in_flight(db))
