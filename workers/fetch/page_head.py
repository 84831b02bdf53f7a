"""What a page says at its beginning: its title, and where else it sends its reader. Linear in the page's size."""

import html
from dataclasses import dataclass
from typing import Self

from w3lib.html import get_meta_refresh
from yarl import URL

from workers.decode import decode
from workers.fetch.urls import checked_url

_HEAD_BYTES = 16 * 1024
_MAX_TITLE_BYTES = 1000
_MAX_REFRESH_S = 5.0  # a longer wait means: look again later


@dataclass(frozen=True, slots=True)
class Head:
    """The beginning of a page, and the same in small letters."""

    content: bytes
    lower: bytes

    @classmethod
    def of(cls, body: bytes) -> Self:
        """Returns the beginning of `body`."""
        content = body[:_HEAD_BYTES]
        return cls(content, content.lower())


def refresh_target(url: URL, head: Head, charset: str | None) -> URL | None:
    """Returns where a `<meta http-equiv=refresh>` sends who reads `url`, None where it does not or only to itself.

    Raises:
        Failed: INVALID_URL, BLOCKED_ADDRESS; see `checked_url`.
    """
    if b"refresh" not in head.lower:
        return None
    delay_s, target = get_meta_refresh(decode(head.content, charset).text, str(url))
    if delay_s is None or target is None or delay_s > _MAX_REFRESH_S or not target.startswith(("http:", "https:")):
        return None
    found = checked_url(target)
    return None if found == url else found


def title_of(head: Head, charset: str | None) -> str:
    """Returns the page's title in one line, empty where there is none at the beginning."""
    lower = head.lower
    opened = lower.find(b">", lower.find(b"<title")) + 1 if b"<title" in lower else 0
    end = lower.find(b"</title", opened)
    if not opened or end < 0:
        return ""
    title = head.content[opened : min(end, opened + _MAX_TITLE_BYTES)]
    try:
        text = title.decode()
    except UnicodeDecodeError:
        text = decode(title, charset).text
    return " ".join(html.unescape(text).split())
