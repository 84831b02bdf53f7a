"""What tests do to RabbitMQ from outside, and the wire between a broker of ours and it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage
from aiormq import spec
from aiormq.abc import ChannelFrame
from pamqp.body import ContentBody
from pamqp.header import ContentHeader
from prometheus_client import CollectorRegistry
from yarl import URL

from contract.broker import Broker
from contract.job import Lane
from contract.metrics import Metrics
from contract.topology import DEAD, Topology, design, lane_queue
from runtime.brokers.rabbit import RabbitBroker, RabbitLimits
from tests.brokers.suite import DeadLetter

QUICK = RabbitLimits(
    backoff_initial_s=0.02,
    backoff_max_s=0.2,
    reopen_pause_s=0.02,
    redeclare_pause_s=0.2,
    give_back_initial_s=0.01,
    confirm_timeout_s=5.0,
    suspect_pause_s=0.05,
)


class Wire:
    """A TCP relay on loopback that can be cut, and mended."""

    def __init__(self, target: URL) -> None:
        self._target = target
        self._ends: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None
        self.port = 0

    async def mend(self) -> None:
        """Accepts connections, from the first call on always on the same port."""
        self._server = await asyncio.start_server(self._relay, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        """Aborts what goes through, and refuses what comes."""
        if self._server is not None:
            self._server.close()
        for end in self._ends:
            end.transport.abort()

    async def _relay(self, near: asyncio.StreamReader, near_end: asyncio.StreamWriter) -> None:
        try:
            far, far_end = await asyncio.open_connection(self._target.host, self._target.port)
        except OSError:
            near_end.transport.abort()
            return
        self._ends |= {near_end, far_end}
        await asyncio.gather(_pump(near, far_end), _pump(far, near_end))
        self._ends -= {near_end, far_end}


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    try:
        while chunk := await source.read(65536):
            sink.write(chunk)
            await sink.drain()
    except ConnectionError:
        pass
    finally:
        sink.close()


@dataclass
class RabbitBackend:
    """RabbitMQ at `url`, with the topology that the tests use and nothing on it."""

    url: str
    delays_s: Sequence[float] = (0.2, 0.6)
    delivery_limit: int = 2
    metrics: Metrics = field(default_factory=lambda: Metrics(CollectorRegistry()))
    _wires: dict[int, Wire] = field(default_factory=dict)

    @property
    def topology(self) -> Topology:
        return design(delays_s=self.delays_s, delivery_limit=self.delivery_limit)

    @asynccontextmanager
    async def broker(self, *, kind: type[RabbitBroker] = RabbitBroker, **kwargs: Any) -> AsyncIterator[Broker]:  # noqa: ANN401 - RabbitBroker's own
        wire = Wire(URL(self.url))
        await wire.mend()
        options = {"metrics": self.metrics, "topology": self.topology, "limits": QUICK, **kwargs}
        try:
            async with kind(str(URL(self.url).with_port(wire.port)), **options) as broker:
                self._wires[id(broker)] = wire
                yield broker
        finally:
            await wire.cut()

    async def crash(self, broker: Broker) -> None:
        await self._wires[id(broker)].cut()

    async def mend(self, broker: Broker) -> None:
        await self._wires[id(broker)].mend()

    async def inject(self, body: bytes, message_id: str | None) -> None:
        async with self.channel() as channel:
            await declare(channel, self.topology)
            await _publish_raw(channel, lane_queue(Lane.INTERACTIVE), body, message_id)

    async def dead(self) -> list[DeadLetter]:
        async with self.channel() as channel:
            queue = await channel.get_queue(DEAD)
            return [_dead_letter(message) async for message in messages_in(queue)]

    @asynccontextmanager
    async def channel(self) -> AsyncIterator[AbstractChannel]:
        """A channel of the test's own, past the wire."""
        connection = await aio_pika.connect(self.url)
        async with connection, connection.channel() as channel:
            yield channel

    async def clear(self) -> None:
        """Deletes all that a test of this topology left."""
        async with self.channel() as channel:
            for queue in self.topology.queues:
                await channel.queue_delete(queue.name)
            for exchange in self.topology.exchanges:
                await channel.exchange_delete(exchange.name)


async def declare(channel: AbstractChannel, topology: Topology) -> None:
    for exchange in topology.exchanges:
        await channel.declare_exchange(exchange.name, exchange.kind, durable=True)
    for queue in topology.queues:
        await channel.declare_queue(queue.name, durable=True, arguments=dict(queue.arguments))
    for binding in topology.bindings:
        await (await channel.get_queue(binding.queue)).bind(binding.exchange, binding.key)


async def messages_in(queue: aio_pika.abc.AbstractQueue) -> AsyncIterator[AbstractIncomingMessage]:
    """Yields all that is in the queue now. Nothing is acked: it goes back when the channel closes."""
    while (message := await queue.get(fail=False)) is not None:
        yield message


def _dead_letter(message: AbstractIncomingMessage) -> DeadLetter:
    message_id = message.headers.get("x-copydesk-message-id")
    cause = message.headers["x-copydesk-cause"]
    return DeadLetter(message.body, str(cause), None if message_id is None else str(message_id))


async def _publish_raw(channel: AbstractChannel, queue: str, body: bytes, message_id: str | None) -> None:
    """Publishes past the library, which would make up a message id."""
    properties = spec.Basic.Properties(message_id=message_id, delivery_mode=2)
    header = ContentHeader(properties=properties, body_size=len(body))
    under = await channel.get_underlay_channel()
    publish = spec.Basic.Publish(exchange="", routing_key=queue)
    frame = ChannelFrame.marshall(channel_number=under.number, frames=[publish, header, ContentBody(body)])
    await under.connection.write_queue.put(frame)
    await channel.get_queue(queue)  # an answer on the same channel: the broker has the message
