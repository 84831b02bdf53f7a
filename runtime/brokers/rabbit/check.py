"""Compares the broker with the topology, and changes nothing there.

AMQP 0-9-1 shows neither bindings nor policies, and a passive declaration accepts any arguments. So a passive
declaration finds out what exists, and only that is declared actively: the refusal (406) names one argument that
differs, and its value. A declaration with that value names the next.
"""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

import orjson
from aio_pika.abc import AbstractChannel
from aio_pika.exceptions import ChannelClosed, ChannelNotFoundEntity, ChannelPreconditionFailed

from contract.labels import SessionLoss
from contract.topology import BOUNDS, DEAD, Argument, Exchange, Policy, Queue, Topology
from runtime.brokers.rabbit.session import Session, translated

_INEQUIVALENT = re.compile(
    r"inequivalent arg '(?P<name>[^']+)' for .*: received .+? but current is (?P<found>.+)", re.DOTALL
)
_VALUE = re.compile(r"(?:the value )?'(?P<value>[^']*)'(?: of type '(?P<type>\w+)')?")
_NOT_THERE = re.compile(r"NOT_FOUND - no (?:queue|exchange) ")
_NUMBERS = frozenset(
    {"x-delivery-limit", "x-message-ttl", "x-max-length", "x-max-length-bytes", "x-expires", "x-max-priority"}
    | {"x-stream-max-segment-size-bytes", "x-quorum-initial-group-size", "x-initial-cluster-size"}
)

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
class BoundDifference:
    """A queue that was declared with another bound than it should have, or (`found` is None) without it.

    It can be worked with; a policy may bound it, which cannot be seen over AMQP.
    """

    queue: str
    argument: str
    found: Argument | None
    wanted: Argument

    @property
    def bound(self) -> str:
        """The bound's name in metrics."""
        return BOUNDS[self.argument]

    @property
    def is_missing(self) -> bool:
        """True if the queue has no limit unless a policy sets one."""
        return self.found is None


@dataclass(frozen=True, slots=True)
class Comparison:
    """What is missing on the broker, what differs there so that Copydesk cannot work with it, and other bounds."""

    missing: tuple[Exchange | Queue, ...]
    differing: tuple[Difference, ...]
    bounds: tuple[BoundDifference, ...]

    def differences(self, policies: Sequence[Policy]) -> list[Difference]:
        """Returns all differences, missing parts first. `policies` are those that can bound a queue."""
        absent = [Difference(subject(it), "is missing", "Run `copydesk topology`") for it in self.missing]
        others = [_other_bound(bound) for bound in self.bounds if not bound.is_missing]
        unbounded = [_unbounded(queue, bounds, policies) for queue, bounds in self.missing_bounds().items()]
        return [*absent, *self.differing, *unbounded, *others]

    def missing_bounds(self) -> dict[str, list[BoundDifference]]:
        """Returns the bounds that queues were declared without, by queue."""
        missing: dict[str, list[BoundDifference]] = {}
        for bound in self.bounds:
            if bound.is_missing:
                missing.setdefault(bound.queue, []).append(bound)
        return missing


def _other_bound(bound: BoundDifference) -> Difference:
    return Difference(
        f"queue {bound.queue}",
        f"{bound.argument} is {bound.found} instead of {bound.wanted}",
        "It is fixed for the queue's life; a policy can lower it",
    )


def _unbounded(queue: str, bounds: Sequence[BoundDifference], policies: Sequence[Policy]) -> Difference:
    (policy,) = (policy for policy in policies if re.search(policy.pattern, queue))
    definition = orjson.dumps(dict(policy.definition)).decode()
    return Difference(
        f"queue {queue}",
        f"was declared without {', '.join(sorted(bound.argument for bound in bounds))}",
        f"Unless the policy {policy.name} bounds it, which AMQP does not show, run `rabbitmqctl set_policy"
        f" --apply-to {policy.apply_to} {policy.name} '{policy.pattern}' '{definition}'`",
    )


async def compare(session: Session, topology: Topology) -> Comparison:
    """Compares every exchange and queue. Bindings and policies are not visible.

    Raises:
        SessionLost: the connection was lost, or the broker refused to answer (no permission, a node is down).
    """
    missing: list[Exchange | Queue] = []
    differing: list[Difference | BoundDifference] = []
    scratch = _Scratch(session)
    all_wanted: list[Exchange | Queue] = [*topology.exchanges, *topology.queues]
    for wanted in all_wanted:
        with translated(SessionLoss.CHANNEL_CLOSED):
            try:
                differing += await _compare(scratch, wanted)
            except ChannelNotFoundEntity as error:
                if not _NOT_THERE.search(str(error)):
                    raise  # it exists, but its node is down
                missing.append(wanted)
    await scratch.close()
    return Comparison(
        tuple(missing),
        tuple(it for it in differing if isinstance(it, Difference)),
        tuple(it for it in differing if isinstance(it, BoundDifference)),
    )


