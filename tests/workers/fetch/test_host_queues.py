"""HostQueues at hosts, in the time of an event loop that does not wait."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from functools import wraps
from itertools import pairwise
from typing import Any

import looptime
import pytest

from contract.broker import BrokerUnavailable
from contract.reasons import Reason
from workers.failures import Failed
from workers.fetch.host_queues import HostBusy, HostLimits, HostQueues, Lease

LIMITS = HostLimits(interval_s=1, patience_s=10, waiting_per_host=4, waiting=6, away_s=7)


def on_a_jumping_clock(test: Callable[[], Coroutine[Any, Any, None]]) -> Callable[[], None]:
    """Runs `test` on an event loop whose clock jumps to what comes next."""

    @wraps(test)
    def run() -> None:
        with asyncio.Runner(loop_factory=looptime.new_event_loop) as runner:
            runner.run(test())

    return run


def shared() -> Lease:
    """Leases as a broker has them: what one holds, no other gets."""
    held: set[str] = set()

    @asynccontextmanager
    async def lease(name: str) -> AsyncIterator[bool]:
        if name in held:
            yield False
            return
        held.add(name)
        try:
            yield True
        finally:
            held.discard(name)

    return lease


class Losing:
    """Leases of one worker that `lose` takes away from whoever holds them."""

    def __init__(self, lease: Lease) -> None:
        self._lease = lease
        self._scopes: set[asyncio.Timeout] = set()

    @asynccontextmanager
    async def hold(self, name: str) -> AsyncIterator[bool]:
        try:
            async with self._lease(name) as held, asyncio.timeout(None) as scope:
                self._scopes.add(scope)
                yield held
        except TimeoutError:
            raise BrokerUnavailable("lost") from None
        finally:
            self._scopes.clear()

    def lose(self) -> None:
        for scope in self._scopes:
            scope.reschedule(now())


def now() -> float:
    return asyncio.get_running_loop().time()


async def visit(
    turns: HostQueues, host: str, *, takes_s: float = 0.0, pause_s: float = 0.0, interval_s: float = 0.0
) -> float:
    """Returns when a turn began."""
    began = now()
    with suppress(Failed), await turns.turn(host) as turn:
        began = now()
        turn.interval_s = max(turn.interval_s, interval_s)
        await asyncio.sleep(takes_s)
        raise Failed(Reason.RATE_LIMITED, retry_after_s=pause_s)
    return began


async def begun(*visits: asyncio.Task[float]) -> list[float]:
    return sorted(await asyncio.gather(*visits))


@on_a_jumping_clock
async def test_two_requests_at_a_host_lie_an_interval_apart() -> None:
    async with HostQueues(shared(), LIMITS) as turns, asyncio.TaskGroup() as group:
        visits = [group.create_task(visit(turns, "a.example")) for _ in range(3)]
        assert await begun(*visits) == pytest.approx([0, 1, 2])


@on_a_jumping_clock
async def test_a_slow_host_is_asked_one_thing_at_a_time() -> None:
    async with HostQueues(shared(), LIMITS) as turns, asyncio.TaskGroup() as group:
        visits = [group.create_task(visit(turns, "a.example", takes_s=3)) for _ in range(3)]
        assert await begun(*visits) == pytest.approx([0, 3, 6])


@on_a_jumping_clock
async def test_hosts_do_not_wait_for_each_other() -> None:
    async with HostQueues(shared(), LIMITS) as turns, asyncio.TaskGroup() as group:
        visits = [group.create_task(visit(turns, f"{name}.example", takes_s=3)) for name in "abc"]
        assert await begun(*visits) == pytest.approx([0, 0, 0])


@on_a_jumping_clock
async def test_the_interval_holds_over_all_workers() -> None:
    lease, patient = shared(), replace(LIMITS, asks=10)
    async with HostQueues(lease, patient) as one, HostQueues(lease, patient) as other, asyncio.TaskGroup() as group:
        visits = [group.create_task(visit(turns, "a.example")) for turns in (one, other, one, other)]
        starts = await begun(*visits)
    assert all(later - earlier >= 1 - 1e-6 for earlier, later in pairwise(starts))


@on_a_jumping_clock
async def test_the_interval_holds_when_nobody_waits_in_between() -> None:
    lease = shared()
    async with HostQueues(lease, LIMITS) as one, HostQueues(lease, LIMITS) as other:
        first = await visit(one, "a.example")
        assert await visit(other, "a.example") - first >= 1


@on_a_jumping_clock
async def test_a_host_may_ask_for_a_longer_interval() -> None:
    async with HostQueues(shared(), LIMITS) as turns:
        first = await visit(turns, "a.example", interval_s=5)
        assert await visit(turns, "a.example") - first == pytest.approx(5)


@on_a_jumping_clock
async def test_a_pause_that_a_host_asks_for_holds_for_all_workers() -> None:
    lease = shared()
    async with HostQueues(lease, LIMITS) as one, HostQueues(lease, LIMITS) as other:
        await visit(one, "a.example", pause_s=100)
        with pytest.raises(HostBusy) as here:
            await visit(one, "a.example")
        assert here.value.delay_s == pytest.approx(100)
        with pytest.raises(HostBusy) as there:
            await visit(other, "a.example")
        assert LIMITS.away_s / 2 <= there.value.delay_s <= LIMITS.away_s
        await asyncio.sleep(100)
        await visit(other, "a.example")


@on_a_jumping_clock
async def test_a_busy_host_is_left_after_a_while() -> None:
    lease = shared()
    async with HostQueues(lease, LIMITS) as one, HostQueues(lease, LIMITS) as other, asyncio.TaskGroup() as group:
        group.create_task(visit(one, "a.example", takes_s=50))
        await asyncio.sleep(1)
        with pytest.raises(HostBusy):
            await visit(other, "a.example")
        assert now() == pytest.approx(1 + 1)  # asked twice, an interval apart


@on_a_jumping_clock
async def test_a_slow_host_is_waited_for_no_longer_than_patience() -> None:
    async with HostQueues(shared(), LIMITS) as turns, asyncio.TaskGroup() as group:
        group.create_task(visit(turns, "a.example", takes_s=50))
        await asyncio.sleep(1)
        with pytest.raises(HostBusy):
            await visit(turns, "a.example")
        assert now() == pytest.approx(11)


@on_a_jumping_clock
async def test_busy_hosts_leave_room_for_others() -> None:
    async with HostQueues(shared(), LIMITS) as turns, asyncio.TaskGroup() as group:
        visits = [group.create_task(visit(turns, host)) for host in ("a.example", "b.example") for _ in range(3)]
        await asyncio.sleep(0)
        with pytest.raises(HostBusy):
            await visit(turns, "b.example")
        assert await visit(turns, "c.example") == pytest.approx(0)
        await begun(*visits)


@on_a_jumping_clock
async def test_no_more_wait_in_hand_than_may() -> None:
    async with HostQueues(shared(), LIMITS) as turns, asyncio.TaskGroup() as group:
        waiting = [group.create_task(visit(turns, "a.example")) for _ in range(4)]
        await asyncio.sleep(0)
        with pytest.raises(HostBusy):
            await visit(turns, "a.example")
        await begun(*waiting)


@on_a_jumping_clock
async def test_without_a_broker_nobody_gets_a_turn() -> None:
    @asynccontextmanager
    async def away(_: str) -> AsyncIterator[bool]:
        raise BrokerUnavailable("away")
        yield False

    async with HostQueues(away, LIMITS) as turns:
        with pytest.raises(HostBusy):
            await visit(turns, "a.example")


@on_a_jumping_clock
async def test_who_gives_up_waiting_leaves_the_turn_to_others() -> None:
    async with HostQueues(shared(), LIMITS) as turns, asyncio.TaskGroup() as group:
        group.create_task(visit(turns, "a.example", takes_s=2))
        given_up = group.create_task(visit(turns, "a.example"))
        last = group.create_task(visit(turns, "a.example"))
        await asyncio.sleep(1)
        given_up.cancel()
        assert await last == pytest.approx(2)


@on_a_jumping_clock
async def test_leases_are_given_back_at_the_end() -> None:
    lease = shared()
    async with HostQueues(lease, LIMITS) as turns:
        await visit(turns, "a.example", pause_s=100)
    async with lease("a.example") as held:
        assert held


@on_a_jumping_clock
async def test_who_gave_up_takes_no_place_from_others() -> None:
    async def give_up() -> None:
        with pytest.raises(HostBusy):
            await visit(turns, "slow.example")

    async with HostQueues(shared(), LIMITS) as turns, asyncio.TaskGroup() as group:
        group.create_task(visit(turns, "slow.example", takes_s=50))
        await asyncio.sleep(1)
        await asyncio.gather(*(give_up() for _ in range(4)))
        visits = [group.create_task(visit(turns, "b.example")) for _ in range(4)]
        assert len(await begun(*visits)) == 4


@on_a_jumping_clock
async def test_nothing_begins_beside_a_turn_whose_lease_was_lost() -> None:
    losing = Losing(shared())
    async with HostQueues(losing.hold, LIMITS) as turns, asyncio.TaskGroup() as group:
        visits = [group.create_task(visit(turns, "a.example", takes_s=3)) for _ in range(2)]
        await asyncio.sleep(1)
        losing.lose()
        assert await begun(*visits) == pytest.approx([0, 4])  # the first ends, and the lease is asked for again


@on_a_jumping_clock
async def test_after_a_loss_another_worker_may_go_and_this_one_asks_before_it_goes_on() -> None:
    shared_lease = shared()
    losing = Losing(shared_lease)
    async with (
        HostQueues(losing.hold, LIMITS) as one,
        HostQueues(shared_lease, LIMITS) as other,
        asyncio.TaskGroup() as group,
    ):
        group.create_task(visit(one, "a.example", takes_s=3))
        refused = group.create_task(refusal(one, "a.example"))
        await asyncio.sleep(1)
        losing.lose()
        await asyncio.sleep(0.5)
        assert await visit(other, "a.example", takes_s=9) == pytest.approx(1.5)
        assert LIMITS.away_s / 2 <= await refused <= LIMITS.away_s


@on_a_jumping_clock
async def test_a_pause_outlives_the_loss_of_its_lease() -> None:
    shared_lease = shared()
    losing = Losing(shared_lease)
    async with HostQueues(losing.hold, LIMITS) as one, HostQueues(shared_lease, LIMITS) as other:
        await visit(one, "a.example", pause_s=100)
        losing.lose()
        await asyncio.sleep(2)  # it has been taken again
        assert LIMITS.away_s / 2 <= await refusal(other, "a.example") <= LIMITS.away_s
        losing.lose()
        assert await visit(other, "a.example", takes_s=50) < 100  # another worker was there first
        with pytest.raises(HostBusy) as busy:
            await visit(one, "a.example")
        assert busy.value.delay_s == pytest.approx(100 - now())  # here it is kept all the same


async def refusal(turns: HostQueues, host: str) -> float:
    with pytest.raises(HostBusy) as busy:
        await visit(turns, host)
    return busy.value.delay_s
