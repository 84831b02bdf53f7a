import asyncio
from dataclasses import replace

import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import URL
from sqlalchemy.ext.asyncio import AsyncEngine
from structlog.testing import capture_logs

from contract.broker import LogEntry
from contract.codec import encode
from contract.ledger import DocumentFilter, LedgerUnavailable, State
from contract.metrics import Metrics
from contract.search import parse_query
from contract.streams import Stream
from runtime.ledger import schema
from runtime.ledger.batch import read
from runtime.ledger.database import ledger_url, open_engine
from runtime.ledger.journal import Fenced, Journal
from runtime.ledger.lease import Lease
from runtime.ledger.queries import SqlLedger
from runtime.ledger.retention import RetentionLimits
from tests.brokers import samples
from tests.postgres_cluster import PostgresCluster, running_postgres
from tests.runtime.ledger.records import (
    QUICK,
    Records,
    contents,
    failed,
    next_run,
    record_all,
    recording,
    until,
    until_read,
)


def busy(count: int = 40) -> Records:
    """Returns records of documents in every state, some with repeats and some with two runs."""
    records = Records()
    for number, job in enumerate(samples.jobs(count)):
        records.accept(job)
        if number % 3 == 1:
            job = records.retry(job)  # noqa: PLW2901 - the next attempt at it
        if number % 4 == 0:
            records.decide(failed(job))
            records.accept(next_run(job))
        if number % 5 != 0:
            records.decide(samples.processed(next_run(job) if number % 8 == 0 else job))
        if number % 7 == 0:
            records.decide(samples.processed(job))
    return records


async def has(value: bool) -> bool:
    return value


async def is_empty(engine: AsyncEngine) -> bool:
    return not await contents(engine)


async def fence_of(engine: AsyncEngine) -> int:
    fence = await Lease(engine, poll_s=0.01, heartbeat_timeout_s=0, alone=True).acquire(asyncio.Event())
    assert fence is not None
    return fence


async def test_every_document_and_every_run_is_there(engine: AsyncEngine) -> None:
    records = Records()
    done, waiting, retried, twice = samples.jobs(4)
    records.accept(done, waiting)
    records.accept(retried, twice)
    records.decide(samples.processed(done))
    records.retry(retried)
    records.decide(failed(twice))
    records.accept(next_run(twice))
    await record_all(records, engine)
    ledger = SqlLedger(engine)
    states = {job.id: [run.state for run in await ledger.runs(job.id)] for job in (done, waiting, retried, twice)}
    assert list(states.values()) == [
        [State.PROCESSED],
        [State.ACCEPTED],
        [State.PROCESSING],
        [State.FAILED, State.ACCEPTED],
    ]
    assert await ledger.event(done.id, 1) == encode(samples.processed(done))


async def test_an_event_comes_out_in_the_very_bytes_that_went_in(engine: AsyncEngine) -> None:
    records, job = Records(), samples.job(content="x" * 300_000 + "é\u2028")
    body = encode(samples.processed(job)).replace(b'"specversion"', b' "specversion"')
    records.write(Stream.LOG, body)
    await record_all(records, engine)
    assert await SqlLedger(engine).event(job.id, 1) == body


async def test_reading_goes_on_where_it_ended(engine: AsyncEngine) -> None:
    records = busy()
    await record_all(records, engine)
    before = await contents(engine)
    assert (await record_all(records, engine)).ledger_entries.labels(Stream.LOG)._value.get() == 0
    assert await contents(engine) == before
    (new,) = samples.jobs(1)
    records.accept(new)
    metrics = await record_all(records, engine)
    assert metrics.ledger_entries.labels(Stream.ACCEPTED)._value.get() == 1
    assert (await contents(engine)).keys() == before.keys() | {(new.id, 1)}


async def test_a_rebuild_comes_to_the_same_rows(engine: AsyncEngine) -> None:
    records = busy()
    await record_all(records, engine)
    before = await contents(engine)
    await schema.clear(engine)
    assert await contents(engine) == {}
    records.batch = 3
    await record_all(records, engine)
    assert await contents(engine) == before


