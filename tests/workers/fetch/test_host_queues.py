"""`HostQueues` on an event loop whose clock jumps instead of waiting."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from functools import wraps
from itertools import pairwise
from typing import Any

import looptime
import pytest
from yarl import URL

from contract.broker import BrokerUnavailable
from contract.reasons import Reason
from workers.failures import Failed, HostFailed
from workers.fetch.host_failures import HostFailures
from workers.fetch.host_queues import HostBusy, HostQueues, Lease
from workers.fetch.limits import HostFailureLimits, HostLimits

LIMITS = HostLimits(interval_s=1, max_wait_s=10, waiting_per_host=4, waiting=6, away_s=7)
CROWDED = replace(LIMITS, waiting_per_host=100, waiting=100)


def on_a_jumping_clock(test: Callable[[], Coroutine[Any, Any, None]]) -> Callable[[], None]:
    """Runs `test` on an event loop whose clock jumps to the next timer."""

    @wraps(test)
    def run() -> None:
        with asyncio.Runner(loop_factory=looptime.new_event_loop) as runner:
            runner.run(test())

    return run


def shared() -> Lease:
    """Leases as of a broker: a name has one holder at a time."""
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


FAILURES = HostFailureLimits(transient_for_s=10, permanent_for_s=60, origins=3)


def host_queues(lease: Lease, limits: HostLimits) -> HostQueues:
    return HostQueues(lease, limits, HostFailures(FAILURES))


def now() -> float:
    return asyncio.get_running_loop().time()


async def visit(
    queues: HostQueues, host: str, *, takes_s: float = 0.0, pause_s: float = 0.0, interval_s: float = 0.0
) -> float:
    """Returns when a permit was granted."""
    began = now()
    with suppress(Failed), await queues.permit(URL(f"http://{host}/")) as permit:
        began = now()
        permit.interval_s = max(permit.interval_s, interval_s)
        await asyncio.sleep(takes_s)
        raise Failed(Reason.RATE_LIMITED, retry_after_s=pause_s)
    return began


async def start_times(*visits: asyncio.Task[float]) -> list[float]:
    return sorted(await asyncio.gather(*visits))


@on_a_jumping_clock
async def test_two_requests_at_a_host_lie_an_interval_apart() -> None:
    async with host_queues(shared(), LIMITS) as queues, asyncio.TaskGroup() as group:
        visits = [group.create_task(visit(queues, "a.example")) for _ in range(3)]
        assert await start_times(*visits) == pytest.approx([0, 1, 2])


@on_a_jumping_clock
async def test_a_slow_host_is_asked_one_thing_at_a_time() -> None:
    async with host_queues(shared(), LIMITS) as queues, asyncio.TaskGroup() as group:
        visits = [group.create_task(visit(queues, "a.example", takes_s=3)) for _ in range(3)]
        assert await start_times(*visits) == pytest.approx([0, 3, 6])


@on_a_jumping_clock
async def test_hosts_do_not_wait_for_each_other() -> None:
    async with host_queues(shared(), LIMITS) as queues, asyncio.TaskGroup() as group:
        visits = [group.create_task(visit(queues, f"{name}.example", takes_s=3)) for name in "abc"]
        assert await start_times(*visits) == pytest.approx([0, 0, 0])


@on_a_jumping_clock
async def test_the_interval_holds_over_all_workers() -> None:
    lease, patient = shared(), replace(LIMITS, asks=10)
    async with host_queues(lease, patient) as one, host_queues(lease, patient) as other, asyncio.TaskGroup() as group:
        visits = [group.create_task(visit(queues, "a.example")) for queues in (one, other, one, other)]
        starts = await start_times(*visits)
    assert all(later - earlier >= 1 - 1e-6 for earlier, later in pairwise(starts))


@on_a_jumping_clock
async def test_the_interval_holds_when_nobody_waits_in_between() -> None:
    lease = shared()
    async with host_queues(lease, LIMITS) as one, host_queues(lease, LIMITS) as other:
        first = await visit(one, "a.example")
        assert await visit(other, "a.example") - first >= 1


@on_a_jumping_clock
async def test_a_host_may_ask_for_a_longer_interval() -> None:
    async with host_queues(shared(), LIMITS) as queues:
        first = await visit(queues, "a.example", interval_s=5)
        assert await visit(queues, "a.example") - first == pytest.approx(5)


@on_a_jumping_clock
async def test_a_pause_that_a_host_asks_for_holds_for_all_workers() -> None:
    lease = shared()
    async with host_queues(lease, LIMITS) as one, host_queues(lease, LIMITS) as other:
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
    async with host_queues(lease, LIMITS) as one, host_queues(lease, LIMITS) as other, asyncio.TaskGroup() as group:
        group.create_task(visit(one, "a.example", takes_s=50))
        await asyncio.sleep(1)
        with pytest.raises(HostBusy):
            await visit(other, "a.example")
        assert now() == pytest.approx(1 + 1)  # asked twice, an interval apart


@on_a_jumping_clock
async def test_a_slow_host_is_waited_for_no_longer_than_the_limit() -> None:
    async with host_queues(shared(), LIMITS) as queues, asyncio.TaskGroup() as group:
        group.create_task(visit(queues, "a.example", takes_s=50))
        await asyncio.sleep(1)
        with pytest.raises(HostBusy):
            await visit(queues, "a.example")
        assert now() == pytest.approx(11)


@on_a_jumping_clock
async def test_busy_hosts_leave_room_for_others() -> None:
    async with host_queues(shared(), LIMITS) as queues, asyncio.TaskGroup() as group:
        visits = [group.create_task(visit(queues, host)) for host in ("a.example", "b.example") for _ in range(3)]
        await asyncio.sleep(0)
        with pytest.raises(HostBusy):
            await visit(queues, "b.example")
        assert await visit(queues, "c.example") == pytest.approx(0)
        await start_times(*visits)


@on_a_jumping_clock
async def test_waiting_documents_are_limited() -> None:
    async with host_queues(shared(), LIMITS) as queues, asyncio.TaskGroup() as group:
        waiting = [group.create_task(visit(queues, "a.example")) for _ in range(4)]
        await asyncio.sleep(0)
        with pytest.raises(HostBusy):
            await visit(queues, "a.example")
        await start_times(*waiting)


@on_a_jumping_clock
async def test_without_a_broker_no_permit_is_granted() -> None:
    @asynccontextmanager
    async def away(_: str) -> AsyncIterator[bool]:
        raise BrokerUnavailable("away")
        yield False

    async with host_queues(away, LIMITS) as queues:
        with pytest.raises(HostBusy):
            await visit(queues, "a.example")


@on_a_jumping_clock
async def test_a_cancelled_wait_leaves_the_permit_to_others() -> None:
    async with host_queues(shared(), LIMITS) as queues, asyncio.TaskGroup() as group:
        group.create_task(visit(queues, "a.example", takes_s=2))
        given_up = group.create_task(visit(queues, "a.example"))
        last = group.create_task(visit(queues, "a.example"))
        await asyncio.sleep(1)
        given_up.cancel()
        assert await last == pytest.approx(2)


@on_a_jumping_clock
async def test_leases_are_given_back_at_the_end() -> None:
    lease = shared()
    async with host_queues(lease, LIMITS) as queues:
        await visit(queues, "a.example", pause_s=100)
    async with lease("a.example") as held:
        assert held


@on_a_jumping_clock
async def test_a_cancelled_wait_takes_no_place() -> None:
    async def give_up() -> None:
        with pytest.raises(HostBusy):
            await visit(queues, "slow.example")

    async with host_queues(shared(), LIMITS) as queues, asyncio.TaskGroup() as group:
        group.create_task(visit(queues, "slow.example", takes_s=50))
        await asyncio.sleep(1)
        await asyncio.gather(*(give_up() for _ in range(4)))
        visits = [group.create_task(visit(queues, "b.example")) for _ in range(4)]
        assert len(await start_times(*visits)) == 4


@on_a_jumping_clock
async def test_nothing_begins_beside_a_permit_whose_lease_was_lost() -> None:
    losing = Losing(shared())
    async with host_queues(losing.hold, LIMITS) as queues, asyncio.TaskGroup() as group:
        visits = [group.create_task(visit(queues, "a.example", takes_s=3)) for _ in range(2)]
        await asyncio.sleep(1)
        losing.lose()
        assert await start_times(*visits) == pytest.approx([0, 4])  # the first ends, and the lease is asked for again


@on_a_jumping_clock
async def test_after_a_loss_another_worker_may_go_and_this_one_asks_before_it_goes_on() -> None:
    shared_lease = shared()
    losing = Losing(shared_lease)
    async with (
        host_queues(losing.hold, LIMITS) as one,
        host_queues(shared_lease, LIMITS) as other,
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
    async with host_queues(losing.hold, LIMITS) as one, host_queues(shared_lease, LIMITS) as other:
        await visit(one, "a.example", pause_s=100)
        losing.lose()
        await asyncio.sleep(2)  # it has been taken again
        assert LIMITS.away_s / 2 <= await refusal(other, "a.example") <= LIMITS.away_s
        losing.lose()
        assert await visit(other, "a.example", takes_s=50) < 100  # another worker was there first
        with pytest.raises(HostBusy) as busy:
            await visit(one, "a.example")
        assert busy.value.delay_s == pytest.approx(100 - now())  # the pause is kept nevertheless


async def refusal(queues: HostQueues, host: str) -> float:
    with pytest.raises(HostBusy) as busy:
        await visit(queues, host)
    return busy.value.delay_s


Found = tuple[Failed, float, bool]

DNS = (Reason.DNS_ERROR, "no address for a.example")
BLOCKED = (Reason.BLOCKED_ADDRESS, "10.0.0.1 is not a public address")


async def attempt(queues: HostQueues, url: str, error: Failed, *, takes_s: float = 0.0) -> Found:
    """Returns the reason and time of a failed attempt at `url`, and if its own request raised the error."""
    try:
        with await queues.permit(URL(url)):
            await asyncio.sleep(takes_s)
            raise error
    except Failed as failed:
        return failed, now(), failed is error


async def attempts(
    queues: HostQueues, urls: list[str], reason: Reason, detail: str, *, takes_s: float = 0.0
) -> list[Found]:
    """Returns how attempts failed that begin at the same moment, each of which finds that the host cannot be used."""
    return await asyncio.gather(*(attempt(queues, url, HostFailed(reason, detail), takes_s=takes_s) for url in urls))


@on_a_jumping_clock
async def test_a_failure_of_the_host_fails_all_waiting_requests_at_once() -> None:
    for failure in (DNS, BLOCKED):
        async with host_queues(shared(), CROWDED) as queues:
            began = now()
            found = await attempts(queues, [f"http://a.example/{page}" for page in range(30)], *failure, takes_s=3)
        assert {when - began for _, when, _ in found} == {3}
        assert {(failed.reason, failed.detail) for failed, _, _ in found} == {failure}
        assert [own for _, _, own in found].count(True) == 1


@on_a_jumping_clock
async def test_requests_for_another_origin_of_the_host_keep_waiting() -> None:
    async with host_queues(shared(), CROWDED) as queues, asyncio.TaskGroup() as group:
        failing = group.create_task(attempt(queues, "https://a.example/1", HostFailed(*DNS)))
        other = group.create_task(visit(queues, "a.example"))
        await failing
        assert await other == pytest.approx(1)
        assert await visit(queues, "a.example:81") == pytest.approx(1)


@on_a_jumping_clock
async def test_a_failure_of_one_url_is_no_failure_of_its_host() -> None:
    async with host_queues(shared(), CROWDED) as queues:
        for reason in (Reason.NOT_FOUND, Reason.TOO_LARGE, Reason.FIRST_BYTE_TIMEOUT, Reason.CONNECT_ERROR):
            began = now()
            urls = [f"http://a.example/{page}" for page in range(3)]
            found = await asyncio.gather(*(attempt(queues, url, Failed(reason)) for url in urls))
            assert all(own for _, _, own in found)
            assert max(when for _, when, _ in found) - began >= 2
            await asyncio.sleep(1)


@on_a_jumping_clock
async def test_later_requests_fail_at_once_until_the_failure_is_forgotten() -> None:
    lifetimes = {DNS: FAILURES.transient_for_s, BLOCKED: FAILURES.permanent_for_s}
    for failure, lifetime_s in lifetimes.items():
        async with host_queues(shared(), LIMITS) as queues:
            await attempts(queues, ["http://a.example/"], *failure)
            began = now()
            await asyncio.sleep(lifetime_s - 1)
            ((found, when, own),) = await attempts(queues, ["http://a.example/2"], *failure)
            assert (found.reason, found.detail, own) == (*failure, False)
            assert when == pytest.approx(began + lifetime_s - 1)
            assert found.failure.retry_after_s == pytest.approx(1)
            await asyncio.sleep(1)
            ((_, _, own),) = await attempts(queues, ["http://a.example/3"], *failure)
            assert own


@on_a_jumping_clock
async def test_a_failure_that_says_when_to_come_again_is_remembered_until_then() -> None:
    async with host_queues(shared(), LIMITS) as queues:
        failed = HostFailed(Reason.ROBOTS_UNREACHABLE, retry_after_s=40)
        await attempt(queues, "http://a.example/", failed)
        await asyncio.sleep(39)
        assert not (await attempt(queues, "http://a.example/", failed))[2]
        await asyncio.sleep(1)
        assert (await attempt(queues, "http://a.example/", failed))[2]


@on_a_jumping_clock
async def test_the_memory_of_failures_is_bounded() -> None:
    async with host_queues(shared(), LIMITS) as queues:
        urls = [f"http://{name}.example/" for name in "abcd"]
        await attempts(queues, urls, *BLOCKED)
        await asyncio.sleep(2)
        again = await attempts(queues, urls, *BLOCKED)
        assert [own for _, _, own in again].count(False) <= FAILURES.origins


@on_a_jumping_clock
async def test_another_worker_asks_for_itself_when_the_lease_is_free() -> None:
    lease = shared()
    async with host_queues(lease, LIMITS) as one, host_queues(lease, LIMITS) as other:
        await attempts(one, ["http://a.example/"], *DNS)
        await asyncio.sleep(LIMITS.interval_s)
        ((_, _, own),) = await attempts(other, ["http://a.example/"], *DNS)
        assert own


@on_a_jumping_clock
async def test_a_cancelled_wait_is_not_failed() -> None:
    async with host_queues(shared(), CROWDED) as queues, asyncio.TaskGroup() as group:
        first = group.create_task(attempt(queues, "http://a.example/1", HostFailed(*DNS), takes_s=2))
        given_up = group.create_task(attempt(queues, "http://a.example/2", HostFailed(*DNS)))
        last = group.create_task(attempt(queues, "http://a.example/3", HostFailed(*DNS)))
        await asyncio.sleep(1)
        given_up.cancel()
        assert [(await task)[1] for task in (first, last)] == [2, 2]
        assert given_up.cancelled()


@on_a_jumping_clock
async def test_a_long_pause_returns_waiting_documents_at_once() -> None:
    async with host_queues(shared(), CROWDED) as queues, asyncio.TaskGroup() as group:
        group.create_task(visit(queues, "a.example", takes_s=1, pause_s=100))
        await asyncio.sleep(0.5)
        refusals = [group.create_task(refusal(queues, "a.example")) for _ in range(3)]
        assert await asyncio.gather(*refusals) == pytest.approx([100, 100, 100])
        assert now() == pytest.approx(1)
