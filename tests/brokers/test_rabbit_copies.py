"""Records that are copied into RabbitMQ: in their order, byte by byte, with the headers of events."""

import asyncio
from contextlib import aclosing
from pathlib import Path

import pytest
from aio_pika.abc import AbstractIncomingMessage

from contract.broker import LogEntry
from contract.codec import encode
from contract.streams import Stream
from contract.topology import LOG
from runtime.backup.entries import EntryWriter
from runtime.backup.folder import BackupError
from runtime.backup.restoring import restore_record
from runtime.brokers.rabbit import copies, setup
from runtime.compressed import writing
from tests.brokers import samples
from tests.brokers.rabbit_backend import RabbitBackend

pytestmark = pytest.mark.rabbit

ENTRIES = 300  # several times as many as are published at once


def saved(path: Path) -> list[LogEntry]:
    events = [encode(samples.processed(job)) for job in samples.jobs(ENTRIES - 1)]
    entries = [LogEntry(5_000 + 2 * number, "processed.en._", body) for number, body in enumerate([*events, b"\xff?"])]
    with writing(path) as file:
        writer = EntryWriter(file)
        for entry in entries:
            writer.add(entry)
    return entries


async def first_message(rabbit: RabbitBackend) -> AbstractIncomingMessage:
    """Returns the first message of the log. It is not returned to the queue: streams refuse that."""
    delivered = asyncio.Queue[AbstractIncomingMessage]()
    async with rabbit.channel() as channel:
        await channel.set_qos(1)
        stream = await channel.get_queue(LOG, ensure=False)
        await stream.consume(delivered.put, arguments={"x-stream-offset": "first"})
        return await delivered.get()


async def test_a_restored_record_has_the_same_entries_and_says_where_they_stand(
    rabbit: RabbitBackend, tmp_path: Path
) -> None:
    await setup.declare_topology(rabbit.url, rabbit.topology)
    entries = saved(tmp_path / "log")
    assert await copies.is_empty(rabbit.url, Stream.LOG)
    offsets = await restore_record(rabbit.url, Stream.LOG, tmp_path / "log")
    assert not await copies.is_empty(rabbit.url, Stream.LOG)
    async with aclosing(copies.entries(rabbit.url, Stream.LOG)) as found:
        restored = [entry async for entry in found]
    assert [(it.routing_key, it.body) for it in restored] == [(it.routing_key, it.body) for it in entries]
    assert [offsets.moved(it.offset) for it in entries] == [it.offset for it in restored]
    first = await first_message(rabbit)
    assert (first.headers["type"], first.content_type) == ("processed", "application/cloudevents+json")
    assert f'"id":"{first.message_id}"'.encode() in entries[0].body


async def test_a_record_that_others_write_to_meanwhile_is_noticed(rabbit: RabbitBackend, tmp_path: Path) -> None:
    await setup.declare_topology(rabbit.url, rabbit.topology)
    saved(tmp_path / "log")
    await copies.write(rabbit.url, Stream.LOG, [LogEntry(0, "processed.en._", b"{}")])
    with pytest.raises(BackupError, match="another process writes"):
        await restore_record(rabbit.url, Stream.LOG, tmp_path / "log")
