"""A passing subscriber to the output exchange: what `copydesk tail --amqp` shows."""

from collections.abc import AsyncGenerator

import aio_pika

from contract.broker import BrokerUnavailable
from contract.topology import DOCUMENTS

_QUEUE_MESSAGES = 1000  # chosen: about 2 MB of events; the oldest are dropped
_PREFETCH = 10  # chosen: a person reads, so few are sent ahead


async def subscribe(url: str, pattern: str) -> AsyncGenerator[bytes, None]:
    """Yields the bytes of events whose routing key matches the topic `pattern`, from now on.

    Its queue is deleted at the end, and drops its oldest events when it is full: for watching, not for storing.

    Raises:
        BrokerUnavailable: the broker cannot be reached, has no such exchange, or was lost.
    """
    try:
        async with await aio_pika.connect(url, timeout=5) as connection:
            channel = await connection.channel()
            await channel.set_qos(prefetch_count=_PREFETCH)
            queue = await channel.declare_queue(exclusive=True, arguments={"x-max-length": _QUEUE_MESSAGES})
            await queue.bind(DOCUMENTS, pattern)
            async with queue.iterator() as messages:
                async for message in messages:
                    await message.ack()
                    yield message.body
    except (aio_pika.exceptions.AMQPError, ConnectionError, TimeoutError, OSError) as error:
        raise BrokerUnavailable(f"{type(error).__name__}: {error}") from None
    raise BrokerUnavailable("the connection was closed")
