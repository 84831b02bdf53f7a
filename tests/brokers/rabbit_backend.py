"""RabbitMQ as tests see it from outside, and the relay between it and a broker under test."""

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
from contract.topology import DEAD, ExchangeBinding, Topology, design, lane_queue
from runtime.brokers.rabbit import RabbitBroker, RabbitLimits
from runtime.brokers.rabbit.consumer import least_prefetched_bytes
from tests.brokers.suite import DeadLetter

QUICK = RabbitLimits(
    backoff_initial_s=0.02,
    backoff_max_s=0.2,
    reopen_pause_s=0.02,
    redeclare_pause_s=0.2,
    give_back_initial_s=0.01,
    publish_timeout_s=30.0,  # no test waits for this one and the next: a machine under load takes its time
    confirm_timeout_s=30.0,
    suspect_pause_s=0.05,
    subscriber_retry_s=0.35,
    watch_timeout_s=8.0,
    preview_wait_s=5.0,
)


@dataclass(eq=False)
class Relay:
    """One connection through the wire, and what the client sent on it."""

    near: asyncio.StreamWriter
    far: asyncio.StreamWriter
    sent: bytearray = field(default_factory=bytearray)
    flowing: asyncio.Event = field(default_factory=asyncio.Event)

    def is_called(self, name: str) -> bool:
        """Returns True if the client gave its connection this name."""
        return b"connection_nameS" + len(name).to_bytes(4, "big") + name.encode() in self.sent

    async def send(self, source: asyncio.StreamReader) -> None:
        await self._pump(source, self.far, self.sent)

    async def answer(self, source: asyncio.StreamReader) -> None:
        await self._pump(source, self.near, bytearray())

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, copy: bytearray) -> None:
        try:
            while chunk := await source.read(65536):
                copy += chunk
                await self.flowing.wait()
                sink.write(chunk)
                await sink.drain()
        except ConnectionError:
            pass
        finally:
            sink.close()


class Wire:
    """A TCP relay on loopback that can be cut, visibly or silently, and restored."""

    def __init__(self, target: URL) -> None:
        self._target = target
        self._server: asyncio.Server | None = None
        self.relays: list[Relay] = []
        self.port = 0

    async def mend(self) -> None:
        """Accepts connections, always on the same port."""
        self._server = await asyncio.start_server(self._relay, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        """Aborts open connections, and refuses new ones."""
        if self._server is not None:
            self._server.close()
        for relay in self.relays:
            relay.flowing.set()
            relay.near.transport.abort()
            relay.far.transport.abort()

    def hold(self, name: str) -> None:
        """Stops relaying on the connections of that name, and leaves them open."""
        for relay in self.relays:
            if relay.is_called(name):
                relay.flowing.clear()

    async def _relay(self, near: asyncio.StreamReader, near_end: asyncio.StreamWriter) -> None:
        try:
            far, far_end = await asyncio.open_connection(self._target.host, self._target.port)
        except OSError:
            near_end.transport.abort()
            return
        relay = Relay(near_end, far_end)
        relay.flowing.set()
        self.relays.append(relay)
        await asyncio.gather(relay.send(near), relay.answer(far))


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

    @property
    def vhost(self) -> str:
        return URL(self.url).path.removeprefix("/") or "/"

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

    def unheld_bytes(self, slots: int) -> int:
        return least_prefetched_bytes(slots)

    async def crash(self, broker: Broker) -> None:
        await self.wire(broker).cut()

    async def mend(self, broker: Broker) -> None:
        await self.wire(broker).mend()

    def wire(self, broker: Broker) -> Wire:
        """The wire between `broker` and RabbitMQ."""
        return self._wires[id(broker)]

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
        """A separate channel to RabbitMQ, without the relay."""
        connection = await aio_pika.connect(self.url)
        async with connection, connection.channel() as channel:
            yield channel

    async def clear(self) -> None:
        """Deletes everything that tests with this topology left."""
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
        if isinstance(binding, ExchangeBinding):
            await (await channel.get_exchange(binding.to)).bind(binding.exchange, binding.key)
        else:
            await (await channel.get_queue(binding.queue)).bind(binding.exchange, binding.key)


async def messages_in(queue: aio_pika.abc.AbstractQueue) -> AsyncIterator[AbstractIncomingMessage]:
    """Yields the messages of the queue without acks: they go back when the channel closes."""
    while (message := await queue.get(fail=False)) is not None:
        yield message


def _dead_letter(message: AbstractIncomingMessage) -> DeadLetter:
    message_id = message.headers.get("x-copydesk-message-id")
    cause = message.headers["x-copydesk-cause"]
    return DeadLetter(message.body, str(cause), None if message_id is None else str(message_id))


async def _publish_raw(channel: AbstractChannel, queue: str, body: bytes, message_id: str | None) -> None:
    """Publishes without aio-pika, which would add a message id."""
    properties = spec.Basic.Properties(message_id=message_id, delivery_mode=2)
    header = ContentHeader(properties=properties, body_size=len(body))
    under = await channel.get_underlay_channel()
    publish = spec.Basic.Publish(exchange="", routing_key=queue)
    frame = ChannelFrame.marshall(channel_number=under.number, frames=[publish, header, ContentBody(body)])
    await under.connection.write_queue.put(frame)
    await channel.get_queue(queue)  # an answer on the same channel: the broker has the message
