"""`last=N` begins with the last N events that match."""

import pytest

from service import events
from service.events import EventQuery
from tests.service.memory_broker import MemoryBroker

FAILED, PROCESSED = "failed.gone.org.example", "processed.en.org.example"


async def first_offset_read(keys: list[str], last: int, *, first_offset: int = 0) -> int | None:
    broker = MemoryBroker()
    broker.first_offset = first_offset
    for key in keys:
        await broker.write(key, b"{}")
    return await EventQuery(None, ("failed.#",), last).begin(broker)


@pytest.mark.parametrize(
    ("keys", "last", "after"),
    [
        ([FAILED, PROCESSED, FAILED, PROCESSED, FAILED, PROCESSED, PROCESSED], 2, 1),
        ([PROCESSED, FAILED, PROCESSED], 5, 0),
        ([FAILED, PROCESSED], 1, -1),
        ([PROCESSED, PROCESSED], 3, 1),
        ([FAILED, FAILED], 0, 1),
        ([], 3, -1),
    ],
)
async def test_it_counts_what_matches(keys: list[str], last: int, after: int) -> None:
    assert await first_offset_read(keys, last) == after


async def test_it_looks_back_over_many_windows_of_a_log_that_has_lost_its_start() -> None:
    assert await first_offset_read([FAILED, *[PROCESSED] * 6_000, FAILED], 2, first_offset=500) == -1


async def test_matches_of_several_windows_are_counted_together() -> None:
    assert await first_offset_read([*[FAILED] * 3, *[PROCESSED] * 1_500, *[FAILED] * 2], 3) == 1


async def test_it_looks_back_only_so_far() -> None:
    assert await first_offset_read([FAILED, *[PROCESSED] * events._LOOK_BACK_EVENTS], 1) == events._LOOK_BACK_EVENTS
