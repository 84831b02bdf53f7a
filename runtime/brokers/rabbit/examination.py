"""Looks at a broker as `copydesk doctor` does: version, topology, and whether it confirms. Changes nothing there."""

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass
from enum import StrEnum

from aio_pika import Message
from aiormq.exceptions import ChannelAccessRefused

from contract.broker import BrokerUnavailable
from contract.labels import Destination, SessionLoss, SessionRole
from contract.topology import PROBE, Topology
from runtime.brokers.rabbit.channels import confirmed
from runtime.brokers.rabbit.check import compare, missing, subject
from runtime.brokers.rabbit.limits import RabbitLimits
from runtime.brokers.rabbit.log import log_bounds
from runtime.brokers.rabbit.outgoing import Outgoing
from runtime.brokers.rabbit.session import Session, SessionLost, translated

_LIMITS = RabbitLimits()
_CONFIRM_TIMEOUT_S = 5.0  # chosen: a person waits; a broker that works confirms in milliseconds
_PROBES = 2  # at an alarm, RabbitMQ takes the first message of a connection, and reads no further (seen on 3.10)


class Publishing(StrEnum):
    """What became of a message to an exchange that leads nowhere."""

    CONFIRMED = "confirmed"
    BLOCKED = "blocked"
    SILENT = "silent"
    REFUSED = "refused"
    NOT_TRIED = "not_tried"


@dataclass(frozen=True, slots=True)
class StateDifference:
    """What differs from the topology. `works` is True if Copydesk can work with it all the same."""

    subject: str
    found: str
    remedy: str
    works: bool


@dataclass(frozen=True, slots=True)
class BrokerState:
    """What a broker is like, as far as AMQP shows it."""

    version: str
    differences: Sequence[StateDifference]
    publishing: Publishing


async def examined(url: str, topology: Topology) -> BrokerState:
    """Returns the state of the broker at `url`.

    Raises:
        BrokerUnavailable: it cannot be reached, or refuses this user; the message ends with what to do.
    """
    session = Session(url, SessionRole.PUBLISHER, _LIMITS)
    try:
        async with asyncio.timeout(_LIMITS.declare_timeout_s), aclosing(session):
            await session.open()
            differences = await _differences(session, topology)
            is_there = not any(PROBE in difference.subject for difference in differences)
            publishing = await _publishing(session) if is_there else Publishing.NOT_TRIED
            return BrokerState(session.server_version, differences, publishing)
    except SessionLost as loss:
        raise BrokerUnavailable(f"{loss.cause}: {loss.detail}") from None
    except TimeoutError:
        raise BrokerUnavailable("no answer in time: see the log of RabbitMQ, and its load") from None


async def edges_of_log(url: str) -> tuple[int, int]:
    """Returns the offsets of the oldest and the newest event of the log; (0, -1) while it is empty.

    Raises:
        BrokerUnavailable: the log cannot be read.
    """
    session = Session(url, SessionRole.READER, _LIMITS)
    try:
        async with asyncio.timeout(_LIMITS.declare_timeout_s), aclosing(session):
            await session.open()
            return await log_bounds(session)
    except SessionLost as loss:
        raise BrokerUnavailable(f"{loss.cause}: {loss.detail}") from None
    except TimeoutError:
        raise BrokerUnavailable("no answer in time") from None


async def _differences(session: Session, topology: Topology) -> list[StateDifference]:
    if topology.only_checked:
        remedy = "run `copydesk topology` as a user who may declare"
        absent = await missing(session, topology)
        return [StateDifference(subject(thing), "is missing", remedy, works=False) for thing in absent]
    comparison = await compare(session, topology)
    breaking = {str(difference) for difference in comparison.differing}
    return [
        StateDifference(it.subject, it.found, it.remedy, works=it.found != "is missing" and str(it) not in breaking)
        for it in comparison.differences(topology.policies)
    ]


async def _publishing(session: Session) -> Publishing:
    probe = Outgoing(message=Message(b""), exchange=PROBE, key="", to=Destination.PROBE, mandatory=False)
    channel = await session.publishing_channel()
    try:
        async with asyncio.timeout(_CONFIRM_TIMEOUT_S):
            with translated(SessionLoss.CONNECTION_CLOSED):
                for _ in range(_PROBES):
                    await confirmed(channel, probe)
    except TimeoutError:
        return Publishing.BLOCKED if session.is_blocked() else Publishing.SILENT
    except SessionLost as loss:
        if isinstance(loss.__cause__, ChannelAccessRefused):
            return Publishing.REFUSED
        raise
    return Publishing.CONFIRMED
