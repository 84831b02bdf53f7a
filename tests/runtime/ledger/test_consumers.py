"""Named consumers, in both databases."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncEngine

from contract.consumers import Consumer
from runtime.ledger import schema
from runtime.ledger.consumers import SqlConsumerBook

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
LATER = NOW + timedelta(seconds=5)
ARCHIVE = Consumer(owner="ann", name="archive", offset=-1, created_at=NOW)


async def test_a_consumer_comes_back_as_it_was_stored_to_its_owner_alone(engine: AsyncEngine) -> None:
    book = SqlConsumerBook(engine)
    others = replace(ARCHIVE, owner="bob", offset=7)
    assert await book.add(ARCHIVE, at_most=1)
    assert await book.add(others, at_most=1)
    assert await book.consumer("ann", "archive") == ARCHIVE
    assert await book.consumers("bob") == [others]
    assert await book.consumer("ann", "other") is None


async def test_the_one_that_is_there_stays(engine: AsyncEngine) -> None:
    book = SqlConsumerBook(engine)
    again = replace(ARCHIVE, offset=99)
    assert await asyncio.gather(*(book.add(one, at_most=1) for one in (ARCHIVE, again))) == [True, True]
    assert await book.consumers("ann") in ([ARCHIVE], [again])


async def test_an_owner_has_so_many_at_most(engine: AsyncEngine) -> None:
    book = SqlConsumerBook(engine)
    names = ["a", "b", "c"]
    added = [await book.add(replace(ARCHIVE, name=name), at_most=2) for name in names]
    assert added == [True, True, False]
    assert [one.name for one in await book.consumers("ann")] == ["a", "b"]


async def test_an_offset_moves_forward_and_never_back(engine: AsyncEngine) -> None:
    book = SqlConsumerBook(engine)
    await book.add(ARCHIVE, at_most=1)
    moved = await book.commit("ann", "archive", 10, NOW)
    assert moved == replace(ARCHIVE, offset=10, committed_at=NOW)
    assert await book.commit("ann", "archive", 9, LATER) == moved
    assert await book.commit("ann", "archive", 10, LATER) == moved
    assert await book.commit("ann", "archive", 11, LATER) == replace(ARCHIVE, offset=11, committed_at=LATER)
    assert await book.commit("bob", "archive", 12, LATER) is None


async def test_the_latest_connection_holds_it(engine: AsyncEngine) -> None:
    book = SqlConsumerBook(engine)
    await book.add(ARCHIVE, at_most=1)
    assert await book.holder("ann", "archive") is None
    assert await book.take("ann", "archive", "first")
    assert await book.take("ann", "archive", "second")
    assert await book.holder("ann", "archive") == "second"
    assert not await book.take("bob", "archive", "third")


async def test_a_removed_one_is_gone(engine: AsyncEngine) -> None:
    book = SqlConsumerBook(engine)
    await book.add(ARCHIVE, at_most=1)
    assert not await book.remove("bob", "archive")
    assert await book.remove("ann", "archive")
    assert not await book.remove("ann", "archive")
    assert await book.consumer("ann", "archive") is None
    assert await book.holder("ann", "archive") is None


async def test_rebuilding_the_ledger_keeps_consumers(engine: AsyncEngine) -> None:
    book = SqlConsumerBook(engine)
    await book.add(ARCHIVE, at_most=1)
    await schema.clear(engine)
    assert await book.consumers("ann") == [ARCHIVE]
