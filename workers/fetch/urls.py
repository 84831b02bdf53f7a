"""Checks and normalises URLs before they are requested: http or https, a host, no credentials. Pure."""

import re

from yarl import URL

from contract.reasons import Reason
from contract.urls import UrlError, standard_url
from workers.failures import Failed

_AMP_CACHE = re.compile(r"/[a-z]/(s/)?(.+)")  # as /c/s/example.com/page, /v/ and /i/ alike
_GOOGLE = re.compile(r"www\.google\.[a-z.]{2,6}")
_AMP_VIEWER = re.compile(r"/amp/(s/)?([^/]+\.[^/]+/.*)")


def checked_url(url: str, base: URL | None = None) -> URL:
    """Returns `url`, relative to `base`, in its normal form, without its fragment.

    The parser is that of the HTTP API (`contract.urls`), and yarl does not change its result: the URL that is checked
    is the one that is requested.

    Raises:
        Failed: INVALID_URL; not absolute, not http or https, no host, or with a user name or password.
            BLOCKED_ADDRESS; an IPv6 address with a zone, which is on a link of this machine.
    """
    try:
        parsed = URL(standard_url(url, None if base is None else str(base)), encoded=True)
    except UrlError as error:
        reason = Reason.BLOCKED_ADDRESS if error.rule == "url_zone" else Reason.INVALID_URL
        raise Failed(reason, str(error)) from None
    except ValueError:  # from yarl
        raise Failed(Reason.INVALID_URL, "not a URL") from None
    return parsed.with_fragment(None) if parsed.raw_fragment else parsed


def publisher_url(url: URL) -> URL:
    """Returns the publisher's URL of a page if `url` is that of an AMP cache or viewer, otherwise `url`."""
    host = url.raw_host or ""
    if host.endswith(".cdn.ampproject.org"):
        match = _AMP_CACHE.fullmatch(url.raw_path)
    elif host.startswith("www.google.") and _GOOGLE.fullmatch(host):
        match = _AMP_VIEWER.fullmatch(url.raw_path)
    else:
        return url
    if match is None:
        return url
    query = f"?{url.raw_query_string}" if url.raw_query_string else ""
    return checked_url(f"{'https' if match[1] else 'http'}://{match[2]}{query}")
