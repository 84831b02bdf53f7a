"""Sends events of the log to the queues of subscribers."""

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING

from aio_pika import DeliveryMode, Message
from aio_pika.exceptions import ChannelNotFoundEntity
from aiormq.exceptions import ChannelLockedResource

from contract.broker import BrokerError, BrokerUnavailable, LogEntry, QueueExclusive, QueueForbidden, QueueMissing
from contract.codec import UndecodableError, decode_event
from contract.events import MEDIA_TYPE
from contract.labels import Destination, PublishFailure, SessionLoss, SessionRole
from contract.replays import REPLAY_HEADER, ROUTING_KEY_HEADER
from runtime.brokers.rabbit.limits import RabbitLimits
from runtime.brokers.rabbit.messages import event_headers
from runtime.brokers.rabbit.outgoing import Outgoing
from runtime.brokers.rabbit.publisher import NotPublished, Publisher
from runtime.brokers.rabbit.session import Session, SessionLost

if TYPE_CHECKING:
    from aio_pika.abc import HeadersType


async def has_queue(url: str, name: str, limits: RabbitLimits) -> bool:
    """Returns True if there is a queue of this name.

    Raises:
        QueueExclusive: it belongs to another connection.
        BrokerUnavailable: not answered within the publish timeout.
    """
    session = Session(url, SessionRole.READER, limits)
    try:
        async with asyncio.timeout(limits.publish_timeout_s), aclosing(session):
            await session.open()
            channel = await session.scratch_channel()
            try:
                await channel.declare_queue(name, passive=True)
            except ChannelNotFoundEntity:
                return False
            except ChannelLockedResource:
                raise QueueExclusive(name) from None
            return True
    except (SessionLost, TimeoutError) as error:
        raise BrokerUnavailable(f"queues cannot be looked up: {type(error).__name__}") from None


async def send_again(
    publisher: Publisher, queue: str, entries: Sequence[LogEntry], replay_id: str, limits: RabbitLimits
) -> Sequence[LogEntry]:
    """See `contract.broker.SubscriberQueues.send_again`."""
    outgoings = [_outgoing(queue, entry, replay_id) for entry in entries]
    failures = await publisher.publish_many(outgoings, timeout_s=limits.publish_timeout_s)
    if any(isinstance(it, NotPublished) and it.cause is PublishFailure.RETURNED for it in failures):
        raise QueueMissing(queue)
    if any(failure is not None and _is_forbidden(failure) for failure in failures):
        raise QueueForbidden(queue)
    return [entry for entry, failure in zip(entries, failures, strict=True) if failure is not None]


def _is_forbidden(failure: BrokerError) -> bool:
    loss = failure.__cause__
    return isinstance(loss, SessionLost) and loss.cause is SessionLoss.PERMISSION_REFUSED


def _outgoing(queue: str, entry: LogEntry, replay_id: str) -> Outgoing:
    headers: HeadersType = {ROUTING_KEY_HEADER: entry.routing_key, REPLAY_HEADER: replay_id}
    event_id = None
    try:
        event = decode_event(entry.body)
    except UndecodableError:
        pass  # of a later version: it goes out with its bytes alone
    else:
        event_id = event.id
        headers |= event_headers(event)
    message = Message(
        entry.body,
        content_type=MEDIA_TYPE,
        message_id=event_id,
        headers=headers,
        delivery_mode=DeliveryMode.PERSISTENT,
    )
    return Outgoing(message=message, exchange="", key=queue, to=Destination.SUBSCRIBER)
