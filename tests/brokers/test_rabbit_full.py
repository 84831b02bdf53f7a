"""An intake that nobody drains is full before the broker sets off its memory alarm, which would stop the workers."""

import asyncio
from dataclasses import replace

import pytest

from contract.broker import BrokerFull, BrokerUnavailable, JobSink, NotPut
from tests.brokers import samples
from tests.brokers.rabbit_backend import QUICK, RabbitBackend
from tests.brokers.suite import Recorder, consume_until, consuming
from tests.rabbit_node import RabbitNode

pytestmark = [pytest.mark.rabbit, pytest.mark.timeout(240)]

JOB_BYTES = 500_000
INTAKE = r"^copydesk\.intake\."
LIMIT_BYTES = 20_000_000
ROOM_BYTES = 100_000_000  # in addition to the empty broker, whose logs are in memory, too
AT_ONCE = 4


async def put_until_full(broker: JobSink) -> int:
    """Returns how many large jobs went in before the broker said that it is full."""

    async def put() -> bool:
        try:
            await broker.put(samples.job(content="x" * JOB_BYTES))
        except BrokerFull:
            return False
        return True

    accepted = 0
    while True:
        answers = await asyncio.gather(*(put() for _ in range(AT_ONCE)))
        accepted += sum(answers)
        if not any(answers):
            return accepted


def used_bytes(node: RabbitNode) -> int:
    return int(node.value("rabbit_vm:memory()")["total"]["rss"])


def alarms(node: RabbitNode) -> list[object]:
    return list(node.value("[element(1, Alarm) || Alarm <- rabbit_alarm:get_alarms()]"))


async def test_a_full_intake_sets_off_no_alarm_and_can_be_drained(
    mortal_rabbit: RabbitBackend, mortal_node: RabbitNode
) -> None:
    limits = replace(QUICK, publish_timeout_s=4.0)
    async with mortal_rabbit.broker(limits=limits) as broker:
        await broker.put(samples.job())
        watermark = used_bytes(mortal_node) + ROOM_BYTES
        mortal_node.limit_memory(f"{{absolute, {watermark}}}")
        mortal_node.set_policy(
            "full", r"^copydesk\.intake\.", {"max-length-bytes": LIMIT_BYTES}, vhost=mortal_rabbit.vhost
        )
        accepted = await put_until_full(broker)
        assert accepted * JOB_BYTES >= LIMIT_BYTES * 0.9
        assert await asyncio.to_thread(alarms, mortal_node) == []
        assert await broker.ready()
        await consume_until(broker, Recorder(accepted + 1))
        await broker.put(samples.job())


async def test_of_jobs_that_are_put_together_a_full_intake_refuses_some_and_loses_none(
    mortal_rabbit: RabbitBackend, mortal_node: RabbitNode
) -> None:
    async with mortal_rabbit.broker(limits=replace(QUICK, publish_timeout_s=4.0)) as broker:
        await broker.put(samples.job())
        mortal_node.set_policy("full", INTAKE, {"max-length": 10}, vhost=mortal_rabbit.vhost)
        outcomes: list[NotPut] = []
        while None in (latest := await broker.put_many(samples.jobs(20))):
            outcomes += latest
        assert {type(outcome) for outcome in latest} == {BrokerFull}
        recorder = Recorder(outcomes.count(None) + 1)
        await consume_until(broker, recorder)
        assert len(set(recorder.ids)) == outcomes.count(None) + 1


async def test_of_jobs_that_are_put_together_while_the_session_is_lost_none_is_lost(
    mortal_rabbit: RabbitBackend, mortal_node: RabbitNode
) -> None:
    stored: set[str] = set()
    doubted = 0
    async with mortal_rabbit.broker(limits=replace(QUICK, publish_timeout_s=20.0)) as broker:
        await broker.put_many(samples.jobs(1))
        close = 'rabbit_networking:close_connections(rabbit_networking:connections(), <<"test">>).'
        closing = asyncio.create_task(asyncio.to_thread(mortal_node.evaluate, close))
        after = 0
        while after < 8:  # batches, so that some are put when the connections are closed
            after += closing.done()
            jobs = samples.jobs(64)
            while any(outcomes := await broker.put_many(jobs)):  # as whoever posts does
                assert {type(outcome) for outcome in outcomes} <= {BrokerUnavailable, type(None)}
                doubted += 1
            stored |= {job.id for job in jobs}
        await closing
        recorder = Recorder(len(stored) + doubted * 64 + 2)
        async with asyncio.timeout(60), consuming(broker, recorder):
            while not stored <= set(recorder.ids):  # noqa: ASYNC110 - repeats may come, so their number says nothing
                await asyncio.sleep(0.05)
