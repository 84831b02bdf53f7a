"""One queue of a subscriber, as `copydesk conformance` looks at it: what waits there, and who consumes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aio_pika
import orjson
from aio_pika.abc import AbstractConnection
from aio_pika.exceptions import AMQPError, ChannelNotFoundEntity
from aiormq.exceptions import ChannelLockedResource

from contract.broker import BrokerUnavailable, QueueExclusive
from contract.events import MEDIA_TYPE

_CONNECT_TIMEOUT_S = 10.0  # chosen: a person waits for it


class Probe:
    """A queue. Made by `probe`."""

    def __init__(self, connection: AbstractConnection, queue: str) -> None:
        self._connection = connection
        self._queue = queue

    async def put(self, body: bytes) -> None:
        """Puts an event into the queue, past its bindings. Returns when the broker has it."""
        message = aio_pika.Message(body, content_type=MEDIA_TYPE, message_id=orjson.loads(body)["id"], delivery_mode=2)
        async with self._connection.channel() as channel:
            await channel.default_exchange.publish(message, self._queue)

    async def counts(self) -> tuple[int, int]:
        """Returns how many events wait to be delivered, and how many consumers there are. (0, 0) without a queue.

        Raises:
            QueueExclusive: it belongs to another connection.
        """
        try:
            async with self._connection.channel() as channel:
                found = await channel.declare_queue(self._queue, passive=True)
        except ChannelNotFoundEntity:
            return 0, 0
        except ChannelLockedResource:
            raise QueueExclusive(self._queue) from None
        return found.declaration_result.message_count or 0, found.declaration_result.consumer_count or 0

    async def take_all(self) -> list[str]:
        """Removes what waits in the queue, and returns the ids of the events."""
        ids = []
        async with self._connection.channel() as channel:
            queue = await channel.declare_queue(self._queue, passive=True)
            while (message := await queue.get(fail=False)) is not None:
                ids.append(str(orjson.loads(message.body)["id"]))
                await message.ack()
        return ids


@asynccontextmanager
async def probe(url: str, queue: str) -> AsyncIterator[Probe]:
    """Yields the probe of a queue.

    Raises:
        BrokerUnavailable: the broker cannot be reached, or refuses.
    """
    try:
        async with await aio_pika.connect(url, timeout=_CONNECT_TIMEOUT_S) as connection:
            yield Probe(connection, queue)
    except (AMQPError, OSError, TimeoutError) as error:
        raise BrokerUnavailable(type(error).__name__) from error
