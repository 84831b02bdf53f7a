"""The beginning of a page, and the title in it. No parser runs here; in a child, `workers.page.head` reads heads.

Linear in the page's size.
"""

import html
import re
from typing import Final

from workers.decode import decode

HEAD_BYTES: Final = 16 * 1024
"""Where a page's title and what sends its reader on are looked for."""

_TITLE = re.compile(rb"<[tT][iI][tT][lL][eE](?:\s[^>]*)?>([^<]*)<")
_MAX_TITLE_BYTES = 1000  # chosen: titles that mean something here are shorter by far


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
