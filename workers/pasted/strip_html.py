"""Removes the tags of HTML that was pasted as text."""

import re
from collections.abc import Iterator

from lxml import etree

from workers.failures import Failed
from workers.page.tree import Element, parse
from workers.page.words import word_set
from workers.pasted.code_among_prose import CodeRun, Unmarked
from workers.pasted.repair import split_lines

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


def untag(text: str) -> Unmarked:
    """Returns HTML as plain text: a line a block, `- ` before list items, character references resolved.

    What the parser gives up on stays as it is.
    """
    try:
        root = parse(text)
    except Failed:
        return Unmarked(split_lines(text), [])
    lines, code = [""], []
    for piece, is_code in _pieces(root):
        first, *rest = split_lines(piece)
        if is_code:
            code.append(CodeRun(len(lines), len(lines) + 1 + len(rest), fenced=True))
            lines += [first, *rest, ""]
        else:
            lines[-1] += first
            lines += rest
    return Unmarked(lines, code)


def _pieces(root: Element) -> Iterator[tuple[str, bool]]:
    """Yields texts and line ends, and code as a whole; True with code."""
    unseen = 0
    walker = etree.iterwalk(root, events=("start", "end"))
    for event, element in walker:
        tag = element.tag
        starts = event == "start"
        if tag == "pre" and starts:
            walker.skip_subtree()
            if not unseen:
                yield "".join(map(str, element.itertext())).strip("\n"), True
            continue
        unseen += (1 if starts else -1) if tag in _UNSEEN else 0
        if tag in _BLOCKS or (tag == "br" and starts):
            yield ("\n- " if tag == "li" and starts else "\n"), False
        said = element.text if starts else element.tail
        if said and not unseen:
            yield _SPACE.sub(" ", said), False
