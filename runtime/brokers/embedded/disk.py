"""A disk that refuses writes: full, read-only, or failing for a while."""

import sqlite3
import time

import structlog

from contract.broker import BrokerUnavailable
from contract.metrics import Metrics

log = structlog.get_logger(__name__)

_QUIET_S = 30.0  # between two logged outages; chosen: a nearly full disk refuses every other write for hours
_FOR_A_WHILE = frozenset(
    (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
)


class DiskRefused(BrokerUnavailable):
    """The disk refused a write. The same write may succeed later."""


def translated(error: sqlite3.Error) -> BrokerUnavailable:
    """Returns `DiskRefused` if the same write may succeed later, else `BrokerUnavailable`."""
    primary = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF  # an extended code has more bits
    kind = DiskRefused if primary in _FOR_A_WHILE else BrokerUnavailable
    return kind(f"the database failed: {error}")


class DiskWatch:
    """Counts refused writes, and logs the start and the end of an outage."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._logged_at: float | None = None
        self._over = True

    def refused(self, why: DiskRefused) -> None:
        """Records that the disk refused a commit."""
        self._metrics.disk_refusals.inc()
        now = time.monotonic()
        if self._logged_at is None or now - self._logged_at >= _QUIET_S:
            log.warning("disk_refuses_writes", detail=str(why), hint="documents in progress wait for the disk")
            self._logged_at, self._over = now, False

    def wrote(self) -> None:
        """Records that the disk took a commit."""
        if not self._over:
            log.info("disk_takes_writes_again")
            self._over = True
