"""Removes the tags of HTML that was pasted as text."""

import re
from html.parser import HTMLParser

from workers.page.words import word_set

_MAX_CHARS = 500_000  # characters; a longer text stays as it is; chosen
_MIN_TAGS = 2  # of blocks; a text that talks about one tag is no HTML
_OPENS = re.compile(
    r"\s*<(?:!doctype|html|body|article|section|div|p|h[1-6]|ul|ol|table|blockquote)\b[^<>]*>", re.IGNORECASE
)
_BLOCK = re.compile(r"</(?:article|section|div|p|h[1-6]|ul|ol|li|table|blockquote)>", re.IGNORECASE)
_SPACE = re.compile(r"\s+")
_BLOCKS = word_set(
    """address article aside blockquote body dd div dl dt figure footer form h1 h2 h3 h4 h5 h6 header hr html li main
    nav ol p pre section table tbody td th thead tr ul"""
)
_UNSEEN = frozenset(("script", "style", "template", "title"))


def is_html(text: str) -> bool:
    """True if a text begins with a tag of HTML and closes two blocks at least."""
    if len(text) > _MAX_CHARS or not _OPENS.match(text):
        return False
    return sum(1 for _ in _BLOCK.finditer(text)) >= _MIN_TAGS


def untag(text: str) -> str:
    """Returns HTML as plain text: a line a block, `- ` before list items, character references resolved."""
    reader = _Reader()
    reader.feed(text)
    reader.close()
    return "".join(reader.pieces).strip()


class _Reader(HTMLParser):
    """Collects the text of a page."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self._unseen = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 - as the base has it
        self._unseen += tag in _UNSEEN
        if tag in _BLOCKS or tag == "br":
            self.pieces.append("\n- " if tag == "li" else "\n")

    def handle_endtag(self, tag: str) -> None:
        self._unseen -= tag in _UNSEEN and self._unseen > 0
        if tag in _BLOCKS:
            self.pieces.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self.pieces.append(_SPACE.sub(" ", data))
