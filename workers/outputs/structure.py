"""Puts an article's blocks into a small tree of quotes, lists, tables of data and code.

Text, Markdown and HTML are all written from it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from workers.draft import ArticleBlock
from workers.outputs.images import Image
from workers.page.blocks import BlockKind
from workers.page.data_tables import is_data_table
from workers.page.tree import Element

_PREFORMATTED, _ITEM = BlockKind.PREFORMATTED, BlockKind.ITEM  # read once: see `BlockKind`
_MAX_NESTED = 12  # nodes inside each other; deeper ones join the innermost. Chosen: six lists, readable in Markdown
LISTS = frozenset({"ul", "ol"})
_ITEMS = frozenset({"li"})
_CELLS = frozenset({"td", "th"})
_CODE = frozenset({"pre", "listing", "xmp"})
_PLAIN = {"menu": "ul", "listing": "pre", "xmp": "pre"}
_STRUCTURES = frozenset({"blockquote", "ul", "ol", "menu", "li", "table", "tr", "td", "th", *_CODE})

Leaf: TypeAlias = ArticleBlock | Image


@dataclass(slots=True)
class Node:
    """A node of the tree: its HTML tag, the element of the page that it stands for, and its children."""

    tag: str
    element: Element | None = None
    children: list["Node | Leaf"] = field(default_factory=list)

    def blocks(self) -> list[ArticleBlock]:
        """Returns all blocks within, in order."""
        found: list[ArticleBlock] = []
        for child in self.children:
            if isinstance(child, Node):
                found += child.blocks()
            elif isinstance(child, ArticleBlock):
                found.append(child)
        return found


class _Frame(NamedTuple):
    tag: str
    element: Element


class _Open(NamedTuple):
    frame: _Frame
    node: Node


def structure_of(blocks: Sequence[ArticleBlock], images: Iterable[tuple[int, Image]] = ()) -> Node:
    """Returns a `div` with the tree of `blocks` and `images`, each image before the block of its number."""
    builder = _Builder()
    begun = 0
    for place, image in images:
        builder.add_all(blocks[begun:place])
        begun = max(begun, place)
        builder.add(image)
    builder.add_all(blocks[begun:])
    return builder.root


class _Builder:
    def __init__(self) -> None:
        self.root = Node("div")
        self._open: list[_Open] = []
        self._paths: dict[Element, tuple[_Frame, ...]] = {}
        self._tables: dict[Element, bool] = {}

    def add_all(self, blocks: Iterable[ArticleBlock]) -> None:
        for block in blocks:
            self.add(block)

    def add(self, leaf: Leaf) -> None:
        path = self._path_of(leaf)
        shared = 0
        while shared < min(len(path), len(self._open)) and path[shared] == self._open[shared].frame:
            shared += 1
        del self._open[shared:]
        for frame in path[shared:]:
            node = Node(frame.tag, frame.element)
            self._holder(frame.tag).children.append(node)
            self._open.append(_Open(frame, node))
        self._holder("").children.append(leaf)

    def _holder(self, tag: str) -> Node:
        """Returns the parent of a new element: a list right inside a list belongs to the item before it."""
        innermost = self._open[-1].node if self._open else self.root
        if tag in LISTS and innermost.tag in LISTS and innermost.children:
            last = innermost.children[-1]
            return last if isinstance(last, Node) else innermost
        return innermost

    def _path_of(self, leaf: Leaf) -> tuple[_Frame, ...]:
        path = self._path(leaf.element)
        if isinstance(leaf, Image):
            return tuple(frame for frame in path if frame.tag != "pre")
        above = leaf.element.getparent()
        if leaf.kind is _ITEM and not any(frame.tag == "li" for frame in path):  # a list as Word writes it
            return (*path, _Frame("ul", leaf.element if above is None else above), _Frame("li", leaf.element))
        if leaf.kind is _PREFORMATTED and not any(frame.tag == "pre" for frame in path):  # rows of code
            table = next(leaf.element.iterancestors("table"), above)
            return (*path, _Frame("pre", leaf.element if table is None else table))
        return path

    def _path(self, element: Element) -> tuple[_Frame, ...]:
        """Returns the structures around `element`, itself included, outermost first."""
        new: list[Element] = []
        current: Element | None = element
        while current is not None and current not in self._paths:
            new.append(current)
            current = current.getparent()
        path = self._paths[current] if current is not None else ()
        for each in reversed(new):
            if each.tag in _STRUCTURES and len(path) < _MAX_NESTED:
                path = self._within(path, each)
            self._paths[each] = path
        return path

    def _within(self, path: tuple[_Frame, ...], element: Element) -> tuple[_Frame, ...]:
        tag = _PLAIN.get(element.tag, element.tag)
        if tag == "pre" and path and path[-1].tag == "pre":
            return path
        if tag == "table" and not self._is_data(element):
            return path
        if tag in {"tr", *_CELLS} and not (path and path[-1].tag == ("table" if tag == "tr" else "tr")):
            return path
        if tag == "li" and not (path and path[-1].tag in LISTS):
            above = element.getparent()
            path = (*path, _Frame("ul", element if above is None else above))
        return (*path, _Frame(tag, element))

    def _is_data(self, table: Element) -> bool:
        if table not in self._tables:
            self._tables[table] = is_data_table(table)
        return self._tables[table]
