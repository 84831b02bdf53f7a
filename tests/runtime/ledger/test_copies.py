"""Places in the records move with the entries of a restored broker, on both databases."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import URL, insert, inspect, select
from sqlalchemy.ext.asyncio import AsyncEngine

from contract.consumers import Consumer
from contract.streams import Stream
from runtime.backup.offsets import Offsets
from runtime.ledger import copies, schema
from runtime.ledger.consumers import SqlConsumerBook
from runtime.ledger.database import ledger_url, open_engine
from runtime.ledger.replays import SqlReplays
from runtime.ledger.tables import consumers, deliveries, places, replays, webhooks
from runtime.ledger.webhooks import SqlWebhookBook
from tests.postgres_cluster import PostgresCluster
from tests.runtime.ledger.test_replays import replay
from tests.runtime.ledger.test_webhooks import delivery, webhook

NOW = datetime(2026, 11, 29, tzinfo=UTC)


@pytest.fixture
def offsets() -> Offsets:
    """The entries 100 to 109 stand at 0 to 9."""
    found = Offsets()
    for number in range(10):
        found.add(100 + number, number)
    return found


async def test_each_place_stands_at_the_same_entry_as_before(url: URL, engine: AsyncEngine, offsets: Offsets) -> None:
    book = SqlConsumerBook(engine)
    before = {"new": -1, "gone": 50, "behind": 102, "done": 109, "beyond": 200}
    for name, offset in before.items():
        assert await book.add(Consumer(owner="ann", name=name, offset=offset, created_at=NOW), at_most=9)
    rows = [{"stream": Stream.LOG, "place": 105, "digest": b"log"}, {"stream": Stream.ACCEPTED, "place": 700}]
    async with engine.begin() as connection:
        for row in rows:
            await connection.execute(insert(places).values(row))
    await copies.move(url, {Stream.LOG: offsets, Stream.ACCEPTED: offsets})
    after = {consumer.name: consumer.offset for consumer in await book.consumers("ann")}
    assert after == {"new": -1, "gone": -1, "behind": 2, "done": 9, "beyond": 9}
    async with engine.begin() as connection:
        left = (await connection.execute(select(places))).all()
    assert left == [(Stream.LOG, 5, b"log")], "the other record is read again from its oldest entry on"


async def test_places_of_webhooks_deliveries_and_replays_move_as_well(
    url: URL, engine: AsyncEngine, offsets: Offsets
) -> None:
    hook, book = webhook(place=105), SqlWebhookBook(engine)
    await book.add(hook, at_most=9)
    await book.request(delivery(hook, offset=103))
    await SqlReplays(engine, engine).add(replay(after=101, until=108, place=104), at_most=9)
    await copies.move(url, {Stream.LOG: offsets})
    async with engine.connect() as connection:
        places_now = (await connection.execute(select(webhooks.c.place))).scalars().all()
        offsets_now = (await connection.execute(select(deliveries.c.log_offset))).scalars().all()
        spans_now = (await connection.execute(select(replays.c.after, replays.c.until, replays.c.place))).all()
    assert (places_now, offsets_now, spans_now) == ([5], [3], [(1, 8, 4)])


@pytest.mark.postgres
async def test_tables_of_an_older_version_are_restored_and_upgraded(
    cluster: PostgresCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = (ledger_url(cluster.database()) for _ in range(2))
    await schema.upgrade(old, "0007")
    engine = open_engine(old, writes=True)
    async with engine.begin() as connection:
        book = {"owner": "ann", "name": "arch\tive\\", "place": 5, "created_ms": 0}
        await connection.execute(insert(consumers).values(book))
        there = await connection.run_sync(lambda sync: inspect(sync).get_table_names())
    await engine.dispose()
    with monkeypatch.context() as as_then:
        as_then.setattr(schema, "VERSION", "0007")
        as_then.setattr(copies, "_TABLES", tuple(set(there) - {"alembic_version"}))
        saved = await copies.save(old, lambda table: tmp_path / table)
    assert await copies.is_empty(new, "0007")
    await copies.restore(new, "0007", saved, lambda table: tmp_path / table)
    assert not await copies.is_empty(new, schema.VERSION)
    engine = open_engine(new)
    await schema.check(engine)
    (found,) = await SqlConsumerBook(engine).consumers("ann")
    await engine.dispose()
    assert (found.name, found.offset) == ("arch\tive\\", 5)
