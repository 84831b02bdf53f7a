"""Faults of RabbitMQ and the network: our broker recovers, and loses nothing that was confirmed."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from contract.broker import Broker, BrokerError, BrokerFull, BrokerUnavailable, Delivery, UnknownOffset
from contract.capacity import Capacity
from contract.codec import decode_event
from contract.job import Lane
from contract.labels import SessionLoss
from contract.topology import DOCUMENTS, LOG, Queue, Topology, lane_queue
from contract.verdicts import Verdict
from runtime.brokers.rabbit import RabbitLimits
from tests.brokers import samples
from tests.brokers.announcer import event_of
from tests.brokers.rabbit_backend import QUICK, RabbitBackend, declare, messages_in
from tests.brokers.suite import (
    Gate,
    Recorder,
    assert_nothing_waits,
    consume_until,
    consuming,
    decide_new,
    publish,
    put_all,
    subjects,
    take,
)
from tests.brokers.suite.requests import sink
from tests.rabbit_node import MEMORY_LIMIT, RabbitNode

if TYPE_CHECKING:
    from pamqp.common import Arguments

pytestmark = [pytest.mark.rabbit, pytest.mark.timeout(120)]

TOGETHER = 200  # events, some hundred of which a worker may hold
TOGETHER_S = 8.0  # one after the other, each after the shortest pause of 0.05 s, would take 10 s


def with_arguments(topology: Topology, name: str, **arguments: str | int) -> Topology:
    """Returns `topology` with more arguments on one queue; underscores in their names stand for dashes."""
    more = {f"x-{key.replace('_', '-')}": value for key, value in arguments.items()}
    return replace(
        topology,
        queues=[
            Queue(queue.name, {**queue.arguments, **more}) if queue.name == name else queue for queue in topology.queues
        ],
    )


def losses(backend: RabbitBackend, role: str, cause: str) -> float:
    value = backend.metrics.registry.get_sample_value("copydesk_session_losses_total", {"role": role, "cause": cause})
    return value or 0.0


def failures(backend: RabbitBackend, to: str, cause: str) -> float:
    labels = {"to": to, "cause": cause}
    return backend.metrics.registry.get_sample_value("copydesk_publish_failures_total", labels) or 0.0


def named(logs: Sequence[Mapping[str, object]]) -> set[tuple[object, object]]:
    """Returns the logged events with their causes."""
    return {(entry["event"], entry.get("cause")) for entry in logs}


async def put_persistently(broker: Broker, confirmed: list[str], count: int) -> None:
    """Puts jobs until `count` more are confirmed, whatever happens to the broker."""
    goal = len(confirmed) + count
    while len(confirmed) < goal:
        job = samples.job()
        try:
            await broker.put(job)
        except BrokerError:
            await asyncio.sleep(0.05)  # as a client does after a 503
        else:
            confirmed.append(job.id)


async def put_until_refused(broker: Broker) -> int:
    """Returns how many jobs were stored before the broker was full: RabbitMQ's limits are not exact."""
    for accepted in range(100):
        try:
            await broker.put(samples.job())
        except BrokerFull:
            return accepted
    return 100


async def until_logged(broker: Broker, ids: list[str]) -> None:
    """Reads the log until every id has its event."""
    missing, entries = set(ids), broker.read(-1)
    assert isinstance(entries, AsyncGenerator)
    async with aclosing(entries):
        while missing:
            missing.discard(decode_event((await anext(entries)).body).subject)


async def until_ready(broker: Broker, *, ready: bool = True) -> None:
    async with asyncio.timeout(60):
        while await broker.ready() is not ready:  # noqa: ASYNC110 - readiness is polled by whoever wants to know
            await asyncio.sleep(0.05)


