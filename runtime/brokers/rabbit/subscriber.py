"""A passing subscriber to the output exchange: what `copydesk tail --amqp` shows."""

from collections.abc import AsyncGenerator

import aio_pika
from aio_pika.abc import AbstractConnection
from aio_pika.connection import make_url
from aiormq.exceptions import ChannelAccessRefused

from contract.broker import BrokerUnavailable
from contract.labels import SessionLoss
from contract.topology import DOCUMENTS
from runtime.amqp_url import fault_of
from runtime.brokers.rabbit.refusals import explained, permission_refused
from runtime.brokers.rabbit.session import vhost_of
from runtime.errors import StartError
from runtime.logs import silence_amqp_libraries

_QUEUE_MESSAGES = 1000  # chosen: about 2 MB of events; beyond that the oldest are dropped
_PREFETCH = 10  # messages; chosen: a person reads them, so a few sent ahead are enough
_CONNECT_TIMEOUT_S = 5.0  # chosen: a person waits; a broker that works answers in milliseconds
_LOST = (aio_pika.exceptions.AMQPError, ConnectionError, TimeoutError, OSError)


async def subscribe(url: str, pattern: str) -> AsyncGenerator[bytes, None]:
    """Yields the bytes of events whose routing key matches the topic `pattern`, from now on.

    The queue is deleted at the end, and drops its oldest events when it is full: use it to watch, not to store.

    Raises:
        StartError: `url` is not an AMQP URL.
        BrokerUnavailable: the broker cannot be reached, has no such exchange, or was lost.
    """
    fault = fault_of(url)
    if fault is not None:
        raise StartError(f"the AMQP URL is invalid: {fault}")
    silence_amqp_libraries()
    try:
        async with await _connected(url) as connection:
            channel = await connection.channel()
            await channel.set_qos(prefetch_count=_PREFETCH)
            queue = await channel.declare_queue(exclusive=True, arguments={"x-max-length": _QUEUE_MESSAGES})
            await queue.bind(DOCUMENTS, pattern)
            async with queue.iterator() as messages:
                async for message in messages:
                    await message.ack()
                    yield message.body
    except ChannelAccessRefused as error:
        raise BrokerUnavailable(f"{SessionLoss.PERMISSION_REFUSED}: {permission_refused(str(error.args[0]))}") from None
    except _LOST as error:
        raise BrokerUnavailable(f"{type(error).__name__}: {error}") from None
    raise BrokerUnavailable("the connection was closed")


async def _connected(url: str) -> AbstractConnection:
    parsed = make_url(url)
    connection = aio_pika.Connection(parsed)
    try:
        await connection.connect(timeout=_CONNECT_TIMEOUT_S)
    except BaseException as error:
        await connection.close()  # else the object tries to close itself when it is collected, with no loop running
        if not isinstance(error, _LOST):
            raise
        cause, detail = await explained(error, parsed, vhost=vhost_of(parsed), timeout_s=_CONNECT_TIMEOUT_S)
        raise BrokerUnavailable(f"{cause}: {detail}") from None
    return connection
