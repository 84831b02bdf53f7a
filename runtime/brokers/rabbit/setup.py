"""The operator's commands on the topology: declare it, or compare the broker with it."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing, asynccontextmanager

from contract.broker import BrokerUnavailable
from contract.labels import SessionRole
from contract.topology import Topology
from runtime.brokers.rabbit.check import Difference, compare
from runtime.brokers.rabbit.declare import declare
from runtime.brokers.rabbit.limits import RabbitLimits
from runtime.brokers.rabbit.session import Session, SessionLost

_LIMITS = RabbitLimits()


class TopologyMismatch(Exception):
    """Something on the broker differs from the topology; nothing was declared."""

    def __init__(self, differing: tuple[Difference, ...]) -> None:
        super().__init__("; ".join(map(str, differing)))
        self.differing = differing


async def declare_topology(url: str, topology: Topology) -> None:
    """Declares every exchange, queue and binding on the broker at `url`; nothing if anything differs.

    Raises:
        TopologyMismatch: something exists with other arguments.
        BrokerUnavailable: the broker cannot be reached, or refused.
    """
    async with _session(url) as session:
        comparison = await compare(session, topology)
        if comparison.differing:
            raise TopologyMismatch(comparison.differing)
        await declare(session, topology, _LIMITS)


async def check_topology(url: str, topology: Topology) -> list[Difference]:
    """Returns what is missing or differs on the broker at `url`. AMQP does not show bindings and policies.

    Raises:
        BrokerUnavailable: the broker cannot be reached, or refused to answer.
    """
    async with _session(url) as session:
        return (await compare(session, topology)).differences(topology.policies)


@asynccontextmanager
async def _session(url: str) -> AsyncGenerator[Session, None]:
    session = Session(url, SessionRole.PUBLISHER, _LIMITS)
    try:
        async with asyncio.timeout(_LIMITS.declare_timeout_s), aclosing(session):
            await session.open()
            yield session
    except (SessionLost, TimeoutError) as error:
        why = f"{error.cause}: {error.detail}" if isinstance(error, SessionLost) else "no answer in time"
        raise BrokerUnavailable(why) from None
