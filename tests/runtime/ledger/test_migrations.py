"""Each migration only adds: processes of the version before go on beside those of the next one (docs/upgrading.md)."""

from typing import Any

from sqlalchemy import URL, Connection, inspect

from runtime.ledger import schema
from runtime.ledger.database import open_engine

VERSIONS = [f"{number:04}" for number in range(1, int(schema.VERSION) + 1)]

Columns = dict[tuple[str, str], dict[str, Any]]


def columns_of(connection: Connection) -> Columns:
    """Returns every column by table and name."""
    found = inspect(connection)
    return {
        (table, column["name"]): {"type": str(column["type"]), "may_be_left_out": _may_be_left_out(column)}
        for table in found.get_table_names()
        for column in found.get_columns(table)
    }


def _may_be_left_out(column: Any) -> bool:  # noqa: ANN401 - a mapping of SQLAlchemy
    return bool(column["nullable"] or column["default"] is not None)


async def columns_at(url: URL, version: str) -> Columns:
    await schema.upgrade(url, version)
    engine = open_engine(url)
    try:
        async with engine.connect() as connection:
            return await connection.run_sync(columns_of)
    finally:
        await engine.dispose()


async def test_each_migration_only_adds(empty_url: URL) -> None:
    before = await columns_at(empty_url, VERSIONS[0])
    for version in VERSIONS[1:]:
        after = await columns_at(empty_url, version)
        assert before.items() <= after.items(), version
        tables = {table for table, _ in before}
        added = {key: column for key, column in after.items() if key not in before and key[0] in tables}
        assert all(column["may_be_left_out"] for column in added.values()), (version, added)
        before = after
