"""Webhooks and their deliveries in both databases."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncEngine

from contract.deliveries import Disabled, HeldWebhook, PendingDeliveries, Settlement
from contract.events import ERASED
from contract.webhooks import (
    Delivery,
    DeliveryState,
    DisabledCause,
    Documents,
    Payload,
    Webhook,
    new_id,
    new_secret,
)
from runtime.ledger import schema
from runtime.ledger.deliveries import SqlDeliveries
from runtime.ledger.webhook_rows import delivery_row
from runtime.ledger.webhooks import SqlWebhookBook
from tests.brokers import samples
from tests.runtime.ledger.records import Records, record_all

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
MANY = 100


def webhook(owner: str = "ann", **fields: object) -> Webhook:
    made = Webhook(
        id=new_id(), owner=owner, url="https://example.com/hook", secret=new_secret(), created_at=NOW, updated_at=NOW
    )
    return replace(made, **fields)  # type: ignore[arg-type] # the fields of a webhook


def delivery(of: Webhook, **fields: object) -> Delivery:
    made = Delivery(
        id=new_id(),
        webhook_id=of.id,
        event_id="0.1",
        event_type="copydesk.document.processed.v1",
        created_at=NOW,
        next_at=NOW,
        body=b"{}",
    )
    return replace(made, **fields)  # type: ignore[arg-type] # the fields of a delivery


async def test_a_webhook_comes_back_as_it_was_stored(engine: AsyncEngine) -> None:
    book = SqlWebhookBook(engine)
    kept = webhook(
        patterns=("processed.en.#", "erased"),
        filter="kind = 'url'",
        documents=Documents.ALL,
        payload=Payload.THIN,
        ordered=True,
        enabled=False,
        description="The archive",
        former=new_secret(),
        former_until=NOW + timedelta(hours=24),
        place=41,
        failing_since=NOW,
        missed_at=NOW,
        disabled_cause=DisabledCause.GONE,
        disabled_at=NOW,
        is_told=False,
    )
    assert await book.add(kept, at_most=MANY)
    assert await book.webhook(kept.id) == kept
    assert await book.webhook(new_id()) is None


async def test_an_owner_has_so_many_at_most_and_sees_no_others(engine: AsyncEngine) -> None:
    book, mine = SqlWebhookBook(engine), [webhook(), webhook()]
    assert [await book.add(it, at_most=2) for it in mine] == [True, True]
    assert not await book.add(webhook(), at_most=2)
    other = webhook("bob")
    assert await book.add(other, at_most=2)
    assert await book.webhooks("ann") == mine
    assert await book.webhooks(None) == [*mine, other]


async def test_of_two_changes_to_one_version_the_first_counts(engine: AsyncEngine) -> None:
    book, made = SqlWebhookBook(engine), webhook(place=7)
    await book.add(made, at_most=MANY)
    first = replace(made, version=2, ordered=True, place=0)
    assert await book.change(first)
    assert not await book.change(replace(made, version=2, payload=Payload.THIN))
    assert await book.webhook(made.id) == replace(first, place=7)  # the place is not its owner's to change


async def test_a_change_makes_what_is_pending_due_and_hastening_one_delivery(engine: AsyncEngine) -> None:
    book, made, later = SqlWebhookBook(engine), webhook(), NOW + timedelta(days=1)
    await book.add(made, at_most=MANY)
    waiting = delivery(made, next_at=later, attempts=5)
    done = delivery(made, state=DeliveryState.DELIVERED, next_at=None, body=None)
    for it in (waiting, done):
        await book.request(it)
    assert await book.change(replace(made, version=2))
    assert await book.delivery(made.id, waiting.id) == replace(waiting, next_at=NOW, attempts=0)
    assert await book.delivery(made.id, done.id) == done
    soon = NOW + timedelta(seconds=1)
    assert await book.hasten(waiting.id, soon)
    assert not await book.hasten(done.id, soon)
    found, unchanged = await book.delivery(made.id, waiting.id), await book.webhook(made.id)
    assert (found and found.next_at, unchanged and unchanged.version) == (soon, 2)


async def test_deliveries_are_listed_without_their_bodies_page_by_page(engine: AsyncEngine) -> None:
    book, made, other = SqlWebhookBook(engine), webhook(), webhook()
    await book.add(made, at_most=MANY)
    kept = [delivery(made, excerpt="no\0use", error="late", status=500, took_ms=12, last_at=NOW) for _ in range(5)]
    failed = delivery(made, state=DeliveryState.FAILED, document_id="d", offset=3, requested=True)
    for it in (*kept, failed, delivery(other)):
        await book.request(it)
    shown = [replace(it, body=None, excerpt="nouse") for it in reversed(kept)]
    page = await book.deliveries(made.id, state=None, limit=3, before=None)
    assert page == [replace(failed, body=None), *shown[:2]]
    assert await book.deliveries(made.id, state=None, limit=9, before=page[-1].id) == shown[2:]
    assert await book.deliveries(made.id, state=DeliveryState.FAILED, limit=9, before=None) == page[:1]


async def test_a_removed_webhook_takes_its_deliveries_along(engine: AsyncEngine) -> None:
    book, made = SqlWebhookBook(engine), webhook()
    await book.add(made, at_most=MANY)
    sent = delivery(made)
    await book.request(sent)
    assert await book.remove(made.id)
    assert not await book.remove(made.id)
    assert await book.delivery(made.id, sent.id) is None


async def test_rebuilding_the_ledger_keeps_webhooks(engine: AsyncEngine) -> None:
    book, made = SqlWebhookBook(engine), webhook()
    await book.add(made, at_most=MANY)
    await schema.clear(engine)
    assert await book.webhooks(None) == [made]


async def test_erasing_a_document_drops_what_is_pending_of_it(engine: AsyncEngine) -> None:
    book, made, records, job = SqlWebhookBook(engine), webhook(enabled=False), Records(), samples.job()
    records.accept(job)
    records.decide(samples.processed(job))
    await book.add(made, at_most=MANY)
    pending = delivery(made, document_id=job.id)
    notice = delivery(made, document_id=job.id, event_type=ERASED)
    done = delivery(made, document_id=job.id, state=DeliveryState.DELIVERED, body=None)
    other = delivery(made, document_id="other")
    for it in (pending, notice, done, other):
        await book.request(it)
    records.erase(job)
    await record_all(records, engine)
    kept = await book.deliveries(made.id, state=None, limit=9, before=None)
    assert {it.id for it in kept} == {notice.id, done.id, other.id}


async def test_a_process_that_was_taken_over_changes_nothing_any_more(engine: AsyncEngine) -> None:
    book, store, made = SqlWebhookBook(engine), SqlDeliveries(engine, engine, alone=False), webhook()
    await book.add(made, at_most=MANY)
    assert len(await store.take([HeldWebhook(made, None, 0)], "slow")) == 1
    assert await store.take([HeldWebhook(made, None, 0)], "late") == []
    assert len(await store.take([HeldWebhook(made, "slow", 1)], "next")) == 1
    late = Settlement(webhook_id=made.id, fence=1, version=1, place=9, fresh=[delivery(made)])
    current = Settlement(webhook_id=made.id, fence=2, version=1, place=4, fresh=[delivery(made)])
    assert await store.settle([late]) == {made.id}
    assert await store.settle([current]) == set()
    assert await store.settle([current]) == set()  # as after a commit that nobody confirmed
    found = await book.webhook(made.id)
    assert found is not None
    assert (found.place, len(await book.deliveries(made.id, state=None, limit=9, before=None))) == (4, 1)


async def test_a_settlement_leaves_what_the_owner_has_changed_meanwhile(engine: AsyncEngine) -> None:
    book, store, made = SqlWebhookBook(engine), SqlDeliveries(engine, engine, alone=False), webhook()
    await book.add(made, at_most=MANY)
    assert len(await store.take([HeldWebhook(made, None, 0)], "one")) == 1
    assert await book.change(replace(made, version=2, description="changed"))
    disabled = Disabled(DisabledCause.GONE, NOW)
    await store.settle([Settlement(webhook_id=made.id, fence=1, version=1, place=7, disabled=disabled)])
    found = await book.webhook(made.id)
    assert found is not None
    assert (found.place, found.enabled, found.disabled_cause) == (7, True, None)
    await store.settle([Settlement(webhook_id=made.id, fence=1, version=2, place=8, disabled=disabled)])
    found = await book.webhook(made.id)
    assert found is not None
    assert (found.enabled, found.disabled_cause, found.disabled_at, found.is_told) == (False, "gone", NOW, False)


async def test_what_is_due_and_what_waits(engine: AsyncEngine) -> None:
    book, store, made = SqlWebhookBook(engine), SqlDeliveries(engine, engine, alone=False), webhook()
    await book.add(made, at_most=MANY)
    later = NOW + timedelta(hours=1)
    first, second = delivery(made, offset=2), delivery(made, offset=1, next_at=later)
    asked = delivery(made, requested=True)
    for it in (first, second, asked):
        await book.request(it)
    compressed = delivery_row(first)["body"]
    assert await store.pending([made.id]) == {made.id: PendingDeliveries(2, NOW, NOW, 2 * len(compressed))}
    assert await store.due(made.id, NOW, requested=False, limit=9) == [first]
    assert await store.due(made.id, NOW, requested=True, limit=9) == [asked]
    assert await store.blocking(made.id, limit=9) == [second, first]
    over = replace(first, state=DeliveryState.DELIVERED, attempts=1, next_at=None, status=200, body=None)
    postponed = replace(second, attempts=3, next_at=NOW, status=500, excerpt="no")
    await store.settle([Settlement(webhook_id=made.id, fence=0, version=1, place=2, again=[over, postponed])])
    assert await store.pending([made.id]) == {made.id: PendingDeliveries(1, NOW, NOW, len(compressed))}
    assert await store.blocking(made.id, limit=9) == [postponed]
    assert await book.delivery(made.id, first.id) == over
    assert [await store.next_at(it.id) for it in (first, second)] == [None, NOW]


async def test_processes_are_known_by_their_beats(engine: AsyncEngine) -> None:
    store, made = SqlDeliveries(engine, engine, alone=False), webhook()
    await SqlWebhookBook(engine).add(made, at_most=MANY)
    await store.heartbeat("one")
    await store.take([HeldWebhook(made, None, 0)], "one")
    snapshot = await store.heartbeat("two")
    assert snapshot.heartbeats == {"one": 1, "two": 1}
    assert [(it.webhook, it.holder, it.fence) for it in snapshot.webhooks] == [(made, "one", 1)]
    await store.give_back([made.id], "two")
    assert (await store.heartbeat("two")).webhooks[0].holder == "one"
    await store.give_back([made.id], "one")
    assert (await store.heartbeat("two")).webhooks[0].holder is None
    await store.take([HeldWebhook(made, None, 1)], "one")
    await store.leave("one")
    again = await store.heartbeat("two")
    assert (again.heartbeats, again.webhooks[0].holder) == ({"two": 4}, None)


async def test_an_owner_is_known_once_it_is_recorded(engine: AsyncEngine) -> None:
    store, records = SqlDeliveries(engine, engine, alone=False), Records()
    mine, theirs, later = samples.job(), replace(samples.job(), owner="bob"), samples.job()
    records.accept(mine, theirs)
    await record_all(records, engine)
    ids, long_ago = [mine.id, theirs.id, later.id], datetime(2020, 1, 1, tzinfo=UTC)
    known = await store.ownership("newsroom", ids, datetime(2999, 1, 1, tzinfo=UTC))
    assert (set(known.owned), list(known.unknown)) == ({mine.id}, [later.id])
    assert not (await store.ownership("newsroom", ids, long_ago)).unknown
