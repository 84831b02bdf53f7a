"""Entries that wait to be written: how many are taken at once, and how long the recorder waits for more."""

import asyncio

from contract.streams import Stream
from runtime.ledger.batch import FactBatch, StreamPosition
from runtime.ledger.inbox import Arrived, End, Inbox, Linger

FOR_EVER_S = 3600.0  # a wait for it would not end


def reading(entries: int = 1, size: int = 10) -> FactBatch:
    return FactBatch(Stream.LOG, (), StreamPosition(0, b""), entries, 0, size)


async def take(
    inbox: Inbox, *, entries: int = 10, linger_s: float = FOR_EVER_S, many: int = 1_000_000
) -> list[Arrived]:
    linger = Linger(short_s=linger_s, long_s=FOR_EVER_S, many=many)
    return await inbox.take(entries=entries, max_bytes=1000, timeout_s=FOR_EVER_S, linger=linger)


async def test_entries_that_arrive_during_the_wait_are_taken_too() -> None:
    inbox = Inbox(10_000)
    async with asyncio.TaskGroup() as group:
        taking = group.create_task(take(inbox, entries=3))
        for _ in range(3):
            await inbox.put(reading())
            await asyncio.sleep(0)
    assert len(taking.result()) == 3


async def test_a_little_is_taken_when_nothing_more_comes() -> None:
    inbox = Inbox(10_000)
    await inbox.put(reading())
    assert len(await take(inbox, linger_s=0.01)) == 1


async def test_the_wait_is_longer_if_many_entries_arrive() -> None:
    inbox = Inbox(10_000)
    await inbox.put(reading(entries=4))
    async with asyncio.TaskGroup() as group:
        taking = group.create_task(take(inbox, entries=5, linger_s=0.01, many=4))
        await asyncio.wait([taking], timeout=0.1)
        assert not taking.done()
        await inbox.put(reading())
    assert len(taking.result()) == 2


async def test_the_wait_ends_with_a_full_batch() -> None:
    for full in (reading(entries=10), reading(size=1000)):
        inbox = Inbox(10_000)
        await inbox.put(full)
        assert await take(inbox) == [full]


async def test_an_entry_that_fills_the_inbox_is_taken_at_once() -> None:
    inbox = Inbox(100)
    await inbox.put(reading(size=500))
    assert len(await take(inbox)) == 1


async def test_the_end_is_not_waited_for() -> None:
    inbox = Inbox(10_000)
    end = End(Stream.LOG, 1.0)
    await inbox.put(end)
    assert await take(inbox) == [end]
