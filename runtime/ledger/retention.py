"""Deletes the oldest rows beyond the limits of age and size, a few at a time."""

import time
from dataclasses import dataclass

from runtime.ledger.journal import Journal, Recorded

_ROWS_AT_ONCE = 200  # chosen: a transaction takes about 50 ms
_ROUNDS = 25  # chosen: after this many transactions new entries are recorded first
_EVERY_S = 60.0  # chosen: rows live for days, so a minute more does not matter
_DAY_S = 86_400.0  # seconds in a day


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionLimits:
    """Rows are kept for `keep_days` days. The oldest go earlier if events take more than `keep_bytes`."""

    keep_days: float = 30.0
    keep_bytes: int = 20_000_000_000


class Retention:
    """Decides when to delete rows, and which."""

    def __init__(self, limits: RetentionLimits) -> None:
        self._limits = limits
        self._due = 0.0

    def is_due(self, kept: Recorded) -> bool:
        """Returns True if it is time to look for old rows, or the events are too large."""
        return time.monotonic() >= self._due or kept.event_bytes > self._limits.keep_bytes

    async def sweep(self, journal: Journal) -> Recorded:
        """Deletes rows beyond the limits, at most a number of rounds, and returns what is left.

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