class Collector:
    """A handler that publishes, and signals when all ids that it waits for have come."""

    def __init__(self) -> None:
        self.ids: set[str | None] = set()
        self._came = asyncio.Condition()

    async def __call__(self, delivery: Delivery) -> Verdict:
        async with self._came:
            self.ids.add(delivery.message_id)
            self._came.notify_all()
        return publish(delivery)

    async def wait_for(self, ids: list[str]) -> None:
        async with self._came:
            await self._came.wait_for(lambda: self.ids.issuperset(ids))


# the broker goes


async def test_a_killed_and_restarted_broker_loses_nothing(
    mortal_rabbit: RabbitBackend, mortal_node: RabbitNode
) -> None:
    confirmed: list[str] = []
    collector = Collector()
    async with mortal_rabbit.broker() as broker, consuming(broker, collector):
        await put_persistently(broker, confirmed, 50)
        await asyncio.to_thread(mortal_node.settle)
        mortal_node.kill()
        await asyncio.gather(asyncio.to_thread(mortal_node.start), put_persistently(broker, confirmed, 50))
        await collector.wait_for(confirmed)
    async with mortal_rabbit.broker() as broker:
        await until_logged(broker, confirmed)


async def test_a_broker_that_is_away_is_unavailable_in_time(rabbit: RabbitBackend) -> None:
    async with rabbit.broker(limits=replace(QUICK, publish_timeout_s=0.5)) as broker:
        await put_persistently(broker, [], 1)
        await rabbit.crash(broker)
        with pytest.raises(BrokerUnavailable):
            async with asyncio.timeout(30):
                await broker.put(samples.job())
        assert not await broker.ready()
        while not losses(rabbit, "publisher", "unreachable"):  # noqa: ASYNC110 - a counter is all that one sees of it
            await asyncio.sleep(0)
        with pytest.raises(BrokerUnavailable):
            await broker.put(samples.job())
        await rabbit.mend(broker)
        await until_ready(broker)
        await put_persistently(broker, [], 1)
    assert losses(rabbit, "publisher", "connection_closed") == 1


def test_a_put_is_answered_within_the_time_that_http_has() -> None:
    assert RabbitLimits().publish_timeout_s < 5


async def test_a_broker_that_stands_still_is_unavailable_in_time(
    rabbit: RabbitBackend, rabbit_node: RabbitNode
) -> None:
    limits = replace(QUICK, publish_timeout_s=0.5, probe_timeout_s=0.5)
    async with rabbit.broker(limits=limits) as broker:
        await put_persistently(broker, [], 1)
        rabbit_node.pause()
        try:
            with pytest.raises(BrokerUnavailable):
                await broker.put(samples.job())
            assert not await broker.ready()
        finally:
            rabbit_node.resume()
        await until_ready(broker)
        await put_persistently(broker, [], 1)


async def test_a_broker_that_stands_still_for_longer_than_the_heartbeat_is_left(
    rabbit: RabbitBackend, rabbit_node: RabbitNode
) -> None:
    confirmed: list[str] = []
    collector = Collector()
    limits = replace(QUICK, heartbeat_s=1, publish_timeout_s=0.5, connect_timeout_s=2, close_timeout_s=0.5)
    async with rabbit.broker(limits=limits) as broker, consuming(broker, collector):
        await put_persistently(broker, confirmed, 1)
        rabbit_node.pause()
        try:
            async with asyncio.timeout(60):
                while not all(losses(rabbit, role, "heartbeat_missed") for role in ("consumer", "publisher")):  # noqa: ASYNC110 - as above
                    await asyncio.sleep(0.05)
        finally:
            rabbit_node.resume()
        await put_persistently(broker, confirmed, 3)
        await collector.wait_for(confirmed)


async def test_a_consumer_whose_connection_fell_silent_is_not_ready(rabbit: RabbitBackend) -> None:
    limits = replace(QUICK, fresh_confirm_s=0.2, probe_timeout_s=0.5, close_timeout_s=0.5)
    async with rabbit.broker(limits=limits) as broker, consuming(broker, Recorder(1)):
        await until_ready(broker)
        rabbit.wire(broker).hold("consumer")
        await until_ready(broker, ready=False)
        await put_persistently(broker, [], 1)  # the other connection is fine
        assert not any(losses(rabbit, "consumer", cause) for cause in SessionLoss)
        await rabbit.crash(broker)
        await rabbit.mend(broker)
        await until_ready(broker)


