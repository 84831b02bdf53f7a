"""Places in the records move with the entries of a restored broker, on both databases."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import URL, insert, select
from sqlalchemy.ext.asyncio import AsyncEngine

from contract.consumers import Consumer
from contract.streams import Stream
from runtime.backup.offsets import Offsets
from runtime.ledger import copies
from runtime.ledger.consumers import SqlConsumerBook
from runtime.ledger.tables import places

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
