"""Declares what is missing of the topology at the start of a session. Declares nothing if anything differs."""

import asyncio

from aio_pika.abc import AbstractChannel

from contract.labels import SessionLoss
from contract.topology import Binding, Exchange, ExchangeBinding, Queue, Topology
from runtime.brokers.rabbit.check import Comparison, compare
from runtime.brokers.rabbit.limits import RabbitLimits
from runtime.brokers.rabbit.session import Session, SessionLost, translated


async def declare(session: Session, topology: Topology, limits: RabbitLimits) -> Comparison:
    """Declares every exchange, queue and binding that is missing, and returns what stood there before.

    A queue that was declared with other bounds, or with none, is left as it is: it can be worked with.

    AMQP has no transaction for this: another process may change something between the comparison and the declaration.

    Raises:
        SessionLost: with `TOPOLOGY_MISMATCH` if an object exists with other arguments (the detail names all of them,
            and nothing was declared); otherwise with the cause of the loss.
    """
    with translated(SessionLoss.CHANNEL_CLOSED):
        async with asyncio.timeout(limits.declare_timeout_s):
            comparison = await compare(session, topology)
            if comparison.differing:
                raise SessionLost(SessionLoss.TOPOLOGY_MISMATCH, "; ".join(map(str, comparison.differing)))
            channel = await session.scratch_channel()
            for thing in (*comparison.missing, *topology.bindings):
                await _declare(channel, thing)
            await channel.close()
    return comparison


async def _declare(channel: AbstractChannel, thing: Exchange | Queue | Binding | ExchangeBinding) -> None:
    match thing:
        case Exchange(name, kind):
            await channel.declare_exchange(name, kind, durable=True)
        case Queue(name, arguments):
            await channel.declare_queue(name, durable=True, arguments=dict(arguments))
        case Binding(exchange, queue, key):
            await (await channel.get_queue(queue, ensure=False)).bind(exchange, key)
        case ExchangeBinding(exchange, to, key):
            await (await channel.get_exchange(to, ensure=False)).bind(exchange, key)
