"""Queues that are bound to the headers exchange get the events whose headers they name, on a real RabbitMQ."""

import json
from typing import TYPE_CHECKING

import pytest
from aio_pika.abc import AbstractChannel

from contract.broker import Delivery
from contract.codec import decode_job
from contract.topology import DOCUMENTS, DOCUMENTS_HEADERS, lane_queue
from contract.verdicts import Publish, Verdict
from tests.brokers import samples
from tests.brokers.rabbit_backend import RabbitBackend, declare, messages_in
from tests.brokers.suite import Recorder, assert_nothing_waits, consume_until, decide_new, put_all, subjects, take

if TYPE_CHECKING:
    from pamqp.common import Arguments

pytestmark = pytest.mark.rabbit

ALL: "Arguments" = {"x-match": "all", "type": "processed", "label.desk": "foreign", "host": "b.example.com"}
ANY: "Arguments" = {"x-match": "any", "host": "a.example.com", "label.desk": "home"}
OTHERS: "Arguments" = {"x-match": "all", "label.desk": "home"}
LABELLED: "Arguments" = {"x-match": "all", "label.desk": None}


def decided(delivery: Delivery) -> Verdict:
    """Decides that the document is an article of the host that its text names."""
    job = decode_job(delivery.body)
    return Publish(samples.processed(job, host=job.content or ""))


async def bodies(channel: AbstractChannel, name: str) -> set[bytes]:
    return {message.body async for message in messages_in(await channel.get_queue(name))}


async def test_a_binding_chooses_by_headers(rabbit: RabbitBackend) -> None:
    async with rabbit.channel() as channel, rabbit.broker() as broker:
        await declare(channel, rabbit.topology)
        bindings = {"all": ALL, "any": ANY, "others": OTHERS, "labelled": LABELLED}
        for name, arguments in bindings.items():
            queue = await channel.declare_queue(name, exclusive=True)
            await queue.bind(DOCUMENTS_HEADERS, arguments=arguments)
        jobs = [samples.job(content=f"{letter}.example.com") for letter in "abc"]
        await put_all(broker, jobs)
        await consume_until(broker, Recorder(3, decided))
        found = {name: await bodies(channel, name) for name in bindings}
    ids = {
        name: {job.content for job in jobs for body in events if job.id.encode() in body}
        for name, events in found.items()
    }
    assert ids == {
        "all": {"b.example.com"},
        "any": {"a.example.com"},
        "others": set(),
        "labelled": {job.content for job in jobs},
    }


async def test_both_exchanges_deliver_the_bytes_of_the_log_once(rabbit: RabbitBackend) -> None:
    async with rabbit.channel() as channel, rabbit.broker() as broker:
        await declare(channel, rabbit.topology)
        queue = await channel.declare_queue("both", exclusive=True)
        await queue.bind(DOCUMENTS, "#")
        await queue.bind(DOCUMENTS_HEADERS, arguments={"x-match": "all", "type": "processed"})
        await decide_new(broker, 2)
        logged = {entry.body for entry in await take(broker, 2)}
        messages = [message async for message in messages_in(queue)]
    assert len(messages) == 2
    assert {message.body for message in messages} == logged
    assert all("BCC" not in message.headers for message in messages)


async def test_a_full_queue_behind_the_headers_exchange_refuses_as_any_other(rabbit: RabbitBackend) -> None:
    bounds: Arguments = {"x-max-length": 1, "x-overflow": "reject-publish"}
    async with rabbit.channel() as channel, rabbit.broker() as broker:
        await declare(channel, rabbit.topology)
        full = await channel.declare_queue("full", exclusive=True, arguments=bounds)
        await full.bind(DOCUMENTS_HEADERS, arguments={"x-match": "all", "label.desk": "foreign"})
        healthy = await channel.declare_queue("healthy", exclusive=True)
        await healthy.bind(DOCUMENTS, "#")
        ids = await decide_new(broker, 4)
        assert subjects(await take(broker, 4)) == ids
        arrived = {str(message.message_id).removesuffix(".1") async for message in messages_in(healthy)}
        await assert_nothing_waits(broker)
    assert arrived == set(ids)
    assert (rabbit.metrics.registry.get_sample_value("copydesk_subscriber_refused_total") or 0) >= 2


async def test_a_queue_that_wants_other_events_refuses_none(rabbit: RabbitBackend) -> None:
    bounds: Arguments = {"x-max-length": 1, "x-overflow": "reject-publish"}
    async with rabbit.channel() as channel, rabbit.broker() as broker:
        await declare(channel, rabbit.topology)
        full = await channel.declare_queue("full", exclusive=True, arguments=bounds)
        await full.bind(DOCUMENTS_HEADERS, arguments={"x-match": "all", "label.desk": "home"})
        await decide_new(broker, 4)
        await assert_nothing_waits(broker)
    assert not rabbit.metrics.registry.get_sample_value("copydesk_subscriber_refused_total")


async def test_the_messages_of_a_job_and_of_its_event_have_their_trace_in_headers(
    rabbit: RabbitBackend,
) -> None:
    async with rabbit.channel() as channel, rabbit.broker() as broker:
        await declare(channel, rabbit.topology)
        queue = await channel.declare_queue("traced", exclusive=True)
        await queue.bind(DOCUMENTS, "#")
        job = samples.job(content="a.example.com")
        await broker.put(job)
        async with rabbit.channel() as other:
            posted = [it async for it in messages_in(await other.get_queue(lane_queue(job.lane)))]
        await consume_until(broker, Recorder(1, decided))
        published = [it async for it in messages_in(queue)]
    for (message,) in (posted, published):
        found = {name: message.headers.get(name) for name in ("traceparent", "tracestate")}
        assert found == samples.TRACE.headers()
    assert json.loads(published[0].body)["traceparent"] == samples.TRACE.traceparent
