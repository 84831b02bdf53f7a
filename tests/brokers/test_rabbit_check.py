"""`copydesk topology` reports the differences of a broker, and changes nothing there."""

import aio_pika
import pytest
from aio_pika.abc import AbstractChannel

from contract.broker import BrokerUnavailable
from contract.job import Lane
from contract.labels import SessionLoss, SessionRole
from contract.topology import DELIVERY_LIMIT, DOCUMENTS, INTAKE, LOG, lane_queue, retry_queue
from runtime.brokers.rabbit.check import parse_refusal
from runtime.brokers.rabbit.session import SessionLost
from runtime.brokers.rabbit.setup import TopologyMismatch, check_topology, declare_topology
from runtime.brokers.rabbit.supervisor import SessionReporter, Supervisor
from tests.brokers.rabbit_backend import QUICK, RabbitBackend

pytestmark = pytest.mark.rabbit

BULK = lane_queue(Lane.BULK)


def refusal(received: str, found: str, name: str = "x-delivery-limit") -> str:
    message = f"inequivalent arg '{name}' for queue 'q' in vhost '/': received {received} but current is {found}"
    return f"PRECONDITION_FAILED - {message}"


@pytest.mark.parametrize(
    ("message", "named"),
    [
        (refusal("the value '20' of type 'signedint'", "the value '7' of type 'long'"), ("x-delivery-limit", 7)),
        (refusal("'20'", "'7'"), ("x-delivery-limit", 7)),
        (refusal("'20'", "'7', class-id=50, method-id=10"), ("x-delivery-limit", 7)),
        (refusal("'20'", "none"), ("x-delivery-limit", None)),
        (refusal("none", "the value '7' of type 'longstr'"), ("x-delivery-limit", "7")),
        (refusal("none", "the value '7' of type 'long'", "x-new"), ("x-new", 7)),
        (refusal("'quorum'", "'classic'", "x-queue-type"), ("x-queue-type", "classic")),
        (refusal("the value 'quorum' of type 'longstr'", "none", "x-queue-type"), ("x-queue-type", "classic")),
        (refusal("'true'", "'false'", "durable"), ("durable", "false")),
        (refusal("'a'", "the value 'b cut of", "x-overflow"), ("x-overflow", "the value 'b cut of")),
        ("something new", ("declaration", "refused: something new")),
    ],
)
def test_a_refusal_is_read_in_every_wording(message: str, named: tuple[str, str | int | None]) -> None:
    assert parse_refusal(message) == named


async def exists(backend: RabbitBackend, queue: str) -> bool:
    async with backend.channel() as channel:
        try:
            await channel.declare_queue(queue, passive=True)
        except aio_pika.exceptions.ChannelNotFoundEntity:
            return False
    return True


async def declare_bulk(channel: AbstractChannel, backend: RabbitBackend, **changes: str | int | None) -> None:
    """Declares the bulk queue with changed arguments; underscores stand for dashes, None leaves one out."""
    (queue,) = (queue for queue in backend.topology.queues if queue.name == BULK)
    arguments = {**queue.arguments, **{f"x-{name.replace('_', '-')}": value for name, value in changes.items()}}
    await channel.declare_queue(
        BULK, durable=True, arguments={name: value for name, value in arguments.items() if value is not None}
    )


async def test_an_empty_broker_lacks_all_and_is_left_empty(rabbit: RabbitBackend) -> None:
    found = await check_topology(rabbit.url, rabbit.topology)
    wanted = {f"exchange {exchange.name}" for exchange in rabbit.topology.exchanges}
    wanted |= {f"queue {queue.name}" for queue in rabbit.topology.queues}
    assert {difference.subject for difference in found} == wanted
    assert {difference.found for difference in found} == {"is missing"}
    assert len(await check_topology(rabbit.url, rabbit.topology)) == len(wanted)


async def test_a_declared_topology_has_no_differences(rabbit: RabbitBackend) -> None:
    await declare_topology(rabbit.url, rabbit.topology)
    assert await check_topology(rabbit.url, rabbit.topology) == []
    await declare_topology(rabbit.url, rabbit.topology)


