"""Copies the tables of PostgreSQL out and in (COPY), and moves places in the records: for backups.

SQLite's file is copied as a whole: `runtime.backup.sqlite`.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final, Protocol

import asyncpg
from sqlalchemy import URL, Column, Table, delete, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from contract.streams import Stream
from runtime.compressed import reading, writing
from runtime.ledger import schema
from runtime.ledger.database import open_engine, translated
from runtime.ledger.tables import consumers, deliveries, metadata, places, recorder, replays, webhooks

_COPY_TIMEOUT_S = 6 * 3600.0  # for one table; chosen: far longer than 40 GB take
_PIECE_BYTES = 1_000_000  # chosen: few enough calls, and little memory
_NOT_EMPTY_AT_FIRST = recorder.name  # a new ledger has one row
_SNAPSHOT: Final = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
_COLUMNS: Final = (
    "SELECT column_name FROM information_schema.columns"
    " WHERE table_schema = current_schema() AND table_name = $1 ORDER BY ordinal_position"
)
_TABLES = (*metadata.tables, "words")

_LOG_PLACES: Final[Sequence[tuple[Table, Sequence[Column[Any]]]]] = (
    (consumers, (consumers.c.place,)),
    (webhooks, (webhooks.c.place,)),
    (replays, (replays.c.after, replays.c.until, replays.c.place)),
    (deliveries, (deliveries.c.log_offset,)),
)
"""The columns that hold offsets of the log."""


async def save(url: URL, file_of: Callable[[str], Path]) -> dict[str, Sequence[str]]:
    """Writes each table, as all are at one moment, to the file that `file_of` names, and returns their columns.

    Raises:
        StartError: the tables are of another version than this code needs.
        LedgerUnavailable: the database cannot be asked.
    """
    engine = open_engine(url)
    saved: dict[str, Sequence[str]] = {}
    try:
        await schema.check(engine)
        with translated():
            async with engine.connect() as connection, _driver(connection) as database:
                await database.execute(_SNAPSHOT)
                for table in _TABLES:
                    saved[table] = [row["column_name"] for row in await database.fetch(_COLUMNS, table)]
                    await _save(database, table, saved[table], file_of(table))
                await database.execute("COMMIT")
    finally:
        await engine.dispose()
    return saved


async def is_empty(url: URL, version: str) -> bool:
    """Returns True if there are no tables, or empty ones of this version.

    Raises:
        LedgerUnavailable: the database cannot be asked.
    """
    engine = open_engine(url)
    try:
        found = await schema.version_of(engine)
        if found is None:
            return True
        if found != version:
            return False
        with translated():
            async with engine.connect() as connection:
                for table in _TABLES:
                    there = text(f"SELECT 1 FROM {table} LIMIT 1")  # noqa: S608 - our own names
                    if table != _NOT_EMPTY_AT_FIRST and (await connection.execute(there)).first():
                        return False
    finally:
        await engine.dispose()
    return True


async def restore(url: URL, version: str, saved: Mapping[str, Sequence[str]], file_of: Callable[[str], Path]) -> None:
    """Makes the tables as they were at `version`, fills them in one transaction, and upgrades them.

    Raises:
        StartError: the tables are newer than this code.
        LedgerUnavailable: the database cannot be written.
    """
    await schema.upgrade(url, version)
    engine = open_engine(url, writes=True)
    try:
        with translated():
            async with engine.connect() as connection, _driver(connection) as database, database.transaction():
                await database.execute(f"DELETE FROM {recorder.name}")  # noqa: S608 - our own name
                for table, columns in saved.items():
                    await database.copy_to_table(
                        table, source=_pieces(file_of(table)), columns=list(columns), timeout=_COPY_TIMEOUT_S
                    )
    finally:
        await engine.dispose()
    await schema.upgrade(url)


class Moves(Protocol):
    """Says where the entries of one record stand now."""

    def has(self, saved: int) -> bool:
        """Returns True if the entry that had this offset is there."""

    def moved(self, saved: int) -> int:
        """Returns the offset that somebody stands at who had read up to this one."""


async def move(url: URL, moves: Mapping[Stream, Moves]) -> None:
    """Replaces every offset in the tables, and releases the recorder.

    A record whose last entry that was recorded is no longer there is read from its oldest entry on, once more.

    Raises:
        LedgerUnavailable: the database cannot be written.
    """
    engine = open_engine(url, writes=True)
    try:
        with translated():
            async with engine.begin() as connection:
                await connection.execute(update(recorder).values(holder=None, fence=recorder.c.fence + 1))
                for stream, to in moves.items():
                    await _move_recorder(connection, stream, to)
                if (in_log := moves.get(Stream.LOG)) is not None:
                    for table, columns in _LOG_PLACES:
                        await _move(connection, table, columns, in_log)
    finally:
        await engine.dispose()


async def _move_recorder(connection: AsyncConnection, stream: Stream, to: Moves) -> None:
    mine = places.c.stream == stream
    place = (await connection.execute(select(places.c.place).where(mine))).scalar()
    if place is not None and to.has(place):
        await connection.execute(update(places).where(mine).values(place=to.moved(place)))
    else:
        await connection.execute(delete(places).where(mine))


async def _move(connection: AsyncConnection, table: Table, columns: Sequence[Column[Any]], to: Moves) -> None:
    keys = list(table.primary_key.columns)
    for row in (await connection.execute(select(*keys, *columns))).mappings():
        stand = {column.name: row[column.name] for column in columns}
        moved = {name: to.moved(offset) for name, offset in stand.items() if offset is not None and offset >= 0}
        if moved:
            same = [key == row[key.name] for key in keys]
            await connection.execute(update(table).where(*same).values(moved))


@asynccontextmanager
async def _driver(connection: AsyncConnection) -> AsyncIterator["asyncpg.Connection[Any]"]:
    """Yields asyncpg's own connection: SQLAlchemy has no COPY."""
    raw = await connection.get_raw_connection()
    driver = raw.driver_connection
    if not isinstance(driver, asyncpg.Connection):
        raise TypeError(f"no connection to PostgreSQL: {type(driver)}")
    yield driver


async def _save(database: "asyncpg.Connection[Any]", table: str, columns: Sequence[str], path: Path) -> None:
    with writing(path) as file:

        async def write(piece: bytes) -> None:
            file.write(piece)

        await database.copy_from_table(table, columns=list(columns), output=write, timeout=_COPY_TIMEOUT_S)


async def _pieces(path: Path) -> AsyncIterator[bytes]:
    with reading(path) as file:
        while piece := file.read(_PIECE_BYTES):
            yield piece