async def missing(session: Session, topology: Topology) -> list[Exchange | Queue]:
    """Returns what is not on the broker. It asks passively, for which a user needs no rights.

    Raises:
        SessionLost: the connection was lost, or the broker refused to answer (a node is down).
    """
    scratch = _Scratch(session)
    wanted: list[Exchange | Queue] = [*topology.exchanges, *topology.queues]
    with translated(SessionLoss.CHANNEL_CLOSED):
        absent = [thing for thing in wanted if not await _exists(scratch, thing)]
        await scratch.close()
    return absent


async def _exists(scratch: "_Scratch", wanted: Exchange | Queue) -> bool:
    try:
        await scratch.ask(_passively(wanted))
    except ChannelNotFoundEntity as error:
        if not _NOT_THERE.search(str(error)):
            raise  # it exists, but its node is down
        return False
    return True


def _passively(wanted: Exchange | Queue) -> Declaration:
    if isinstance(wanted, Exchange):
        return lambda channel: channel.declare_exchange(wanted.name, passive=True)
    return lambda channel: channel.declare_queue(wanted.name, passive=True)


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


async def _compare(scratch: _Scratch, wanted: Exchange | Queue) -> Sequence[Difference | BoundDifference]:
    if isinstance(wanted, Exchange):
        return await _compare_exchange(scratch, wanted)
    return await _compare_queue(scratch, wanted)


async def _compare_exchange(scratch: _Scratch, wanted: Exchange) -> list[Difference]:
    await scratch.ask(_passively(wanted))
    try:
        await scratch.ask(lambda channel: channel.declare_exchange(wanted.name, wanted.kind, durable=True))
    except ChannelPreconditionFailed as error:
        name, found = parse_refusal(str(error))
        return [_difference(wanted, name, found, wanted.kind if name == "type" else None)]
    return []


async def _compare_queue(scratch: _Scratch, wanted: Queue) -> Sequence[Difference | BoundDifference]:
    try:
        await scratch.ask(_passively(wanted))
    except ChannelClosed as error:
        if "RESOURCE_LOCKED" not in str(error):
            raise
        return [Difference(subject(wanted), "is exclusive to another connection", "End that connection")]
    return await _compare_arguments(scratch, wanted)


async def _compare_arguments(scratch: _Scratch, wanted: Queue) -> Sequence[Difference | BoundDifference]:
    """Takes over each value of the broker until the broker agrees, so that all differences are named."""
    arguments = dict(wanted.arguments)
    differences: dict[str, Difference | BoundDifference] = {}
    while True:
        try:
            await scratch.ask(_declaration(wanted.name, arguments))
        except ChannelPreconditionFailed as error:
            name, found = parse_refusal(str(error))
            if name in differences:
                break  # the value could not be taken over
            given = wanted.arguments.get(name)
            if name in BOUNDS and given is not None:
                differences[name] = BoundDifference(wanted.name, name, found, given)
            else:
                differences[name] = _difference(wanted, name, found, given)
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


def parse_refusal(message: str) -> tuple[str, Argument | None]:
    """Returns which argument a 406 names, and its value on the broker; None if it has none there.

    RabbitMQ reports a value with or without its type, and `none` for a missing one. It cuts its texts at 255 bytes
    (AMQP 0-9-1: a short string), so the end of a value may be missing.
    """
    refusal = _INEQUIVALENT.search(message)
    if refusal is None:
        return "declaration", f"refused: {message}"
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
    return Difference(subject(wanted), f"{name} {shown}{should}", _remedy(wanted, name, found))


def _remedy(wanted: Exchange | Queue, name: str, found: Argument | None) -> str:
    if isinstance(wanted, Exchange):
        return f"It is fixed for the exchange's life: delete {wanted.name}, then run `copydesk topology`"
    setting = f"Set COPYDESK_DELIVERY_LIMIT={found}, or " if name == "x-delivery-limit" and found is not None else ""
    is_kept = wanted.is_stream or wanted.name == DEAD  # no consumer empties these
    first = "stop Copydesk and read what you need" if is_kept else "stop intake, let the queue run empty"
    redo = f"{first}; then `rabbitmqctl delete_queue {wanted.name}` and `copydesk topology`"
    return f"{setting}{redo}" if setting else redo[0].upper() + redo[1:]


def subject(wanted: Exchange | Queue) -> str:
    """Returns kind and name."""
    return f"{'exchange' if isinstance(wanted, Exchange) else 'queue'} {wanted.name}"
