"""Makes a small tree of HTML of an article's blocks: paragraphs, headings, lists, quotes, tables, code, images."""

from collections.abc import Collection, Iterable, Sequence
from itertools import groupby

from lxml.etree import Element, SubElement, _Element

from contract.options import Part
from workers.draft import ArticleBlock
from workers.outputs.allowed import allowed
from workers.outputs.code import code_language, code_text
from workers.outputs.grid import span
from workers.outputs.images import Image
from workers.outputs.inline import fill, write_lines
from workers.outputs.structure import LISTS, Leaf, Node, structure_of
from workers.page.blocks import BlockKind

_BULLET = "- "
_CELLS = frozenset({"td", "th"})
_MAX_SPANS = {"colspan": 1000, "rowspan": 65534}  # HTML, 4.9.11
_MAX_START_DIGITS = 9  # of a list's first number: CommonMark 0.31.2, section 5.2
_INLINE_KINDS = frozenset({BlockKind.ITEM, BlockKind.CELL, BlockKind.PARAGRAPH, BlockKind.QUOTE, BlockKind.CAPTION})


def build(
    blocks: Sequence[ArticleBlock], images: Iterable[tuple[int, Image]], base: str | None, include: Collection[Part]
) -> _Element:
    """Returns a `div` with the article in it.

    Args:
        blocks: of the article, in order.
        images: each with the number of the block that follows it.
        base: of relative URLs.
        include: the requested parts.
    """
    body = Element("div")
    _Builder(base, links=Part.LINKS in include).write_flow(body, structure_of(blocks, images).children)
    return body


def build_plain(text: str, code: Collection[int] = ()) -> _Element:
    """Returns a `div` with `text` in it: paragraphs between blank lines, lists of `- item` lines, and code.

    `code` has the numbers of the lines of `text` that are code.
    """
    body = Element("div")
    for is_code, group in groupby(enumerate(text.split("\n")), key=lambda line: line[0] in code):
        part = allowed("\n".join(line for _, line in group)).strip("\n")
        if is_code:
            SubElement(SubElement(body, "pre"), "code").text = part
        elif part:
            _write_paragraphs(body, part)
    return body


def _write_paragraphs(body: _Element, text: str) -> None:
    for paragraph in text.split("\n\n"):
        lines = paragraph.split("\n")
        if all(line.startswith(_BULLET) for line in lines):
            items = SubElement(body, "ul")
            for line in lines:
                SubElement(items, "li").text = line.removeprefix(_BULLET)
        else:
            write_lines(SubElement(body, "p"), paragraph)


class _Builder:
    def __init__(self, base: str | None, *, links: bool) -> None:
        self._base = base
        self._links = links

    def write_flow(self, target: _Element, children: Iterable[Node | Leaf]) -> None:
        """Writes `children` one below the other."""
        for child in children:
            if isinstance(child, Node):
                self._write_node(target, child)
            else:
                self._write_leaf(target, child)

    def _write_node(self, target: _Element, node: Node) -> None:
        if node.tag in LISTS:
            self._write_list(target, node)
        elif node.tag == "table":
            self._write_table(target, node)
        elif node.tag == "pre":
            _write_code(target, node)
        elif node.tag == "blockquote":
            self.write_flow(SubElement(target, "blockquote"), node.children)
        else:
            self.write_flow(target, node.children)

    def _write_leaf(self, target: _Element, leaf: Leaf) -> None:
        if isinstance(leaf, Image):
            _write_image(SubElement(target, "p"), leaf)
        elif leaf.kind is BlockKind.HEADING:
            self._fill(SubElement(target, f"h{min(max(leaf.level, 1), 6)}"), leaf)
        else:
            self._fill(SubElement(target, "p"), leaf)

    def _write_list(self, target: _Element, node: Node) -> None:
        written = SubElement(target, node.tag)
        if node.tag == "ol" and (start := _start(node)) != 1:
            written.set("start", str(start))
        for item in node.children:
            self._write_together(SubElement(written, "li"), item.children if isinstance(item, Node) else [item])

    def _write_table(self, target: _Element, node: Node) -> None:
        table = SubElement(target, "table")
        for row in _rows(node):
            line = SubElement(table, "tr")
            for cell in row.children:
                if isinstance(cell, Node):
                    self._write_cell(line, cell)

    def _write_cell(self, line: _Element, cell: Node) -> None:
        written = SubElement(line, cell.tag)
        if cell.element is not None:
            for name, most in _MAX_SPANS.items():
                count = min(span(cell.element, name), most)
                if count > 1:
                    written.set(name, str(count))
        self._write_together(written, cell.children)

    def _write_together(self, target: _Element, children: Sequence[Node | Leaf]) -> None:
        """Writes the children of an item or cell: first lines of text with a line break between two, then the rest."""
        begun = 0
        while begun < len(children) and _is_line(children[begun]):
            if begun:
                SubElement(target, "br")
            self._write_inline(SubElement(target, "span"), children[begun])
            begun += 1
        self.write_flow(target, children[begun:])

    def _write_inline(self, target: _Element, child: Node | Leaf) -> None:
        if isinstance(child, Image):
            _write_image(target, child)
        elif isinstance(child, ArticleBlock):
            self._fill(target, child)

    def _fill(self, target: _Element, block: ArticleBlock) -> None:
        fill(target, block, self._base, links=self._links)


def _is_line(child: Node | Leaf) -> bool:
    return isinstance(child, Image) or (isinstance(child, ArticleBlock) and child.kind in _INLINE_KINDS)


def _write_image(target: _Element, image: Image) -> None:
    SubElement(target, "img", src=image.url, alt=image.alt)


def _write_code(target: _Element, node: Node) -> None:
    code = SubElement(SubElement(target, "pre"), "code")
    code.text = allowed(code_text(node))
    if language := code_language(node):
        code.set("class", f"language-{language}")


def _start(node: Node) -> int:
    """Returns the number of an ordered list's first item (HTML, 4.4.5)."""
    given = (node.element.get("start") or "").strip() if node.element is not None else ""
    is_number = given.isascii() and given.isdigit() and len(given) <= _MAX_START_DIGITS
    return int(given) if is_number else 1


def _rows(table: Node) -> Iterable[Node]:
    """Yields the rows of a table from the first to the last with content, with their empty cells."""
    filled = {row.element: row for row in table.children if isinstance(row, Node)}
    cells = {cell.element: cell for row in filled.values() for cell in row.children if isinstance(cell, Node)}
    rows = list(table.element.iter("tr")) if table.element is not None else []
    held = [number for number, row in enumerate(rows) if row in filled]
    for row in rows[held[0] : held[-1] + 1] if held else []:
        yield Node("tr", row, [cells.get(cell) or Node(cell.tag, cell) for cell in row if cell.tag in _CELLS])
