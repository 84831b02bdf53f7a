"""Puts failed attempts on record, in batches and as well as can be: nothing waits for it."""

import asyncio
from collections import deque
from itertools import islice

from contract.attempts import FailedAttempt
from contract.broker import BrokerError
from contract.labels import Destination
from contract.topology import ATTEMPTS
from runtime.brokers.rabbit.limits import RabbitLimits
from runtime.brokers.rabbit.messages import attempts_message
from runtime.brokers.rabbit.publisher import Outgoing, Publisher

# What a message holds, and what waits meanwhile; some 500 bytes each. A worker decides some hundred documents a second.
_MAX_BATCH = 500
_MAX_WAITING = 5_000


class AttemptRecord:
    """Writes to the stream of attempts. What cannot be written is dropped: publish_failures counts it."""

    def __init__(self, publisher: Publisher, limits: RabbitLimits) -> None:
        self._publisher = publisher
        self._limits = limits
        self._waiting: deque[FailedAttempt] = deque(maxlen=_MAX_WAITING)
        self._added = asyncio.Event()

    def add(self, attempt: FailedAttempt) -> None:
        """Has `attempt` written soon. Beyond what may wait, the oldest are dropped."""
        self._waiting.append(attempt)
        self._added.set()

    async def run(self) -> None:
        """Writes what is added, until it is cancelled."""
        while True:
            await self._added.wait()
            batch = list(islice(self._waiting, _MAX_BATCH))
            for _ in batch:
                self._waiting.popleft()
            if not self._waiting:
                self._added.clear()
            await self._publish(batch)

    async def _publish(self, batch: list[FailedAttempt]) -> None:
        message = attempts_message(batch)
        outgoing = Outgoing(message=message, exchange="", key=ATTEMPTS, to=Destination.ATTEMPTS, is_stream=True)
        try:
            await self._publisher.publish(outgoing, timeout_s=self._limits.confirm_timeout_s)
        except BrokerError:
            return  # the ledger shows the next attempt, or the verdict
