"""Puts requests about documents and ends of batches on record, and makes announcements. Each step is confirmed."""

import asyncio

from aio_pika import Message

from contract.batches import BatchClosed
from contract.broker import BrokerUnavailable
from contract.events import Announcement
from contract.labels import Destination
from contract.metrics import Metrics
from contract.requests import OwnerRequest
from contract.topology import ACCEPTED, DOCUMENTS, LOG, REQUESTS, exchange_to
from runtime.brokers.rabbit.fanout import Fanout
from runtime.brokers.rabbit.limits import RabbitLimits
from runtime.brokers.rabbit.messages import closed_batch_message, event_message, requests_message
from runtime.brokers.rabbit.outgoing import Outgoing
from runtime.brokers.rabbit.publisher import Publisher


class RequestPublisher:
    """Implements `contract.requests.RequestSink` and `contract.batches.BatchSink`."""

    def __init__(self, publisher: Publisher, limits: RabbitLimits, metrics: Metrics) -> None:
        self._publisher = publisher
        self._fanout = Fanout(publisher, limits, metrics)
        self._publish_timeout_s = limits.publish_timeout_s
        self._offer_timeout_s = limits.subscriber_retry_s + limits.publish_timeout_s

    async def request(self, request: OwnerRequest) -> None:
        """See `contract.requests.RequestSink`."""
        message = requests_message([request])
        await self._write(message, "", REQUESTS, Destination.REQUESTS)

    async def close_batch(self, closed: BatchClosed) -> None:
        """See `contract.batches.BatchSink`."""
        message = closed_batch_message(closed)
        await self._write(message, "", ACCEPTED, Destination.ACCEPTED)

    async def announce(self, event: Announcement) -> None:
        """See `contract.requests.RequestSink`. It may take as long as a subscriber's queue gets to elect a leader."""
        message, key = event_message(event), event.routing_key
        await self._write(message, key, LOG, Destination.LOG)
        offered = Outgoing(message=message, exchange=DOCUMENTS, key=key, to=Destination.DOCUMENTS, mandatory=False)
        try:
            async with asyncio.timeout(self._offer_timeout_s):
                await self._fanout.offer(offered)
        except TimeoutError:
            raise BrokerUnavailable("the subscribers were not told") from None

    async def _write(self, message: Message, key: str, stream: str, to: Destination) -> None:
        outgoing = Outgoing(message=message, exchange=exchange_to(stream), key=key, to=to, stream=stream)
        await self._publisher.publish(outgoing, timeout_s=self._publish_timeout_s)
