"""What the ledger counts of batches, and the event that it publishes when all of a batch is decided."""

from dataclasses import replace
from functools import partial
from itertools import permutations
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from contract.batches import MAX_TOLD_FAILURES, BatchClosed, BatchCounts, CompletedBatch, FailedDocument
from contract.broker import BrokerUnavailable
from contract.codec import decode_event, encode
from contract.events import BatchCompletedEvent
from contract.ids import batch_id
from contract.job import Job
from contract.ledger import DocumentFilter, State
from contract.reasons import Reason
from contract.streams import Stream
from runtime.ledger import schema
from runtime.ledger.batch import read
from runtime.ledger.changes import Changes
from runtime.ledger.journal import Journal
from runtime.ledger.tables import batches
from tests.brokers import samples
from tests.runtime.ledger.records import Records, failed, next_run, record_all, recording, until, until_read
from tests.runtime.ledger.test_queries import listed
from tests.runtime.ledger.test_recorder import fence_of

ID = batch_id("desk", "import")


def jobs(count: int) -> list[Job]:
    return [replace(job, batch="import", owner="desk") for job in samples.jobs(count)]


async def rows(engine: AsyncEngine) -> dict[str, dict[str, Any]]:
    async with engine.connect() as connection:
        found = (await connection.execute(select(batches))).mappings()
        return {row["id"]: dict(row) for row in found}


async def row(engine: AsyncEngine) -> dict[str, Any]:
    return (await rows(engine))[ID]


def counted(found: dict[str, Any]) -> dict[str, int]:
    names = ("accepted", "processed", "failed", "erased", "late")
    return {name: found[name] for name in names if found[name]}


def told(records: Records) -> list[CompletedBatch]:
    """Returns the batches whose completion was announced."""
    events = [decode_event(entry.body) for entry in records.entries[Stream.LOG]]
    announced = [event for event in events if isinstance(event, BatchCompletedEvent)]
    assert announced == records.announced
    return [event.data for event in announced]


async def announced(records: Records, engine: AsyncEngine) -> CompletedBatch:
    """Records until the batch is announced, and that is recorded."""

    async with recording(records, engine):
        await announced_in(records, engine)
    (batch,) = told(records)
    return batch


async def announced_in(records: Records, engine: AsyncEngine) -> None:
    async def is_sent() -> bool:
        found = (await rows(engine)).get(ID)
        return found is not None and bool(found["sent"])

    await until(is_sent)
    await until_read(records, engine)


async def test_a_batch_counts_its_documents_by_state(engine: AsyncEngine) -> None:
    records, (one, two, three, four) = Records(), jobs(4)
    records.accept(one, two)
    records.accept(three, four, *samples.jobs(2))
    records.retry(three)
    records.decide(samples.processed(one))
    records.decide(failed(two))
    await record_all(records, engine)
    found = await row(engine)
    assert counted(found) == {"accepted": 4, "processed": 1, "failed": 1}
    assert (found["owner"], found["name"], found["closed_ms"], found["completed_ms"]) == ("desk", "import", None, None)
    assert told(records) == []


async def test_it_is_completed_when_it_is_closed_and_all_is_decided(engine: AsyncEngine) -> None:
    records, (one, two) = Records(), jobs(2)
    records.accept(one, two)
    records.decide(samples.processed(one))
    closed = records.close_batch("import")
    await record_all(records, engine)
    assert told(records) == []
    records.decide(failed(two, Reason.TLS_ERROR))
    assert await announced(records, engine) == CompletedBatch(
        id=ID,
        name="import",
        closed=closed.at,
        completed=max(closed.at, samples.NOW),
        counts=BatchCounts(accepted=2, processed=1, failed=1, erased=0),
        failures=(FailedDocument(id=two.id, reason=Reason.TLS_ERROR),),
    )
    (event,) = records.announced
    assert (event.id, event.subject, event.routing_key) == (f"{ID}.completed", ID, "batch.completed")
    assert (await row(engine))["event"] == records.entries[Stream.LOG][-1].body


async def test_what_comes_twice_counts_once(engine: AsyncEngine) -> None:
    records, (one, two) = Records(), jobs(2)
    records.accept(one, two)
    records.accept(one)
    records.decide(samples.processed(one))
    records.decide(failed(one))
    records.accept(two, one)
    records.decide(failed(two))
    records.close_batch("import")
    records.close_batch("import")
    records.accept(one)
    batch = await announced(records, engine)
    assert batch.counts == BatchCounts(accepted=2, processed=1, failed=1, erased=0)
    assert counted(await row(engine)) == {"accepted": 2, "processed": 1, "failed": 1}


async def test_a_later_run_changes_nothing(engine: AsyncEngine) -> None:
    records, (one, two) = Records(), jobs(2)
    records.accept(one, two)
    records.decide(failed(one))
    records.accept(next_run(one))
    records.decide(samples.processed(next_run(one)))
    records.close_batch("import")
    records.decide(samples.processed(two))
    records.accept(next_run(two))
    batch = await announced(records, engine)
    assert batch.counts == BatchCounts(accepted=2, processed=1, failed=1, erased=0)
    assert [failure.id for failure in batch.failures] == [one.id]


