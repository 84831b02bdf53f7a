"""Callbacks in both databases: begun once with the verdict, whatever is repeated, and claimed by one process."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from contract.callbacks import BEGINS_WITHIN, Callback, CallbackProgress
from contract.codec import encode
from contract.events import ProcessedEvent
from contract.job import Job
from contract.streams import Stream
from contract.timestamps import now, rfc3339
from contract.webhooks import DeliveryState
from runtime.ledger import schema
from runtime.ledger.callbacks import SqlCallbacks
from runtime.ledger.queries import SqlLedger
from runtime.ledger.tables import callbacks
from tests.brokers import samples
from tests.runtime.ledger.records import Records, next_run, record_all
from tests.runtime.ledger.test_erasing import held

URL = "https://desk.example.com/done?token=s3cret"
DELIVERED = CallbackProgress(DeliveryState.DELIVERED, 1, 204)


def called(url: str = URL) -> Job:
    return replace(samples.job(), callback_url=url)


def decided(job: Job, at: datetime | None = None) -> ProcessedEvent:
    return replace(samples.processed(job), time=rfc3339(at or now()))


async def claim(
    engine: AsyncEngine, *, limit: int = 99, a_host: int = 99, after_s: float = 0, **busy: int
) -> Sequence[Callback]:
    at = now() + timedelta(seconds=after_s)
    return await SqlCallbacks(engine, engine).claim(
        at, at + timedelta(seconds=60), limit=limit, a_host=a_host, busy=busy
    )


async def progress(engine: AsyncEngine, job: Job) -> CallbackProgress | None:
    return (await SqlLedger(engine).runs(job.id))[-1].callback


@pytest.mark.parametrize("is_accepted_first", [True, False])
async def test_a_callback_begins_once_when_acceptance_and_verdict_are_recorded(
    engine: AsyncEngine, *, is_accepted_first: bool
) -> None:
    records, job, other = Records(), called(), samples.job()
    event = decided(job)
    for accepts in (is_accepted_first, not is_accepted_first):
        assert await claim(engine) == ()
        if accepts:
            records.accept(job, other)
        else:
            records.decide(event)
        await record_all(records, engine)
    records.decide(decided(other))
    records.decide(event)
    records.accept(job)
    await record_all(records, engine)
    (found,) = await claim(engine)
    assert (found.event_id, found.url, found.owner, found.host) == (event.id, URL, "newsroom", "desk.example.com")
    assert found.body == encode(event)
    assert await claim(engine) == ()
    assert (await progress(engine, job), await progress(engine, other)) == (CallbackProgress(), None)


async def test_it_is_pending_before_the_verdict_and_each_run_has_its_own(engine: AsyncEngine) -> None:
    records, job = Records(), called()
    records.accept(job)
    await record_all(records, engine)
    assert await progress(engine, job) == CallbackProgress()
    records.decide(decided(job))
    again = next_run(job)
    records.accept(again)
    records.decide(decided(again))
    await record_all(records, engine)
    assert {it.event_id for it in await claim(engine)} == {job.event_id, again.event_id}


async def test_an_old_event_begins_none(engine: AsyncEngine) -> None:
    records, old, young = Records(), called(), called()
    records.accept(old, young)
    records.decide(decided(old, now() - BEGINS_WITHIN - timedelta(minutes=1)))
    records.decide(decided(young, now() - BEGINS_WITHIN + timedelta(minutes=5)))
    await record_all(records, engine)
    assert [it.event_id for it in await claim(engine)] == [young.event_id]
    assert await progress(engine, old) is None


async def test_a_ledger_that_is_rebuilt_posts_nothing_again(engine: AsyncEngine) -> None:
    records, job, gone = Records(), called(), called()
    records.accept(job, gone)
    records.decide(decided(job))
    records.decide(decided(gone))
    records.erase(gone)
    await record_all(records, engine)
    (found,) = [it for it in await claim(engine) if it.event_id == job.event_id]
    assert found.next_at is not None
    done = replace(found, progress=DELIVERED, next_at=None, last_at=now())
    until = (await _leases(engine))[job.event_id]
    await SqlCallbacks(engine, engine).settle([done], {job.event_id: until})
    await schema.clear(engine)
    await record_all(records, engine)
    assert await claim(engine, after_s=3600) == ()
    assert await progress(engine, job) == DELIVERED


async def _leases(engine: AsyncEngine) -> dict[str, datetime]:
    async with engine.connect() as connection:
        rows = (await connection.execute(select(callbacks.c.event_id, callbacks.c.next_ms))).all()
    return {row.event_id: datetime.fromtimestamp(row.next_ms / 1000, now().tzinfo) for row in rows if row.next_ms}


async def test_an_erased_document_leaves_no_url_and_no_event(engine: AsyncEngine) -> None:
    records, job = Records(), replace(called(), content="zweihundertmetertief")
    records.accept(job)
    records.decide(decided(job))
    await record_all(records, engine)
    assert "callbacks" in await held(engine, "s3cret")
    records.erase(job, Stream.REQUESTS)
    await record_all(records, engine)
    assert await held(engine, "s3cret") == []
    assert await claim(engine, after_s=3600) == ()
    async with engine.connect() as connection:
        (row,) = (await connection.execute(select(callbacks))).mappings().all()
    assert (row["state"], row["url"], row["body"], row["host"]) == ("failed", None, None, "")


async def test_of_two_processes_one_has_a_callback_and_one_that_ended_has_it_no_more(engine: AsyncEngine) -> None:
    records, jobs = Records(), [called() for _ in range(20)]
    records.accept(*jobs)
    for job in jobs:
        records.decide(decided(job))
    await record_all(records, engine)
    claimed = await asyncio.gather(*(claim(engine, limit=12) for _ in range(4)))
    ids = [it.event_id for some in claimed for it in some]
    assert len(ids) == len(set(ids)) >= 12
    ids += [it.event_id for it in await claim(engine)]
    assert sorted(ids) == sorted(job.event_id for job in jobs)
    assert len(await claim(engine, after_s=59)) == 0
    assert len(await claim(engine, after_s=62)) == 20


async def test_of_a_host_only_so_many_are_claimed_and_others_are_not_behind_them(engine: AsyncEngine) -> None:
    records, slow, quick = Records(), [called() for _ in range(9)], called("https://quick.example.com/")
    records.accept(*slow, quick)
    for job in (*slow, quick):
        records.decide(decided(job))
        await record_all(records, engine)
    first = await claim(engine, limit=5, a_host=3)
    assert sorted(it.host for it in first) == ["desk.example.com"] * 3 + ["quick.example.com"]
    assert await claim(engine, a_host=3, **{"desk.example.com": 3}) == ()
    assert len(await claim(engine, a_host=3, **{"desk.example.com": 2})) == 1


async def test_what_comes_of_an_attempt_is_stored_unless_another_process_has_it(engine: AsyncEngine) -> None:
    store, records, job = SqlCallbacks(engine, engine), Records(), called()
    records.accept(job)
    records.decide(decided(job))
    await record_all(records, engine)
    at = now()
    (found,) = await store.claim(at, at + timedelta(seconds=1), limit=9, a_host=9, busy={})
    tried = replace(found, progress=CallbackProgress(DeliveryState.PENDING, 1, 500), next_at=at, last_at=at)
    await store.settle([tried], {found.event_id: at + timedelta(seconds=2)})
    assert await progress(engine, job) == CallbackProgress()
    await store.settle([tried], {found.event_id: at + timedelta(seconds=1)})
    assert await progress(engine, job) == tried.progress
    assert await store.count_pending() == 1
    (again,) = await claim(engine)
    assert (again.progress, again.body) == (tried.progress, found.body)
    await store.settle(
        [replace(again, progress=DELIVERED, next_at=None)], {found.event_id: (await _leases(engine))[found.event_id]}
    )
    assert (await progress(engine, job), await store.count_pending()) == (DELIVERED, 0)
    async with engine.connect() as connection:
        assert (await connection.execute(select(func.count()).where(callbacks.c.body.is_not(None)))).scalar_one() == 0
    assert await store.sweep_callbacks(at - timedelta(minutes=1)) == 0
    assert await store.sweep_callbacks(now() + timedelta(seconds=1)) == 1