async def test_a_rebuild_while_recording_comes_to_the_same_rows(engine: AsyncEngine, url: URL) -> None:
    records = busy()
    async with recording(records, engine):
        await until_read(records, engine)
        before = await contents(engine)
        await schema.rebuild(url)
        await until_read(records, engine)
    assert await contents(engine) == before


async def test_repeats_are_counted_and_those_that_differ_apart(engine: AsyncEngine) -> None:
    records, job = Records(), samples.job()
    records.accept(job)
    records.decide(samples.processed(job))
    records.decide(replace(samples.processed(job), time="2026-11-28T13:00:00.000Z"))
    records.decide(failed(job))
    metrics = await record_all(records, engine)
    (run,) = await SqlLedger(engine).runs(job.id)
    assert (run.state, run.repeats, run.differing) == (State.PROCESSED, 2, 1)
    counted = {content: metrics.ledger_repeats.labels(content)._value.get() for content in ("same", "differing")}
    assert counted == {"same": 1, "differing": 1}


async def test_unreadable_entries_are_counted_and_skipped(engine: AsyncEngine) -> None:
    records, job = Records(), samples.job()
    for stream in Stream:
        records.write(stream, b"\x00 no record")
    records.accept(job)
    metrics = await record_all(records, engine)
    assert [metrics.ledger_unreadable.labels(stream)._value.get() for stream in Stream] == [1] * len(Stream)
    assert [run.state for run in await SqlLedger(engine).runs(job.id)] == [State.ACCEPTED]


async def test_null_characters_do_no_harm(engine: AsyncEngine) -> None:
    records, job = Records(), samples.job(content="a\0b")
    event = samples.processed(job)
    records.decide(replace(event, data=replace(event.data, title="T\0itle", labels={"a\0": "b\0"})))
    await record_all(records, engine)
    (run,) = await SqlLedger(engine).runs(job.id)
    assert (run.title, run.labels) == ("Title", {"a": "b"})
    assert await SqlLedger(engine).runs("a\0") == ()


# missing entries


async def test_entries_removed_by_retention_are_reported_as_a_gap(engine: AsyncEngine) -> None:
    records = busy()
    await record_all(records, engine)
    known = await contents(engine)
    records.truncate(Stream.LOG, records.entries[Stream.LOG][-1].offset + 1)
    (*lost, kept) = samples.jobs(3)  # one missing offset alone is no gap: a segment's own
    for job in (*lost, kept):
        records.decide(samples.processed(job))
    records.truncate(Stream.LOG, records.entries[Stream.LOG][-1].offset)
    with capture_logs() as logs:
        metrics = await record_all(records, engine)
    assert metrics.ledger_gaps.labels(Stream.LOG)._value.get() == 1
    assert "retention took entries" in [entry["what"] for entry in logs if entry["event"] == "record_has_gap"]
    assert (await contents(engine)).keys() == known.keys() | {(kept.id, 1)}


async def test_retention_of_what_is_recorded_is_no_gap(engine: AsyncEngine) -> None:
    records = busy()
    await record_all(records, engine)
    records.truncate(Stream.LOG, records.entries[Stream.LOG][-1].offset + 1)
    (new,) = samples.jobs(1)
    records.decide(samples.processed(new))
    metrics = await record_all(records, engine)
    assert metrics.ledger_gaps.labels(Stream.LOG)._value.get() == 0
    assert [run.repeats for run in await SqlLedger(engine).runs(new.id)] == [0]


@pytest.mark.parametrize("length", [1, 200], ids=["shorter", "longer"])
async def test_a_stream_that_was_made_anew_is_read_from_its_beginning(engine: AsyncEngine, length: int) -> None:
    records = busy()
    await record_all(records, engine)
    known = await contents(engine)
    records.make_anew(Stream.LOG)
    jobs = samples.jobs(length)
    for job in jobs:
        records.decide(samples.processed(job))
    metrics = await record_all(records, engine)
    assert metrics.ledger_gaps.labels(Stream.LOG)._value.get() == 1
    after = await contents(engine)
    assert after.keys() == known.keys() | {(job.id, 1) for job in jobs}
    assert {key: after[key] for key in known} == known


# several recorders


