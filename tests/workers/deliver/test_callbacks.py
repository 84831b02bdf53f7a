"""Callbacks by the role `deliver`: a real database, which a real recorder fills, and real receivers."""

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from aiohttp import web
from standardwebhooks import Webhook as Verifier

from contract.callbacks import Callback, CallbackProgress, callback_secret
from contract.codec import encode
from contract.labels import DeliveryOutcome
from contract.timestamps import now, rfc3339
from contract.webhooks import DeliveryState
from runtime.ledger.queries import SqlLedger
from tests.brokers import samples
from tests.runtime.ledger.records import Records, record_all
from tests.workers.deliver.conftest import QUICK, DeliverSystem, OpenReceiver, Posted
from workers.deliver.callbacks import after_attempt
from workers.deliver.receiver import AttemptResult

SECRET = "a setting of thirty-two characters"
AT = datetime(2026, 11, 29, tzinfo=UTC)


async def recorded(system: DeliverSystem, *urls: str) -> dict[str, bytes]:
    """Records a decided document for each URL, and returns their events by id, in the same order."""
    records, jobs = Records(), [replace(samples.job(), callback_url=url) for url in urls]
    records.accept(*jobs)
    events = [replace(samples.processed(job), time=rfc3339(now())) for job in jobs]
    for event in events:
        records.decide(event)
    await record_all(records, system.store._writer)
    return {event.id: encode(event) for event in events}


async def progress(system: DeliverSystem, event_id: str) -> CallbackProgress | None:
    return (await SqlLedger(system.store._reader).runs(event_id.removesuffix(".1")))[-1].callback


async def ended(system: DeliverSystem, *event_ids: str) -> list[CallbackProgress | None]:
    """Waits until these callbacks are over, and returns how far they are."""

    async def are_over() -> bool:
        return all([(it := await progress(system, id_)) and it.state != "pending" for id_ in event_ids])

    await system.until(are_over)
    return [await progress(system, id_) for id_ in event_ids]


async def test_a_callback_is_signed_with_the_owners_secret_and_tried_until_it_is_taken(
    system: DeliverSystem, open_receiver: OpenReceiver
) -> None:
    answers = iter([500, 503, 204])

    async def answer(_: Posted) -> web.Response:
        return web.Response(status=next(answers))

    receiver = await open_receiver(answer)
    ((event_id, body),) = (await recorded(system, receiver.url)).items()
    async with system.delivering(callback_secret=SECRET):
        assert await ended(system, event_id) == [CallbackProgress(DeliveryState.DELIVERED, 3, 204)]
    assert [(it.event_id, it.body) for it in receiver.got] == [(event_id, body)] * 3
    for posted in receiver.got:
        Verifier(callback_secret(SECRET, "newsroom")).verify(posted.body, posted.headers)
    counted = [system.metrics.callback_attempts.labels(it)._value.get() for it in ("refused", "delivered")]
    assert counted == [2, 1]


async def test_a_receiver_that_is_gone_ends_it_and_one_that_never_takes_it_at_last(
    system: DeliverSystem, open_receiver: OpenReceiver
) -> None:
    async def gone(_: Posted) -> web.Response:
        return web.Response(status=410)

    async def broken(_: Posted) -> web.Response:
        return web.Response(status=500)

    receivers = [await open_receiver(it) for it in (gone, broken)]
    ids = await recorded(system, *(it.url for it in receivers))
    async with system.delivering(callback_secret=SECRET):
        failed = await ended(system, *ids)
    assert failed == [CallbackProgress(DeliveryState.FAILED, 1, 410), CallbackProgress(DeliveryState.FAILED, 4, 500)]
    assert [len(it.got) for it in receivers] == [1, 4]


async def test_an_address_that_may_not_be_dialled_gets_nothing(system: DeliverSystem) -> None:
    ids = await recorded(system, "http://10.0.0.1/hook", "http://[::ffff:10.0.0.1]/")
    async with system.delivering(replace(QUICK, delays_s=(0.02,)), callback_secret=SECRET):
        failed = await ended(system, *ids)
    assert [(it.state, it.attempts, it.status) for it in failed if it] == [(DeliveryState.FAILED, 2, None)] * 2
    assert all(it and it.error for it in failed)
    assert system.metrics.callback_attempts.labels(DeliveryOutcome.BLOCKED)._value.get() == 4


async def test_a_receiver_that_hangs_has_few_requests_and_holds_up_no_other(
    system: DeliverSystem, open_receiver: OpenReceiver
) -> None:
    release = asyncio.Event()

    async def hang(_: Posted) -> web.Response:
        await release.wait()
        return web.Response(status=204)

    slow, quick = await open_receiver(hang), await open_receiver()
    ids = [*await recorded(system, *[slow.url] * 30, *[quick.url.replace("127.0.0.1", "localhost")] * 5)]
    limits = replace(QUICK, timeout_s=30.0, at_once=3, callbacks_at_once=8)
    async with system.delivering(limits, callback_secret=SECRET):
        await ended(system, *ids[30:])
        await slow.until(3)
        assert len(slow.got) == slow.at_once == 3
        release.set()
        await ended(system, *ids[:30])
    assert slow.at_once == 3


async def test_two_processes_share_them_and_each_is_posted_once(
    system: DeliverSystem, open_receiver: OpenReceiver
) -> None:
    receiver = await open_receiver()
    events = await recorded(system, *[receiver.url] * 60)
    async with (
        system.delivering(alone=False, callback_secret=SECRET),
        system.delivering(alone=False, callback_secret=SECRET),
    ):
        await ended(system, *events)
    assert Counter(it.event_id for it in receiver.got) == dict.fromkeys(events, 1)


async def test_a_process_that_stops_finishes_what_is_under_way(
    system: DeliverSystem, open_receiver: OpenReceiver
) -> None:
    release = asyncio.Event()

    async def hang(_: Posted) -> web.Response:
        await release.wait()
        return web.Response(status=204)

    receiver = await open_receiver(hang)
    (event_id,) = await recorded(system, receiver.url)
    async with system.delivering(callback_secret=SECRET):
        await receiver.until(1)
        asyncio.get_running_loop().call_later(0.2, release.set)
    assert await progress(system, event_id) == CallbackProgress(DeliveryState.DELIVERED, 1, 204)


async def test_without_the_setting_nothing_is_posted(system: DeliverSystem, open_receiver: OpenReceiver) -> None:
    receiver = await open_receiver()
    (event_id,) = await recorded(system, receiver.url)
    webhook = await system.hook(receiver)
    async with system.delivering():
        system.log.write(samples.processed(samples.job()))
        await receiver.until(1)
    assert [it.event_id == event_id for it in receiver.got] == [False]
    assert await progress(system, event_id) == CallbackProgress()
    assert webhook.enabled


def test_a_receiver_may_ask_to_be_left_alone() -> None:
    callback = Callback(event_id="1.1", owner="ann", host="a.example", url="https://a.example/", body=b"{}")
    busy = AttemptResult(outcome=DeliveryOutcome.REFUSED, status=429, retry_after_s=3600.0)
    tried = after_attempt(callback, busy, AT, QUICK)
    assert (tried.next_at, tried.last_at) == (AT + timedelta(hours=1), AT)
    assert tried.progress == CallbackProgress(DeliveryState.PENDING, 1, 429)
