"""What an HTTP answer means for a document. Pure: no network."""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from yarl import URL

from contract.reasons import Reason
from workers.failures import Failed

MEDIA_TYPES = frozenset({"text/html", "application/xhtml+xml", "text/plain", "text/markdown"})

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_REASONS = {
    401: Reason.FORBIDDEN,
    403: Reason.FORBIDDEN,
    404: Reason.NOT_FOUND,
    408: Reason.FETCH_TIMEOUT,
    410: Reason.GONE,
    425: Reason.RATE_LIMITED,
    429: Reason.RATE_LIMITED,
    451: Reason.FORBIDDEN,
}
_HTML_STARTS = (b"<!doctype html", b"<html", b"<head", b"<body", b"<!--", b"<title", b"<meta", b"<h1", b"<p>", b"<div")
_SPACE = b" \t\r\n\x0c"
_SHOWN_CHARS = 100


def checked_url(url: str) -> URL:
    """Returns `url` without its fragment.

    Raises:
        Failed: INVALID_URL; not absolute, not http or https, or with a user name or password.
    """
    parsed = _joined(URL(), url).with_fragment(None)
    if parsed.scheme not in {"http", "https"} or not parsed.raw_host:
        raise Failed(Reason.INVALID_URL, "not an http or https URL with a host")
    if parsed.raw_user is not None or parsed.raw_password is not None:
        raise Failed(Reason.INVALID_URL, "a URL with a user name or password")
    return parsed


def redirect_target(url: URL, status: int, headers: Mapping[str, str]) -> URL | None:
    """Returns where an answer from `url` sends its reader (RFC 9110 section 15.4), or None if it does not.

    Raises:
        Failed: INVALID_URL; see `checked_url`.
    """
    location = headers.get("Location")
    if status not in _REDIRECTS or location is None:
        return None
    return checked_url(str(_joined(url, location)))


def check_status(status: int, headers: Mapping[str, str], now: datetime) -> None:
    """Passes 2xx.

    Raises:
        Failed: with the reason for this status, and with what `Retry-After` asks for where another try makes sense.
    """
    if 200 <= status < 300:  # noqa: PLR2004 - RFC 9110 section 15.3
        return
    reason = Reason.SERVER_ERROR if status >= 500 else _REASONS.get(status, Reason.HTTP_ERROR)  # noqa: PLR2004 - the same
    raise Failed(reason, f"HTTP status {status}", retry_after_s=retry_after_s(headers.get("Retry-After"), now))


def retry_after_s(value: str | None, now: datetime) -> float | None:
    """Returns the seconds that a `Retry-After` asks for (RFC 9110 section 10.2.3), or None if it makes no sense."""
    value = (value or "").strip()
    if value.isascii() and value.isdigit():
        return float(value)
    try:
        until = parsedate_to_datetime(value)
    except (ValueError, OverflowError):  # the latter from a year or a zone of many digits
        return None
    aware = until if until.tzinfo else until.replace(tzinfo=UTC)
    return max(0.0, (aware - now).total_seconds())


def declared_media_type(headers: Mapping[str, str]) -> str | None:
    """Returns the media type of `Content-Type`, lower-case and without parameters, or None where there is none.

    Raises:
        Failed: UNSUPPORTED_MEDIA_TYPE; it is not one that holds an article.
    """
    media_type = headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if media_type and media_type not in MEDIA_TYPES:
        raise Failed(Reason.UNSUPPORTED_MEDIA_TYPE, media_type[:_SHOWN_CHARS])
    return media_type or None


def sniffed_media_type(body: bytes) -> str:
    """Returns text/html for a body that starts as HTML does; after the WHATWG's MIME Sniffing, section 7.1.

    Raises:
        Failed: UNSUPPORTED_MEDIA_TYPE; it does not.
    """
    start = body[:1000].removeprefix(b"\xef\xbb\xbf").lstrip(_SPACE).lower()
    if not start.startswith(_HTML_STARTS):
        raise Failed(Reason.UNSUPPORTED_MEDIA_TYPE, "none given, and the body is not HTML")
    return "text/html"


def _joined(base: URL, reference: str) -> URL:
    try:
        return base.join(URL(reference))
    except (ValueError, IndexError):  # yarl raises the latter on `//[]@`
        raise Failed(Reason.INVALID_URL, "not a URL") from None
