"""A stream is kept in segments, and each new one takes an offset for itself (RabbitMQ 3.10): no entry has it."""

import asyncio
from contextlib import aclosing
from dataclasses import dataclass, replace
from itertools import pairwise

import aio_pika
import pytest

from contract.accepted import acceptance
from contract.broker import LogEntry, UnknownOffset
from contract.codec import encode
from contract.streams import Stream
from contract.timestamps import now
from contract.topology import ACCEPTED, LOG, Topology
from runtime.audit import AuditLimits, Books
from runtime.brokers.rabbit import RabbitBroker
from runtime.brokers.rabbit.audit import RabbitAudit
from tests.brokers import samples
from tests.brokers.rabbit_backend import QUICK, RabbitBackend, declare

pytestmark = pytest.mark.rabbit

SEGMENT_BYTES = 100_000
ENTRIES = 60  # of 10 kB: several segments


@dataclass
class ShortSegments(RabbitBackend):
    """RabbitMQ with streams in short segments, of which the log keeps so many bytes."""

    log_bytes: int = 20_000_000

    @property
    def topology(self) -> Topology:
        topology = super().topology
        short = {"x-stream-max-segment-size-bytes": SEGMENT_BYTES, "x-max-length-bytes": self.log_bytes}
        queues = [
            replace(queue, arguments={**queue.arguments, **short}) if queue.is_stream else queue
            for queue in topology.queues
        ]
        return replace(topology, queues=queues)


async def fill(rabbit: RabbitBackend) -> None:
    """Fills the log and the record of acceptances with several segments each."""
    labels = {f"label{number}": "x" * 250 for number in range(16)}
    async with rabbit.channel() as channel:
        await declare(channel, rabbit.topology)
        for job in samples.jobs(ENTRIES):
            event = encode(samples.processed(replace(job, content="word " * 2000)))
            records = [acceptance(replace(job, labels=labels, id=f"{job.id}{part}"), now()) for part in range(2)]
            for stream, body in ((LOG, event), (ACCEPTED, encode(records))):
                message = aio_pika.Message(body, delivery_mode=aio_pika.DeliveryMode.PERSISTENT)
                await channel.default_exchange.publish(message, stream)


@pytest.fixture
async def filled(rabbit: RabbitBackend) -> RabbitBackend:
    short = ShortSegments(rabbit.url)
    await fill(short)
    return short


async def followed(broker: RabbitBroker, stream: Stream, after: int = -1) -> list[LogEntry]:
    entries: list[LogEntry] = []
    async with aclosing(broker.follow(stream, after)) as following:
        async for batch in following:
            entries += batch
            if not batch:
                break
    return entries


async def read(broker: RabbitBroker, after: int, count: int) -> list[LogEntry]:
    entries: list[LogEntry] = []
    async with asyncio.timeout(60), aclosing(broker.read(after)) as reading:
        async for entry in reading:
            entries.append(entry)
            if len(entries) == count:
                break
    return entries


async def test_readers_and_followers_get_past_the_end_of_a_segment(filled: RabbitBackend) -> None:
    async with filled.broker() as broker:
        assert isinstance(broker, RabbitBroker)
        entries = await followed(broker, Stream.LOG)
        assert len(entries) == ENTRIES
        last_of_segments = [before.offset for before, entry in pairwise(entries) if entry.offset != before.offset + 1]
        assert last_of_segments  # otherwise there is no segment's end to test
        assert await read(broker, -1, ENTRIES) == entries
        for last in last_of_segments:
            rest = [entry for entry in entries if entry.offset > last]
            assert await followed(broker, Stream.LOG, last) == rest
            assert await read(broker, last, len(rest)) == rest


async def test_the_audit_gets_past_the_end_of_a_segment(filled: RabbitBackend) -> None:
    books = Books(AuditLimits(max_run_s=1000, hold_s=0))
    await RabbitAudit(filled.url, filled.topology, QUICK).update(books)
    assert (len(books.undecided), len(books.strangers)) == (2 * ENTRIES, ENTRIES)


async def test_entries_removed_by_retention_are_recognised(rabbit: RabbitBackend) -> None:
    """It takes whole segments: more than the one offset."""
    short = ShortSegments(rabbit.url, log_bytes=2 * SEGMENT_BYTES)
    await fill(short)
    async with short.broker() as broker:
        assert isinstance(broker, RabbitBroker)
        while not (entries := await followed(broker, Stream.LOG))[0].offset:  # noqa: ASYNC110 - RabbitMQ tells nobody
            await asyncio.sleep(0.1)
        with pytest.raises(UnknownOffset):
            await followed(broker, Stream.LOG, entries[0].offset - 4)
        with pytest.raises(UnknownOffset):
            await read(broker, entries[0].offset - 4, 1)
