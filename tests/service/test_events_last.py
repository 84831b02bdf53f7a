"""`last=N` begins with the last N events that match."""

import pytest

from contract.filters import Filter
from service.events import start
from service.events.start import Start
from service.events.stream_filter import DecodedEvents, StreamFilter
from tests.service.memory_broker import MemoryBroker

FAILED, PROCESSED = "failed.gone.org.example", "processed.en.org.example"


async def first_offset_read(keys: list[str], last: int, *, first_offset: int = 0) -> int | None:
    broker = MemoryBroker()
    broker.first_offset = first_offset
    for key in keys:
        await broker.write(key, b"{}")
    return (await Start(last=last).span(broker, StreamFilter(DecodedEvents(), ("failed.#",)))).after


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
    assert await first_offset_read([FAILED, *[PROCESSED] * start._LOOK_BACK_EVENTS], 1) == start._LOOK_BACK_EVENTS


async def test_matches_of_the_filter_are_counted() -> None:
    broker, english = MemoryBroker(), Filter.parse("language = en")
    for language in ("en", "en", "de", "en", "de"):
        await broker.write(PROCESSED, b'{"data":{"language":"%b"}}' % language.encode())
    assert (await Start(last=2).span(broker, StreamFilter(DecodedEvents(), filter=english))).after == 0
    assert (await Start(last=1).span(broker, StreamFilter(DecodedEvents(), filter=english))).after == 2
