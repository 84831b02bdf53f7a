"""Opens a database, and translates what goes wrong with it."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import asyncpg
from sqlalchemy import URL, event, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from contract.ledger import LedgerUnavailable
from runtime.errors import StartError

_DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg", "postgres": "postgresql+asyncpg"}
_CONNECT_TIMEOUT_S = 5.0
_BUSY_TIMEOUT_S = 5.0  # SQLite has one writer at a time; a transaction of ours takes some 0.1 s
_ANSWER_TIMEOUT_S = 30.0  # of PostgreSQL, a statement; longer than any of ours takes
_READERS = 5
_PRAGMAS = (
    "journal_mode = WAL",
    "synchronous = NORMAL",  # a power cut may undo the last transactions, their places with them: they are read again
    "journal_size_limit = 64000000",
    "temp_store = MEMORY",
)
# As with SQLite, a crash may undo the last transactions. The memory is for sorting words into the index.
_WRITER = {"synchronous_commit": "off", "work_mem": "64MB"}
_WRITER_CACHE = "cache_size = -65536"  # KiB: the indexes of some million rows


def ledger_url(text: str) -> URL:
    """Returns `sqlite:///PATH` or `postgresql://…` as a URL that names the driver.

    Raises:
        StartError: it is neither. The URL, which may hold a password, is not repeated.
    """
    try:
        url = make_url(text)
    except ArgumentError:
        raise StartError("COPYDESK_LEDGER_URL is no URL: use sqlite:///PATH or postgresql://…") from None
    if url.drivername not in _DRIVERS or (url.drivername == "sqlite" and not url.database):
        raise StartError("COPYDESK_LEDGER_URL must be sqlite:///PATH or postgresql://user:password@host/database")
    query = {"ssl" if name == "sslmode" else name: value for name, value in url.query.items()}  # asyncpg's own word
    return url.set(drivername=_DRIVERS[url.drivername], query=query)


def open_engine(url: URL, *, writes: bool = False) -> AsyncEngine:
    """Returns an engine that connects when it is first used. With `writes`, a transaction locks the database at once.

    Only SQLite makes a difference: two transactions that read first and write then would end one another.
    """
    if url.drivername.startswith("sqlite"):
        return _sqlite(url, writes=writes)
    return create_async_engine(
        url,
        pool_size=_READERS,
        pool_timeout=_CONNECT_TIMEOUT_S,
        pool_pre_ping=True,
        hide_parameters=True,
        connect_args={
            "timeout": _CONNECT_TIMEOUT_S,
            "command_timeout": _ANSWER_TIMEOUT_S,
            "server_settings": _WRITER if writes else {},
        },
    )


def _sqlite(url: URL, *, writes: bool) -> AsyncEngine:
    engine = create_async_engine(
        url,
        pool_size=1 if writes else _READERS,
        max_overflow=0,
        pool_timeout=_CONNECT_TIMEOUT_S,
        hide_parameters=True,
        connect_args={"timeout": _BUSY_TIMEOUT_S},
    )

    @event.listens_for(engine.sync_engine, "connect")
    def set_up(connection: Any, _: object) -> None:  # noqa: ANN401 - SQLAlchemy's wrapper of aiosqlite's connection
        connection.isolation_level = None  # transactions are begun here, not by the module
        cursor = connection.cursor()
        for pragma in (*_PRAGMAS, *([_WRITER_CACHE] if writes else [])):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: Any) -> None:  # noqa: ANN401 - as above
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


@contextmanager
def translated() -> Iterator[None]:
    """Turns what goes wrong with a database into `LedgerUnavailable`. Its message holds neither values nor the URL."""
    try:
        yield
    except SQLAlchemyError as error:
        cause = getattr(error, "orig", None) or error
        raise LedgerUnavailable(f"{type(cause).__name__}: {_told(cause)}") from error
    except (OSError, TimeoutError, sqlite3.Error, asyncpg.PostgresError) as error:
        raise LedgerUnavailable(f"{type(error).__name__}: {_told(error)}") from error
    except asyncpg.InterfaceError as error:
        raise LedgerUnavailable(type(error).__name__) from error


def _told(error: BaseException) -> str:
    return str(error).partition("\n")[0][:200]
