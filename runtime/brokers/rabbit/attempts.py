"""Records failed attempts in batches, on a best-effort basis: no worker waits for the record."""

import asyncio
from collections import deque
from itertools import islice

from contract.attempts import FailedAttempt
from contract.broker import BrokerError
from contract.labels import Destination
from contract.topology import ATTEMPTS, exchange_to
from runtime.brokers.rabbit.limits import RabbitLimits
from runtime.brokers.rabbit.messages import attempts_message
from runtime.brokers.rabbit.outgoing import Outgoing
from runtime.brokers.rabbit.publisher import Publisher

# Records of about 500 bytes each: in one message, and waiting for it. Chosen: a worker decides at most some hundred
# documents a second, so 5,000 bridge an outage of a minute.
_MAX_BATCH = 500  # records in a message
_MAX_WAITING = 5_000  # records in memory


class AttemptRecord:
    """Writes to the stream of attempts. Records that cannot be written are dropped and counted in publish_failures."""

    def __init__(self, publisher: Publisher, limits: RabbitLimits) -> None:
        self._publisher = publisher
        self._limits = limits
        self._waiting: deque[FailedAttempt] = deque(maxlen=_MAX_WAITING)
        self._added = asyncio.Event()

    def add(self, attempt: FailedAttempt) -> None:
        """Queues `attempt` for writing. If too many wait, the oldest are dropped."""
        self._waiting.append(attempt)
        self._added.set()

    async def run(self) -> None:
        """Writes the queued records, until it is cancelled."""
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
        outgoing = Outgoing(
            message=message, exchange=exchange_to(ATTEMPTS), key="", to=Destination.ATTEMPTS, stream=ATTEMPTS
        )
        try:
            await self._publisher.publish(outgoing, timeout_s=self._limits.confirm_timeout_s)
        except BrokerError:
            return  # the ledger shows the next attempt, or the verdict