async def test_a_confirm_that_does_not_come_is_named(rabbit: RabbitBackend) -> None:
    limits = replace(QUICK, publish_timeout_s=0.5, probe_timeout_s=0.5, close_timeout_s=0.5)
    with capture_logs() as logs:
        async with rabbit.broker(limits=limits) as broker:
            await put_persistently(broker, [], 1)
            rabbit.wire(broker).hold("publisher")
            with pytest.raises(BrokerUnavailable):
                await broker.put(samples.job())
            assert not await broker.ready()
    assert failures(rabbit, "intake", "timed_out") >= 1
    assert ("publish_failed", "timed_out") in named(logs)


def test_readiness_tells_within_a_heartbeat() -> None:
    limits = RabbitLimits()
    assert limits.fresh_confirm_s + limits.probe_timeout_s < limits.heartbeat_s


async def test_a_lost_connection_redelivers_and_the_old_delivery_is_not_acked(rabbit: RabbitBackend) -> None:
    job, gate, recorder = samples.job(), Gate(1), Recorder(1)

    async def first_hold_then_publish(delivery: Delivery) -> Verdict:
        return await (gate if delivery.deliveries == 1 else recorder)(delivery)

    async with rabbit.broker() as broker, consuming(broker, first_hold_then_publish):
        await broker.put(job)
        await gate.full.wait()
        await rabbit.crash(broker)
        gate.opened.set()
        await rabbit.mend(broker)
        await recorder.done.wait()
    assert [(delivery.message_id, delivery.deliveries) for delivery in recorder.seen] == [(job.id, 2)]
    assert losses(rabbit, "consumer", "connection_closed") == 1


async def test_stopping_while_the_broker_is_away_ends_at_once(rabbit: RabbitBackend) -> None:
    stop, gate = asyncio.Event(), Gate(1)
    async with rabbit.broker() as broker, asyncio.TaskGroup() as group:
        group.create_task(broker.consume(gate, capacity=Capacity(slots=1), stop=stop))
        await broker.put(samples.job())
        await gate.full.wait()
        await rabbit.crash(broker)
        await until_ready(broker, ready=False)
        stop.set()


async def test_reading_goes_on_without_gap_or_repeat(rabbit: RabbitBackend) -> None:
    async with rabbit.broker() as broker, asyncio.TaskGroup() as group:
        ids = await decide_new(broker, 3)
        reader = group.create_task(take(broker, 6))
        ids += await decide_new(broker)
        await rabbit.crash(broker)
        await until_ready(broker, ready=False)
        await rabbit.mend(broker)
        await until_ready(broker)
        ids += await decide_new(broker, 2)
        assert subjects(await reader) == ids


# the topology goes


async def test_a_deleted_queue_is_declared_and_consumed_again(rabbit: RabbitBackend) -> None:
    confirmed: list[str] = []
    collector = Collector()
    async with rabbit.broker() as broker, consuming(broker, collector):
        await put_persistently(broker, confirmed, 1)
        await collector.wait_for(confirmed)
        async with rabbit.channel() as channel:
            await channel.queue_delete(lane_queue(Lane.INTERACTIVE))
        await put_persistently(broker, confirmed, 3)
        await collector.wait_for(confirmed)
    assert losses(rabbit, "consumer", "consumer_cancelled") == 1


