"""Puts acceptances on record: those that come while one message is on its way go together in the next."""

import asyncio
from dataclasses import dataclass, field

from contract.accepted import Accepted
from contract.broker import BrokerUnavailable
from contract.codec import encode
from contract.topology import ACCEPTED
from runtime.brokers.rabbit.messages import acceptance_message
from runtime.brokers.rabbit.publisher import Outgoing, Publisher

# Well under the 16 MiB at which RabbitMQ 4 closes the channel; a record is 200 bytes, with all its labels up to 25 KB.
_MAX_BATCH_BYTES = 1024 * 1024


@dataclass(slots=True)
class _Batch:
    """Records that go in one message, and whether it is confirmed."""

    records: list[Accepted] = field(default_factory=list)
    size: int = 0
    confirmed: bool = False
    refusal: BrokerUnavailable | None = None


class Record:
    """Writes to the stream of acceptances. A message each would double what a put costs this process (measured)."""

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher
        self._publishing = asyncio.Lock()
        self._open = _Batch()

    async def add(self, accepted: Accepted, *, timeout_s: float) -> None:
        """Returns when `accepted` is on record, confirmed.

        Raises:
            BrokerUnavailable: it is not, or not known to be, within `timeout_s` seconds.
        """
        batch = self._open
        batch.records.append(accepted)
        batch.size += len(encode(accepted))
        if batch.size >= _MAX_BATCH_BYTES:
            self._open = _Batch()
        end = asyncio.get_running_loop().time() + timeout_s
        await self._turn(timeout_s)
        try:
            if not batch.confirmed and batch.refusal is None:
                # Not under a timeout of our own: the publisher has to see its own run out, readiness hangs on it.
                await self._publish(batch, max(0.0, end - asyncio.get_running_loop().time()))
        finally:
            self._publishing.release()
        if batch.refusal is not None:
            raise BrokerUnavailable(str(batch.refusal)) from batch.refusal

    async def _turn(self, timeout_s: float) -> None:
        try:
            async with asyncio.timeout(timeout_s):
                await self._publishing.acquire()
        except TimeoutError:
            raise BrokerUnavailable(f"not on record within {timeout_s:g} s") from None

    async def _publish(self, batch: _Batch, timeout_s: float) -> None:
        """Whoever comes first publishes for all. When it is cancelled on the way, the next one of the batch does."""
        if self._open is batch:
            self._open = _Batch()
        message = acceptance_message(batch.records)
        outgoing = Outgoing(message=message, exchange="", key=ACCEPTED, to="accepted", is_stream=True)
        try:
            await self._publisher.publish(outgoing, timeout_s=timeout_s)
            batch.confirmed = True
        except BrokerUnavailable as error:
            batch.refusal = error
