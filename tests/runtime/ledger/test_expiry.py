"""How long the log keeps what its readers have not read, in both databases."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy.ext.asyncio import AsyncEngine
from structlog.testing import capture_logs

from contract.broker import BrokerUnavailable
from contract.consumers import Consumer
from contract.metrics import Metrics
from contract.replays import ReplayState
from contract.streams import Stream
from contract.timestamps import rfc3339
from runtime.ledger.consumers import SqlConsumerBook
from runtime.ledger.expiry import Expiry, ExpiryLimits, Extent
from runtime.ledger.replays import SqlReplays
from runtime.ledger.webhooks import SqlWebhookBook
from tests.brokers import samples
from tests.runtime.ledger.records import QUICK, Records, record_all, recording, until, until_read
from tests.runtime.ledger.test_replays import replay
from tests.runtime.ledger.test_webhooks import webhook

NOW = datetime.now(UTC)
DAY = timedelta(days=1)
HOUR_S = 3600.0


def hourly(count: int) -> Records:
    """Returns a log with an event of each of the last `count` hours: that at offset `count` - 1 is of now."""
    records = Records()
    write_hourly(records, count)
    return records


def write_hourly(records: Records, count: int) -> None:
    for number in range(count):
        at = rfc3339(NOW - timedelta(hours=count - 1 - number))
        records.decide(replace(samples.processed(samples.job()), time=at))


async def add_consumer(engine: AsyncEngine, offset: int, name: str = "archive") -> None:
    consumer = Consumer(owner="ann", name=name, offset=offset, created_at=NOW)
    assert await SqlConsumerBook(engine).add(consumer, at_most=9)


class Measured:
    """Measures again and again, and tells of hours."""

    def __init__(self, records: Records, engine: AsyncEngine, keep: timedelta | None = None) -> None:
        self.metrics = Metrics(CollectorRegistry())
        self._expiry = Expiry(engine, records, self.metrics, ExpiryLimits(keep=keep))

    async def left(self) -> dict[str, float]:
        await self._expiry.measure()
        return {reader: round(seconds / HOUR_S, 1) for reader, seconds in shown(self.metrics).items()}

    @property
    def reach(self) -> float:
        (sample,) = next(iter(self.metrics.log_reach_seconds.collect())).samples
        return round(sample.value / HOUR_S, 1)


def shown(metrics: Metrics) -> dict[str, float]:
    (family,) = metrics.log_left_seconds.collect()
    return {sample.labels["reader"]: sample.value for sample in family.samples}


async def test_the_slowest_reader_of_each_kind_has_as_long_as_the_log_keeps_its_next_event(engine: AsyncEngine) -> None:
    records = hourly(20)
    await record_all(records, engine)  # the ledger is at the end
    await SqlWebhookBook(engine).add(webhook(place=17), at_most=9)
    await SqlWebhookBook(engine).add(webhook(place=14), at_most=9)
    await SqlWebhookBook(engine).add(webhook(place=3, enabled=False), at_most=9)
    await add_consumer(engine, 9)
    await add_consumer(engine, 19, "quick")
    await SqlReplays(engine, engine).add(replay(place=4), at_most=9)
    await SqlReplays(engine, engine).add(replay(place=2, state=ReplayState.COMPLETED), at_most=9)
    measured = Measured(records, engine, DAY)
    assert await measured.left() == {"ledger": 24.0, "webhook": 20.0, "consumer": 15.0, "replay": 10.0}
    assert measured.reach == 24.0


async def test_once_the_log_removes_events_by_size_its_pace_counts(engine: AsyncEngine) -> None:
    records = hourly(20)
    await record_all(records, engine)
    await add_consumer(engine, 9)
    measured = Measured(records, engine)
    assert (await measured.left(), measured.reach) == ({}, 0.0)  # it has removed nothing, and has no limit of age
    records.truncate(Stream.LOG, 8)
    assert (await measured.left(), measured.reach) == ({"ledger": 11.0, "consumer": 2.0}, 11.0)
    records.truncate(Stream.LOG, 10)
    assert (await measured.left(), measured.reach) == ({"ledger": 9.0, "consumer": 0.0}, 9.0)


@pytest.mark.parametrize("place", [7, 25], ids=["removed", "the log was made anew"])
async def test_what_is_gone_leaves_no_time(engine: AsyncEngine, place: int) -> None:
    records = hourly(20)
    records.truncate(Stream.LOG, 10)
    await add_consumer(engine, place)
    assert await Measured(records, engine, DAY).left() == {"consumer": 0.0}


async def test_a_reader_that_begins_with_the_oldest_misses_nothing(engine: AsyncEngine) -> None:
    records = hourly(20)
    records.truncate(Stream.LOG, 10)
    await add_consumer(engine, -1)
    assert await Measured(records, engine, timedelta(hours=12)).left() == {"consumer": 0.0}  # the very next to go


async def test_an_offset_that_rabbitmq_has_skipped_is_no_removed_event(engine: AsyncEngine) -> None:
    records = hourly(20)
    records.truncate(Stream.LOG, 1)
    await add_consumer(engine, 0)
    measured = Measured(records, engine, DAY)
    assert (await measured.left(), measured.reach) == ({"consumer": 6.0}, 24.0)


async def test_times_are_looked_up_again_in_a_log_that_was_made_anew(engine: AsyncEngine) -> None:
    records = hourly(20)
    await add_consumer(engine, 3)
    measured = Measured(records, engine, DAY)
    assert await measured.left() == {"consumer": 9.0}
    records.make_anew(Stream.LOG)
    write_hourly(records, 10)
    assert await measured.left() == {"consumer": 19.0}


async def test_entries_that_are_no_events_are_passed_over(engine: AsyncEngine) -> None:
    records = Records()
    records.write(Stream.LOG, b"{}")
    records.decide(replace(samples.processed(samples.job()), time=rfc3339(NOW - timedelta(hours=4))))
    await add_consumer(engine, -1)
    assert await Measured(records, engine, DAY).left() == {"consumer": 20.0}


async def test_an_empty_log_has_all_its_time(engine: AsyncEngine) -> None:
    measured = Measured(Records(), engine, DAY)
    await add_consumer(engine, -1)
    assert (await measured.left(), measured.reach) == ({"consumer": 24.0}, 24.0)
    assert await SqlConsumerBook(engine).commit("ann", "archive", 7, NOW)  # the log was made anew since
    assert await measured.left() == {"consumer": 24.0}


async def test_what_was_measured_last_stays_while_the_broker_cannot_be_asked(engine: AsyncEngine) -> None:
    class Away(Records):
        away = False

        async def log_bounds(self) -> tuple[int, int]:
            if self.away:
                raise BrokerUnavailable("away")
            return await super().log_bounds()

    records = Away()
    await add_consumer(engine, -1)
    measured = Measured(records, engine, DAY)
    assert (await measured.left(), measured.reach) == ({"consumer": 24.0}, 24.0)
    records.away = True
    with capture_logs() as logs:
        for _ in range(2):
            assert (await measured.left(), measured.reach) == ({"consumer": 24.0}, 24.0)
    assert [entry["event"] for entry in logs] == ["log_extent_unknown"]
    records.away = False
    assert await SqlConsumerBook(engine).remove("ann", "archive")
    assert (await measured.left(), measured.reach) == ({}, 24.0)


async def test_it_is_measured_while_this_process_records(engine: AsyncEngine) -> None:
    records = hourly(3)
    limits = replace(QUICK, expiry=ExpiryLimits(keep=DAY, every_s=0.01))

    async def is_shown() -> bool:
        return round(shown(metrics).get("ledger", 0.0) / HOUR_S) == 24

    async with recording(records, engine, limits=limits) as metrics:
        await until_read(records, engine)
        await until(is_shown)
    assert shown(metrics) == {}


def test_the_limit_that_comes_first_counts() -> None:
    extent = Extent(oldest=10, newest=20, since=NOW - timedelta(hours=3))
    assert extent.left_s(NOW, NOW, DAY) == 3 * HOUR_S
    assert extent.left_s(NOW, NOW, timedelta(hours=2)) == 2 * HOUR_S
    assert extent.left_s(NOW - timedelta(hours=5), NOW, None) == 0.0
