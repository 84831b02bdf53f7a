"""Publishes many messages on a channel of aiormq with one write to the socket.

`aiormq.Channel.basic_publish` takes a lock, two contexts, two futures and a write to the socket for each message. With
what each caller needs beside it, that is two thirds of the CPU time of a put (docs/performance.md). Here the messages
of a batch share them. aiormq still receives the confirms, and resolves the same futures.
"""

import asyncio
from collections.abc import Iterator, Sequence
from functools import partial
from struct import Struct
from typing import Final

import aiormq
from aiormq.abc import ChannelFrame
from pamqp import constants, frame
from pamqp.commands import Basic
from pamqp.header import ContentHeader

from runtime.brokers.rabbit.outgoing import UNDRAINED_BYTES, Outgoing

_FRAME_HEAD: Final = Struct(">BHI")  # AMQP 0-9-1, section 4.2.3: type, channel, size of the payload


async def publish_together(channel: aiormq.Channel, outgoings: Sequence[Outgoing]) -> Sequence[asyncio.Future[object]]:
    """Sends `outgoings`, whose ids differ, and returns a future for each: done when it is confirmed.

    A future raises `DeliveryError` if a queue refuses the message, `PublishError` if no queue takes it, and other
    exceptions of aiormq if the channel is lost.

    Raises:
        Exception: what aiormq raises for a channel that is lost already; see `session.translated`.
    """
    payload = b"".join(_frames(channel, outgoings))
    drained = channel.create_future() if len(payload) > UNDRAINED_BYTES else None
    async with channel.lock:
        await channel.write_queue.put(ChannelFrame(payload=payload, should_close=False, drain_future=drained))
        confirms = [_expected(channel, outgoing) for outgoing in outgoings]
        if drained is not None:
            await drained
    return confirms


def _expected(channel: aiormq.Channel, outgoing: Outgoing) -> asyncio.Future[object]:
    """Returns the future of the message that the channel has just numbered."""
    channel.delivery_tag += 1
    message_id, confirm = str(outgoing.message.message_id), channel.create_future()
    channel.confirmations[channel.delivery_tag] = confirm
    channel.message_id_delivery_tag[message_id] = channel.delivery_tag
    confirm.add_done_callback(partial(_forget, channel, message_id, channel.delivery_tag))
    return confirm


def _forget(channel: aiormq.Channel, message_id: str, tag: int, _: object) -> None:
    if channel.message_id_delivery_tag.get(message_id) == tag:
        del channel.message_id_delivery_tag[message_id]


def _frames(channel: aiormq.Channel, outgoings: Sequence[Outgoing]) -> Iterator[bytes | memoryview]:
    """Yields the frames of `outgoings` in pieces, so that the bodies are copied once, when these are joined."""
    methods = dict[tuple[str, str], bytes]()
    for outgoing in outgoings:
        route = (outgoing.exchange, outgoing.key)
        if route not in methods:
            method = Basic.Publish(exchange=outgoing.exchange, routing_key=outgoing.key, mandatory=outgoing.mandatory)
            methods[route] = frame.marshal(method, channel.number)
        yield methods[route]
        body = outgoing.message.body
        yield frame.marshal(ContentHeader(properties=outgoing.message.properties, body_size=len(body)), channel.number)
        yield from _body_frames(channel, memoryview(body))


def _body_frames(channel: aiormq.Channel, body: memoryview) -> Iterator[bytes | memoryview]:
    for begin in range(0, len(body), channel.max_content_size):
        part = body[begin : begin + channel.max_content_size]
        yield _FRAME_HEAD.pack(constants.FRAME_BODY, channel.number, len(part))
        yield part
        yield constants.FRAME_END_CHAR
