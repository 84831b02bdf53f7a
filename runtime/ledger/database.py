"""Opens a database, and translates its errors."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import asyncpg
from sqlalchemy import URL, event, func, make_url, select
from sqlalchemy.exc import DisconnectionError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from contract.ledger import LedgerUnavailable

_DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg", "postgres": "postgresql+asyncpg"}
_SQLITE = "sqlite:///"
_FILE = "copydesk_file"  # key in the pool's record of a connection
_CONNECT_TIMEOUT_S = 5.0  # chosen: as long as a look-up may take; a database that works answers in milliseconds
_BUSY_TIMEOUT_S = 5.0  # chosen: SQLite has one writer at a time, and a transaction of the recorder takes about 0.1 s
_ANSWER_TIMEOUT_S = 30.0  # for one statement on PostgreSQL; chosen: far longer than any statement here takes
_READERS = 5  # connections; chosen: few look-ups run at once, each for milliseconds
_MORE = 10  # connections for a burst; chosen: closed after it
_STATES_WITH_VALUES = ("22", "23", "42")  # data, constraints, syntax: PostgreSQL's errcodes, appendix A
_MAX_MESSAGE_CHARS = 200  # of a database's error message; chosen: fits into a log line

# Errors that only a person can remove, with the remedy. Others pass: a server is away, starts, is full or a standby.
_DAMAGED = "the file is no SQLite database, or damaged: name another one, or delete it and run copydesk ledger upgrade"
_NOT_OPEN = "the file is not there, or may not be read: run copydesk ledger upgrade, or change its owner or mode"
_READ_ONLY = "the file or its folder may not be written: change their owner or mode"
_SQLITE_REMEDIES = {  # by primary result code: https://sqlite.org/rescode.html
    sqlite3.SQLITE_NOTADB: _DAMAGED,
    sqlite3.SQLITE_CORRUPT: _DAMAGED,
    sqlite3.SQLITE_CANTOPEN: _NOT_OPEN,
    sqlite3.SQLITE_PERM: _READ_ONLY,
    sqlite3.SQLITE_READONLY: _READ_ONLY,
}
_POSTGRES_REMEDIES = {  # by what an SQLSTATE begins with: PostgreSQL's errcodes, appendix A
    "28": "PostgreSQL refuses the user or the password: correct them in COPYDESK_LEDGER_URL",
    "3D": "there is no such database: make it with createdb, then run copydesk ledger upgrade",
    "42501": "the user may not use the tables: make it their owner",
}
_PRIMARY = 0xFF  # an extended result code of SQLite has more bits
_LINE_END = "\n"
_PRAGMAS = (
    "journal_mode = WAL",
    "synchronous = NORMAL",  # a power cut may undo the last transactions with their offsets: they are recorded again
    "journal_size_limit = 64000000",
    "temp_store = MEMORY",
    "secure_delete = ON",  # what is erased is overwritten
)
# As with SQLite, a crash may undo the last transactions. The memory speeds up the sorting of words into the index.
_WRITER = {"synchronous_commit": "off", "work_mem": "64MB"}
_WRITER_CACHE = "cache_size = -65536"  # KiB; chosen: holds the indexes of about a million rows


class LedgerUnusable(LedgerUnavailable):
    """The database cannot be used until a person repairs it. The message says what to do, and ends with `cause`."""

    def __init__(self, remedy: str, cause: str) -> None:
        super().__init__(f"{remedy} ({cause})")
        self.cause = cause


def ledger_url(text: str) -> URL:
    """Returns `sqlite:///PATH` or `postgresql://…` as a URL that names the driver.

    Args:
        text: from settings, which checked it; the path of the embedded broker's own file may hold any character.
    """
    if text.startswith(_SQLITE):
        return URL.create(_DRIVERS["sqlite"], database=text.removeprefix(_SQLITE))
    url = make_url(text)
    query = {"ssl" if name == "sslmode" else name: value for name, value in url.query.items()}  # asyncpg's name for it
    return url.set(drivername=_DRIVERS[url.drivername.lower()], query=query)


def open_engine(url: URL, *, writes: bool = False, makes: bool = False, most: int | None = None) -> AsyncEngine:
    """Returns an engine that connects at first use. With `writes`, a transaction locks the database from its start.

    `writes` and `makes` matter only for SQLite. Two transactions that first read and then write would make each other
    fail. Only with `makes` is a missing file created: after an operator deletes the file, no empty one must answer.
    `most` bounds the connections.
    """
    if url.drivername.startswith("sqlite"):
        return _sqlite(url, writes=writes, makes=makes, most=most or _READERS)
    return create_async_engine(
        url,
        pool_size=most or _READERS,
        max_overflow=_MORE if most is None else 0,
        pool_timeout=_CONNECT_TIMEOUT_S,
        pool_pre_ping=True,
        hide_parameters=True,
        connect_args={
            "timeout": _CONNECT_TIMEOUT_S,
            "command_timeout": _ANSWER_TIMEOUT_S,
            "server_settings": _WRITER if writes else {},
        },
    )


async def now_of(engine: AsyncEngine) -> datetime:
    """Returns the time of the database's clock.

    Raises:
        LedgerUnavailable: the database cannot be asked.
    """
    with translated():
        async with engine.connect() as connection:
            if connection.dialect.name == "sqlite":
                return datetime.now(UTC)  # a file has no clock of its own
            found: datetime = (await connection.execute(select(func.clock_timestamp()))).scalar_one()
            return found


def _sqlite(url: URL, *, writes: bool, makes: bool, most: int) -> AsyncEngine:
    path = str(url.database)
    by_uri = {"uri": "true", "mode": "rwc" if makes else "rw"}  # https://sqlite.org/uri.html
    engine = create_async_engine(
        url.set(database=f"file:{quote(path)}", query=by_uri),
        pool_size=1 if writes else most,
        max_overflow=0,
        pool_timeout=_CONNECT_TIMEOUT_S,
        hide_parameters=True,
        connect_args={"timeout": _BUSY_TIMEOUT_S},
    )

    @event.listens_for(engine.sync_engine, "connect")
    def set_up(connection: Any, record: Any) -> None:  # noqa: ANN401 - SQLAlchemy's wrapper of aiosqlite's connection
        record.info[_FILE] = _file_at(path)
        connection.isolation_level = None  # transactions are begun here, not by the module
        cursor = connection.cursor()
        for pragma in (*_PRAGMAS, *([_WRITER_CACHE] if writes else [])):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "checkout")
    def look(_: object, record: Any, __: object) -> None:  # noqa: ANN401 - as above
        if record.info[_FILE] != _file_at(path):
            raise DisconnectionError  # makes the pool connect again, to the new file

    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: Any) -> None:  # noqa: ANN401 - as above
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _file_at(path: str) -> tuple[int, int] | None:
    """Returns the identity of this file, which differs if the file is recreated, or None if there is no file."""
    try:
        found = os.stat(path)  # noqa: PTH116 - at each question, and pathlib takes three times as long
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


@contextmanager
def translated() -> Iterator[None]:
    """Turns errors of a database into `LedgerUnavailable`, or `LedgerUnusable` if they need a person.

    The message holds neither values nor the URL.
    """
    try:
        yield
    except SQLAlchemyError as error:
        raise _translation(getattr(error, "orig", None) or error) from error
    except (OSError, TimeoutError, sqlite3.Error, asyncpg.PostgresError) as error:
        raise _translation(error) from error
    except asyncpg.InterfaceError as error:
        raise LedgerUnavailable(type(error).__name__) from error


def _translation(error: BaseException) -> LedgerUnavailable:
    remedy = _remedy(error)
    return LedgerUnavailable(_description(error)) if remedy is None else LedgerUnusable(remedy, _description(error))


def _remedy(error: BaseException) -> str | None:
    """Returns the remedy for an error that only a person can remove, None for others."""
    if (code := getattr(error, "sqlite_errorcode", None)) is not None:
        return _SQLITE_REMEDIES.get(code & _PRIMARY)
    state = str(getattr(error, "sqlstate", None) or "")
    return next((remedy for begin, remedy in _POSTGRES_REMEDIES.items() if state.startswith(begin)), None)


def _description(error: BaseException) -> str:
    """Returns the kind of the error, with the database's own message if it repeats no values."""
    state = str(getattr(error, "sqlstate", None) or "")
    repeats_values = (
        state.startswith(_STATES_WITH_VALUES)
        or getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_ERROR  # a fault in the statement
        or isinstance(error.__cause__, asyncpg.InterfaceError)  # as "invalid input for query argument $1: .."
    )
    kind = type(error).__name__
    if repeats_values:
        return f"{kind} {state}".rstrip()
    return f"{kind}: {str(error).partition(_LINE_END)[0][:_MAX_MESSAGE_CHARS]}"
