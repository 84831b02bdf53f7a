"""Limits apply from the first declaration on. A queue with other limits, or none, is used and reported."""

import asyncio
import shlex
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import structlog

from contract.broker import Broker, BrokerFull
from contract.job import Lane
from contract.labels import SessionRole
from contract.topology import (
    ACCEPTED,
    ATTEMPTS,
    BOUNDS,
    LOG,
    PREVIEWS,
    REQUESTS,
    Bounds,
    Queue,
    Topology,
    design,
    lane_queue,
)
from runtime.brokers.rabbit import RabbitBroker
from runtime.brokers.rabbit.setup import check_topology, declare_topology
from runtime.brokers.rabbit.supervisor import SessionReporter, Supervisor
from tests.brokers import samples
from tests.brokers.rabbit_backend import QUICK, RabbitBackend
from tests.rabbit_node import RabbitNode

pytestmark = pytest.mark.rabbit

LIMIT = 5
SLACK = 3  # a quorum queue refuses a little late: what it takes is told to the channel after it was taken
UNBOUNDED = {
    (queue, bound) for queue in (*map(lane_queue, Lane), PREVIEWS) for bound in ("max_length", "max_length_bytes")
} | {
    (stream, bound)
    for stream in (LOG, ACCEPTED, ATTEMPTS, REQUESTS)
    for bound in ("max_age", "max_length_bytes", "stream_max_segment_size_bytes")
}


def bounded(rabbit: RabbitBackend, documents: int) -> Topology:
    return design(rabbit.delays_s, rabbit.delivery_limit, Bounds(intake_documents=documents))


def as_before(topology: Topology) -> Topology:
    """The topology as it was declared before queues had bounds of their own."""

    def without(queue: Queue) -> Queue:
        return Queue(queue.name, {name: value for name, value in queue.arguments.items() if name not in BOUNDS})

    return replace(topology, queues=tuple(map(without, topology.queues)))


async def put_until_full(broker: Broker) -> int:
    for accepted in range(100):
        try:
            await broker.put(samples.job())
        except BrokerFull:
            return accepted
    return 100


def missing(rabbit: RabbitBackend) -> set[tuple[str, str]]:
    (family,) = rabbit.metrics.queue_bound_missing.collect()
    return {(sample.labels["queue"], sample.labels["bound"]) for sample in family.samples if sample.value}


async def open_session(rabbit: RabbitBackend) -> list[object]:
    """Opens a publisher's session with the topology of today, and returns the warnings of it."""
    supervisor = Supervisor(rabbit.url, SessionRole.PUBLISHER, rabbit.topology, QUICK, SessionReporter(rabbit.metrics))
    with structlog.testing.capture_logs() as logs:
        session = await supervisor.open()
    await session.aclose()
    return [entry for entry in logs if entry["log_level"] == "warning"]


@pytest.fixture
async def limited(rabbit: RabbitBackend) -> AsyncIterator[Broker]:
    broker = RabbitBroker(rabbit.url, metrics=rabbit.metrics, topology=bounded(rabbit, LIMIT), limits=QUICK)
    async with broker:
        yield broker


async def test_a_bare_broker_refuses_at_the_limit(limited: Broker) -> None:
    assert LIMIT <= await put_until_full(limited) <= LIMIT + SLACK


@pytest.mark.parametrize(("policy", "most"), [(2, 2), (50, LIMIT)])
async def test_of_argument_and_policy_the_lower_one_counts(
    limited: Broker, rabbit_node: RabbitNode, policy: int, most: int
) -> None:
    await limited.put(samples.job())  # declares
    rabbit_node.set_policy("lower", r"^copydesk\.intake\.(interactive|bulk)$", {"max-length": policy})
    try:
        assert most <= 1 + await put_until_full(limited) <= most + SLACK
    finally:
        rabbit_node.clear_policy("lower")


async def test_queues_of_an_earlier_version_are_worked_with_and_named(rabbit: RabbitBackend) -> None:
    await declare_topology(rabbit.url, as_before(rabbit.topology))
    (warning,) = await open_session(rabbit)
    assert isinstance(warning, dict)
    assert warning["event"] == "queue_bounds_missing"
    assert {(queue, bound) for queue, bounds in warning["queues"].items() for bound in bounds} == UNBOUNDED
    assert missing(rabbit) == UNBOUNDED
    async with rabbit.broker() as broker:
        await broker.put(samples.job())
    found = await check_topology(rabbit.url, rabbit.topology)
    arguments = {bound: argument for argument, bound in BOUNDS.items()}
    assert {it.subject.removeprefix("queue ") for it in found} == {queue for queue, _ in UNBOUNDED}
    for queue, bound in UNBOUNDED:
        (difference,) = (it for it in found if it.subject == f"queue {queue}")
        assert arguments[bound] in difference.found.removeprefix("was declared without ").split(", ")


async def test_the_remedy_that_is_named_bounds_the_queue(rabbit: RabbitBackend, rabbit_node: RabbitNode) -> None:
    await declare_topology(rabbit.url, as_before(rabbit.topology))
    found = await check_topology(rabbit.url, bounded(rabbit, LIMIT))
    (remedy,) = {it.remedy for it in found if it.subject == f"queue {lane_queue(Lane.INTERACTIVE)}"}
    command = remedy.partition("`rabbitmqctl ")[2].removesuffix("`")
    await asyncio.to_thread(rabbit_node.ctl, *shlex.split(command))
    try:
        async with rabbit.broker() as broker:
            assert LIMIT <= await put_until_full(broker) <= LIMIT + SLACK
    finally:
        rabbit_node.clear_policy("copydesk-intake")


async def test_a_queue_that_was_declared_with_another_limit_keeps_it(rabbit: RabbitBackend, limited: Broker) -> None:
    await limited.put(samples.job())
    assert await open_session(rabbit) == []
    assert missing(rabbit) == set()
    found = await check_topology(rabbit.url, rabbit.topology)
    assert {it.found for it in found} == {f"x-max-length is {LIMIT} instead of 100000"}


async def test_a_bound_that_is_back_is_no_longer_missing(rabbit: RabbitBackend) -> None:
    await declare_topology(rabbit.url, as_before(rabbit.topology))
    await open_session(rabbit)
    async with rabbit.channel() as channel:
        for queue in rabbit.topology.queues:
            await channel.queue_delete(queue.name)
    assert await open_session(rabbit) == []
    assert missing(rabbit) == set()