async def test_one_records_and_the_other_takes_over_when_it_ends(engine: AsyncEngine, url: URL) -> None:
    records, other = busy(10), open_engine(url, writes=True)
    async with recording(records, engine) as first, recording(records, other) as second:
        await until_read(records, engine)
        recording_now = [metrics.ledger_recording._value.get() for metrics in (first, second)]
        assert sorted(recording_now) == [0, 1]
    await other.dispose()
    records.accept(*samples.jobs(3))
    before = await contents(engine)
    await record_all(records, engine)
    assert len(await contents(engine)) == len(before) + 3


async def test_a_recorder_without_beats_is_superseded_and_cannot_write(engine: AsyncEngine) -> None:
    silent = Journal(engine, await fence_of(engine))
    records = busy(5)
    async with recording(records, engine):  # waits for `heartbeat_timeout_s`, then takes over
        await until_read(records, engine)
        before = await contents(engine)
        late = samples.job()
        reading = read(engine.dialect.name, Stream.LOG, [LogEntry(10_000, "", encode(samples.processed(late)))])
        with pytest.raises(Fenced):
            await silent.write([reading], None)
    assert await contents(engine) == before


async def test_a_recorder_with_beats_is_not_superseded(engine: AsyncEngine) -> None:
    journal = Journal(engine, await fence_of(engine))
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        other = group.create_task(Lease(engine, poll_s=0.01, heartbeat_timeout_s=1.5, alone=False).acquire(stop))
        for _ in range(40):
            await journal.write([], None)
            await asyncio.sleep(0.05)  # in total longer than the patience
        assert not other.done()
        stop.set()
    assert other.result() is None


# an unavailable database


@pytest.mark.postgres
async def test_a_database_that_goes_away_is_waited_for() -> None:
    with running_postgres() as own:
        url = ledger_url(own.database())
        await schema.upgrade(url)
        engine, records, metrics = open_engine(url, writes=True), busy(10), Metrics(CollectorRegistry())
        with capture_logs() as logs:
            async with recording(records, engine, metrics=metrics):
                await until_read(records, engine)
                own.kill()
                new = samples.job()
                records.accept(new)
                await until(lambda: has(metrics.ledger_failures._value.get() > 1))
                assert metrics.ledger_lag_seconds._value.get() > 0
                own.start()
                await until(lambda: has("ledger_takes_rows_again" in [entry["event"] for entry in logs]))
                await until_read(records, engine)
        assert [run.state for run in await SqlLedger(engine).runs(new.id)] == [State.ACCEPTED]
        await engine.dispose()


@pytest.mark.postgres
async def test_failures_hold_no_secret(cluster: PostgresCluster) -> None:

    for url in (cluster.url("nothing"), cluster.url().replace(":canary", ":wrong-canary")):
        engine = open_engine(ledger_url(url))
        with pytest.raises(LedgerUnavailable) as caught:
            await SqlLedger(engine).runs("a")
        assert "canary" not in str(caught.value)
        await engine.dispose()


# retention


async def test_the_oldest_rows_are_deleted_when_events_take_too_much_space(engine: AsyncEngine) -> None:
    records = Records()
    jobs = samples.jobs(450)
    for job in jobs:
        records.accept(job)
        records.decide(samples.processed(job))
    limits = replace(QUICK, retention=RetentionLimits(keep_days=100_000, keep_bytes=100_000))
    async with recording(records, engine, limits=limits) as metrics:
        await until_read(records, engine)
        await until(lambda: has(metrics.ledger_bytes._value.get() <= 100_000))
    left = await contents(engine)
    assert 0 < sum(row["size"] for row in left.values()) <= 100_000
    assert {document_id for document_id, _ in left} == {job.id for job in jobs[-len(left) :]}
    ledger = SqlLedger(engine)
    page = await ledger.page(DocumentFilter(terms=parse_query("grusse")), limit=1000, after=None)
    assert len(page.runs) == len(left)
    assert metrics.ledger_rows._value.get() == len(left)


async def test_old_rows_are_deleted(engine: AsyncEngine) -> None:
    records = busy(10)  # of a day in 2026
    limits = replace(QUICK, retention=RetentionLimits(keep_days=1 / 86_400_000, keep_bytes=10**12))
    await record_all(records, engine)
    async with recording(records, engine, limits=limits):
        await until(lambda: is_empty(engine))