async def test_every_argument_that_differs_is_named(rabbit: RabbitBackend) -> None:
    await declare_topology(rabbit.url, rabbit.topology)
    async with rabbit.channel() as channel:
        await channel.queue_delete(BULK)
        await declare_bulk(
            channel, rabbit, delivery_limit=7, overflow="drop-head", max_length=10, dead_letter_strategy=None
        )
    found = await check_topology(rabbit.url, rabbit.topology)
    assert {difference.subject for difference in found} == {f"queue {BULK}"}
    assert sorted(difference.found for difference in found) == [
        "x-dead-letter-strategy is not set instead of at-least-once",
        "x-delivery-limit is 7 instead of 2",
        "x-max-length is 10 instead of 100000",
        "x-overflow is drop-head instead of reject-publish",
    ]
    (limit,) = (difference for difference in found if "delivery-limit" in difference.found)
    assert limit.remedy.startswith("Set COPYDESK_DELIVERY_LIMIT=7, or ")
    redone = [difference for difference in found if f"rabbitmqctl delete_queue {BULK}" in difference.remedy]
    assert [difference.found for difference in found if difference not in redone] == [
        "x-max-length is 10 instead of 100000"
    ]


async def test_another_type_of_queue_or_exchange_is_named(rabbit: RabbitBackend) -> None:
    async with rabbit.channel() as channel:
        await channel.declare_exchange(INTAKE, "topic", durable=True)
        await channel.declare_exchange(DOCUMENTS, "topic", durable=False)
        await channel.declare_queue(BULK, durable=True)
        await channel.declare_queue(LOG, durable=False)
    with pytest.raises(TopologyMismatch) as caught:
        await declare_topology(rabbit.url, rabbit.topology)
    assert {difference.subject: difference.found for difference in caught.value.differing} == {
        f"exchange {INTAKE}": "type is topic instead of direct",
        f"exchange {DOCUMENTS}": "durable is false",
        f"queue {BULK}": "x-queue-type is classic instead of quorum",
        f"queue {LOG}": "durable is false",
    }


async def test_a_queue_of_another_connection_is_named(rabbit: RabbitBackend) -> None:
    async with rabbit.channel() as channel:
        await channel.declare_queue(BULK, exclusive=True)
        (found,) = (it for it in await check_topology(rabbit.url, rabbit.topology) if it.found != "is missing")
    assert str(found) == f"queue {BULK}: is exclusive to another connection. End that connection"


async def test_nothing_is_declared_where_anything_differs(rabbit: RabbitBackend) -> None:
    async with rabbit.channel() as channel:
        await declare_bulk(channel, rabbit, delivery_limit=DELIVERY_LIMIT)
    with pytest.raises(TopologyMismatch):
        await declare_topology(rabbit.url, rabbit.topology)
    assert not await exists(rabbit, LOG)


async def test_a_session_does_not_begin_and_names_all_that_differs(rabbit: RabbitBackend) -> None:
    async with rabbit.channel() as channel:
        await declare_bulk(channel, rabbit, delivery_limit=7)
        await channel.declare_queue(retry_queue(rabbit.delays_s[0]), durable=True)
    supervisor = Supervisor(rabbit.url, SessionRole.PUBLISHER, rabbit.topology, QUICK, SessionReporter(rabbit.metrics))
    with pytest.raises(SessionLost) as caught:
        await supervisor._open()
    assert caught.value.cause is SessionLoss.TOPOLOGY_MISMATCH
    assert f"queue {BULK}: x-delivery-limit is 7 instead of 2" in caught.value.detail
    assert f"queue {retry_queue(rabbit.delays_s[0])}: x-queue-type is classic" in caught.value.detail
    assert not await exists(rabbit, LOG)


async def test_a_missing_binding_is_made(rabbit: RabbitBackend) -> None:
    await declare_topology(rabbit.url, rabbit.topology)
    async with rabbit.channel() as channel:
        await (await channel.get_queue(BULK)).unbind(INTAKE, Lane.BULK)
    await declare_topology(rabbit.url, rabbit.topology)
    async with rabbit.channel() as channel:
        exchange = await channel.get_exchange(INTAKE)
        await exchange.publish(aio_pika.Message(b"{}"), Lane.BULK)
        assert (await (await channel.get_queue(BULK)).get(no_ack=True)).body == b"{}"


async def test_a_broker_that_is_away_is_no_difference(unused_tcp_port: int, rabbit: RabbitBackend) -> None:
    with pytest.raises(BrokerUnavailable, match="unreachable"):
        await check_topology(f"amqp://guest:guest@127.0.0.1:{unused_tcp_port}/", rabbit.topology)
