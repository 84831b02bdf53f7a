from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import URL, Connection, text
from sqlalchemy.ext.asyncio import AsyncEngine

from runtime.errors import StartError
from runtime.ledger import schema
from runtime.ledger.database import ledger_url, open_engine
from runtime.ledger.tables import metadata

VERSIONS = Path(schema.__file__).parent / "migrations" / "versions"


async def test_the_migrations_make_the_tables_that_the_code_knows(engine: AsyncEngine) -> None:
    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"include_name": _is_ours, "compare_type": True})
        return list(compare_metadata(context, metadata))

    async with engine.connect() as connection:
        assert await connection.run_sync(differences) == []


def _is_ours(name: str | None, kind: str, _: object) -> bool:
    return kind != "table" or not str(name).startswith("words")  # the index of words is each database's own


def test_the_version_is_the_newest_step() -> None:
    assert max(path.stem[1:5] for path in VERSIONS.glob("v*.py")) == schema.VERSION


async def test_upgrading_twice_changes_nothing(empty_url: URL) -> None:
    assert await schema.upgrade(empty_url) is None
    assert await schema.upgrade(empty_url) == schema.VERSION


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("UPDATE alembic_version SET version_num = '0000'", "of version 0000, not .*: run copydesk ledger upgrade"),
        ("UPDATE alembic_version SET version_num = '9999'", "of version 9999, newer than this Copydesk knows"),
        ("DROP TABLE alembic_version", "no tables: run copydesk ledger upgrade"),
    ],
)
async def test_other_tables_are_refused_in_one_line_that_says_what_to_do(
    engine: AsyncEngine, statement: str, message: str
) -> None:
    await schema.check(engine)
    async with engine.begin() as connection:
        await connection.execute(text(statement))
    with pytest.raises(StartError, match=message):
        await schema.check(engine)


async def test_a_newer_database_is_not_touched(url: URL) -> None:
    engine = open_engine(url, writes=True)
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    await engine.dispose()
    for change in (schema.upgrade, schema.rebuild):
        with pytest.raises(StartError, match="newer"):
            await change(url)


@pytest.mark.parametrize("given", ["", "nonsense", "mysql://a:canary@b/c", "sqlite://", "http://a:canary@b"])
def test_other_urls_are_refused_without_repeating_them(given: str) -> None:
    with pytest.raises(StartError, match="COPYDESK_LEDGER_URL") as refusal:
        ledger_url(given)
    assert "canary" not in str(refusal.value)


@pytest.mark.parametrize(
    ("given", "driver"),
    [("sqlite:///a.db", "sqlite+aiosqlite"), ("postgresql://u:p@h/d?sslmode=require", "postgresql+asyncpg")],
)
def test_a_url_names_no_driver(given: str, driver: str) -> None:
    url = ledger_url(given)
    assert url.drivername == driver
    assert url.query == ({"ssl": "require"} if "sslmode" in given else {})