async def test_a_job_that_no_queue_takes_is_not_accepted(rabbit: RabbitBackend) -> None:
    confirmed: list[str] = []
    async with rabbit.broker() as broker:
        await put_persistently(broker, confirmed, 1)
        async with rabbit.channel() as channel:
            await channel.queue_delete(lane_queue(Lane.INTERACTIVE))
        with capture_logs() as logs:
            with pytest.raises(BrokerUnavailable):
                await broker.put(samples.job())
            assert not await broker.ready()
            await put_persistently(broker, confirmed, 1)
        assert failures(rabbit, "intake", "returned") >= 1
        assert {("publish_failed", "returned"), ("broker_session_lost", "unroutable")} <= named(logs)
        recorder = Recorder(1)
        await consume_until(broker, recorder)
    assert recorder.ids == confirmed[1:]
    assert losses(rabbit, "publisher", "unroutable") == 1


async def test_two_puts_of_one_id_are_distinguished(rabbit: RabbitBackend) -> None:
    job = samples.job()
    async with rabbit.broker() as broker:
        await broker.put(job)
        async with rabbit.channel() as channel:
            await channel.queue_delete(lane_queue(Lane.INTERACTIVE))
        answers = await asyncio.gather(*(broker.put(job) for _ in range(4)), return_exceptions=True)
        accepted = sum(answer is None for answer in answers)
        recorder = Recorder(max(accepted, 1))
        await put_all(broker, [] if accepted else [job])
        await consume_until(broker, recorder)
        await assert_nothing_waits(broker)
    assert len(recorder.seen) == max(accepted, 1)


async def test_a_queue_with_other_arguments_is_not_worked_with(rabbit: RabbitBackend) -> None:
    limits = replace(QUICK, publish_timeout_s=0.5)
    async with rabbit.channel() as channel:
        await declare(channel, rabbit.topology)
    other = with_arguments(rabbit.topology, lane_queue(Lane.BULK), delivery_limit=7)
    async with rabbit.broker(topology=other, limits=limits) as broker:
        with pytest.raises(BrokerUnavailable):
            await broker.put(samples.job())
        assert not await broker.ready()
        async with asyncio.timeout(60):
            while not losses(rabbit, "publisher", "topology_mismatch"):  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.05)


async def test_entries_no_longer_kept_are_unknown(rabbit: RabbitBackend) -> None:
    small = with_arguments(rabbit.topology, LOG, max_length_bytes=20_000, stream_max_segment_size_bytes=10_000)
    async with rabbit.broker(topology=small) as broker:
        await decide_new(broker, 60)
        (oldest,) = await take(broker, 1)
        assert oldest.offset > 1
        with pytest.raises(UnknownOffset):
            await take(broker, 1, after=0)


# a queue's leader goes


async def test_a_channel_that_began_without_a_leader_does_not_refuse_for_ever(
    rabbit: RabbitBackend, rabbit_node: RabbitNode
) -> None:
    limits = replace(QUICK, second_opinion_s=0.1)
    async with rabbit.broker(limits=limits) as broker:
        await broker.put(samples.job(Lane.BULK))
        await asyncio.to_thread(write_down_leader, rabbit_node, lane_queue(Lane.INTERACTIVE), "'away@localhost'")
        with suppress(BrokerFull):  # RabbitMQ 4 asks the other nodes, too
            await broker.put(samples.job())
        await asyncio.to_thread(write_down_leader, rabbit_node, lane_queue(Lane.INTERACTIVE), "node()")
        async with asyncio.timeout(60):
            await put_persistently(broker, [], 1)
    assert not any(losses(rabbit, "publisher", cause) for cause in SessionLoss)


