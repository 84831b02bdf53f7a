"""Declares the topology once, for an operator."""

from contextlib import aclosing

from contract.broker import BrokerUnavailable
from contract.topology import Topology
from runtime.brokers.rabbit.declare import declare
from runtime.brokers.rabbit.limits import RabbitLimits
from runtime.brokers.rabbit.session import Role, Session, SessionLost


async def declare_topology(url: str, topology: Topology) -> None:
    """Declares every exchange, queue and binding on the broker at `url`.

    Raises:
        BrokerUnavailable: it cannot be reached, or something stands there with other arguments.
    """
    limits = RabbitLimits()
    session = Session(url, Role.PUBLISHER, limits)
    try:
        async with aclosing(session):
            await session.open()
            await declare(session, topology, limits)
    except SessionLost as loss:
        raise BrokerUnavailable(f"{loss.cause}: {loss.detail}") from None
