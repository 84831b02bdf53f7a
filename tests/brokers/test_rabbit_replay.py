"""A subscriber reads the log itself in AMQP, with its own user: from an offset, and from a time."""

import asyncio
import re
import sys
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aio_pika
import pytest
from aio_pika.abc import AbstractIncomingMessage
from prometheus_client import CollectorRegistry
from yarl import URL

from contract.codec import decode_event
from contract.metrics import Metrics
from contract.topology import LOG, design
from contract.users import read_accounts
from runtime.brokers.rabbit import RabbitBroker
from runtime.brokers.rabbit.setup import declare_topology
from runtime.brokers.rabbit.users import definitions
from tests.brokers.rabbit_backend import QUICK
from tests.brokers.suite.steps import decide_new
from tests.rabbit_node import RabbitNode

pytestmark = pytest.mark.rabbit

VHOST = "replayed"
TOPOLOGY = design(delays_s=(0.2,))
SUBSCRIBING = Path(__file__).parents[2] / "docs" / "subscribing.md"


@pytest.fixture
def url(rabbit_node: RabbitNode) -> Iterator[str]:
    with rabbit_node.vhost(VHOST) as found:
        rabbit_node.define(definitions(read_accounts("newsroom:word"), VHOST))
        asyncio.run(declare_topology(found, TOPOLOGY))
        yield found


@pytest.fixture
async def broker(url: str) -> AsyncIterator[RabbitBroker]:
    async with RabbitBroker(url, metrics=Metrics(CollectorRegistry()), topology=TOPOLOGY, limits=QUICK) as opened:
        yield opened


def as_newsroom(url: str) -> str:
    return str(URL(url).with_user("newsroom").with_password("word"))


async def read(url: str, start: object, count: int) -> list[AbstractIncomingMessage]:
    """Returns the next `count` entries of the log from `start` on, as a subscriber with its own user reads them."""
    inbox: asyncio.Queue[AbstractIncomingMessage] = asyncio.Queue()
    arguments: Any = {"x-stream-offset": start}
    async with await aio_pika.connect(as_newsroom(url)) as connection, asyncio.timeout(30):
        channel = await connection.channel()
        await channel.set_qos(prefetch_count=10)
        await (await channel.get_queue(LOG, ensure=False)).consume(inbox.put, arguments=arguments)
        found: list[AbstractIncomingMessage] = []
        while len(found) < count:
            found.append(await inbox.get())
            await found[-1].ack()
    return found


def subjects(messages: list[AbstractIncomingMessage]) -> list[str]:
    return [decode_event(message.body).subject for message in messages]


async def test_a_subscriber_reads_the_log_from_the_first_entry_and_goes_on_behind_an_offset(
    url: str, broker: RabbitBroker
) -> None:
    ids = await decide_new(broker, 3)
    first = await read(url, "first", 3)
    assert subjects(first) == ids
    offset = first[1].headers["x-stream-offset"]
    assert isinstance(offset, int)
    assert subjects(await read(url, offset + 1, 1))[-1:] == ids[2:]
    # The same bytes, routing keys and headers as on the exchange of documents: no second stream is needed.
    event = decode_event(first[0].body)
    assert (first[0].routing_key, first[0].message_id) == (event.routing_key, event.id)
    assert first[0].headers["label.desk"] == "foreign"


async def test_a_subscriber_reads_the_log_from_a_time_on(url: str, broker: RabbitBroker) -> None:
    await decide_new(broker, 2)
    await asyncio.sleep(1.1)  # AMQP's timestamps have whole seconds
    since = datetime.now(UTC)
    await asyncio.sleep(1.1)
    later = await decide_new(broker, 2)
    assert subjects(await read(url, since, 2)) == later
    everything = await read(url, since - timedelta(minutes=5), 4)
    assert subjects(everything)[2:] == later


async def test_the_reader_in_the_docs_prints_the_titles_from_a_time_on(url: str, broker: RabbitBroker) -> None:
    blocks = re.findall(r"```python\n(.*?)```", SUBSCRIBING.read_text(encoding="utf-8"), re.DOTALL)
    (code,) = [block for block in blocks if "x-stream-offset" in block]
    ids = await decide_new(broker, 2)
    program = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", code, as_newsroom(url), "2000-01-01T00:00:00+00:00"), stdout=asyncio.subprocess.PIPE
    )
    assert program.stdout is not None
    try:
        async with asyncio.timeout(60):
            lines = [(await program.stdout.readline()).decode() for _ in ids]
    finally:
        program.kill()
        await program.wait()
    assert [line.split("\t")[1] for line in lines] == ids
