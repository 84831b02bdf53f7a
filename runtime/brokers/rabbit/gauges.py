"""The number of waiting messages in each queue, as AMQP reports it: without those delivered and not acked."""

from collections.abc import Mapping

from aio_pika.exceptions import ChannelNotFoundEntity

from contract.broker import BrokerUnavailable, QueueDepth
from contract.labels import SessionLoss, SessionRole
from contract.topology import Topology
from runtime.brokers.rabbit.limits import RabbitLimits
from runtime.brokers.rabbit.session import Session, SessionLost, translated


async def depths(session: Session, topology: Topology) -> Mapping[str, int]:
    """Returns the number of waiting messages in each queue, without streams, whose counts are late.

    Raises:
        BrokerUnavailable: a queue is missing.
        SessionLost: the session ended.
    """
    names = [queue.name for queue in topology.queues if not queue.is_stream]
    with translated(SessionLoss.CHANNEL_CLOSED):
        channel = await session.passing_channel()
        try:
            found = {name: await channel.queue_declare(name, passive=True) for name in names}
        except ChannelNotFoundEntity as error:
            raise BrokerUnavailable(f"{error}: run `copydesk topology`") from None
    await session.drop(channel)
    return {name: declared.message_count or 0 for name, declared in found.items()}


class RabbitQueues:
    """Implements `contract.broker.QueueDepths` on its own connection, opened at the first call and after each loss."""

    def __init__(self, url: str, topology: Topology, limits: RabbitLimits) -> None:
        self._url = url
        self._topology = topology
        self._limits = limits
        self._session: Session | None = None

    async def depths(self) -> Mapping[str, QueueDepth]:
        """Returns the depth of each queue. Ages are unknown: AMQP does not report them.

        Raises:
            BrokerUnavailable: the broker cannot be reached, or a queue is missing.
        """
        try:
            found = await depths(await self._open(), self._topology)
        except SessionLost as loss:
            await self.aclose()
            raise BrokerUnavailable(f"{loss.cause}: {loss.detail}") from None
        except BaseException:
            await self.aclose()  # an answer may still arrive on it
            raise
        return {name: QueueDepth(count) for name, count in found.items()}

    async def _open(self) -> Session:
        if self._session is None or self._session.is_over:
            await self.aclose()
            self._session = Session(self._url, SessionRole.READER, self._limits)
            await self._session.open()
        return self._session

    async def aclose(self) -> None:
        """Closes the connection, if there is one."""
        if self._session is not None:
            session, self._session = self._session, None
            await session.aclose()
