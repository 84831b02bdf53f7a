"""A disk that takes no writes: full, mounted read-only, or failing for a while."""

import sqlite3
import time

import structlog

from contract.broker import BrokerUnavailable
from contract.metrics import Metrics

log = structlog.get_logger(__name__)

_QUIET_S = 30.0  # between two outages that are told: a disk that is nearly full takes some writes and refuses others
_FOR_A_WHILE = frozenset(
    (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
)


class DiskRefused(BrokerUnavailable):
    """The disk took nothing, and may take the same later."""


def translated(error: sqlite3.Error) -> BrokerUnavailable:
    """Returns what follows from `error`: that the same may work later, or that it will not."""
    primary = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF  # the rest of an extended code is detail
    kind = DiskRefused if primary in _FOR_A_WHILE else BrokerUnavailable
    return kind(f"the database failed: {error}")


class DiskWatch:
    """Counts what the disk refuses, and logs the begin and the end of it."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._told_at: float | None = None
        self._over = True

    def refused(self, why: DiskRefused) -> None:
        """Takes down that the disk refused a commit."""
        self._metrics.disk_refusals.inc()
        now = time.monotonic()
        if self._told_at is None or now - self._told_at >= _QUIET_S:
            log.warning("disk_refuses_writes", detail=str(why), hint="what is in hand waits until there is room")
            self._told_at, self._over = now, False

    def wrote(self) -> None:
        """Takes down that the disk took a commit."""
        if not self._over:
            log.info("disk_takes_writes_again")
            self._over = True
