"""Interprets status and headers of an HTTP answer. Pure: no network."""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from yarl import URL

from contract.reasons import Reason
from workers.failures import Failed
from workers.fetch.urls import checked_url

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_REASONS = {
    401: Reason.FORBIDDEN,
    402: Reason.PAYWALL,
    403: Reason.FORBIDDEN,
    404: Reason.NOT_FOUND,
    408: Reason.FETCH_TIMEOUT,
    410: Reason.GONE,
    425: Reason.RATE_LIMITED,
    429: Reason.RATE_LIMITED,
    451: Reason.FORBIDDEN,
}


def redirect_target(url: URL, status: int, headers: Mapping[str, str]) -> URL | None:
    """Returns the URL that a redirect from `url` names (RFC 9110 section 15.4), or None if it is no redirect.

    Raises:
        Failed: INVALID_URL, BLOCKED_ADDRESS; see `checked_url`.
    """
    location = headers.get("Location")
    if status not in _REDIRECTS or location is None:
        return None
    return checked_url(location, url)


def check_status(status: int, headers: Mapping[str, str], now: datetime) -> None:
    """Accepts 2xx.

    Raises:
        Failed: with the reason for this status, and the seconds that `Retry-After` asks for.
    """
    if 200 <= status < 300:  # noqa: PLR2004 - RFC 9110 section 15.3
        return
    reason = Reason.SERVER_ERROR if status >= 500 else _REASONS.get(status, Reason.HTTP_ERROR)  # noqa: PLR2004 - the same
    raise Failed(reason, f"HTTP status {status}", retry_after_s=retry_after_s(headers.get("Retry-After"), now))


def retry_after_s(value: str | None, now: datetime) -> float | None:
    """Returns the seconds that a `Retry-After` asks for (RFC 9110 section 10.2.3), or None if it cannot be read."""
    value = (value or "").strip()
    if value.isascii() and value.isdigit():
        return float(value)
    try:
        until = parsedate_to_datetime(value)
    except (ValueError, OverflowError):  # the latter from a year or a zone of many digits
        return None
    aware = until if until.tzinfo else until.replace(tzinfo=UTC)
    return max(0.0, (aware - now).total_seconds())