async def test_subscribers_miss_no_event_while_their_queue_has_no_leader(
    rabbit: RabbitBackend, rabbit_node: RabbitNode
) -> None:
    limits = replace(QUICK, second_opinion_s=0.1, subscriber_retry_s=RabbitLimits().subscriber_retry_s)
    async with rabbit.broker(limits=limits) as broker, rabbit.channel() as channel:
        jobs = samples.jobs(8)
        await put_all(broker, jobs)
        queue = await channel.declare_queue("watcher", durable=True, arguments={"x-queue-type": "quorum"})
        await queue.bind(DOCUMENTS, "#")
        await asyncio.to_thread(write_down_leader, rabbit_node, "watcher", "'away@localhost'")
        async with asyncio.TaskGroup() as group:
            deciding = group.create_task(consume_until(broker, Recorder(8), slots=4))
            async with asyncio.timeout(60):  # RabbitMQ 4 asks the other nodes, too, and refuses nothing
                while not failures(rabbit, "documents", "refused") and not deciding.done():  # noqa: ASYNC110 - a counter
                    await asyncio.sleep(0.05)
            await asyncio.to_thread(write_down_leader, rabbit_node, "watcher", "node()")
        arrived = {str(message.message_id) async for message in messages_in(queue)}
        await queue.delete(if_unused=False, if_empty=False)
    assert arrived == {job.event_id for job in jobs}
    assert rabbit.metrics.registry.get_sample_value("copydesk_subscriber_refused_total") == 0


async def test_events_that_were_refused_together_are_taken_together(
    rabbit: RabbitBackend, rabbit_node: RabbitNode
) -> None:
    limits = replace(QUICK, subscriber_retry_s=RabbitLimits().subscriber_retry_s)
    async with rabbit.broker(limits=limits) as broker, rabbit.channel() as channel:
        await put_persistently(broker, [], 1)
        queue = await channel.declare_queue("watcher", durable=True, arguments={"x-queue-type": "quorum"})
        await queue.bind(DOCUMENTS, "#")
        await asyncio.to_thread(write_down_leader, rabbit_node, "watcher", "'away@localhost'")
        async with asyncio.TaskGroup() as group:
            offered = [group.create_task(sink(broker).announce(event_of(f"{number}"))) for number in range(TOGETHER)]
            async with asyncio.timeout(60):  # RabbitMQ 4 asks the other nodes, too, and refuses nothing
                while failures(rabbit, "documents", "refused") < TOGETHER and not all(map(asyncio.Task.done, offered)):  # noqa: ASYNC110 - a counter
                    await asyncio.sleep(0.05)
            await asyncio.to_thread(write_down_leader, rabbit_node, "watcher", "node()")
            async with asyncio.timeout(TOGETHER_S):
                await asyncio.wait(offered)
        await queue.delete(if_unused=False, if_empty=False)


def write_down_leader(node: RabbitNode, queue: str, leader: str) -> None:
    """Sets the recorded leader of a queue. The record names a dead node until another leader is elected."""
    node.evaluate(
        f'Name = rabbit_misc:r(<<"/">>, queue, <<"{queue}">>),'
        f"Lead = fun(Queue) -> {{Id, _}} = amqqueue:get_pid(Queue), amqqueue:set_pid(Queue, {{Id, {leader}}}) end,"
        "case code:ensure_loaded(rabbit_db_queue) of"
        " {module, _} -> rabbit_db_queue:update(Name, Lead);"  # RabbitMQ 4
        " _ -> rabbit_misc:execute_mnesia_transaction(fun() -> rabbit_amqqueue:update(Name, Lead) end) end.",
    )


# something is full


async def test_a_full_intake_refuses_until_there_is_room(rabbit: RabbitBackend) -> None:
    full = with_arguments(rabbit.topology, lane_queue(Lane.INTERACTIVE), max_length=2)
    async with rabbit.broker(topology=full) as broker:
        with capture_logs() as logs:
            accepted = await put_until_refused(broker)
        assert accepted < 20
        assert failures(rabbit, "intake", "refused") == 1
        assert ("publish_failed", "refused") in named(logs)
        await broker.put(samples.job(Lane.BULK))
        await consume_until(broker, Recorder(accepted + 1))
        await broker.put(samples.job())


async def test_a_full_subscriber_neither_stops_the_workers_nor_repeats_the_log(rabbit: RabbitBackend) -> None:
    async with full_subscriber(rabbit), rabbit.broker() as broker:
        ids = await decide_new(broker, 4)
        assert subjects(await take(broker, 4)) == ids
        await assert_nothing_waits(broker)
        assert len(await take(broker, 5)) == 5
    refused = rabbit.metrics.registry.get_sample_value("copydesk_subscriber_refused_total")
    assert refused is not None
    assert refused >= 2