async def test_erased_documents_are_counted_and_not_waited_for(engine: AsyncEngine) -> None:
    records, (done, bad, waiting, unread) = Records(), jobs(4)
    records.erase(unread)
    records.accept(done, bad, waiting)
    records.decide(samples.processed(done))
    records.decide(failed(bad))
    await record_all(records, engine)
    for job in (bad, waiting, bad):
        records.erase(job)
    await record_all(records, engine)
    records.accept(unread, bad)
    records.accept(unread, waiting)
    records.decide(failed(waiting))
    records.close_batch("import")
    batch = await announced(records, engine)
    assert batch.counts == BatchCounts(accepted=4, processed=1, failed=0, erased=3)
    assert batch.failures == ()
    records.erase(done)
    await record_all(records, engine)
    assert counted(await row(engine)) == {"accepted": 4, "erased": 4}
    assert told(records) == [batch]


async def test_what_comes_after_the_end_is_late(engine: AsyncEngine) -> None:
    records, (one, late) = Records(), jobs(2)
    records.accept(one)
    records.decide(samples.processed(late))
    records.close_batch("import")
    records.accept(late)
    records.accept(late)
    await record_all(records, engine)
    assert counted(await row(engine)) == {"accepted": 1, "late": 1}
    records.decide(failed(one))
    assert (await announced(records, engine)).counts == BatchCounts(accepted=1, processed=0, failed=1, erased=0)


@pytest.mark.parametrize(("owner", "closes"), [("desk", True), (None, True), ("another", False)])
async def test_only_its_owner_closes_a_batch(engine: AsyncEngine, owner: str | None, closes: bool) -> None:
    records, (one,) = Records(), jobs(1)
    records.accept(one)
    records.write(Stream.ACCEPTED, encode([BatchClosed(closed_batch=ID, at=samples.NOW, owner=owner)]))
    await record_all(records, engine)
    assert ((await row(engine))["closed_ms"] is not None) == closes


async def test_a_batch_without_documents_is_completed_at_once(engine: AsyncEngine) -> None:
    records = Records()
    records.close_batch("import")
    batch = await announced(records, engine)
    assert batch.counts == BatchCounts(accepted=0, processed=0, failed=0, erased=0)


async def test_an_id_that_is_no_batch_closes_none(engine: AsyncEngine) -> None:
    records = Records()
    records.write(Stream.ACCEPTED, encode([BatchClosed(closed_batch="no-batch", at=samples.NOW)]))
    await record_all(records, engine)
    assert await rows(engine) == {}


async def test_an_event_tells_the_first_failures(engine: AsyncEngine) -> None:
    records, many = Records(), jobs(MAX_TOLD_FAILURES + 5)
    records.accept(*many)
    records.close_batch("import")
    for number, job in enumerate(reversed(many)):
        records.decide(replace(failed(job), time=f"2026-11-28T13:00:{number:02}.000Z"))
    batch = await announced(records, engine)
    assert [failure.id for failure in batch.failures] == [job.id for job in many[::-1][:MAX_TOLD_FAILURES]]
    assert batch.counts.failed == len(many)
    assert batch.completed == f"2026-11-28T13:00:{len(many) - 1:02}.000Z"


@pytest.mark.parametrize("order", [*permutations([Stream.ACCEPTED, Stream.LOG, Stream.REQUESTS])], ids=str)
async def test_the_order_in_which_the_records_are_read_makes_no_difference(order: tuple[Stream, ...]) -> None:
    records, (done, bad, gone, late) = Records(), jobs(4)
    records.accept(done, bad, gone)
    records.erase(gone)
    records.accept(next_run(bad), done)
    records.close_batch("import")
    records.accept(late, gone)
    for job in (done, late, done):
        records.decide(samples.processed(job))
    records.decide(failed(bad))
    changes = Changes((), 1)
    for stream in order:
        for noted in read("sqlite", stream, records.entries[stream]).noted:
            changes.learn(noted)
    batch = changes.batches[ID]
    assert batch.counts == BatchCounts(accepted=3, processed=1, failed=1, erased=1)
    assert (batch.late, batch.is_complete) == (1, True)


# the event is published


async def test_an_event_that_the_broker_refuses_is_published_later(engine: AsyncEngine) -> None:
    records, refusal = Records(), BrokerUnavailable("away")
    records.refusal = refusal
    records.close_batch("import")
    async with recording(records, engine):
        await until_read(records, engine)
        assert (await row(engine))["sent"] is False
        records.refusal = None
        await announced_in(records, engine)
    assert len(told(records)) == 1


async def test_an_event_is_published_once_however_often_a_recorder_starts(engine: AsyncEngine) -> None:
    records, (one,) = Records(), jobs(1)
    records.accept(one)
    records.close_batch("import")
    records.decide(samples.processed(one))
    await announced(records, engine)
    for _ in range(2):
        await record_all(records, engine)
    assert len(told(records)) == 1


