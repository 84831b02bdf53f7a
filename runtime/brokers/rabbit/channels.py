"""The channels on which one session publishes: one for each stream, and one for everything else.

RabbitMQ 3.10 numbers what a channel publishes twice: all messages of the channel, and those for each stream, which uses
its numbers to recognise repeats. When a stream gets a new leader, the channel sends what is not confirmed again, but
under the number of the channel (`rabbit_stream_queue:resend_all`; mended in RabbitMQ 4.0, rabbitmq-server#12236). If
that number is the higher one, the stream takes the messages after it for repeats: it confirms them and drops them. On a
channel that publishes to one stream only, and to nothing else, both numbers are the same.
"""

import asyncio
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast

import aiormq
from aiormq.exceptions import DeliveryError, PublishError

from runtime.brokers.rabbit.limits import RabbitLimits
from runtime.brokers.rabbit.outgoing import UNDRAINED_BYTES, Outgoing
from runtime.brokers.rabbit.session import Session
from runtime.brokers.rabbit.together import publish_together


@dataclass(slots=True)
class _RenewedChannel:
    """The channel for one stream, or for everything else, and the time of the loop at which another one replaces it."""

    channel: aiormq.Channel | None = None
    ends_at: float = math.inf
    opening: asyncio.Lock = field(default_factory=asyncio.Lock)


class Channels:
    """Publishes on the channels of `session`, which are opened when they are needed. `tasks` closes replaced ones."""

    def __init__(self, session: Session, limits: RabbitLimits, tasks: asyncio.TaskGroup) -> None:
        self._session = session
        self._limits = limits
        self._tasks = tasks
        self._common = _RenewedChannel()
        self._streams: dict[str, _RenewedChannel] = {}
        self._doubted_at = -math.inf

    async def offer(self, outgoing: Outgoing) -> None:
        """Returns when the message is confirmed.

        Raises:
            PublishError: no queue takes it.
            DeliveryError: a queue refuses it.
            SessionLost: the session ended.
            Exception: what aiormq raises for a lost connection or channel; see `session.translated`.
        """
        if outgoing.stream is None:
            await self._offer_to_queues(outgoing)
        else:
            await self._offer_to_stream(outgoing.stream, outgoing)

    async def offer_together(self, outgoings: Sequence[Outgoing]) -> Sequence["asyncio.Future[object]"]:
        """Sends messages that go to queues, and returns a future for each; see `together.publish_together`."""
        return await publish_together(await self._channel_at(self._common), outgoings)

    async def _offer_to_stream(self, stream: str, outgoing: Outgoing) -> None:
        """Publishes on the channel for this stream alone.

        It is replaced from time to time: when somebody deletes the stream and declares it again, the stream counts from
        one, and the channel does not.
        """
        renewed = self._streams.setdefault(stream, _RenewedChannel(ends_at=-math.inf))
        await confirmed(await self._channel_at(renewed), outgoing)

    async def _offer_to_queues(self, outgoing: Outgoing) -> None:
        """Offers a refused message again: the refusal may be the fault of the channel. See docs/decisions.md."""
        channel = await self._channel_at(self._common)
        try:
            await confirmed(channel, outgoing)
        except PublishError:
            raise
        except DeliveryError:
            if _now() - self._doubted_at < self._limits.second_opinion_s:
                raise
            self._doubted_at = self._common.ends_at = _now()
            await confirmed(await self._channel_at(self._common), outgoing)

    async def _channel_at(self, renewed: _RenewedChannel) -> aiormq.Channel:
        """Returns the channel of `renewed`, a new one where its time is over."""
        if renewed.channel is not None and _now() < renewed.ends_at:
            return renewed.channel
        async with renewed.opening:
            if renewed.channel is None or _now() >= renewed.ends_at:
                await self._renew(renewed)
        return cast("aiormq.Channel", renewed.channel)

    async def _renew(self, renewed: _RenewedChannel) -> None:
        """Opens a channel. The one that it replaces stays open for its outstanding confirms."""
        old, renewed.channel = renewed.channel, await self._session.publishing_channel()
        self._session.check()
        renewed.ends_at = math.inf if renewed is self._common else _now() + self._limits.stream_channel_s
        if old is not None:
            self._tasks.create_task(self._session.retire(old, after_s=self._limits.confirm_timeout_s))


async def confirmed(channel: aiormq.Channel, outgoing: Outgoing) -> None:
    """Publishes, and returns when the broker confirms.

    Small messages do not wait for each other until the socket has taken them, which leads to one message for each turn
    of the loop.
    """
    message = outgoing.message
    await channel.basic_publish(
        message.body,
        exchange=outgoing.exchange,
        routing_key=outgoing.key,
        properties=message.properties,
        mandatory=outgoing.mandatory,
        wait=len(message.body) > UNDRAINED_BYTES,
    )


def _now() -> float:
    return asyncio.get_running_loop().time()
