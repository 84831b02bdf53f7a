"""Times as the database has them: whole milliseconds since 1970."""

from datetime import UTC, datetime


def milliseconds(at: datetime) -> int:
    """Returns an aware time as it is stored."""
    return round(at.timestamp() * 1000)


def maybe_milliseconds(at: datetime | None) -> int | None:
    """Returns a time that may be missing as it is stored."""
    return None if at is None else milliseconds(at)


def parsed_milliseconds(iso8601: str) -> int:
    """Returns a time, or the beginning of a day, as it is stored. The default zone is UTC.

    Raises:
        ValueError: the text is neither.
    """
    stated = datetime.fromisoformat(iso8601)
    return milliseconds(stated if stated.tzinfo else stated.replace(tzinfo=UTC))


def time_of(stored_ms: int) -> datetime:
    """Returns a stored time, in UTC."""
    return datetime.fromtimestamp(stored_ms / 1000, UTC)


def maybe_time_of(stored_ms: int | None) -> datetime | None:
    """Returns a stored time that may be missing, in UTC."""
    return None if stored_ms is None else time_of(stored_ms)
