"""One SQLite file behind one thread. Writes that many tasks request at once share one commit; reads follow it."""

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any, TypeVar

from contract.broker import BrokerUnavailable
from runtime.brokers.embedded import tables
from runtime.brokers.embedded.disk import DiskRefused, DiskWatch, translated

T = TypeVar("T")
Operation = Callable[[sqlite3.Connection], T]

_MAX_BATCH = 256  # operations; chosen: limits how long the first of a batch waits for the last
_PRAGMAS = (
    "journal_mode = WAL",
    "synchronous = FULL",  # a commit is on the disk when it returns
    "fullfsync = ON",  # macOS: fsync alone stops at the drive's cache
    "journal_size_limit = 64000000",
    "secure_delete = ON",  # Debian's default: what is dropped is overwritten, also where the default is another one
)


class Store:
    """The file, open between `open` and `close`. Operations run in the order in which they were requested."""

    def __init__(self, path: Path, watch: DiskWatch) -> None:
        self._path = path
        self._watch = watch
        self._queue: SimpleQueue[_Work | None] = SimpleQueue()
        self._thread = Thread(target=self._serve, name="copydesk-store", daemon=True)
        self._open = False

    async def open(self) -> None:
        """Opens the file and creates missing tables. A store is opened once.

        Raises:
            BrokerUnavailable: it cannot be opened, or another program or version wrote it.
        """
        self._thread.start()
        self._open = True
        try:
            await self.run(tables.touch)
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Commits all requested operations and closes the file. A second call does nothing."""
        if self._open:
            self._open = False
            self._queue.put(None)
            await asyncio.to_thread(self._thread.join)

    async def run(self, operation: Operation[T], *, committed: Callable[[], None] | None = None) -> T:
        """Runs `operation` in the thread, and returns its result when it is on the disk.

        An operation that raises changes nothing. Cancelling the call does not stop the operation.

        Args:
            operation: what to do with the connection, inside a transaction that others share.
            committed: called in the event loop after the commit, also if the caller was cancelled.

        Raises:
            DiskRefused: the disk takes no writes now.
            BrokerUnavailable: the database failed, or is closed.
        """
        result: T = await self._done(_Work(operation, committed, asyncio.get_running_loop().create_future()))
        return result

    async def read(self, operation: Operation[T]) -> T:
        """Runs `operation`, which changes nothing, and returns its result. It sees what is on the disk, and no more.

        A disk that refuses writes does not concern it.

        Raises:
            BrokerUnavailable: the database failed, or is closed.
        """
        result: T = await self._done(_Work(operation, None, asyncio.get_running_loop().create_future(), reads=True))
        return result

    async def _done(self, work: "_Work") -> Any:  # noqa: ANN401 - what the operation returns
        if not self._open:
            raise BrokerUnavailable("the embedded broker is closed")
        self._queue.put(work)
        return await work.future

    # in the thread

    def _serve(self) -> None:
        try:
            db = _connect(self._path)
        except sqlite3.Error as error:
            self._refuse(BrokerUnavailable(f"cannot use {self._path}: {error}"))
            return
        with closing(db):
            while batch := self._next_batch():
                writes = [work for work in batch if not work.reads]
                if writes:
                    before = db.total_changes
                    failure = _commit(db, writes)
                    self._hand_back(writes, failure, wrote=db.total_changes > before)
                reads = [work for work in batch if work.reads]
                if reads:
                    _look(db, reads)
                    self._hand_back(reads, None, wrote=False)

    def _refuse(self, failure: BrokerUnavailable) -> None:
        while batch := self._next_batch():
            self._hand_back(batch, failure, wrote=False)

    def _hand_back(self, batch: "list[_Work]", failure: BrokerUnavailable | None, *, wrote: bool) -> None:
        batch[0].future.get_loop().call_soon_threadsafe(self._resolve, batch, failure, wrote)

    def _next_batch(self) -> "list[_Work]":
        """Waits for work and returns all there is; an empty list when the store is closed."""
        batch = []
        work = self._queue.get()
        while work is not None:
            batch.append(work)
            if len(batch) == _MAX_BATCH:
                return batch
            try:
                work = self._queue.get_nowait()
            except Empty:
                return batch
        if batch:
            self._queue.put(None)  # the end comes after this batch
        return batch

    # in the event loop

    def _resolve(self, batch: "list[_Work]", failure: BrokerUnavailable | None, wrote: bool) -> None:
        if isinstance(failure, DiskRefused):
            self._watch.refused(failure)
        elif failure is None and wrote:
            self._watch.wrote()
        for work in batch:
            work.error = failure or work.error
            work.resolve()


@dataclass(slots=True)
class _Work:
    """An operation, and its result or error."""

    operation: Operation[Any]
    committed: Callable[[], None] | None
    future: asyncio.Future[Any]
    reads: bool = False
    result: Any = None
    error: Exception | None = None

    def resolve(self) -> None:
        if self.error is None and self.committed is not None:
            self.committed()
        if self.future.done():
            return  # its caller was cancelled
        if self.error is None:
            self.future.set_result(self.result)
        else:
            self.future.set_exception(self.error)


def _connect(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, isolation_level=None)  # this code starts and ends transactions, not the module
    try:
        for pragma in _PRAGMAS:
            db.execute(f"PRAGMA {pragma}")
        tables.create(db)
    except sqlite3.Error:
        db.close()
        raise
    return db


def _commit(db: sqlite3.Connection, batch: list[_Work]) -> BrokerUnavailable | None:
    """Runs `batch` in one transaction. Returns None if it is on the disk, else the error: nothing was written."""
    try:
        db.execute("BEGIN IMMEDIATE")
        for work in batch:
            _attempt(db, work)
        db.execute("COMMIT")
    except sqlite3.Error as error:
        with suppress(sqlite3.Error):  # the database may have rolled back already
            db.execute("ROLLBACK")
        return translated(error)
    return None


def _look(db: sqlite3.Connection, batch: list[_Work]) -> None:
    """Runs operations that only read, outside any transaction, so that they see only committed data."""
    for work in batch:
        try:
            work.result = work.operation(db)
        except sqlite3.Error as error:
            work.error = translated(error)
        except Exception as error:  # noqa: BLE001 - it is raised again where the operation was asked for
            work.error = error


def _attempt(db: sqlite3.Connection, work: _Work) -> None:
    """Runs one operation of a batch. Its own error ends only this one; an error of the database ends the batch."""
    db.execute("SAVEPOINT work")
    try:
        work.result = work.operation(db)
    except sqlite3.Error:
        raise
    except Exception as error:  # noqa: BLE001 - it is raised again where the operation was asked for
        db.execute("ROLLBACK TO work")
        work.error = error
    db.execute("RELEASE work")