async def test_other_subscribers_get_few_repeats_of_what_a_full_one_refuses(rabbit: RabbitBackend) -> None:
    limits = replace(QUICK, subscriber_rest_s=3600, second_opinion_s=3600)
    async with full_subscriber(rabbit), rabbit.channel() as channel, rabbit.broker(limits=limits) as broker:
        healthy = await channel.declare_queue(exclusive=True)
        await healthy.bind(DOCUMENTS, "#")
        jobs = samples.jobs(8)
        await put_all(broker, jobs)
        await consume_until(broker, Recorder(8), slots=1)
        messages = [message async for message in messages_in(healthy)]
    copies = Counter(str(message.message_id) for message in messages)
    assert set(copies) == {job.event_id for job in jobs}
    tries = 1 + 3 + 1  # the first, three more within that time, and one on a new channel
    assert sorted(copies.values())[:-1] == [1] * 7
    assert max(copies.values()) <= tries


@asynccontextmanager
async def full_subscriber(backend: RabbitBackend) -> AsyncIterator[None]:
    """A subscriber whose queue takes one event, and that reads none."""
    arguments: Arguments = {"x-max-length": 1, "x-overflow": "reject-publish"}
    async with backend.channel() as channel:
        await declare(channel, backend.topology)
        queue = await channel.declare_queue("full", exclusive=True, arguments=arguments)
        await queue.bind(DOCUMENTS, "#")
        yield


async def test_under_a_memory_alarm_puts_are_refused_and_verdicts_wait(
    rabbit: RabbitBackend, rabbit_node: RabbitNode
) -> None:
    job, gate = samples.job(), Gate(1)
    limits = replace(QUICK, publish_timeout_s=1, confirm_timeout_s=1, probe_timeout_s=0.5, fresh_confirm_s=0.1)
    async with rabbit.broker(limits=limits) as broker:
        with capture_logs() as logs:
            async with consuming(broker, gate):
                await until_ready(broker)
                await broker.put(job)
                await gate.full.wait()
                async with memory_alarm(rabbit_node):
                    await until_ready(broker, ready=False)
                    gate.opened.set()
                    with pytest.raises(BrokerUnavailable, match="alarm"):
                        await broker.put(samples.job())
                await until_ready(broker)
        assert job.id in subjects(await take(broker, 1))
    assert [delivery.deliveries for delivery in gate.held] == [1]
    assert failures(rabbit, "intake", "blocked") == 1
    logged = [entry["event"] for entry in logs]
    assert logged.count("broker_blocks_publishers") == logged.count("broker_takes_messages_again") == 1
    assert ("publish_failed", "blocked") in named(logs)


async def test_puts_under_way_when_the_alarm_comes_count_as_blocked(
    rabbit: RabbitBackend, rabbit_node: RabbitNode
) -> None:
    async with rabbit.broker(limits=replace(QUICK, publish_timeout_s=1)) as broker:
        await put_persistently(broker, [], 1)
        async with memory_alarm(rabbit_node):
            with pytest.raises(
                BrokerUnavailable, match="alarm"
            ):  # RabbitMQ reports the alarm only at the first publish, and never confirms
                await broker.put(samples.job())
            assert not await broker.ready()
    # RabbitMQ may still confirm the first message: then the record of the acceptance is what was under way.
    blocked, timed_out = (
        sum(failures(rabbit, to, cause) for to in ("intake", "accepted")) for cause in ("blocked", "timed_out")
    )
    assert (blocked, timed_out) == (1, 0)


@asynccontextmanager
async def memory_alarm(node: RabbitNode) -> AsyncIterator[None]:
    node.limit_memory("0.000001")
    try:
        yield
    finally:
        node.limit_memory(MEMORY_LIMIT)
