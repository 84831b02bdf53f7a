"""Puts requests about documents on record, and announces what is erased: each step is confirmed before the next."""

import structlog

from contract.broker import BrokerFull
from contract.events import ErasedEvent
from contract.labels import Destination
from contract.metrics import Metrics
from contract.requests import OwnerRequest
from contract.topology import DOCUMENTS, LOG, REQUESTS
from runtime.brokers.rabbit.messages import event_message, requests_message
from runtime.brokers.rabbit.publisher import Outgoing, Publisher

log = structlog.get_logger(__name__)


class Requests:
    """Implements `contract.requests.RequestSink`. Each message must be confirmed within `timeout_s`."""

    def __init__(self, publisher: Publisher, metrics: Metrics, *, timeout_s: float) -> None:
        self._publisher = publisher
        self._metrics = metrics
        self._timeout_s = timeout_s

    async def request(self, request: OwnerRequest) -> None:
        """See `contract.requests.RequestSink`."""
        message = requests_message([request])
        await self._publish(
            Outgoing(message=message, exchange="", key=REQUESTS, to=Destination.REQUESTS, is_stream=True)
        )

    async def announce(self, event: ErasedEvent) -> None:
        """See `contract.requests.RequestSink`. One subscriber's full queue refuses for all, who then read the log."""
        message, key = event_message(event), event.routing_key
        await self._publish(Outgoing(message=message, exchange=LOG, key=key, to=Destination.LOG, is_stream=True))
        try:
            await self._publish(
                Outgoing(message=message, exchange=DOCUMENTS, key=key, to=Destination.DOCUMENTS, mandatory=False)
            )
        except BrokerFull:
            self._metrics.subscriber_refused.inc()
            log.warning("subscriber_refused", event_id=event.id, routing_key=key)

    async def _publish(self, outgoing: Outgoing) -> None:
        await self._publisher.publish(outgoing, timeout_s=self._timeout_s)
