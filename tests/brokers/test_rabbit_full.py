"""An intake that nobody drains is full before the broker sets off its memory alarm, which would stop the workers."""

import asyncio
import json
from dataclasses import replace

import pytest

from contract.broker import BrokerFull, JobSink
from tests.brokers import samples
from tests.brokers.rabbit_backend import QUICK, RabbitBackend
from tests.brokers.suite import Recorder, consume_until
from tests.rabbit_node import RabbitNode

pytestmark = [pytest.mark.rabbit, pytest.mark.timeout(240)]

JOB_BYTES = 500_000
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
    return int(json.loads(node.ctl("status", "--formatter", "json"))["memory"]["total"]["rss"])


def alarms(node: RabbitNode) -> list[object]:
    return list(json.loads(node.ctl("status", "--formatter", "json"))["alarms"])


async def test_a_full_intake_sets_off_no_alarm_and_can_be_drained(
    mortal_rabbit: RabbitBackend, mortal_node: RabbitNode
) -> None:
    limits = replace(QUICK, publish_timeout_s=4.0)
    async with mortal_rabbit.broker(limits=limits) as broker:
        await broker.put(samples.job())
        watermark = used_bytes(mortal_node) + ROOM_BYTES
        await asyncio.to_thread(mortal_node.ctl, "set_vm_memory_high_watermark", "absolute", str(watermark))
        limit = json.dumps({"max-length-bytes": LIMIT_BYTES})
        await asyncio.to_thread(
            mortal_node.ctl, "set_policy", "full", r"^copydesk\.intake\.", limit, "--apply-to", "queues"
        )
        accepted = await put_until_full(broker)
        assert accepted * JOB_BYTES >= LIMIT_BYTES * 0.9
        assert await asyncio.to_thread(alarms, mortal_node) == []
        assert await broker.ready()
        await consume_until(broker, Recorder(accepted + 1))
        await broker.put(samples.job())
