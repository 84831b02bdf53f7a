"""Finds the title at the beginning of a page, without a parser and in linear time.

In parser children, `workers.page.head` reads the whole head.
"""

import html
import re
from typing import Final

from workers.decode import decode

HEAD_BYTES: Final = 16 * 1024
"""The beginning of a page, in which its title and a refresh are looked for; chosen."""

_TITLE = re.compile(rb"<[tT][iI][tT][lL][eE](?:\s[^>]*)?>([^<]*)<")
_MAX_TITLE_BYTES = 1000  # chosen: the titles of walls are much shorter


def title_of(body: bytes, charset: str | None) -> str:
    """Returns the page's title in one line, empty if there is none at the beginning."""
    found = _TITLE.search(body, 0, HEAD_BYTES)
    if found is None:
        return ""
    title = found[1][:_MAX_TITLE_BYTES]
    try:
        text = title.decode()
    except UnicodeDecodeError:
        text = decode(title, charset).text
    return " ".join(html.unescape(text).split())
