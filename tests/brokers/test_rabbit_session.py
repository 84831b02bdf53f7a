"""Exceptions of the libraries on a lost connection become a lost session."""

import asyncio

import pytest
from aio_pika.exceptions import DeliveryError
from aiormq import spec
from aiormq.base import FutureStore

from contract.labels import SessionLoss
from runtime.brokers.rabbit.session import SessionLost, translated


async def test_a_wait_on_a_connection_that_is_closed_is_a_lost_session() -> None:
    waiting = FutureStore(asyncio.get_running_loop())
    frame_sent = waiting.create_future()
    await asyncio.gather(waiting.reject_all(None), return_exceptions=True)  # aiormq: a bare Exception
    with pytest.raises(SessionLost) as caught, translated(SessionLoss.CONNECTION_CLOSED):
        await frame_sent
    assert caught.value.cause is SessionLoss.CONNECTION_CLOSED


async def test_a_cancellation_that_nobody_asked_for_is_a_missed_heartbeat() -> None:
    with pytest.raises(SessionLost) as caught, translated(SessionLoss.CHANNEL_CLOSED):
        raise asyncio.CancelledError
    assert caught.value.cause is SessionLoss.HEARTBEAT_MISSED


async def test_a_cancellation_of_ours_stays_one() -> None:
    async def wait() -> None:
        with translated(SessionLoss.CHANNEL_CLOSED):
            begun.set()
            await asyncio.Event().wait()

    begun = asyncio.Event()
    task = asyncio.create_task(wait())
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.parametrize("error", [ValueError("a defect of ours"), DeliveryError(None, spec.Basic.Nack())])
def test_defects_and_refusals_pass(error: Exception) -> None:
    with pytest.raises(type(error)) as caught, translated(SessionLoss.CHANNEL_CLOSED):
        raise error
    assert caught.value is error
