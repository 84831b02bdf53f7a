"""The recorder with real streams of RabbitMQ."""

from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from contract.broker import Broker, BrokerUnavailable
from contract.ledger import State
from contract.streams import Stream
from contract.topology import LOG
from runtime.ledger import schema
from runtime.ledger.database import ledger_url, open_engine
from runtime.ledger.queries import SqlLedger
from tests.brokers import samples
from tests.brokers.rabbit_backend import RabbitBackend
from tests.brokers.suite import Recorder, consume_until, decide_new
from tests.brokers.suite.handlers import retry_once
from tests.rabbit_node import RabbitNode
from tests.runtime.ledger.records import contents, recording, until

if TYPE_CHECKING:
    from runtime.ledger.recorder import RecordedBroker

pytestmark = [pytest.mark.rabbit, pytest.mark.timeout(100)]


@pytest.fixture
async def rabbit(rabbit_node: RabbitNode) -> AsyncIterator[RabbitBackend]:
    backend = RabbitBackend(rabbit_node.url)
    await backend.clear()  # queues that other tests declared with other arguments on the shared node
    yield backend
    await backend.clear()


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    url = ledger_url(f"sqlite:///{tmp_path / 'ledger.db'}")
    await schema.upgrade(url)
    engine = open_engine(url, writes=True)
    yield engine
    await engine.dispose()


async def has_decided(engine: AsyncEngine, ids: list[str]) -> bool:
    found = await contents(engine)
    return {document_id for (document_id, _), row in found.items() if row["state"] == State.PROCESSED} >= set(ids)


async def is_taken(broker: Broker) -> bool:
    """Returns True if the broker takes a document. Only the use of a lost connection shows that it is lost."""
    try:
        await decide_new(broker)
    except BrokerUnavailable:
        return False
    return True


async def test_a_stream_that_is_deleted_while_it_is_read_is_read_anew(
    rabbit: RabbitBackend, database: AsyncEngine
) -> None:
    async with rabbit.broker() as broker:
        ids = await decide_new(broker, 3)
        async with recording(cast("RecordedBroker", broker), database) as metrics:
            await until(partial(has_decided, database, ids))
            for times in (1, 2):
                async with rabbit.channel() as channel:
                    await channel.queue_delete(LOG)
                ids += await decide_new(broker, 2)
                await until(partial(has_decided, database, ids))
                assert metrics.ledger_gaps.labels(Stream.LOG)._value.get() == times
    assert {row["repeats"] for row in (await contents(database)).values()} == {0}


async def test_recording_goes_on_when_the_connection_is_cut(rabbit: RabbitBackend, database: AsyncEngine) -> None:
    async with rabbit.broker() as broker:
        ids = await decide_new(broker, 3)
        async with recording(cast("RecordedBroker", broker), database) as metrics:
            await until(partial(has_decided, database, ids))
            await rabbit.crash(broker)
            await rabbit.mend(broker)
            await until(partial(is_taken, broker))
            ids += await decide_new(broker, 3)
            await until(partial(has_decided, database, ids))
            assert metrics.ledger_gaps.labels(Stream.LOG)._value.get() == 0
    assert {row["repeats"] for row in (await contents(database)).values()} == {0}


async def test_a_waiting_retry_is_shown(rabbit: RabbitBackend, database: AsyncEngine) -> None:
    job = samples.job()
    recorder = Recorder(1, retry_once(rabbit.delays_s[1]))

    async def waits() -> bool:
        return [run.state for run in await SqlLedger(database).runs(job.id)] == [State.PROCESSING]

    async with rabbit.broker() as broker:
        await broker.put(job)
        async with recording(cast("RecordedBroker", broker), database):
            await consume_until(broker, recorder)
            await until(waits)
            await consume_until(broker, Recorder(1))
            await until(partial(has_decided, database, [job.id]))
