"""The format of times in messages, events and answers."""

from datetime import UTC, datetime


def rfc3339(at: datetime) -> str:
    """Returns the aware time `at` as RFC 3339 in UTC with milliseconds, as `2026-01-31T08:15:00.000Z`."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def now() -> datetime:
    """Returns the current time, aware, in UTC."""
    return datetime.now(UTC)
