"""Offers events to the subscribers' queues, which all get them from one exchange.

The broker says that a queue refused an event, but not which one. Either a subscriber's queue is full, or it has no
leader for the moment: RabbitMQ 3.10 refuses what is published to a quorum queue between the death of its leader and the
election of the next one. Another try some seconds later tells the two apart.
"""

import asyncio
import math
from collections.abc import Iterator

import structlog

from contract.broker import BrokerFull, BrokerUnavailable
from contract.metrics import Metrics
from runtime.brokers.rabbit.limits import RabbitLimits
from runtime.brokers.rabbit.outgoing import Outgoing
from runtime.brokers.rabbit.publisher import Publisher
from runtime.brokers.rabbit.retry import retry_until_done

_FIRST_PAUSE_S = 0.05  # chosen: an election on an idle cluster takes less than a second
_LONGEST_PAUSE_S = 1.0  # chosen: each offer is a repeat for the subscribers that took the event

log = structlog.get_logger(__name__)


class Fanout:
    """Offers each event until every queue takes it, or one queue is known to be full.

    Of the events that are refused at one time, one is offered again and again. The others wait for what becomes of it:
    each further offer is a repeat for the subscribers that took the event.
    """

    def __init__(self, publisher: Publisher, limits: RabbitLimits, metrics: Metrics) -> None:
        self._publisher = publisher
        self._limits = limits
        self._metrics = metrics
        self._probe: asyncio.Event | None = None  # set when the event that is offered again is taken or given up
        self._gave_up_at = -math.inf  # of the loop's clock, in seconds

    async def offer(self, outgoing: Outgoing) -> bool:
        """Returns True when every queue has taken the event, False if one refuses it: its subscriber reads the log."""
        while not await self._is_taken(outgoing):
            if self._probe is not None:
                await self._probe.wait()
            elif not self._rests() and await self._is_taken_in_time(outgoing):
                return True
            if self._rests():
                self._metrics.subscriber_refused.inc()
                log.warning("subscriber_refused", event_id=outgoing.message.message_id, routing_key=outgoing.key)
                return False
        return True

    async def _is_taken_in_time(self, outgoing: Outgoing) -> bool:
        """Offers the event again and again, and lets the others wait meanwhile."""
        self._probe = probe = asyncio.Event()
        try:
            for pause_s in self._pauses():
                await asyncio.sleep(pause_s)
                if await self._is_taken(outgoing):
                    return True
            self._gave_up_at = _now()
            return False
        finally:
            self._probe = None
            probe.set()

    def _pauses(self) -> Iterator[float]:
        """Yields the pauses before further offers. Their sum is short while a queue is known to be full."""
        known = _now() - self._gave_up_at < self._limits.subscriber_known_full_s
        left_s = self._limits.subscriber_recheck_s if known else self._limits.subscriber_retry_s
        pause_s = _FIRST_PAUSE_S
        while left_s > 0:
            yield min(pause_s, left_s)
            left_s -= pause_s
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)

    def _rests(self) -> bool:
        """Returns True where an event was given up in the last seconds: then none is offered twice."""
        return _now() - self._gave_up_at < self._limits.subscriber_rest_s

    async def _is_taken(self, outgoing: Outgoing) -> bool:
        try:
            await retry_until_done(lambda: self._publish(outgoing), on=BrokerUnavailable, limits=self._limits)
        except BrokerFull:
            return False
        return True

    async def _publish(self, outgoing: Outgoing) -> None:
        await self._publisher.publish(outgoing, timeout_s=self._limits.confirm_timeout_s)


def _now() -> float:
    return asyncio.get_running_loop().time()
