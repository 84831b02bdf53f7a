"""A document that is erased is gone from every table, and stays away."""

import random
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from itertools import permutations
from pathlib import Path

import pytest
from sqlalchemy import URL, text
from sqlalchemy.ext.asyncio import AsyncEngine

from contract.job import Job
from contract.ledger import DocumentFilter
from contract.search import parse_query
from contract.streams import Stream
from runtime.ledger import schema
from runtime.ledger.queries import SqlLedger
from runtime.ledger.retention import RetentionLimits
from tests.brokers import samples
from tests.runtime.ledger.records import QUICK, Records, contents, failed, next_run, record_all, recording, until

SECRET = "zweihundertmetertief"
Step = Callable[[Records, Job], object]


def secret_job() -> Job:
    return replace(
        samples.job(content=f"Grüße, {SECRET}. " * 20),
        labels={"about": SECRET},
        url=f"https://example.com/{SECRET}",
        keep_input=True,
    )


def others(records: Records, count: int = 30) -> None:
    """Writes documents whose words share segments of the index with those of the others."""
    draw = random.Random(1)  # noqa: S311 - words to fill an index
    for job in samples.jobs(count):
        records.accept(job)
        words = " ".join(f"word{draw.randrange(2000)}" for _ in range(200))
        records.decide(samples.processed(replace(job, content=words)))


