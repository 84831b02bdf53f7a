"""Timeouts, on an event loop whose clock jumps instead of waiting."""

import asyncio

import pytest

from contract.reasons import Reason
from tests.workers.fetch.test_host_queues import now, on_a_jumping_clock
from workers.failures import Failed
from workers.fetch.timeouts import Timeouts


async def waits(total_s: float, *steps: tuple[float, float]) -> Failed | None:
    """Makes waits one after the other, each given by its limit and its duration."""
    try:
        async with Timeouts(total_s) as timeouts:
            for may_s, does_s in steps:
                timeouts.expect(may_s, Reason.IDLE_TIMEOUT, "late")
                await asyncio.sleep(does_s)
    except Failed as failed:
        return failed
    return None


@on_a_jumping_clock
async def test_each_wait_has_its_limit_whichever_is_longer() -> None:
    assert await waits(100, (2, 1), (10, 9), (1, 0.9), (5, 4.9)) is None
    began = now()
    failed = await waits(100, (10, 1), (2, 50))
    assert failed is not None
    assert (failed.reason, failed.detail) == (Reason.IDLE_TIMEOUT, "late")
    assert now() - began == pytest.approx(3)
    failed = await waits(100, (2, 1), (10, 50))
    assert failed is not None
    assert now() - began == pytest.approx(3 + 11)


@on_a_jumping_clock
async def test_the_total_time_is_limited() -> None:
    failed = await waits(5, *[(2, 1)] * 10)
    assert failed is not None
    assert failed.reason is Reason.FETCH_TIMEOUT
    assert now() == pytest.approx(5)


@on_a_jumping_clock
async def test_cancellation_from_outside_passes_through() -> None:
    task = asyncio.create_task(waits(10, (5, 50)))
    await asyncio.sleep(1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1):
            await waits(10, (5, 50))


@on_a_jumping_clock
async def test_exceptions_inside_pass_through_and_end_the_timeout() -> None:
    async def fail() -> None:
        async with Timeouts(10) as timeouts:
            timeouts.expect(1, Reason.IDLE_TIMEOUT, "late")
            raise ValueError("inside")

    with pytest.raises(ValueError, match="inside"):
        await fail()
    await asyncio.sleep(20)


@on_a_jumping_clock
async def test_only_the_total_time_counts_after_left_s() -> None:
    async def rest() -> None:
        async with Timeouts(10) as timeouts:
            timeouts.expect(1, Reason.IDLE_TIMEOUT, "late")
            assert timeouts.left_s(3) == 3
            assert timeouts.left_s(30) == pytest.approx(10)
            await asyncio.sleep(50)

    with pytest.raises(Failed) as failed:
        await rest()
    assert failed.value.reason is Reason.FETCH_TIMEOUT
    assert now() == pytest.approx(10)
