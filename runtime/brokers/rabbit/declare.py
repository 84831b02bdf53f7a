"""Declares what is missing of the topology at the start of a session. Declares nothing if anything differs.

A process that may not declare only checks that all of it is there.
"""

import asyncio

from aio_pika.abc import AbstractChannel

from contract.labels import SessionLoss
from contract.topology import Binding, Exchange, ExchangeBinding, Queue, Topology
from runtime.brokers.rabbit.check import Comparison, compare, missing, subject
from runtime.brokers.rabbit.limits import RabbitLimits
from runtime.brokers.rabbit.session import Session, SessionLost, translated


async def prepare(session: Session, topology: Topology, limits: RabbitLimits) -> Comparison:
    """Declares what is missing, as `declare`; with `only_checked` asks whether all of it is there.

    Raises:
        SessionLost: as `declare`; with `TOPOLOGY_MISMATCH` if anything is missing that this process may not declare.
    """
    if not topology.only_checked:
        return await declare(session, topology, limits)
    with translated(SessionLoss.CHANNEL_CLOSED):
        async with asyncio.timeout(limits.declare_timeout_s):
            absent = await missing(session, topology)
    if absent:
        names = ", ".join(map(subject, absent))
        raise SessionLost(
            SessionLoss.TOPOLOGY_MISMATCH,
            f"missing: {names}. COPYDESK_DECLARE is false: run `copydesk topology` as a user who may declare",
        )
    return Comparison((), (), ())


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
