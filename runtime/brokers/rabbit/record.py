"""Records acceptances. Those that arrive while one message is being written go into the next together."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from contract.accepted import Accepted
from contract.broker import BrokerUnavailable
from contract.codec import encode
from contract.labels import Destination
from contract.topology import ACCEPTED, exchange_to
from runtime.brokers.rabbit.messages import acceptance_message
from runtime.brokers.rabbit.outgoing import Outgoing
from runtime.brokers.rabbit.publisher import Publisher

# Chosen well under the 16 MiB at which RabbitMQ 4 closes the channel. A record has 200 bytes, up to 25 kB with labels.
_MAX_BATCH_BYTES = 1024 * 1024


@dataclass(slots=True)
class _Batch:
    """Records that share one message, and the result of writing it."""

    records: list[Accepted] = field(default_factory=list)
    size: int = 0
    confirmed: bool = False
    refusal: BrokerUnavailable | None = None


class Record:
    """Writes to the stream of acceptances. One message for each record would double the cost of a put (measured)."""

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher
        self._publishing = asyncio.Lock()
        self._open = _Batch()

    async def add(self, accepted: Sequence[Accepted], *, timeout_s: float) -> None:
        """Returns when all of `accepted` are written and confirmed.

        Raises:
            BrokerUnavailable: not written, or not known to be written, within `timeout_s` seconds.
        """
        if not accepted:
            return
        batch = self._open
        batch.records += accepted
        batch.size += len(encode(accepted))
        if batch.size >= _MAX_BATCH_BYTES:
            self._open = _Batch()
        end = asyncio.get_running_loop().time() + timeout_s
        await self._turn(timeout_s)
        try:
            if not batch.confirmed and batch.refusal is None:
                # Without another timeout here: the publisher must see its own timeout, on which readiness depends.
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
        """The first caller publishes for all. If it is cancelled, the next caller of the batch publishes."""
        if self._open is batch:
            self._open = _Batch()
        message = acceptance_message(batch.records)
        outgoing = Outgoing(
            message=message, exchange=exchange_to(ACCEPTED), key="", to=Destination.ACCEPTED, stream=ACCEPTED
        )
        try:
            await self._publisher.publish(outgoing, timeout_s=timeout_s)
            batch.confirmed = True
        except BrokerUnavailable as error:
            batch.refusal = error
