"""An article's blocks as a small tree of HTML: paragraphs, headings, lists, quotes, tables, images."""

from collections.abc import Collection, Iterable, Sequence
from itertools import groupby

from lxml.etree import Element, SubElement, _Element

from contract.options import Part
from workers.draft import ArticleBlock
from workers.outputs.allowed import allowed
from workers.outputs.images import Image
from workers.outputs.inline import fill, write_lines
from workers.page.blocks import BlockKind

# Chosen by hand, for Markdown that stays readable; not measured.
_MAX_NESTED = 6  # lists in lists; deeper ones are taken for the deepest
_BULLET = "- "
_CELLS = frozenset({"td", "th"})


def build(
    blocks: Sequence[ArticleBlock], images: Iterable[tuple[int, Image]], base: str | None, include: Collection[Part]
) -> _Element:
    """Returns a `div` with the article in it.

    Args:
        blocks: the article's, in order.
        images: each with the number of the block that it stands before.
        base: what relative URLs refer to.
        include: the parts that are wanted.
    """
    return _Builder(base, links=Part.LINKS in include).build(blocks, images)


def build_plain(text: str) -> _Element:
    """Returns a `div` with `text` in it: paragraphs between blank lines, and lists of `- item` lines."""
    body = Element("div")
    for paragraph in allowed(text).split("\n\n"):
        lines = paragraph.split("\n")
        if all(line.startswith(_BULLET) for line in lines):
            items = SubElement(body, "ul")
            for line in lines:
                SubElement(items, "li").text = line.removeprefix(_BULLET)
        else:
            write_lines(SubElement(body, "p"), paragraph)
    return body


class _Builder:
    def __init__(self, base: str | None, *, links: bool) -> None:
        self._base = base
        self._links = links
        self._body = Element("div")

    def build(self, blocks: Sequence[ArticleBlock], images: Iterable[tuple[int, Image]]) -> _Element:
        begun = 0
        for place, image in images:
            self._write(blocks[begun:place])
            begun = max(begun, place)
            SubElement(SubElement(self._body, "p"), "img", src=image.url, alt=image.alt)
        self._write(blocks[begun:])
        return self._body

    def _write(self, blocks: Sequence[ArticleBlock]) -> None:
        for kind, group in groupby(blocks, key=lambda block: block.kind):
            run = list(group)
            if kind is BlockKind.ITEM:
                self._write_list(run)
            elif kind is BlockKind.CELL:
                self._write_rows(run)
            elif kind is BlockKind.QUOTE:
                quote = SubElement(self._body, "blockquote")
                for block in run:
                    self._fill(SubElement(quote, "p"), block)
            else:
                for block in run:
                    self._write_one(block)

    def _write_one(self, block: ArticleBlock) -> None:
        if block.kind is BlockKind.PREFORMATTED:
            SubElement(SubElement(self._body, "pre"), "code").text = allowed(block.text)
        elif block.kind is BlockKind.HEADING:
            self._fill(SubElement(self._body, f"h{min(max(block.level, 1), 6)}"), block)
        else:
            self._fill(SubElement(self._body, "p"), block)

    def _write_list(self, blocks: Sequence[ArticleBlock]) -> None:
        lists: list[_Element] = []
        least = min(block.level for block in blocks)
        for _, group in groupby(blocks, key=lambda block: (block.line, id(block) if block.line < 0 else 0)):
            item = list(group)
            depth = min(item[0].level - least + 1, _MAX_NESTED, len(lists) + 1)
            del lists[depth:]
            tag = _list_tag(item[0])
            if len(lists) == depth and lists[-1].tag != tag:
                lists.pop()
            if len(lists) < depth:
                lists.append(SubElement(lists[-1][-1] if lists else self._body, tag))
            self._fill_together(SubElement(lists[-1], "li"), item)

    def _write_rows(self, blocks: Sequence[ArticleBlock]) -> None:
        rows = [_cells(list(group)) for _, group in groupby(blocks, key=lambda block: block.line)]
        for is_table, group in groupby(rows, key=lambda row: len(row) > 1):
            if not is_table:  # a layout, not a table
                for block in (block for row in group for cell in row for block in cell):
                    self._fill(SubElement(self._body, "p"), block)
                continue
            table = SubElement(self._body, "table")
            for row in group:
                line = SubElement(table, "tr")
                for cell in row:
                    self._fill_together(SubElement(line, _cell_tag(cell[0])), cell)

    def _fill_together(self, target: _Element, blocks: Sequence[ArticleBlock]) -> None:
        """Writes several blocks into one list item or cell, with a line break between two."""
        for number, block in enumerate(blocks):
            if number:
                SubElement(target, "br")
            self._fill(SubElement(target, "span"), block)

    def _fill(self, target: _Element, block: ArticleBlock) -> None:
        fill(target, block, self._base, links=self._links)


def _list_tag(block: ArticleBlock) -> str:
    above = next(block.element.iterancestors("ul", "ol", "menu"), None)
    return "ol" if above is not None and above.tag == "ol" else "ul"


def _cells(blocks: Sequence[ArticleBlock]) -> list[list[ArticleBlock]]:
    return [list(group) for _, group in groupby(blocks, key=_cell)]


def _cell(block: ArticleBlock) -> _Element:
    element: _Element = block.element
    if element.tag in _CELLS:
        return element
    return next(element.iterancestors("td", "th"), element)


def _cell_tag(block: ArticleBlock) -> str:
    return "th" if _cell(block).tag == "th" else "td"
