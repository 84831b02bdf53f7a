"""Compares the broker with the topology, and changes nothing there.

AMQP 0-9-1 shows neither bindings nor policies, and a passive declaration accepts any arguments. So a passive
declaration finds out what exists, and only that is declared actively: the refusal (406) names one argument that
differs, and its value. A declaration with that value names the next.
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from aio_pika.abc import AbstractChannel
from aio_pika.exceptions import ChannelClosed, ChannelNotFoundEntity, ChannelPreconditionFailed

from contract.topology import DEAD, LOG, Argument, Exchange, Queue, Topology
from runtime.brokers.rabbit.session import Loss, Session, translated

_INEQUIVALENT = re.compile(
    r"inequivalent arg '(?P<name>[^']+)' for .*: received .+? but current is (?P<found>.+)", re.DOTALL
)
_VALUE = re.compile(r"(?:the value )?'(?P<value>[^']*)'(?: of type '(?P<type>\w+)')?")
_NOT_THERE = re.compile(r"NOT_FOUND - no (?:queue|exchange) ")
_NUMBERS = frozenset(
    {"x-delivery-limit", "x-message-ttl", "x-max-length", "x-max-length-bytes", "x-expires", "x-max-priority"}
    | {"x-stream-max-segment-size-bytes", "x-quorum-initial-group-size", "x-initial-cluster-size"}
)
_KEPT = frozenset({LOG, DEAD})  # no consumer empties these

Declaration = Callable[[AbstractChannel], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference: what differs, how, and what to do about it."""

    subject: str
    found: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.subject}: {self.found}. {self.remedy}"


@dataclass(frozen=True, slots=True)
class Comparison:
    """What is missing on the broker, and what differs there."""

    missing: tuple[Exchange | Queue, ...]
    differing: tuple[Difference, ...]

    def differences(self) -> list[Difference]:
        """Returns all differences, what is missing first."""
        absent = [Difference(_subject(it), "is missing", "Run `copydesk topology`") for it in self.missing]
        return [*absent, *self.differing]


async def compare(session: Session, topology: Topology) -> Comparison:
    """Compares every exchange and queue. Bindings and policies are not visible.

    Raises:
        SessionLost: the connection was lost, or the broker refused to answer (no permission, a node is down).
    """
    missing: list[Exchange | Queue] = []
    differing: list[Difference] = []
    scratch = _Scratch(session)
    all_wanted: list[Exchange | Queue] = [*topology.exchanges, *topology.queues]
    for wanted in all_wanted:
        with translated(Loss.CHANNEL_CLOSED):
            try:
                differing += await _compare(scratch, wanted)
            except ChannelNotFoundEntity as error:
                if not _NOT_THERE.search(str(error)):
                    raise  # it exists, but its node is down
                missing.append(wanted)
    await scratch.close()
    return Comparison(tuple(missing), tuple(differing))


class _Scratch:
    """A channel for comparisons: a refusal closes it, and the next question opens another."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._channel: AbstractChannel | None = None

    async def ask(self, declaration: Declaration) -> None:
        if self._channel is None:
            self._channel = await self._session.scratch_channel()
        try:
            await declaration(self._channel)
        except BaseException:
            self._channel = None
            raise

    async def close(self) -> None:
        if self._channel is not None:
            await self._channel.close()


async def _compare(scratch: _Scratch, wanted: Exchange | Queue) -> list[Difference]:
    if isinstance(wanted, Exchange):
        return await _compare_exchange(scratch, wanted)
    return await _compare_queue(scratch, wanted)


async def _compare_exchange(scratch: _Scratch, wanted: Exchange) -> list[Difference]:
    await scratch.ask(lambda channel: channel.declare_exchange(wanted.name, passive=True))
    try:
        await scratch.ask(lambda channel: channel.declare_exchange(wanted.name, wanted.kind, durable=True))
    except ChannelPreconditionFailed as error:
        name, found = parse_refusal(str(error))
        return [_difference(wanted, name, found, wanted.kind if name == "type" else None)]
    return []


async def _compare_queue(scratch: _Scratch, wanted: Queue) -> list[Difference]:
    try:
        await scratch.ask(lambda channel: channel.declare_queue(wanted.name, passive=True))
    except ChannelClosed as error:
        if "RESOURCE_LOCKED" not in str(error):
            raise
        return [Difference(_subject(wanted), "is exclusive to another connection", "End that connection")]
    return await _compare_arguments(scratch, wanted)


async def _compare_arguments(scratch: _Scratch, wanted: Queue) -> list[Difference]:
    """Takes over each value of the broker until the broker agrees, so that all differences are named."""
    arguments = dict(wanted.arguments)
    differences: dict[str, Difference] = {}
    while True:
        try:
            await scratch.ask(_declaration(wanted.name, arguments))
        except ChannelPreconditionFailed as error:
            name, found = parse_refusal(str(error))
            if name in differences:
                break  # the value could not be taken over
            differences[name] = _difference(wanted, name, found, wanted.arguments.get(name))
            if name == "x-queue-type" or not name.startswith("x-"):
                break  # the other arguments follow from it
            _take_over(arguments, name, found)
        else:
            break
    return list(differences.values())


def _declaration(queue: str, arguments: Mapping[str, Argument]) -> Declaration:
    return lambda channel: channel.declare_queue(queue, durable=True, arguments=dict(arguments))


def _take_over(arguments: dict[str, Argument], name: str, found: Argument | None) -> None:
    arguments.pop(name, None)
    if found is not None:
        arguments[name] = found


def parse_refusal(told: str) -> tuple[str, Argument | None]:
    """Returns which argument a 406 names, and its value on the broker; None where it has none there.

    RabbitMQ reports a value with or without its type, and `none` for a missing one. It cuts its texts at 255 bytes
    (AMQP 0-9-1: a short string), so the end of a value may be missing.
    """
    refusal = _INEQUIVALENT.search(told)
    if refusal is None:
        return "declaration", f"refused: {told}"
    name, found = refusal["name"], refusal["found"]
    if found.startswith("none"):
        return name, "classic" if name == "x-queue-type" else None  # the default has no argument
    value = _VALUE.match(found)
    if value is None:
        return name, found
    is_number = value["value"].isdecimal() and (
        name in _NUMBERS if value["type"] is None else value["type"] != "longstr"
    )
    return name, int(value["value"]) if is_number else value["value"]


def _difference(wanted: Exchange | Queue, name: str, found: Argument | None, given: Argument | None) -> Difference:
    shown = "is not set" if found is None else f"is {found}" if found != "" else 'is ""'
    should = f" instead of {given}" if given is not None else " and should not be set" if name.startswith("x-") else ""
    return Difference(_subject(wanted), f"{name} {shown}{should}", _remedy(wanted, name, found))


def _remedy(wanted: Exchange | Queue, name: str, found: Argument | None) -> str:
    if isinstance(wanted, Exchange):
        return f"It is fixed for the exchange's life: delete {wanted.name}, then run `copydesk topology`"
    setting = f"Set COPYDESK_DELIVERY_LIMIT={found}, or " if name == "x-delivery-limit" and found is not None else ""
    first = "stop Copydesk and read what you need" if wanted.name in _KEPT else "stop intake, let the queue run empty"
    redo = f"{first}; then `rabbitmqctl delete_queue {wanted.name}` and `copydesk topology`"
    return f"{setting}{redo}" if setting else redo[0].upper() + redo[1:]


def _subject(wanted: Exchange | Queue) -> str:
    return f"{'exchange' if isinstance(wanted, Exchange) else 'queue'} {wanted.name}"
