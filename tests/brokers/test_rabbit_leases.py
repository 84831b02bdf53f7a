"""Leases between processes on one RabbitMQ."""

import asyncio
import random
from collections import Counter
from contextlib import AsyncExitStack, suppress
from itertools import pairwise

import pytest
from aiormq.abc import AbstractChannel
from yarl import URL

from contract.broker import Broker, BrokerUnavailable, Leases
from runtime.brokers.rabbit.session import Session
from tests.brokers.rabbit_backend import RabbitBackend
from workers.fetch.host_failures import HostFailures
from workers.fetch.host_queues import HostQueues
from workers.fetch.limits import HostFailureLimits, HostLimits

pytestmark = pytest.mark.rabbit


async def is_free(broker: Leases, name: str) -> bool:
    async with broker.lease(name) as held:
        return held


async def test_one_broker_alone_holds_a_name(rabbit: RabbitBackend) -> None:
    async with rabbit.broker() as one, rabbit.broker() as other:
        async with one.lease("a.example") as held:
            assert held
            assert not await is_free(other, "a.example")
            assert not await is_free(one, "a.example")
            assert await is_free(other, "b.example")
        assert await is_free(other, "a.example")


async def test_of_many_that_ask_at_once_one_gets_it(rabbit: RabbitBackend) -> None:
    async def ask(broker: Leases) -> bool:
        async with broker.lease("a.example") as held:
            await everyone.wait()
            return held

    everyone = asyncio.Barrier(6)
    async with rabbit.broker() as one, rabbit.broker() as other, rabbit.broker() as third:
        answers = await asyncio.gather(*(ask(broker) for broker in (one, other, third) * 2))
    assert sorted(answers) == [False] * 5 + [True]


async def test_a_lease_that_is_refused_disturbs_no_other(rabbit: RabbitBackend) -> None:
    """A refusal closes its channel, and with it whatever else waits on that channel."""
    async with rabbit.broker() as one, rabbit.broker() as other, one.lease("a.example"):
        for _ in range(5):
            free = await asyncio.gather(*(is_free(other, name) for name in ("a.example", *map(str, range(20)))))
            assert free == [False, *[True] * 20]


async def test_leases_in_turn_share_a_channel(rabbit: RabbitBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = list[Session]()
    opens = Session.passing_channel

    async def counted(session: Session) -> AbstractChannel:
        opened.append(session)
        return await opens(session)

    monkeypatch.setattr(Session, "passing_channel", counted)
    async with rabbit.broker() as broker:
        for number in range(10):
            assert await is_free(broker, str(number))
    assert len(opened) == 1


async def test_callers_that_go_away_at_any_time_leave_no_lease_behind(rabbit: RabbitBackend) -> None:
    """A step that is cancelled when the broker refuses it would end the connection, which raises BrokerUnavailable."""

    async def ask_and_go_away(broker: Leases, name: str) -> None:
        for _ in range(150):
            asking = asyncio.create_task(is_free(broker, name))
            await asyncio.sleep(random.uniform(0, 0.012))  # noqa: S311 - a step takes some milliseconds
            asking.cancel()
            with suppress(asyncio.CancelledError):
                assert not (await asking and name.startswith("held"))

    names = ("free 1", "free 2", "free 3", "free 4", "held 1", "held 2", "held 3", "held 4")
    async with rabbit.broker() as one, rabbit.broker() as other, AsyncExitStack() as held:
        for name in names[4:]:
            assert await held.enter_async_context(one.lease(name))
        await asyncio.gather(*(ask_and_go_away(other, name) for name in names))
        async with asyncio.timeout(60):
            for name in names[:4]:
                while not await is_free(one, name):
                    pass  # each check waits for the broker's answer


async def test_a_holder_that_is_gone_holds_nothing(rabbit: RabbitBackend) -> None:
    async with rabbit.broker() as one, rabbit.broker() as other:
        with suppress(BrokerUnavailable):
            async with one.lease("a.example") as held:
                assert held
                await rabbit.crash(one)
        async with asyncio.timeout(60):
            while not await is_free(other, "a.example"):
                pass  # each check waits for the broker's answer


async def test_the_holder_of_a_lost_lease_is_notified(rabbit: RabbitBackend) -> None:
    async def hold_until_lost(broker: Broker) -> None:
        async with broker.lease("a.example") as held:
            assert held
            await rabbit.crash(broker)
            await asyncio.Event().wait()

    async with rabbit.broker() as broker, asyncio.timeout(60):
        with pytest.raises(BrokerUnavailable):
            await hold_until_lost(broker)


async def test_an_exception_of_the_holder_passes_through(rabbit: RabbitBackend) -> None:
    async with rabbit.broker() as broker:
        with pytest.raises(ValueError, match="of the holder"):
            async with broker.lease("a.example"):
                raise ValueError("of the holder")
        assert await is_free(broker, "a.example")


async def test_a_lease_is_free_again_after_its_connection_was_lost(rabbit: RabbitBackend) -> None:
    async with rabbit.broker() as broker:
        assert await is_free(broker, "a.example")
        await rabbit.crash(broker)
        with pytest.raises(BrokerUnavailable):
            await is_free(broker, "a.example")
        await rabbit.mend(broker)
        assert await is_free(broker, "a.example")


async def test_a_name_may_be_as_long_as_a_host_name_may(rabbit: RabbitBackend) -> None:
    async with rabbit.broker() as broker:
        assert await is_free(broker, "a" * 253)


async def test_queues_go_on_in_order_after_their_lease_was_lost_in_the_middle_of_one(rabbit: RabbitBackend) -> None:
    failures = HostFailures(HostFailureLimits())
    limits = HostLimits(interval_s=0.3, max_wait_s=20.0, asks=40)
    at_once, began = Counter[bool](), []

    async def visit(queues: HostQueues, *, cut: Broker | None = None) -> None:
        with await queues.permit(URL("http://a.example/")):
            began.append(asyncio.get_running_loop().time())
            at_once[True] += 1
            assert at_once[True] == 1
            if cut is not None:
                await rabbit.crash(cut)
                await rabbit.mend(cut)
                await asyncio.sleep(limits.interval_s * 2)  # the request outlives its lease
            at_once[True] -= 1

    async with rabbit.broker() as broker, HostQueues(broker.lease, limits, failures) as queues, asyncio.timeout(60):
        await asyncio.gather(visit(queues, cut=broker), *(visit(queues) for _ in range(3)))
    assert len(began) == 4
    assert all(later - earlier >= limits.interval_s * 0.99 for earlier, later in pairwise(began))
