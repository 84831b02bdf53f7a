"""Puts requests about documents on record, and announces what is erased: each step is confirmed before the next."""

import asyncio

from contract.broker import BrokerUnavailable
from contract.events import Notice
from contract.labels import Destination
from contract.metrics import Metrics
from contract.requests import OwnerRequest
from contract.topology import DOCUMENTS, LOG, REQUESTS
from runtime.brokers.rabbit.fanout import Fanout
from runtime.brokers.rabbit.limits import RabbitLimits
from runtime.brokers.rabbit.messages import event_message, requests_message
from runtime.brokers.rabbit.outgoing import Outgoing
from runtime.brokers.rabbit.publisher import Publisher


class Requests:
    """Implements `contract.requests.RequestSink`."""

    def __init__(self, publisher: Publisher, limits: RabbitLimits, metrics: Metrics) -> None:
        self._publisher = publisher
        self._fanout = Fanout(publisher, limits, metrics)
        self._publish_timeout_s = limits.publish_timeout_s
        self._offer_timeout_s = limits.subscriber_retry_s + limits.publish_timeout_s

    async def request(self, request: OwnerRequest) -> None:
        """See `contract.requests.RequestSink`."""
        message = requests_message([request])
        await self._publish(
            Outgoing(message=message, exchange="", key=REQUESTS, to=Destination.REQUESTS, stream=REQUESTS)
        )

    async def announce(self, event: Notice) -> None:
        """See `contract.requests.RequestSink`. It may take as long as a subscriber's queue gets to elect a leader."""
        message, key = event_message(event), event.routing_key
        await self._publish(Outgoing(message=message, exchange=LOG, key=key, to=Destination.LOG, stream=LOG))
        offered = Outgoing(message=message, exchange=DOCUMENTS, key=key, to=Destination.DOCUMENTS, mandatory=False)
        try:
            async with asyncio.timeout(self._offer_timeout_s):
                await self._fanout.offer(offered)
        except TimeoutError:
            raise BrokerUnavailable("the subscribers were not told") from None

    async def _publish(self, outgoing: Outgoing) -> None:
        await self._publisher.publish(outgoing, timeout_s=self._publish_timeout_s)
