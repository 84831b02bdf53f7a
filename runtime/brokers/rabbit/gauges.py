"""How many messages wait in which queue, as RabbitMQ tells it over AMQP: without what is delivered and not acked."""

from collections.abc import Mapping
from types import TracebackType
from typing import Self

from aio_pika.exceptions import ChannelNotFoundEntity

from contract.broker import BrokerUnavailable
from contract.labels import SessionLoss, SessionRole
from contract.topology import ACCEPTED, LOG, Topology
from runtime.brokers.rabbit.limits import RabbitLimits
from runtime.brokers.rabbit.session import Session, SessionLost, translated
from runtime.gauges import Depth


async def depths(session: Session, topology: Topology) -> Mapping[str, int]:
    """Returns the messages that wait in each queue, the streams left out: their counts lag behind.

    Raises:
        BrokerUnavailable: a queue is missing.
        SessionLost: the session ended.
    """
    names = [queue.name for queue in topology.queues if queue.name not in {LOG, ACCEPTED}]
    with translated(SessionLoss.CHANNEL_CLOSED):
        channel = await session.passing_channel()
        try:
            found = {name: await channel.queue_declare(name, passive=True) for name in names}
        except ChannelNotFoundEntity as error:
            raise BrokerUnavailable(f"{error}: run `copydesk topology`") from None
    await session.drop(channel)
    return {name: declared.message_count or 0 for name, declared in found.items()}


class RabbitQueues:
    """Implements `runtime.gauges.Queues` on a connection of its own, opened at need and kept while it lives."""

    def __init__(self, url: str, topology: Topology, limits: RabbitLimits) -> None:
        self._url = url
        self._topology = topology
        self._limits = limits
        self._session: Session | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._close()

    async def depths(self) -> Mapping[str, Depth]:
        """Returns what waits, by queue. No ages: AMQP does not tell them.

        Raises:
            BrokerUnavailable: the broker cannot be reached, or a queue is missing.
        """
        try:
            found = await depths(await self._open(), self._topology)
        except SessionLost as loss:
            await self._close()
            raise BrokerUnavailable(f"{loss.cause}: {loss.detail}") from None
        except BaseException:
            await self._close()  # an answer may still be on its way
            raise
        return {name: Depth(count) for name, count in found.items()}

    async def _open(self) -> Session:
        if self._session is None or self._session.is_over:
            await self._close()
            self._session = Session(self._url, SessionRole.READER, self._limits)
            await self._session.open()
        return self._session

    async def _close(self) -> None:
        if self._session is not None:
            session, self._session = self._session, None
            await session.aclose()
