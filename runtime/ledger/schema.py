"""Checks, creates, upgrades and empties the tables of a database."""

from pathlib import Path
from typing import Final

from sqlalchemy import URL, Connection, delete, false, inspect, text, update
from sqlalchemy.ext.asyncio import AsyncEngine

from runtime.errors import StartError
from runtime.ledger import search, tables
from runtime.ledger.database import open_engine, translated

VERSION: Final = "0011"  # of the tables that this code needs: the newest in `migrations/versions`

_MIGRATIONS = Path(__file__).parent / "migrations"


async def check(engine: AsyncEngine) -> None:
    """Checks that the tables have the version that this code needs.

    Raises:
        StartError: they are older, newer, or missing.
        LedgerUnavailable: the database cannot be asked.
    """
    found = await version_of(engine)
    if found == VERSION:
        return
    if found is None:
        raise StartError("the ledger's database has no tables: run copydesk ledger upgrade")
    if found < VERSION:
        raise StartError(f"the ledger's tables are of version {found}, not {VERSION}: run copydesk ledger upgrade")
    raise StartError(f"the ledger's tables are of version {found}, newer than this Copydesk knows: start a newer one")


async def check_writable(engine: AsyncEngine) -> None:
    """Checks that this user may write; writes nothing.

    Raises:
        LedgerUnavailable: the database cannot be written, or not be asked.
    """
    with translated():
        async with engine.begin() as connection:
            await connection.execute(update(tables.recorder).where(false()).values(beat=0))


async def version_of(engine: AsyncEngine) -> str | None:
    """Returns the version of the tables, None if there are none.

    Raises:
        LedgerUnavailable: the database cannot be asked.
    """
    with translated():
        async with engine.connect() as connection:
            return await connection.run_sync(_version)


async def upgrade(url: URL, to: str = VERSION) -> str | None:
    """Creates or upgrades the tables in one transaction. Returns the version before, None if there were no tables.

    `to` is their version then: that of the tables of a backup, for one.

    Raises:
        StartError: the tables are newer than this code.
        LedgerUnavailable: the database cannot be changed.
    """
    engine = open_engine(url, writes=True, makes=True)
    try:
        before = await version_of(engine)
        if before is not None and before > VERSION:
            await check(engine)
        if before != to:
            with translated():
                async with engine.begin() as connection:
                    await connection.run_sync(_upgrade, to)
    finally:
        await engine.dispose()
    return before


async def rebuild(url: URL) -> None:
    """Empties the ledger at `url`; see `clear`.

    Raises:
        StartError: its tables are of another version.
        LedgerUnavailable: the database cannot be changed.
    """
    engine = open_engine(url, writes=True)
    try:
        await check(engine)
        await clear(engine)
    finally:
        await engine.dispose()


async def clear(engine: AsyncEngine) -> None:
    """Deletes all that is derived, and the recorder's offsets. Keys, consumers, webhooks and callbacks stay.

    A running recorder starts again with the oldest entries.

    Raises:
        LedgerUnavailable: the database cannot be changed.
    """
    with translated():
        async with engine.begin() as connection:
            fenced = tables.recorder.c.fence + 1
            sums = {"row_count": 0, "event_bytes": 0, "recorded_ms": None}
            await connection.execute(update(tables.recorder).values(fence=fenced, holder=None, **sums))
            for table in (tables.places, *tables.OF_DOCUMENTS, tables.batches, tables.erased, tables.reruns):
                await connection.execute(delete(table))
            await connection.execute(text(search.clear(connection.dialect.name)))


def _version(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
    return found


def _upgrade(connection: Connection, to: str) -> None:
    from alembic import command  # noqa: PLC0415 - loads slowly, and is needed only to create or upgrade tables
    from alembic.config import Config  # noqa: PLC0415 - as above

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, to)
