"""Drops what is too old, or too much: a few rows at a time, the oldest first."""

import time
from dataclasses import dataclass

from runtime.ledger.journal import Journal, Recorded

_ROWS_AT_ONCE = 200  # a transaction of some 50 ms
_ROUNDS = 25  # then what is new is recorded first
_EVERY_S = 60.0
_DAY_S = 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionLimits:
    """Rows are kept for `keep_days` days, as long as their events take no more than `keep_bytes` in the database."""

    keep_days: float = 30.0
    keep_bytes: int = 20_000_000_000


class Retention:
    """Decides when rows are dropped, and which."""

    def __init__(self, limits: RetentionLimits) -> None:
        self._limits = limits
        self._due = 0.0

    def is_due(self, kept: Recorded) -> bool:
        """Tells whether it is time to look for old rows, or there is too much."""
        return time.monotonic() >= self._due or kept.event_bytes > self._limits.keep_bytes

    async def sweep(self, journal: Journal) -> Recorded:
        """Drops what is over the limits, and returns what is left; with very much to drop, the next sweep goes on.

        Raises:
            Fenced: another recorder has taken over.
            LedgerUnavailable: the database failed.
        """
        before_ms = round((time.time() - self._limits.keep_days * _DAY_S) * 1000)
        for _ in range(_ROUNDS):
            kept = await journal.drop(_ROWS_AT_ONCE, before_ms=before_ms)
            if kept.event_bytes > self._limits.keep_bytes:
                kept = await journal.drop(_ROWS_AT_ONCE, before_ms=None)
            elif not kept.dropped:
                self._due = time.monotonic() + _EVERY_S
                break
        return kept
