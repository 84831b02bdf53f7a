"""Declares the topology at the start of a session: idempotent where it stands as it should."""

import asyncio

from aio_pika.exceptions import ChannelPreconditionFailed

from contract.topology import Topology
from runtime.brokers.rabbit.limits import RabbitLimits
from runtime.brokers.rabbit.session import Loss, Session, SessionLost, translated


async def declare(session: Session, topology: Topology, limits: RabbitLimits) -> None:
    """Declares every exchange, queue and binding.

    Raises:
        SessionLost: with `TOPOLOGY_MISMATCH` where an object stands with other arguments (its name and the first
            argument that differs are in the detail); else what was lost on the way.
    """
    with translated(Loss.CHANNEL_CLOSED):
        try:
            async with asyncio.timeout(limits.declare_timeout_s):
                await _declare(session, topology)
        except ChannelPreconditionFailed as error:
            raise SessionLost(Loss.TOPOLOGY_MISMATCH, repr(error)) from error


async def _declare(session: Session, topology: Topology) -> None:
    channel = await session.scratch_channel()
    for exchange in topology.exchanges:
        await channel.declare_exchange(exchange.name, exchange.kind, durable=True)
    for queue in topology.queues:
        await channel.declare_queue(queue.name, durable=True, arguments=dict(queue.arguments))
    for binding in topology.bindings:
        queue_ = await channel.get_queue(binding.queue, ensure=False)
        await queue_.bind(binding.exchange, binding.key)
    await channel.close()
