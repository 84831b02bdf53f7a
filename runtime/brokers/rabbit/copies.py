"""Copies the records out of RabbitMQ, and into it: for backups."""

import asyncio
from collections.abc import AsyncGenerator, Iterable, Iterator, Sequence
from contextlib import aclosing, asynccontextmanager
from itertools import islice
from typing import TYPE_CHECKING

from contract.broker import BrokerUnavailable, LogEntry, UnknownOffset
from contract.labels import Destination, SessionLoss, SessionRole
from contract.streams import Stream
from contract.topology import exchange_to
from runtime.brokers.rabbit.limits import RabbitLimits
from runtime.brokers.rabbit.log import newest_offset, standing
from runtime.brokers.rabbit.messages import entry_message
from runtime.brokers.rabbit.outgoing import Outgoing
from runtime.brokers.rabbit.session import Session, SessionLost, translated
from runtime.brokers.rabbit.together import publish_together

if TYPE_CHECKING:
    import aiormq

_LIMITS = RabbitLimits()
_AT_ONCE = 64  # entries that are published before their confirms are awaited; chosen, as in `publisher`
_DESTINATIONS = {
    Stream.ACCEPTED: Destination.ACCEPTED,
    Stream.ATTEMPTS: Destination.ATTEMPTS,
    Stream.LOG: Destination.LOG,
    Stream.REQUESTS: Destination.REQUESTS,
}


async def entries(url: str, stream: Stream) -> AsyncGenerator[LogEntry, None]:
    """Yields the entries that `stream` has now, the oldest first.

    Raises:
        BrokerUnavailable: the broker cannot be reached or was lost, or retention removed what was to be read next.
    """
    async with _session(url, SessionRole.READER) as session, aclosing(standing(session, stream, -1)) as found:
        async for entry in found:
            yield entry


async def is_empty(url: str, stream: Stream) -> bool:
    """Returns True if nothing was written to `stream` yet.

    Raises:
        BrokerUnavailable: the broker cannot be reached, or has no such stream.
    """
    async with _session(url, SessionRole.READER) as session:
        return await newest_offset(session, stream) < 0


async def write(url: str, stream: Stream, saved: Iterable[LogEntry]) -> None:
    """Writes entries to `stream` in their order. Their offsets there are others.

    Raises:
        BrokerUnavailable: the broker cannot be reached, was lost, or did not confirm.
    """
    async with _session(url, SessionRole.PUBLISHER) as session:
        channel = await session.publishing_channel()
        outgoings = _outgoings(stream, saved)
        while some := list(islice(outgoings, _AT_ONCE)):
            await _publish(channel, some)


async def _publish(channel: "aiormq.Channel", outgoings: Sequence[Outgoing]) -> None:
    with translated(SessionLoss.CONNECTION_CLOSED):
        async with asyncio.timeout(_LIMITS.declare_timeout_s):
            await asyncio.gather(*await publish_together(channel, outgoings))


def _outgoings(stream: Stream, saved: Iterable[LogEntry]) -> Iterator[Outgoing]:
    to, exchange = _DESTINATIONS[stream], exchange_to(stream)
    for entry in saved:
        yield Outgoing(message=entry_message(stream, entry), exchange=exchange, key=entry.routing_key, to=to)


@asynccontextmanager
async def _session(url: str, role: SessionRole) -> AsyncGenerator[Session, None]:
    session = Session(url, role, _LIMITS)
    try:
        async with aclosing(session):
            await session.open()
            yield session
    except SessionLost as loss:
        raise BrokerUnavailable(f"{loss.cause}: {loss.detail}") from None
    except UnknownOffset as error:
        raise BrokerUnavailable(f"{error}: retention removes entries as they are read; try again") from None
    except TimeoutError:
        raise BrokerUnavailable("the broker does not confirm: see its log, and its alarms") from None
