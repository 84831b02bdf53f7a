"""Measures how long the log still keeps what its readers have not read, so that an alert comes before events are gone.

RabbitMQ tells neither the size of a stream nor what it will remove when. The age limit is known from the settings. The
size limit shows in the log itself: once it has removed something, and as much is written as before, an event is removed
as long after an older one as it was written after it.
"""

import asyncio
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from contract.broker import BrokerUnavailable, EventLog
from contract.labels import LogReader
from contract.metrics import Metrics
from contract.replays import ReplayState
from contract.streams import Stream, has_begun_to_remove, is_next
from runtime.ledger.database import translated
from runtime.ledger.tables import consumers, places, replays, webhooks
from service.replays.span import time_at

log = structlog.get_logger(__name__)

_TIMEOUT_S = 10.0  # of one measurement; chosen: at most six connections to RabbitMQ, one after the other

# How far each reader has come that is furthest behind of its kind. What is disabled or has ended reads nothing more.
_SLOWEST = {
    LogReader.LEDGER: select(func.min(places.c.place)).where(places.c.stream == Stream.LOG),
    LogReader.WEBHOOK: select(func.min(webhooks.c.place)).where(webhooks.c.enabled),
    LogReader.CONSUMER: select(func.min(consumers.c.place)),
    LogReader.REPLAY: select(func.min(replays.c.place)).where(replays.c.state == ReplayState.RUNNING),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpiryLimits:
    """`keep` is the age limit of the log, None without one.

    It is measured every `every_s`: chosen, as often as Prometheus usually asks.
    """

    keep: timedelta | None = None
    every_s: float = 15.0


@dataclass(frozen=True, slots=True)
class Extent:
    """What the log holds: the offsets of its ends, and the time of the oldest event if older ones were removed."""

    oldest: int
    newest: int
    since: datetime | None

    def left_s(self, at: datetime, now: datetime, keep: timedelta | None) -> float:
        """Returns the seconds until the event of time `at` is removed; infinite as far as is known."""
        by_age = math.inf if keep is None else (at + keep - now).total_seconds()
        by_size = math.inf if self.since is None else (at - self.since).total_seconds()
        return max(0.0, min(by_age, by_size))

    def has_removed(self, place: int) -> bool:
        """Returns True if what follows the offset `place` is gone, or the log was made anew.

        A reader at -1 begins with the oldest event that there is. In an empty log nothing can be missed any more.
        """
        if self.newest < self.oldest:
            return False
        return place > self.newest or (0 <= place < self.oldest and not is_next(self.oldest, place))


class Expiry:
    """Keeps the gauges `copydesk_log_left_seconds` and `copydesk_log_reach_seconds`."""

    def __init__(self, engine: AsyncEngine, event_log: EventLog, metrics: Metrics, limits: ExpiryLimits) -> None:
        self._engine = engine
        self._log = event_log
        self._metrics = metrics
        self._limits = limits
        self._times: dict[int, datetime] = {}  # of events, by offset, as this measurement looked them up
        self._former: dict[int, datetime] = {}  # and the one before: most are asked for again
        self._ends = (0, -1)
        self._is_known = True

    async def run(self) -> None:
        """Measures until it is cancelled.

        Raises:
            LedgerUnavailable: the database failed.
        """
        try:
            while True:
                await self.measure()
                await asyncio.sleep(self._limits.every_s)
        finally:
            self._show({}, 0.0)

    async def measure(self) -> None:
        """Measures once. The gauges stay as they are while the broker cannot be asked, or answers too late.

        Raises:
            LedgerUnavailable: the database failed.
        """
        self._former, self._times = self._times, {}
        try:
            async with asyncio.timeout(_TIMEOUT_S):
                slowest = await self._slowest()  # first: a reader cannot be before an end that is looked up later
                extent = await self._extent()
                now = datetime.now(UTC)
                reach_s = extent.left_s(now, now, self._limits.keep)
                left = {reader: await self._left_s(place, extent) for reader, place in slowest.items()}
        except (BrokerUnavailable, TimeoutError) as error:
            if self._is_known:  # the log of sessions says what is wrong with the broker
                log.info("log_extent_unknown", error=type(error).__name__)
            self._is_known = False
        else:
            self._is_known = True
            self._show(left, reach_s)

    async def _slowest(self) -> Mapping[LogReader, int]:
        with translated():
            async with self._engine.connect() as connection:
                found = {reader: (await connection.execute(wanted)).scalar() for reader, wanted in _SLOWEST.items()}
        return {reader: place for reader, place in found.items() if place is not None}

    async def _extent(self) -> Extent:
        oldest, newest = await self._log.log_bounds()
        if oldest != self._ends[0] or newest < self._ends[1]:
            self._former.clear()
        self._ends = (oldest, newest)
        since = await self._time_of(oldest) if has_begun_to_remove(oldest) and oldest <= newest else None
        return Extent(oldest, newest, since)

    async def _left_s(self, place: int, extent: Extent) -> float:
        if extent.has_removed(place):
            return 0.0
        now = datetime.now(UTC)
        at = now if place >= extent.newest else await self._time_of(place + 1)
        return extent.left_s(at, now, self._limits.keep)

    async def _time_of(self, offset: int) -> datetime:
        """Returns the time of the first event from this offset on."""
        at = self._times.get(offset) or self._former.get(offset) or await time_at(self._log, offset)
        self._times[offset] = at
        return at

    def _show(self, left: Mapping[LogReader, float], reach_s: float) -> None:
        self._metrics.log_left_seconds.clear()
        for reader, seconds in left.items():
            if math.isfinite(seconds):
                self._metrics.log_left_seconds.labels(reader).set(seconds)
        self._metrics.log_reach_seconds.set(reach_s if math.isfinite(reach_s) else 0.0)