async def held(engine: AsyncEngine, word: str) -> list[str]:
    """Returns the tables that hold `word` in any column of any row."""
    sqlite = engine.dialect.name == "sqlite"
    listed = (
        "SELECT name FROM sqlite_master WHERE type = 'table'"
        if sqlite
        else ("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    )
    found = []
    async with engine.connect() as connection:
        for (table,) in (await connection.execute(text(listed))).all():
            rows = (await connection.execute(text(f'SELECT * FROM "{table}"'))).all()  # noqa: S608 - our own tables
            if any(word in _readable(value) for row in rows for value in row):
                found.append(table)
    return sorted(found)


def _readable(value: object) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def segments(url: URL) -> bool:
    """Returns True if SQLite's index still holds the word, marked as deleted or not."""
    with closing(sqlite3.connect(str(url.database))) as db:
        return any(SECRET.encode() in block for (block,) in db.execute("SELECT block FROM words_data"))


def in_file(url: URL) -> bool:
    """Returns True if the word is anywhere in SQLite's file."""
    return SECRET.encode() in Path(str(url.database)).read_bytes()


async def test_an_erased_document_is_in_no_table_any_more(engine: AsyncEngine, url: URL) -> None:
    records, job = Records(), secret_job()
    others(records)
    records.accept(job)
    records.decide(samples.processed(job))
    ledger = SqlLedger(engine)
    async with recording(records, engine):
        await until(lambda: _has_runs(ledger, job, decided=1, runs=1))
        assert [run.document_id for run in (await ledger.page(_search(SECRET), limit=5, after=None)).runs] == [job.id]
        records.accept(next_run(job))
        await until(lambda: _has_runs(ledger, job, decided=1, runs=2))
        before = await contents(engine)
        assert (await ledger.input(job.id, 1)) is not None
        records.erase(job)
        await until(lambda: _is_erased(ledger, job))
        assert await ledger.runs(job.id) == []
        assert await ledger.event(job.id, 1) is None
        assert await ledger.input(job.id, 1) is None
        assert (await ledger.page(_search(SECRET), limit=5, after=None)).runs == []
        if engine.dialect.name == "sqlite":
            await until(lambda: _holds(not segments(url)))
        assert await held(engine, SECRET) == []
    after = await contents(engine)
    assert after == {key: row for key, row in before.items() if key[0] != job.id}
    erased = await ledger.erased(job.id)
    assert erased is not None
    assert erased.owner == job.owner


@pytest.mark.parametrize("kind", ["sqlite"])  # PostgreSQL overwrites when it vacuums
async def test_nothing_of_it_is_in_the_file_when_that_is_written_down(engine: AsyncEngine, url: URL) -> None:
    """SQLite overwrites freed pages. The write-ahead log goes when the file is closed."""
    records, job = Records(), secret_job()
    others(records)
    records.accept(job)
    records.decide(samples.processed(job))
    await record_all(records, engine)
    await engine.dispose()
    assert in_file(url)
    records.erase(job)
    async with recording(records, engine):
        await until(lambda: _is_erased(SqlLedger(engine), job))
        await until(lambda: _holds(not segments(url)))
    await engine.dispose()
    assert not in_file(url)


async def test_a_rebuild_does_not_bring_it_back(engine: AsyncEngine) -> None:
    records, job = Records(), secret_job()
    records.accept(job)
    records.decide(samples.processed(job))
    records.erase(job)
    others(records, 3)
    await record_all(records, engine)
    before, at = await contents(engine), await SqlLedger(engine).erased(job.id)
    await schema.clear(engine)
    assert await SqlLedger(engine).erased(job.id) is None
    await record_all(records, engine)
    assert await contents(engine) == before
    assert await SqlLedger(engine).erased(job.id) == at is not None
    assert await held(engine, SECRET) == []


STEPS: dict[str, Step] = {
    "accept": lambda records, job: records.accept(job),
    "decide": lambda records, job: records.decide(samples.processed(job)),
    "repeat": lambda records, job: records.decide(failed(job)),
    "erase": lambda records, job: records.erase(job),
}


@pytest.mark.parametrize("batch", [1, 7])
async def test_a_document_stays_erased_for_every_order_of_entries(engine: AsyncEngine, batch: int) -> None:
    records, jobs = Records(), []
    records.batch = batch
    for order in permutations(STEPS):
        job = secret_job()
        jobs.append(job)
        for name in order:
            STEPS[name](records, job)
    await record_all(records, engine)
    assert await contents(engine) == {}
    found = [await SqlLedger(engine).erased(job.id) for job in jobs]
    assert {it.owner for it in found if it is not None} == {"newsroom"}
    assert len(found) == len([it for it in found if it is not None]) == 24
    assert await held(engine, SECRET) == []


@pytest.mark.parametrize("stream", [Stream.LOG, Stream.REQUESTS])
async def test_either_record_is_enough(engine: AsyncEngine, stream: Stream) -> None:
    """Retention may have taken the other one, and not the acceptance yet."""
    records, job = Records(), secret_job()
    records.erase(job, stream)
    records.accept(job)
    await record_all(records, engine)
    assert await contents(engine) == {}
    erased = await SqlLedger(engine).erased(job.id)
    assert erased is not None
    assert erased.owner == job.owner


async def test_the_totals_are_those_of_the_remaining_rows(engine: AsyncEngine) -> None:
    records, job = Records(), secret_job()
    others(records, 3)
    records.accept(job)
    metrics = await record_all(records, engine)
    records.decide(samples.processed(job))
    records.erase(job)
    metrics = await record_all(records, engine)
    async with engine.connect() as connection:
        (sizes,) = (await connection.execute(text("SELECT sum(length(body)) FROM events"))).one()
        sums = (await connection.execute(text("SELECT row_count, event_bytes FROM recorder"))).one()
    assert tuple(sums) == (3, sizes)
    assert (metrics.ledger_rows._value.get(), metrics.ledger_bytes._value.get()) == (3, sizes)


async def test_records_of_erasures_expire_like_all_rows(engine: AsyncEngine) -> None:
    records, job = Records(), secret_job()
    records.accept(job)
    records.erase(job)
    await record_all(records, engine)
    limits = replace(QUICK, retention=RetentionLimits(keep_days=0.0, keep_bytes=10**12))
    records.accept(samples.job())
    async with recording(records, engine, limits=limits):
        await until(lambda: _is_forgotten(SqlLedger(engine), job))


def _search(words: str) -> DocumentFilter:
    return DocumentFilter(terms=parse_query(words))


async def _holds(value: bool) -> bool:
    return value


async def _has_runs(ledger: SqlLedger, job: Job, *, decided: int, runs: int) -> bool:
    found = await ledger.runs(job.id)
    return (sum(run.state.decided for run in found), len(found)) == (decided, runs)


async def _is_erased(ledger: SqlLedger, job: Job) -> bool:
    return await ledger.erased(job.id) is not None


async def _is_forgotten(ledger: SqlLedger, job: Job) -> bool:
    return await ledger.erased(job.id) is None
