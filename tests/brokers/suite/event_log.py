"""Reading the event log."""

import asyncio

from tests.brokers.suite.backend import Backend
from tests.brokers.suite.steps import decide_new, subjects, take


class EventLog:
    """The log, from its start, from an offset, and as it grows."""

    async def test_the_log_is_read_from_its_start_and_from_an_offset(self, backend: Backend) -> None:
        async with backend.broker() as broker:
            ids = await decide_new(broker, 4)
            whole = await take(broker, 4)
            rest = await take(broker, 2, after=whole[1].offset)
        assert subjects(whole) == ids
        assert rest == whole[2:]
        assert [entry.offset for entry in whole] == sorted({entry.offset for entry in whole})

    async def test_the_bounds_of_the_log_are_its_oldest_and_newest(self, backend: Backend) -> None:
        async with backend.broker() as broker:
            oldest, newest = await broker.log_bounds()
            assert newest < oldest
            await decide_new(broker, 3)
            entries = await take(broker, 3)
            assert await broker.log_bounds() == (entries[0].offset, entries[-1].offset)

    async def test_offsets_mean_the_same_after_reopening(self, backend: Backend) -> None:
        async with backend.broker() as broker:
            await decide_new(broker, 2)
            before = await take(broker, 2)
        async with backend.broker() as broker:
            (later,) = await decide_new(broker)
            after = await take(broker, 3)
            (new,) = await take(broker, 1, after=before[-1].offset)
        assert after[:2] == before
        assert subjects([new]) == [later]

    async def test_reading_goes_on_with_new_events(self, backend: Backend) -> None:
        async with backend.broker() as broker, asyncio.TaskGroup() as group:
            first = await decide_new(broker)
            reader = group.create_task(take(broker, 3))
            later = await decide_new(broker, 2)
            assert subjects(await reader) == first + later

    async def test_two_readers_each_see_everything(self, backend: Backend) -> None:
        async with backend.broker() as broker, asyncio.TaskGroup() as group:
            first = await decide_new(broker)
            readers = [group.create_task(take(broker, 3)) for _ in range(2)]
            later = await decide_new(broker, 2)
            assert [subjects(await reader) for reader in readers] == [first + later] * 2

    async def test_reading_from_now_leaves_out_earlier_events(self, backend: Backend) -> None:
        async with backend.broker() as broker, asyncio.TaskGroup() as group:
            old = await decide_new(broker, 2)
            reader, new = group.create_task(take(broker, 2, after=None)), []
            while not reader.done():  # when a reader has begun to follow cannot be seen from outside
                new += await decide_new(broker)
            begin, following = subjects(await reader)
        assert begin in new
        assert following == new[new.index(begin) + 1]
        assert begin not in old
