from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import URL, Connection, text
from sqlalchemy.ext.asyncio import AsyncEngine

from contract.ledger import LedgerUnavailable
from runtime.errors import StartError
from runtime.ledger import schema
from runtime.ledger.database import ledger_url, open_engine, translated
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


@pytest.mark.parametrize(
    ("given", "driver"),
    [("sqlite:///a.db", "sqlite+aiosqlite"), ("postgresql://u:p@h/d?sslmode=require", "postgresql+asyncpg")],
)
def test_a_url_names_no_driver(given: str, driver: str) -> None:
    url = ledger_url(given)
    assert url.drivername == driver
    assert url.query == ({"ssl": "require"} if "sslmode" in given else {})


async def test_the_own_file_may_lie_in_a_folder_of_any_name(tmp_path: Path) -> None:
    folder = tmp_path / "a ?b=1%20#é"
    folder.mkdir()
    await schema.upgrade(ledger_url(f"sqlite:///{folder / 'ledger.db'}"))
    assert (folder / "ledger.db").stat().st_size > 0


VALUE = "canary"
WRONG = {  # each makes its database repeat the value in its message
    "sqlite": [r"SELECT rowid FROM words WHERE words MATCH :value || '\:a'", "SELECT json_extract('{}', :value)"],
    "postgresql": ["SELECT CAST(CAST(:value AS text) AS integer)", "SELECT CAST('''' || :value AS tsvector)"],
}


@pytest.mark.parametrize("number", [0, 1, 2])
async def test_an_error_does_not_repeat_what_the_database_was_given(engine: AsyncEngine, number: int) -> None:
    statements = [*WRONG[engine.dialect.name], "SELECT 1 WHERE 1 = CAST(:value AS bigint) OR whim = 1"]
    with pytest.raises(LedgerUnavailable) as failure, translated():
        async with engine.connect() as connection:
            await connection.execute(text(statements[number]), {"value": VALUE})
    assert VALUE in str(failure.value.__cause__) or number == 2
    assert VALUE not in str(failure.value)


async def test_a_reader_creates_no_file(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    for writes in (False, True):
        engine = open_engine(ledger_url(f"sqlite:///{path}"), writes=writes)
        with pytest.raises(LedgerUnavailable, match="unable to open database file"):
            await schema.check(engine)
        await engine.dispose()
    assert not path.exists()


async def test_a_file_that_was_made_in_the_place_of_another_is_the_one_that_is_asked(tmp_path: Path) -> None:
    path, url = tmp_path / "ledger.db", ledger_url(f"sqlite:///{tmp_path / 'ledger.db'}")
    await schema.upgrade(url)
    engine = open_engine(url)
    await schema.check(engine)
    for name in ("ledger.db", "ledger.db-wal", "ledger.db-shm"):
        (tmp_path / name).unlink(missing_ok=True)
    with pytest.raises(LedgerUnavailable):
        await schema.check(engine)
    await schema.upgrade(url)
    await schema.check(engine)
    await engine.dispose()
    assert path.exists()
