"""Replays in both databases."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncEngine

from contract.deliveries import Settlement
from contract.replays import HeldReplay, Replay, ReplayCause, ReplayState, ReplayTarget, Step
from contract.webhooks import Delivery, DeliveryState, new_id
from runtime.ledger.deliveries import SqlDeliveries
from runtime.ledger.replays import SqlReplays
from runtime.ledger.webhooks import SqlWebhookBook
from tests.runtime.ledger.test_webhooks import delivery, webhook

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
LATER = NOW + timedelta(minutes=1)


def replay(owner: str = "ann", **fields: object) -> Replay:
    made = Replay(
        id=new_id(),
        owner=owner,
        target=ReplayTarget.WEBHOOK,
        webhook_id="hook",
        patterns=("processed.#",),
        filter="has title",
        since=NOW,
        before=LATER,
        until=41,
        per_second=7,
        created_at=NOW,
        updated_at=NOW,
    )
    return replace(made, **fields)  # type: ignore[arg-type] # the fields of a replay


def step(place: int, *deliveries: Delivery) -> Step:
    return Step(place=place, read=10, sent=len(deliveries), at=LATER, deliveries=deliveries)


async def test_a_replay_is_stored_as_it_is_and_an_owner_has_so_many_that_run(engine: AsyncEngine) -> None:
    store = SqlReplays(engine, engine)
    first, second, other = replay(), replay(target=ReplayTarget.QUEUE, webhook_id=None, queue="q"), replay("bob")
    assert [await store.add(it, at_most=2) for it in (first, second, replay(), other)] == [True, True, False, True]
    assert await store.replay(first.id) == first
    assert await store.replays("ann", limit=9, before=None) == [second, first]
    assert await store.replays(None, limit=1, before=other.id) == [second]
    assert await store.cancel(first.id, NOW)
    assert await store.add(replay(), at_most=2)


async def test_only_the_process_that_has_a_replay_moves_it(engine: AsyncEngine) -> None:
    store, made = SqlReplays(engine, engine), replay()
    await store.add(made, at_most=9)
    await store.add(replay(target=ReplayTarget.DOWNLOAD), at_most=9)
    held = HeldReplay(made, None, 0)
    assert await store.running() == [held]
    assert await store.take_replay(held, "one") == made
    assert await store.take_replay(held, "two") is None
    assert not await store.advance(made.id, 0, step(5))
    assert await store.advance(made.id, 1, step(5))
    assert not await store.end(made.id, 0, ReplayState.FAILED, ReplayCause.POSITION_GONE, LATER)
    (now_held,) = await store.running()
    assert (now_held.holder, now_held.fence, now_held.replay.place, now_held.replay.read) == ("one", 1, 5, 10)
    await SqlDeliveries(engine, engine, alone=False).leave("one")
    assert [it.holder for it in await store.running()] == [None]
    assert await store.end(made.id, 1, ReplayState.FAILED, ReplayCause.POSITION_GONE, LATER)
    ended = await store.replay(made.id)
    assert ended is not None
    assert (ended.state, ended.cause, ended.ended_at) == (ReplayState.FAILED, ReplayCause.POSITION_GONE, LATER)
    assert not await store.advance(made.id, 1, step(6))


async def test_a_process_that_has_not_heard_of_a_cancel_does_not_move_what_is_resumed(
    engine: AsyncEngine,
) -> None:
    store, made = SqlReplays(engine, engine), replay()
    await store.add(made, at_most=9)
    assert await store.take_replay(HeldReplay(made, None, 0), "one") == made
    assert await store.cancel(made.id, LATER)
    assert await store.resume(made.id, LATER)
    assert not await store.advance(made.id, 1, step(5))
    assert not await store.end(made.id, 1, ReplayState.COMPLETED, None, LATER)
    (held,) = await store.running()
    assert (held.holder, held.replay.place) == (None, made.place)
    taken = await store.take_replay(held, "one")
    assert taken is not None
    assert taken.place == made.place
    assert await store.advance(made.id, held.fence + 1, step(5))


async def test_deliveries_of_a_replay_are_counted_once_and_dropped_when_it_ends(engine: AsyncEngine) -> None:
    store, deliveries, hook = SqlReplays(engine, engine), SqlDeliveries(engine, engine, alone=False), webhook()
    await SqlWebhookBook(engine).add(hook, at_most=9)
    made = replay(webhook_id=hook.id)
    await store.add(made, at_most=9)
    sent = [delivery(hook, requested=True, replay_id=made.id, offset=it) for it in range(4)]
    assert await store.advance(made.id, 0, step(9, *sent))
    assert (await store.backlog(made.id)).count == 4
    over = {"next_at": None, "body": None, "attempts": 1}
    done = replace(sent[0], state=DeliveryState.DELIVERED, **over)  # type: ignore[arg-type] # the fields of a delivery
    failed = replace(sent[1], state=DeliveryState.FAILED, **over)  # type: ignore[arg-type] # as above
    for _ in range(2):  # the outcome of the first commit was not known
        await deliveries.settle([Settlement(webhook_id=hook.id, fence=0, version=1, place=0, again=[done, failed])])
    found = await store.replay(made.id)
    assert found is not None
    assert (found.sent, found.delivered, found.failed, found.pending, found.place) == (4, 1, 1, 2, 9)
    assert await store.cancel(made.id, LATER)
    found = await store.replay(made.id)
    assert found is not None
    assert (found.sent, found.pending, found.place) == (2, 0, 1)
    assert await store.resume(made.id, LATER)
    assert not await store.resume(made.id, LATER)


async def test_a_download_is_noted_until_it_is_cancelled_and_what_has_ended_is_swept(engine: AsyncEngine) -> None:
    store, made = SqlReplays(engine, engine), replay(target=ReplayTarget.DOWNLOAD)
    await store.add(made, at_most=9)
    assert await store.note(made.id, step(5), completed=False)
    assert await store.note(made.id, step(41), completed=True)
    assert await store.note(made.id, step(3), completed=False)  # it is fetched again
    found = await store.replay(made.id)
    assert found is not None
    assert (found.state, found.place, found.read) == (ReplayState.COMPLETED, 41, 30)
    runs = replay(target=ReplayTarget.DOWNLOAD)
    await store.add(runs, at_most=9)
    assert await store.sweep_replays(LATER) == 0
    assert await store.sweep_replays(LATER + timedelta(seconds=1)) == 1
    assert await store.cancel(runs.id, LATER)
    assert not await store.note(runs.id, step(7), completed=True)
