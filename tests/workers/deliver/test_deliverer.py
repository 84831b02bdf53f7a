"""The role `deliver`, with a log in memory, real receivers and a real database."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import orjson
from aiohttp import web
from standardwebhooks import Webhook as Verifier

from contract.codec import encode
from contract.events import ProcessedEvent, erased
from contract.ledger import LedgerUnavailable
from contract.reasons import Reason
from contract.timestamps import now
from contract.webhooks import DeliveryState, DisabledCause, Documents, Payload, new_secret
from tests.brokers import samples
from tests.runtime.ledger.records import Records, record_all
from tests.runtime.ledger.test_webhooks import delivery
from tests.workers.deliver.conftest import QUICK, DeliverSystem, OpenReceiver, Posted

LONG = replace(QUICK, delays_s=(60.0,))


def events(count: int) -> list[ProcessedEvent]:
    return [samples.processed(samples.job()) for _ in range(count)]


def write(system: DeliverSystem, written: Sequence[ProcessedEvent]) -> list[str]:
    for event in written:
        system.log.write(event)
    return [event.id for event in written]


async def test_no_more_is_read_when_the_events_that_wait_are_large(
    system: DeliverSystem, open_receiver: OpenReceiver
) -> None:
    up = asyncio.Event()

    async def answer(_: Posted) -> web.Response:
        return web.Response(status=204 if up.is_set() else 500)

    receiver = await open_receiver(answer)
    webhook = await system.hook(receiver)
    limits = replace(QUICK, delays_s=(0.2,) * 1000, pending_bytes=3 * len(encode(events(1)[0])), at_once=1)
    async with system.delivering(limits):
        ids = write(system, events(30))
        await receiver.until(3)

        async def are_stored() -> bool:
            return len([it for it in await system.deliveries(webhook) if it.attempts]) >= 3

        await system.until(are_stored)
        tried = {posted.event_id for posted in receiver.got}
        assert len(tried) < 15  # of 30; what is stored is compressed, and counts less
        up.set()

        async def are_delivered() -> bool:
            kept = await system.deliveries(webhook)
            return {it.event_id for it in kept if it.state is DeliveryState.DELIVERED} == set(ids)

        await system.until(are_delivered)


async def test_each_event_is_posted_in_the_bytes_of_the_log_and_signed(
    system: DeliverSystem, open_receiver: OpenReceiver
) -> None:
    receiver = await open_receiver()
    write(system, events(2))  # before the webhook
    former = new_secret()
    webhook = await system.hook(receiver, former=former, former_until=now() + timedelta(hours=1))
    async with system.delivering():
        ids = write(system, events(5))
        assert sorted(await receiver.until(5)) == sorted(ids)
    bodies = {entry.body for entry in system.log.entries[2:]}
    assert {posted.body for posted in receiver.got} == bodies
    for posted in receiver.got:
        assert posted.headers["content-type"] == "application/cloudevents+json"
        assert orjson.loads(posted.body)["id"] == posted.event_id
        for secret in (webhook.secret, former):
            Verifier(secret).verify(posted.body, posted.headers)
    assert await system.place(webhook) == 6
    kept = await system.deliveries(webhook)
    assert {(it.event_id, it.state, it.attempts, it.status) for it in kept} == {
        (event_id, DeliveryState.DELIVERED, 1, 204) for event_id in ids
    }


async def test_a_webhook_gets_what_its_patterns_and_its_filter_choose(
    system: DeliverSystem, open_receiver: OpenReceiver
) -> None:
    by_pattern, by_filter, thin = [await open_receiver() for _ in range(3)]
    await system.hook(by_pattern, patterns=("erased",))
    await system.hook(by_filter, filter="type = failed")
    await system.hook(thin, payload=Payload.THIN, patterns=("processed.#",))
    async with system.delivering():
        (article,) = events(1)
        write(system, [article])
        gone, failed = erased("some-id", samples.NOW), samples.failed("other-id", Reason.NOT_FOUND)
        system.log.write(gone)
        system.log.write(failed)
        assert await by_pattern.until(1) == [gone.id]
        assert await by_filter.until(1) == [failed.id]
        assert await thin.until(1) == [article.id]
    fields = orjson.loads(thin.got[0].body)
    assert (fields["id"], fields["type"], fields["data"]) == (
        *(article.id, article.type),
        {"id": article.data.id, "kind": "text", "labels": {"desk": "foreign"}, "url": None},
    )


async def test_what_fails_is_tried_again_while_new_events_go_on(
    system: DeliverSystem, open_receiver: OpenReceiver
) -> None:
    fails: set[str] = set()

    async def answer(posted: Posted) -> web.Response:
        if posted.event_id in fails:
            return web.Response(status=500, text="out of\0 order" + "!" * 2000)
        return web.Response(status=200)

    receiver = await open_receiver(answer)
    webhook = await system.hook(receiver)
    async with system.delivering(replace(QUICK, delays_s=(0.3, 60.0))):
        first, *others = events(4)
        fails.add(first.id)
        ids = write(system, [first, *others])
        assert set(await receiver.until(5)) == set(ids)

        async def is_on_record() -> bool:
            kept = {it.event_id: it for it in await system.deliveries(webhook)}
            return first.id in kept and kept[first.id].attempts == 2

        await system.until(is_on_record)
    (failed,) = (it for it in await system.deliveries(webhook) if it.event_id == first.id)
    assert (failed.state, failed.status, failed.next_at is not None) == (DeliveryState.PENDING, 500, True)
    assert failed.excerpt is not None
    assert (failed.excerpt.startswith("out of order!"), len(failed.excerpt) <= 1024) == (True, True)
    assert await system.place(webhook) == 3
    fails.clear()
    assert await system.book.hasten(failed.id, now())
    async with system.delivering():
        await receiver.until(6)
    (delivered,) = (it for it in await system.deliveries(webhook) if it.event_id == first.id)
    assert (delivered.state, delivered.attempts) == (DeliveryState.DELIVERED, 3)


async def test_after_its_last_attempt_a_delivery_has_failed(system: DeliverSystem, open_receiver: OpenReceiver) -> None:
    async def refuse(_: Posted) -> web.Response:
        return web.Response(status=302, headers={"Location": "https://example.com/"})

    receiver = await open_receiver(refuse)
    webhook = await system.hook(receiver)
    async with system.delivering():
        ids = write(system, events(1))
        assert await receiver.until(4) == ids * 4

        async def has_failed() -> bool:
            return [it.state for it in await system.deliveries(webhook)] == [DeliveryState.FAILED]

        await system.until(has_failed)
    found = await system.book.webhook(webhook.id)
    assert found is not None
    assert (found.enabled, found.failing_since is not None) == (True, True)


async def test_an_ordered_webhook_keeps_the_order_across_failures_and_restarts(
    system: DeliverSystem, open_receiver: OpenReceiver
) -> None:
    fails_until, count = 3, 0

    async def answer(_: Posted) -> web.Response:
        nonlocal count
        count += 1
        return web.Response(status=500 if 2 <= count < 2 + fails_until else 200)

    receiver = await open_receiver(answer)
    webhook = await system.hook(receiver, ordered=True)
    async with system.delivering(replace(QUICK, delays_s=(60.0,))):
        ids = write(system, events(4))
        await receiver.until(2)

        async def is_on_record() -> bool:
            return DeliveryState.PENDING in [it.state for it in await system.deliveries(webhook)]

        await system.until(is_on_record)
    (blocking,) = (it for it in await system.deliveries(webhook) if it.state is DeliveryState.PENDING)
    assert await system.book.hasten(blocking.id, now())
    async with system.delivering(replace(QUICK, delays_s=(0.02,) * 9)):
        got = await receiver.until(4 + fails_until)
    assert got == [ids[0], *[ids[1]] * (fails_until + 1), *ids[2:]]
    assert receiver.at_once == 1


async def test_an_owner_may_ask_for_the_delivery_that_holds_up_an_ordered_webhook(
    system: DeliverSystem, open_receiver: OpenReceiver
) -> None:
    answers = iter([500])

    async def answer(_: Posted) -> web.Response:
        return web.Response(status=next(answers, 204))

    receiver = await open_receiver(answer)
    webhook = await system.hook(receiver, ordered=True)
    async with system.delivering(LONG):
        ids = write(system, events(3))
        await receiver.until(1)

        async def is_on_record() -> bool:
            return [it.state for it in await system.deliveries(webhook)] == [DeliveryState.PENDING]

        await system.until(is_on_record)
        (blocking,) = await system.deliveries(webhook)
        assert await system.book.hasten(blocking.id, now())
        assert await receiver.until(4) == [ids[0], *ids]


async def test_a_delivery_that_is_asked_for_does_not_make_the_failures_forgotten(
    system: DeliverSystem, open_receiver: OpenReceiver
) -> None:
    is_down = True

    async def answer(_: Posted) -> web.Response:
        return web.Response(status=503 if is_down else 200)

    receiver = await open_receiver(answer)
    webhook = await system.hook(receiver)
    async with system.delivering(replace(QUICK, delays_s=(60.0, 60.0), down_after=5)):
        ids = write(system, events(4))
        await receiver.until(4)

        async def are_on_record() -> bool:
            return len(await system.deliveries(webhook)) == 4

        await system.until(are_on_record)
        first, *_ = await system.deliveries(webhook)
        assert await system.book.hasten(first.id, now())
        await receiver.until(5)  # the fifth failure in a row
        is_down = False
        ids += write(system, events(1))
        assert set((await receiver.until(10))[5:]) == set(ids)


async def test_a_receiver_that_hangs_holds_up_no_other_and_has_a_bounded_number_of_requests(
    system: DeliverSystem, open_receiver: OpenReceiver
) -> None:
    async def hang(_: Posted) -> web.Response:
        await asyncio.Event().wait()
        return web.Response()

    stuck, working = await open_receiver(hang), await open_receiver()
    await system.hook(stuck)
    await system.hook(working)
    async with system.delivering(replace(QUICK, timeout_s=0.5)):
        ids = write(system, events(30))
        assert sorted(await working.until(30)) == sorted(ids)
        await stuck.until(9)  # those that timed out make room
    assert stuck.at_once == QUICK.at_once


async def test_many_webhooks_read_the_log_once(system: DeliverSystem, open_receiver: OpenReceiver) -> None:
    receivers = [await open_receiver() for _ in range(30)]
    for receiver in receivers:
        await system.hook(receiver)
    async with system.delivering():
        ids = write(system, events(20))
        for receiver in receivers:
            assert sorted(await receiver.until(20)) == sorted(ids)
    assert system.log.reads == 1


async def test_a_webhook_that_fell_behind_catches_up(system: DeliverSystem, open_receiver: OpenReceiver) -> None:
    far, near = await open_receiver(), await open_receiver()
    behind = await system.hook(far, ordered=True)
    ids = write(system, events(1500))
    system.log.batch = 200
    await system.hook(near)
    async with system.delivering():
        newest = write(system, events(1))
        assert await near.until(1) == newest
        assert await far.until(1501) == ids + newest

        async def is_at_the_end() -> bool:
            return await system.place(behind) == 1500

        await system.until(is_at_the_end)
        shown = system.metrics.registry.get_sample_value
        await system.until(lambda: _holds(lambda: shown("copydesk_webhook_lag_events") == 0))
    assert system.log.reads == 2


async def _holds(condition: object) -> bool:
    assert callable(condition)
    return bool(condition())


async def test_events_that_are_gone_from_the_log_are_told_of(
    system: DeliverSystem, open_receiver: OpenReceiver
) -> None:
    receiver = await open_receiver()
    webhook = await system.hook(receiver, place=0)
    ids = write(system, events(6))
    system.log.truncate(4)
    async with system.delivering():
        assert sorted(await receiver.until(2)) == sorted(ids[4:])
    found = await system.book.webhook(webhook.id)
    assert found is not None
    assert (found.missed_at is not None, found.place) == (True, 5)
    assert system.metrics.registry.get_sample_value("copydesk_webhook_gaps_total") == 1


async def test_a_receiver_that_is_gone_is_disabled_and_the_log_tells(
    system: DeliverSystem, open_receiver: OpenReceiver
) -> None:
    status = 410

    async def answer(_: Posted) -> web.Response:
        return web.Response(status=status)

    receiver = await open_receiver(answer)
    webhook = await system.hook(receiver)
    async with system.delivering(LONG):
        ids = write(system, events(1))
        await receiver.until(1)

        async def is_told() -> bool:
            found = await system.book.webhook(webhook.id)
            return found is not None and not found.enabled and found.is_told

        await system.until(is_told)
        ids += write(system, events(2))
        told = [orjson.loads(it.body) for it in system.log.entries if it.routing_key == "webhook.disabled.gone"]
        assert [(it["type"], it["subject"]) for it in told] == [("copydesk.webhook.disabled.v1", webhook.id)]
        assert told[0]["data"]["cause"] == "gone"
        assert system.metrics.registry.get_sample_value("copydesk_webhooks_disabled_total", {"cause": "gone"}) == 1
        status = 200
        found = await system.book.webhook(webhook.id)
        assert found is not None
        assert (found.disabled_cause, len(receiver.got)) == (DisabledCause.GONE, 1)
        again = replace(found, version=found.version + 1, enabled=True, failing_since=None, disabled_cause=None)
        assert await system.book.change(again)
        got = await receiver.until(5)  # what caused it, two events, and the event that tells
    assert sorted(got[1:]) == sorted([*ids, told[0]["id"]])


async def test_a_webhook_is_disabled_after_days_of_nothing_but_failures(
    system: DeliverSystem, open_receiver: OpenReceiver
) -> None:
    async def refuse(_: Posted) -> web.Response:
        return web.Response(status=500)

    receiver = await open_receiver(refuse)
    since = now() - timedelta(days=3, minutes=1)
    old, young = await system.hook(receiver, failing_since=since), await system.hook(receiver, failing_since=now())
    async with system.delivering(LONG):
        write(system, events(1))

        async def is_disabled() -> bool:
            found = await system.book.webhook(old.id)
            return found is not None and found.disabled_cause is DisabledCause.FAILING

        await system.until(is_disabled)
        await receiver.until(2)
    other = await system.book.webhook(young.id)
    assert other is not None
    assert other.enabled


async def test_a_receiver_that_asks_to_slow_down_is_left_alone(
    system: DeliverSystem, open_receiver: OpenReceiver
) -> None:
    async def busy(_: Posted) -> web.Response:
        return web.Response(status=429, headers={"Retry-After": "3600"})

    receiver = await open_receiver(busy)
    webhook = await system.hook(receiver, ordered=True)
    async with system.delivering():
        write(system, events(3))
        await receiver.until(1)

        async def is_on_record() -> bool:
            return bool(await system.deliveries(webhook))

        await system.until(is_on_record)
    (waiting,) = await system.deliveries(webhook)
    assert waiting.next_at is not None
    assert waiting.next_at - now() > timedelta(minutes=59)


async def test_a_test_reaches_a_disabled_webhook_and_no_event_does(
    system: DeliverSystem, open_receiver: OpenReceiver
) -> None:
    receiver = await open_receiver()
    webhook = await system.hook(receiver, enabled=False)
    await system.book.request(delivery(webhook, event_id="a.test", requested=True, next_at=now()))
    async with system.delivering():
        write(system, events(3))
        assert await receiver.until(1) == ["a.test"]
    assert len(receiver.got) == 1
    (sent,) = await system.deliveries(webhook)
    assert (sent.state, sent.attempts) == (DeliveryState.DELIVERED, 1)


async def test_while_the_ledger_is_away_deliveries_go_on_and_are_stored_later(
    system: DeliverSystem, open_receiver: OpenReceiver
) -> None:
    receiver = await open_receiver()
    webhook = await system.hook(receiver)
    async with system.delivering() as role:
        await system.until(lambda: _holds(lambda: role._runs))
        settle, is_away = role._store.settle, True

        async def fail(settlements: object) -> object:
            if is_away:
                raise LedgerUnavailable
            return await settle(settlements)  # type: ignore[arg-type] # what the role gives

        role._store.settle = fail  # type: ignore[method-assign, assignment]
        ids = write(system, events(7))
        await receiver.until(7)
        assert await system.place(webhook) == -1
        is_away = False
    assert await system.place(webhook) == 6
    assert sorted(it.event_id for it in await system.deliveries(webhook)) == sorted(ids)


async def test_processes_share_the_webhooks_and_take_over_from_one_that_ends(
    system: DeliverSystem, open_receiver: OpenReceiver
) -> None:
    receiver = await open_receiver()
    for _ in range(12):
        await system.hook(receiver)
    async with system.delivering(alone=False) as first:
        async with system.delivering(alone=False) as second:
            await system.until(
                lambda: _holds(lambda: len(first._runs) + len(second._runs) == 12 and first._runs and second._runs)
            )
            assert not set(first._runs) & set(second._runs)
            write(system, events(2))
            await receiver.until(24)
        await system.until(lambda: _holds(lambda: len(first._runs) == 12))
        write(system, events(1))
        await receiver.until(36)
    assert len(receiver.got) == 36


async def test_a_process_that_comes_later_gets_its_share(system: DeliverSystem, open_receiver: OpenReceiver) -> None:
    receiver = await open_receiver()
    for _ in range(12):
        await system.hook(receiver)
    async with system.delivering(alone=False) as first:
        await system.until(lambda: _holds(lambda: len(first._runs) == 12))
        async with system.delivering(alone=False) as second:
            await system.until(lambda: _holds(lambda: second._runs and len(first._runs) + len(second._runs) == 12))
            write(system, events(1))
            await receiver.until(12)
    assert len(receiver.got) == 12


async def test_what_is_pending_of_an_erased_document_is_dropped(
    system: DeliverSystem, open_receiver: OpenReceiver
) -> None:
    async def refuse(_: Posted) -> web.Response:
        return web.Response(status=500)

    receiver = await open_receiver(refuse)
    webhook = await system.hook(receiver)
    async with system.delivering(LONG):
        gone, kept = events(2)
        write(system, [gone, kept])
        await receiver.until(2)
        notice = erased(gone.subject, samples.NOW)
        system.log.write(notice)

        async def is_stored() -> bool:
            return await system.place(webhook) == 2

        await system.until(is_stored)
    assert {it.event_id for it in await system.deliveries(webhook)} == {kept.id, notice.id}


async def test_an_owner_hears_of_its_own_documents_alone(system: DeliverSystem, open_receiver: OpenReceiver) -> None:
    receiver = await open_receiver()
    mine, theirs = samples.job(), replace(samples.job(), owner="bob")
    await system.hook(receiver, owner="newsroom", documents=Documents.OWN)
    async with system.delivering():
        write(system, [samples.processed(theirs), samples.processed(mine)])
        await asyncio.sleep(0.1)
        assert receiver.got == []  # the recorder has not told yet whose they are
        records = Records()
        records.accept(mine, theirs)
        await record_all(records, system.store._writer)
        assert await receiver.until(1) == [mine.event_id]
    assert len(receiver.got) == 1


async def test_old_deliveries_are_deleted_and_the_newest_kept(
    system: DeliverSystem, open_receiver: OpenReceiver
) -> None:
    webhook = await system.hook(await open_receiver(), enabled=False)
    over = {"state": DeliveryState.DELIVERED, "body": None}
    old = delivery(webhook, **over, created_at=now() - timedelta(days=8))
    pending = delivery(webhook, created_at=now() - timedelta(days=8))
    new = [delivery(webhook, **over, created_at=now()) for _ in range(5)]
    for it in (old, pending, *new):
        await system.book.request(it)
    async with system.delivering(replace(QUICK, keep_many=3)):

        async def are_gone() -> bool:
            return {it.id for it in await system.deliveries(webhook)} == {pending.id, *(it.id for it in new[2:])}

        await system.until(are_gone)


async def test_when_a_receiver_that_was_down_answers_again_all_that_waits_is_due(
    system: DeliverSystem, open_receiver: OpenReceiver
) -> None:
    is_down = True

    async def answer(_: Posted) -> web.Response:
        return web.Response(status=503 if is_down else 200)

    receiver = await open_receiver(answer)
    webhook = await system.hook(receiver)
    async with system.delivering(replace(LONG, down_after=5)):
        ids = write(system, events(5))
        await receiver.until(5)

        async def are_on_record() -> bool:
            return len(await system.deliveries(webhook)) == 5

        await system.until(are_on_record)
        is_down = False
        ids += write(system, events(1))
        assert set((await receiver.until(11))[5:]) == set(ids)


async def test_while_many_deliveries_wait_no_further_events_are_read(
    system: DeliverSystem, open_receiver: OpenReceiver
) -> None:
    async def refuse(_: Posted) -> web.Response:
        return web.Response(status=500)

    receiver = await open_receiver(refuse)
    webhook = await system.hook(receiver)
    async with system.delivering(replace(LONG, pending=5)):
        write(system, events(60))

        async def are_on_record() -> bool:
            return len(await system.deliveries(webhook)) >= 5

        await system.until(are_on_record)
        looked = system.metrics.registry.get_sample_value
        await system.until(lambda: _holds(lambda: (looked("copydesk_webhook_pending") or 0) >= 5))
    assert len(receiver.got) <= 5 + 2 * QUICK.at_once  # those under way, and those that ended while they were counted
    assert await system.place(webhook) < 5 + 2 * QUICK.at_once
