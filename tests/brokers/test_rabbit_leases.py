"""Leases between processes on one RabbitMQ."""

import asyncio

import pytest

from contract.broker import Broker, BrokerUnavailable
from tests.brokers.rabbit_backend import RabbitBackend

pytestmark = pytest.mark.rabbit


async def is_free(broker: Broker, name: str) -> bool:
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
    async def ask(broker: Broker) -> bool:
        async with broker.lease("a.example") as held:
            await everyone.wait()
            return held

    everyone = asyncio.Barrier(6)
    async with rabbit.broker() as one, rabbit.broker() as other, rabbit.broker() as third:
        answers = await asyncio.gather(*(ask(broker) for broker in (one, other, third) * 2))
    assert sorted(answers) == [False] * 5 + [True]


async def test_a_holder_that_is_gone_holds_nothing(rabbit: RabbitBackend) -> None:
    async with rabbit.broker() as one, rabbit.broker() as other, one.lease("a.example") as held:
        assert held
        await rabbit.crash(one)
        async with asyncio.timeout(20):
            while not await is_free(other, "a.example"):
                pass  # each look waits for the broker's answer


async def test_a_lease_is_to_be_had_again_after_the_connection_was_lost(rabbit: RabbitBackend) -> None:
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
