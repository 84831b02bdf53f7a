"""Writes the body's blocks as plain text: paragraphs, `- item` lists, one line a table row, code unchanged."""

import re
from collections.abc import Iterator, Sequence
from enum import Enum, auto
from typing import NamedTuple

from workers.draft import ArticleBlock
from workers.outputs.code import code_text
from workers.outputs.grid import lay_out
from workers.outputs.structure import LISTS, Node, structure_of
from workers.page.blocks import BlockKind

_BULLET = re.compile(r"^(?:[-*•·‣▪●○–—]\s+)+")
# Chosen by hand.
_MAX_ITEM = 400  # characters of a list item of several blocks that is written on one line, at most
_INDENT = "  "


class Rendered(NamedTuple):
    """A text, and the numbers of the lines whose spaces must stay: code, and items of inner lists."""

    text: str
    spaced: frozenset[int]


class _Form(Enum):
    PARAGRAPH = auto()
    ITEM = auto()
    ROW = auto()
    CODE = auto()


class _Piece(NamedTuple):
    form: _Form
    text: str
    depth: int = 0  # of lists around the list of an item


_CLOSE = frozenset({_Form.ITEM, _Form.ROW})  # no blank line between two of these


def render(blocks: Sequence[ArticleBlock]) -> Rendered:
    """Returns `blocks` with one blank line between them; items of a list and rows of a table on consecutive lines."""
    lines: list[str] = []
    spaced: set[int] = set()
    previous = None
    for piece in _pieces(structure_of(blocks).children, 0):
        if lines and not (piece.form is previous and previous in _CLOSE):
            lines.append("")
        begun = len(lines)
        lines += (_INDENT * piece.depth + piece.text).split("\n")
        if piece.form is _Form.CODE or piece.depth:
            spaced.update(range(begun, len(lines)))
        previous = piece.form
    return Rendered("\n".join(lines), frozenset(spaced))


def _pieces(children: Sequence[object], depth: int) -> Iterator[_Piece]:
    for child in children:
        if isinstance(child, ArticleBlock):
            yield _Piece(_Form.PARAGRAPH, child.text)
        elif isinstance(child, Node):
            yield from _of_node(child, depth)


def _of_node(node: Node, depth: int) -> Iterator[_Piece]:
    if node.tag == "pre":
        yield _Piece(_Form.CODE, code_text(node))
    elif node.tag == "table":
        yield from _rows(node)
    elif node.tag in LISTS:
        for item in node.children:
            yield from _item(item, depth) if isinstance(item, Node) else _pieces([item], depth)
    else:
        yield from _pieces(node.children, depth)


def _item(item: Node, depth: int) -> Iterator[_Piece]:
    """Yields a list item: on one line if it is short or a single block, otherwise as paragraphs."""
    own = [child for child in item.children if isinstance(child, ArticleBlock)]
    flat = [" ".join(block.text.split()) for block in own]
    is_line = all(block.kind is BlockKind.ITEM for block in own) and sum(map(len, flat)) <= _MAX_ITEM
    if own and (is_line or len(own) == 1):
        yield _Piece(_Form.ITEM, f"- {_BULLET.sub('', ' '.join(flat))}", depth)
        rest: Sequence[object] = [child for child in item.children if isinstance(child, Node)]
    else:
        rest = item.children
    for child in rest:
        if isinstance(child, Node) and child.tag in LISTS:
            yield from _of_node(child, depth + bool(own))
        else:
            yield from _pieces([child], depth)


def _rows(table: Node) -> Iterator[_Piece]:
    """Yields the rows of a table, each cell in its column, without empty cells at the end of a row."""
    for row in lay_out(table).rows:
        cells = [_cell(cell) for cell in row]
        while cells and not cells[-1]:
            cells.pop()
        yield _Piece(_Form.ROW, " | ".join(cells))


def _cell(cell: Node | None) -> str:
    if cell is None:
        return ""
    return " ".join(filter(None, map(_flat, cell.children)))


def _flat(child: object) -> str:
    """Returns a part of a cell on one line, with semicolons between the items of a list."""
    if isinstance(child, ArticleBlock):
        return " ".join(child.text.split())
    if not isinstance(child, Node):
        return ""
    return ("; " if child.tag in LISTS else " ").join(filter(None, map(_flat, child.children)))
