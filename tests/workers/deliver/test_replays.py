"""Replays by the role `deliver`, with a log in memory, real receivers and a real database."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta

import orjson
from aiohttp import web

from contract.events import erased
from contract.job import Job
from contract.replays import REPLAY_HEADER, ReplayCause, ReplayState, ReplayTarget
from contract.timestamps import now, rfc3339
from contract.webhooks import DeliveryState, Documents
from tests.brokers import samples
from tests.runtime.ledger.records import Records, record_all
from tests.workers.deliver.conftest import QUICK, DeliverSystem, OpenReceiver, Posted

PATIENT = replace(QUICK, delays_s=(60.0,))


def write(system: DeliverSystem, count: int) -> list[str]:
    events = [samples.processed(samples.job()) for _ in range(count)]
    for event in events:
        system.log.write(event)
    return [event.id for event in events]


def owned(owner: str) -> Job:
    return replace(samples.job(), owner=owner)


def ids_of(system: DeliverSystem, queue: str) -> list[str]:
    """Returns the ids of the events in a queue, in order, and checks that they have the bytes of the log."""
    in_log = {entry.body for entry in system.log.entries}
    assert {entry.body for entry in system.log.queues[queue]} <= in_log
    return [orjson.loads(entry.body)["id"] for entry in system.log.queues[queue]]


async def test_a_webhook_gets_the_events_of_before_in_the_bytes_of_the_log_and_marked(
    system: DeliverSystem, open_receiver: OpenReceiver
) -> None:
    receiver = await open_receiver()
    ids = write(system, 8)
    webhook = await system.hook(receiver)
    replay = await system.replay(ReplayTarget.WEBHOOK, webhook_id=webhook.id, after=1, place=1)
    async with system.delivering():
        ended = await system.replay_ended(replay)
        new = write(system, 1)
        await receiver.until(7)
    assert sorted(posted.event_id for posted in receiver.got) == sorted(ids[2:] + new)
    assert {posted.body for posted in receiver.got} == {entry.body for entry in system.log.entries[2:]}
    marks = {posted.event_id: posted.headers.get(REPLAY_HEADER) for posted in receiver.got}
    assert marks == dict.fromkeys(ids[2:], replay.id) | {new[0]: None}
    assert (ended.state, ended.place, ended.read, ended.sent) == (ReplayState.COMPLETED, 7, 6, 6)
    assert (ended.delivered, ended.failed, ended.pending) == (6, 0, 0)
    kept = await system.deliveries(webhook)
    assert {it.event_id: it.replay_id for it in kept} == marks


async def test_a_queue_gets_each_event_in_order_and_what_it_refuses_again(system: DeliverSystem) -> None:
    ids = write(system, 10)
    system.log.queues["mine"] = []
    full = iter([False] * 4 + [True] + [False] * 5 + [True])
    system.log.refuses = lambda _: next(full, False)
    replay = await system.replay(ReplayTarget.QUEUE, queue="mine")
    async with system.delivering():
        ended = await system.replay_ended(replay)
    assert sorted(ids_of(system, "mine")) == sorted(ids)
    assert (ended.state, ended.sent) == (ReplayState.COMPLETED, 10)


async def test_it_goes_on_where_the_process_before_it_ended(system: DeliverSystem) -> None:
    ids = write(system, 30)
    system.log.queues["mine"] = []
    replay = await system.replay(ReplayTarget.QUEUE, queue="mine", per_second=30)
    async with system.delivering():

        async def has_begun() -> bool:
            return len(system.log.queues["mine"]) >= 6

        await system.until(has_begun)
    stopped = await system.replays.replay(replay.id)
    assert stopped is not None
    assert (stopped.state, 5 <= stopped.place < 29) == (ReplayState.RUNNING, True)
    async with system.delivering():
        await system.replay_ended(replay)
    assert ids_of(system, "mine") == ids


async def test_it_is_as_fast_as_was_asked_for(system: DeliverSystem) -> None:
    write(system, 12)
    system.log.queues["mine"] = []
    replay = await system.replay(ReplayTarget.QUEUE, queue="mine", per_second=20)
    async with system.delivering():
        began = asyncio.get_running_loop().time()
        await system.replay_ended(replay)
        assert asyncio.get_running_loop().time() - began >= 0.55


async def test_only_what_was_asked_for_is_sent(system: DeliverSystem) -> None:
    at = datetime.fromisoformat("2026-11-28T12:00:00Z")
    events = [replace(samples.processed(samples.job()), time=rfc3339(at + timedelta(hours=it))) for it in range(4)]
    gone = erased(events[0].subject, rfc3339(at + timedelta(hours=1)))
    for event in events:
        system.log.write(event)
    system.log.write(gone)
    system.log.queues |= {"timed": [], "filtered": [], "named": []}
    by_time = {"since": at + timedelta(hours=1), "before": at + timedelta(hours=3)}
    asked = [
        await system.replay(ReplayTarget.QUEUE, queue="timed", **by_time),
        await system.replay(ReplayTarget.QUEUE, queue="filtered", filter="type = erased"),
        await system.replay(ReplayTarget.QUEUE, queue="named", patterns=("processed.#",), until=1),
    ]
    async with system.delivering():
        for replay in asked:
            await system.replay_ended(replay)
    assert ids_of(system, "timed") == [events[1].id, events[2].id, gone.id]
    assert ids_of(system, "filtered") == [gone.id]
    assert ids_of(system, "named") == [events[0].id, events[1].id]


async def test_an_owner_gets_its_own_events_alone_and_none_of_erased_documents(system: DeliverSystem) -> None:
    records = Records()
    ann, bob, lost = owned("ann"), owned("bob"), owned("ann")
    records.accept(ann, bob, lost)
    events = [samples.processed(it) for it in (ann, bob, lost)]
    for event in events:
        records.decide(event)
        system.log.write(event)
    gone = erased(lost.id, rfc3339(now()))
    records.erase(lost)
    system.log.write(gone)
    await record_all(records, system.store._writer)
    system.log.queues |= {"own": [], "all": []}
    own = await system.replay(ReplayTarget.QUEUE, queue="own", documents=Documents.OWN)
    of_all = await system.replay(ReplayTarget.QUEUE, queue="all")
    async with system.delivering():
        await system.replay_ended(own)
        await system.replay_ended(of_all)
    assert ids_of(system, "own") == [events[0].id, gone.id]
    assert ids_of(system, "all") == [events[0].id, events[1].id, gone.id]


async def test_a_webhook_hears_of_no_more_than_it_may(system: DeliverSystem, open_receiver: OpenReceiver) -> None:
    records = Records()
    ann, bob = owned("ann"), owned("bob")
    records.accept(ann, bob)
    events = [samples.processed(it) for it in (ann, bob)]
    for event in events:
        records.decide(event)
        system.log.write(event)
    await record_all(records, system.store._writer)
    receiver = await open_receiver()
    webhook = await system.hook(receiver, owner="bob", documents=Documents.OWN)
    narrow = await system.hook(receiver, patterns=("erased",))
    asked = [await system.replay(ReplayTarget.WEBHOOK, webhook_id=it.id) for it in (webhook, narrow)]
    async with system.delivering():
        for replay in asked:
            await system.replay_ended(replay)
    assert [posted.event_id for posted in receiver.got] == [events[1].id]


async def test_a_replay_to_a_receiver_that_is_down_waits_and_loses_nothing_when_it_is_cancelled_and_resumed(
    system: DeliverSystem, open_receiver: OpenReceiver
) -> None:
    up = asyncio.Event()

    async def answer(_: Posted) -> web.Response:
        return web.Response(status=204 if up.is_set() else 500)

    receiver = await open_receiver(answer)
    ids = write(system, 9)
    webhook = await system.hook(receiver)
    replay = await system.replay(ReplayTarget.WEBHOOK, webhook_id=webhook.id)
    async with system.delivering(PATIENT):

        async def all_wait() -> bool:
            found = await system.replays.replay(replay.id)
            return found is not None and (found.sent, found.pending) == (9, 9)

        await system.until(all_wait)
        await receiver.until(9)
        assert await system.replays.cancel(replay.id, now())
        cancelled = await system.replays.replay(replay.id)
        assert cancelled is not None
        assert (cancelled.state, cancelled.place, cancelled.sent, cancelled.pending) == ("cancelled", -1, 0, 0)
        assert not await system.replays.cancel(replay.id, now())
        up.set()
        receiver.got.clear()
        assert await system.replays.resume(replay.id, now())
        ended = await system.replay_ended(replay)
    assert (ended.state, ended.sent, ended.delivered) == (ReplayState.COMPLETED, 9, 9)
    assert {posted.event_id for posted in receiver.got} == set(ids)  # an attempt from before the end may come, too


async def test_what_becomes_of_its_target_ends_it(system: DeliverSystem, open_receiver: OpenReceiver) -> None:
    async def gone(_: Posted) -> web.Response:
        return web.Response(status=410)

    write(system, 5)
    disabled = await system.hook(await open_receiver(gone))
    asked = {
        ReplayCause.WEBHOOK_REMOVED: await system.replay(ReplayTarget.WEBHOOK, webhook_id="none"),
        ReplayCause.WEBHOOK_DISABLED: await system.replay(ReplayTarget.WEBHOOK, webhook_id=disabled.id),
        ReplayCause.QUEUE_MISSING: await system.replay(ReplayTarget.QUEUE, queue="none"),
    }
    system.log.truncate(3)
    system.log.queues["mine"] = []
    asked[ReplayCause.POSITION_GONE] = await system.replay(ReplayTarget.QUEUE, queue="mine", after=0, place=0)
    async with system.delivering():
        for cause, replay in asked.items():
            ended = await system.replay_ended(replay)
            assert (ended.state, ended.cause) == (ReplayState.FAILED, cause)
    waiting = [it for it in await system.deliveries(disabled) if it.state is DeliveryState.PENDING]
    assert waiting == []


async def test_few_deliveries_of_a_replay_are_pending_at_a_time(
    system: DeliverSystem, open_receiver: OpenReceiver
) -> None:
    async def down(_: Posted) -> web.Response:
        return web.Response(status=500)

    write(system, 12)
    system.log.batch = 12
    webhook = await system.hook(await open_receiver(down))
    large = await system.hook(await open_receiver(down))
    few = replace(PATIENT, replay_pending=4, replay_at_once=2)
    replay = await system.replay(ReplayTarget.WEBHOOK, webhook_id=webhook.id)

    async def are_tried() -> bool:
        kept = await system.deliveries(webhook)
        return len(kept) == 4 and all(it.attempts for it in kept)

    async with system.delivering(few):
        await system.until(are_tried)
    by_bytes = replace(PATIENT, replay_bytes=1, replay_at_once=3)
    await system.replays.cancel(replay.id, now())
    await system.replay(ReplayTarget.WEBHOOK, webhook_id=large.id)

    async def are_three() -> bool:
        return len([it for it in await system.deliveries(large) if it.attempts]) == 3

    async with system.delivering(by_bytes):
        await system.until(are_three)


async def test_two_processes_share_the_replays_and_one_that_ends_loses_them_to_the_other(system: DeliverSystem) -> None:
    ids = write(system, 20)
    system.log.queues |= {f"q{number}": [] for number in range(8)}
    asked = [await system.replay(ReplayTarget.QUEUE, queue=name, per_second=40) for name in system.log.queues]
    limits = replace(QUICK, replays=8)
    async with system.delivering(limits, alone=False):
        async with system.delivering(limits, alone=False):

            async def are_shared() -> bool:
                return len({it.holder for it in await system.replays.running()} - {None}) == 2

            await system.until(are_shared)
        for replay in asked:
            assert (await system.replay_ended(replay)).state is ReplayState.COMPLETED
    for name in system.log.queues:
        assert ids_of(system, name) == ids
