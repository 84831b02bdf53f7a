"""Pages that redirect by a `Refresh` header or a `<meta http-equiv=refresh>` (WHATWG HTML, 15.4.2.5)."""

import html
from collections.abc import Mapping

from w3lib.html import get_meta_refresh
from yarl import URL

from workers.decode import decode
from workers.fetch.page_head import HEAD_BYTES
from workers.fetch.urls import checked_url

_MAX_DELAY_S = 5.0  # chosen: a redirect leaves time to read a line; a longer delay means "reload this page"
_MAX_HEADER_CHARS = 4096  # twice the longest URL that is accepted


def header_target(url: URL, headers: Mapping[str, str]) -> URL | None:
    """Returns the URL that a `Refresh` header of `url` names, None if there is none or it names `url` itself.

    Raises:
        Failed: INVALID_URL, BLOCKED_ADDRESS; see `checked_url`.
    """
    value = headers.get("Refresh")
    if value is None:
        return None
    content = html.escape(value[:_MAX_HEADER_CHARS].replace('"', "'"), quote=False)
    return _target(url, f'<meta http-equiv="refresh" content="{content}">')


def page_target(url: URL, body: bytes, charset: str | None) -> URL | None:
    """Returns the URL that the refresh element of a page names, None if there is none or it names `url` itself.

    Raises:
        Failed: INVALID_URL, BLOCKED_ADDRESS; see `checked_url`.
    """
    head = body[:HEAD_BYTES]
    return _target(url, decode(head, charset).text) if b"refresh" in head.lower() else None


def _target(url: URL, markup: str) -> URL | None:
    delay_s, target = get_meta_refresh(markup, str(url))
    if delay_s is None or target is None or delay_s > _MAX_DELAY_S or not target.startswith(("http:", "https:")):
        return None
    found = checked_url(target)
    return None if found == url else found