async def test_an_event_that_was_under_way_is_published_again_in_the_same_bytes(engine: AsyncEngine) -> None:
    """A recorder died after it had published the event, and before it noted that."""
    records = Records()
    records.close_batch("import")
    await announced(records, engine)
    await Journal(engine, await fence_of(engine)).mark(ID, sent=False)
    async with recording(records, engine):
        await announced_in(records, engine)
    first, second = records.announced
    assert encode(first) == encode(second) == (await row(engine))["event"]


async def test_an_event_that_is_in_the_log_alone_is_published_again(engine: AsyncEngine) -> None:
    """A recorder died when the event was in the log, and before the subscribers had it."""
    records, refusal = Records(), BrokerUnavailable("away")
    records.refusal = refusal
    records.close_batch("import")
    async with recording(records, engine):
        await until(partial(has_begun, engine))
    body = (await row(engine))["event"]
    records.write(Stream.LOG, body)
    records.refusal = None
    async with recording(records, engine):
        await announced_in(records, engine)
    assert [entry.body for entry in records.entries[Stream.LOG]] == [body, body]


async def has_begun(engine: AsyncEngine) -> bool:
    found = (await rows(engine)).get(ID)
    return found is not None and bool(found["sending"])


async def test_a_rebuild_comes_to_the_same_batch_and_publishes_nothing_again(engine: AsyncEngine) -> None:
    records, many = Records(), jobs(12)
    records.accept(*many, *samples.jobs(2))
    records.close_batch("import")
    for job in many[::2]:
        records.decide(samples.processed(job))
    for job in many[1::2]:
        records.decide(failed(job))
    batch = await announced(records, engine)
    before = await row(engine)
    for size in (1, 3, 100):
        await schema.clear(engine)
        assert await rows(engine) == {}
        records.batch = size
        await record_all(records, engine)
        assert without_sending(await row(engine)) == without_sending(before)
    assert told(records) == [batch]


async def test_nothing_is_published_before_all_is_read_that_the_log_held(engine: AsyncEngine) -> None:
    records, (one,) = Records(), jobs(1)
    records.accept(one)
    records.close_batch("import")
    records.decide(samples.processed(one))
    batch = await announced(records, engine)
    held = records.entries[Stream.LOG].pop()
    assert held.body == encode(records.announced[0])
    await schema.clear(engine)
    records.newest = held.offset

    async def is_complete() -> bool:
        found = (await rows(engine)).get(ID)
        return found is not None and found["completed_ms"] is not None

    async with recording(records, engine):
        await until(is_complete)
        (other,) = samples.jobs(1)
        records.accept(other)  # a transaction later, nothing is published
        await until_read(records, engine)
        assert (await row(engine))["sending"] is False
        records.write(Stream.LOG, held.body)
        await announced_in(records, engine)
    assert told(records) == [batch]


def without_sending(found: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in found.items() if name != "sending"}


async def test_a_rebuild_from_less_keeps_the_event_that_was_published(engine: AsyncEngine) -> None:
    records, (one, two) = Records(), jobs(2)
    records.accept(one)
    records.accept(two)
    records.close_batch("import")
    records.decide(samples.processed(one))
    records.decide(failed(two))
    batch = await announced(records, engine)
    published = (await row(engine))["event"]
    records.truncate(Stream.ACCEPTED, 1)
    await schema.clear(engine)
    await record_all(records, engine)
    assert counted(await row(engine)) == {"accepted": 1, "failed": 1}
    assert (await row(engine))["event"] == published
    assert told(records) == [batch]


async def test_old_batches_are_dropped_with_their_documents(engine: AsyncEngine) -> None:
    records = Records()
    records.close_batch("import")
    await announced(records, engine)
    journal = Journal(engine, await fence_of(engine))
    changed_ms = (await row(engine))["changed_ms"]
    await journal.drop(100, before_ms=changed_ms)
    assert await rows(engine)
    await journal.drop(100, before_ms=changed_ms + 1)
    assert await rows(engine) == {}


async def test_the_documents_of_a_batch_are_listed_by_id_or_name(engine: AsyncEngine) -> None:
    records, (one, two, three, late) = Records(), jobs(4)
    other = replace(samples.job(), batch="import", owner="paper")
    records.accept(one, two, other, *samples.jobs(2))
    records.accept(three)
    records.decide(failed(two))
    records.accept(replace(next_run(two), batch=None))  # a further run is posted without a batch
    records.erase(three)
    records.close_batch("import")
    records.accept(late)
    await record_all(records, engine)
    assert await listed(engine, DocumentFilter(batch=ID)) == [two.id, one.id]
    assert await listed(engine, DocumentFilter(batch=ID, state=State.FAILED)) == []
    assert set(await listed(engine, DocumentFilter(batch="import"))) == {one.id, two.id, other.id}
    assert await listed(engine, DocumentFilter(batch="import", owner="paper")) == [other.id]
    assert await listed(engine, DocumentFilter(batch=ID, owner="paper")) == []
