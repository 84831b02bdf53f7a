"""The channels on which one session publishes: one for each stream, and one for everything else.

RabbitMQ 3.10 numbers what a channel publishes twice: all messages of the channel, and those for each stream, which uses
its numbers to recognise repeats. When a stream gets a new leader, the channel sends what is not confirmed again, but
under the number of the channel (`rabbit_stream_queue:resend_all`; mended in RabbitMQ 4.0, rabbitmq-server#12236). If
that number is the higher one, the stream takes the messages after it for repeats: it confirms them and drops them. On a
channel that publishes to one stream only, and to nothing else, both numbers are the same.
"""

import asyncio
import math
from dataclasses import dataclass, field

import aiormq
from aio_pika import Message
from aiormq.exceptions import DeliveryError, PublishError

from contract.labels import Destination
from runtime.brokers.rabbit.limits import RabbitLimits
from runtime.brokers.rabbit.session import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """A message and its destination. `to` names it in metrics; `mandatory` requires that a queue takes the message.

    `stream` names the one stream that the message goes to, if it goes to a stream.
    """

    message: Message
    exchange: str
    key: str
    to: Destination
    mandatory: bool = True
    stream: str | None = None


@dataclass(slots=True)
class _StreamChannel:
    """The channel to a stream, and the time of the loop at which another one takes its place."""

    channel: aiormq.abc.AbstractChannel | None = None
    ends_at: float = -math.inf
    opening: asyncio.Lock = field(default_factory=asyncio.Lock)


class Channels:
    """Publishes on the channels of `session`. `tasks` closes those that others replaced."""

    def __init__(self, session: Session, limits: RabbitLimits, tasks: asyncio.TaskGroup) -> None:
        self._session = session
        self._limits = limits
        self._tasks = tasks
        self._common: aiormq.abc.AbstractChannel | None = None
        self._streams: dict[str, _StreamChannel] = {}
        self._doubted_at = -math.inf

    async def open(self) -> None:
        """Opens the channel for everything but streams.

        Raises:
            SessionLost: the session ended.
        """
        self._common = await self._session.publishing_channel()

    async def offer(self, outgoing: Outgoing) -> None:
        """Returns when the message is confirmed.

        Raises:
            PublishError: no queue takes it.
            DeliveryError: a queue refuses it.
            SessionLost: the session ended.
            Exception: what aiormq raises for a lost connection or channel; see `session.translated`.
        """
        if outgoing.stream is None:
            await self._offer_twice(outgoing)
        else:
            await self._offer_to_stream(outgoing.stream, outgoing)

    async def _offer_to_stream(self, stream: str, outgoing: Outgoing) -> None:
        await confirmed(await self._channel_to(stream), outgoing)

    async def _offer_twice(self, outgoing: Outgoing) -> None:
        """Offers a refused message again: the refusal may be the fault of the channel. See docs/decisions.md."""
        channel = self._common or await self._renewed(None)
        try:
            await confirmed(channel, outgoing)
        except PublishError:
            raise
        except DeliveryError:
            if _now() - self._doubted_at < self._limits.second_opinion_s:
                raise
            self._doubted_at = _now()
            self._common = await self._renewed(channel)
            await confirmed(self._common, outgoing)

    async def _channel_to(self, stream: str) -> aiormq.abc.AbstractChannel:
        """Returns the channel for this stream alone.

        It is replaced from time to time: where somebody deletes the stream and declares it again, the numbers of the
        stream begin anew, and those of the channel do not.
        """
        own = self._streams.setdefault(stream, _StreamChannel())
        if own.channel is not None and _now() < own.ends_at:
            return own.channel
        async with own.opening:
            if own.channel is None or _now() >= own.ends_at:
                own.channel = await self._renewed(own.channel)
                own.ends_at = _now() + self._limits.stream_channel_s
            return own.channel

    async def _renewed(self, old: aiormq.abc.AbstractChannel | None) -> aiormq.abc.AbstractChannel:
        """Returns a new channel in place of `old`, which stays open for its outstanding confirms."""
        channel = await self._session.publishing_channel()
        self._session.check()
        if old is not None:
            self._tasks.create_task(self._session.retire(old, after_s=self._limits.confirm_timeout_s))
        return channel


async def confirmed(channel: aiormq.abc.AbstractChannel, outgoing: Outgoing) -> None:
    """Publishes without waiting until the socket has taken the message: the confirm tells all that matters."""
    message = outgoing.message
    await channel.basic_publish(
        message.body,
        exchange=outgoing.exchange,
        routing_key=outgoing.key,
        properties=message.properties,
        mandatory=outgoing.mandatory,
        wait=False,
    )


def _now() -> float:
    return asyncio.get_running_loop().time()
