"""The body that trafilatura found, as plain text: paragraphs, `- item` lists, one line a table row."""

import re
from dataclasses import dataclass, field

from lxml.etree import _Element

from workers.metadata.words import bare

_BLOCKS = frozenset({"p", "head", "quote", "code", "table", "row", "cell", "list", "item", "div", "body"})
_SILENT = frozenset({"graphic"})
_SPACE = re.compile(r"\s+")
_BREAK = re.compile(r"\n\s*\n")
_BULLET = re.compile(r"^(?:[-*•·‣▪●○–—]\s+)+")
_HEAD = 3  # blocks: a kicker or a byline may stand before the headline
_PARAGRAPH, _ITEM, _ROW = "paragraph", "item", "row"


@dataclass(slots=True)
class _Writer:
    blocks: list[tuple[str, str]] = field(default_factory=list)
    pieces: list[str] = field(default_factory=list)

    def add(self, text: str | None, *, verbatim: bool) -> None:
        if text:
            self.pieces.append(text if verbatim else _SPACE.sub(" ", text))

    def flush(self, kind: str, *, verbatim: bool = False) -> None:
        whole, self.pieces = "".join(self.pieces), []
        if kind == _ITEM:
            whole = _SPACE.sub(" ", whole)
        for part in [whole] if verbatim else _BREAK.split(whole):
            lines = [line.rstrip() if verbatim else line.strip() for line in part.split("\n") if line.strip()]
            if lines:
                self.blocks.append((kind, "\n".join(lines)))


def render(body: _Element, title: str | None) -> str:
    """Returns the text below `body`: blocks with one blank line between them, items and rows on consecutive lines.

    A block among the first that only says the `title` again is left out.
    """
    blocks = _blocks(body)
    headline = [number for number, (_, text) in enumerate(blocks[:_HEAD]) if title and bare(text) == bare(title)]
    return _join([block for number, block in enumerate(blocks) if number not in headline])


def _join(blocks: list[tuple[str, str]]) -> str:
    text = ""
    previous = ""
    for kind, block in blocks:
        line = f"- {_BULLET.sub('', block)}" if kind == _ITEM else block
        gap = "\n" if kind == previous != _PARAGRAPH else "\n\n"
        text += gap + line if text else line
        previous = kind
    return text


def _blocks(element: _Element) -> list[tuple[str, str]]:
    writer = _Writer()
    _write(element, writer, _PARAGRAPH)
    writer.flush(_PARAGRAPH)
    return writer.blocks


def _write(element: _Element, writer: _Writer, kind: str) -> None:
    """Writes `element` without its tail; `kind` is that of the block around it."""
    if element.tag == "lb":
        writer.pieces.append("\n")
    elif element.tag == "row" and (line := _row(element)):
        writer.flush(kind)
        writer.blocks.append((_ROW, line))
    elif element.tag in _BLOCKS:
        _write_block(element, writer, kind)
    elif element.tag not in _SILENT:
        _write_content(element, writer, kind, verbatim=False)


def _write_block(element: _Element, writer: _Writer, kind: str) -> None:
    own = _ITEM if element.tag == "item" else kind
    verbatim = element.tag == "code"
    if kind == _ITEM and element.tag not in {"item", "list"}:
        writer.pieces.append(" ")  # a block within an item is part of its line
        _write_content(element, writer, kind, verbatim=False)
        writer.pieces.append(" ")
        return
    writer.flush(kind)
    _write_content(element, writer, own, verbatim=verbatim)
    writer.flush(own, verbatim=verbatim)


def _write_content(element: _Element, writer: _Writer, kind: str, *, verbatim: bool) -> None:
    writer.add(element.text, verbatim=verbatim)
    for child in element:
        _write(child, writer, kind)
        writer.add(child.tail, verbatim=verbatim)


def _row(row: _Element) -> str:
    """Returns the cells on one line, empty where they are a layout rather than a table: one cell, or paragraphs."""
    cells = [[text for _, text in _blocks(cell)] for cell in row]
    filled = [texts[0] for texts in cells if texts]
    if len(filled) < 2 or any(len(texts) > 1 or "\n" in texts[0] for texts in cells if texts):  # noqa: PLR2004 - a pair
        return ""
    return " | ".join(filled)
