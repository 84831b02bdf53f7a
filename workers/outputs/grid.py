"""Lays out a table: finds the column of each cell, with cells that span several rows or columns."""

from collections.abc import Sequence
from dataclasses import dataclass

from workers.outputs.structure import Node
from workers.page.tree import Element

_CELLS = frozenset({"td", "th"})
_MAX_COLUMNS = 200  # chosen: a bound on work; nobody reads wider tables


@dataclass(frozen=True, slots=True)
class Grid:
    """The rows of a table, each with the nodes of its cells by column, None for no cell. Empty rows and columns go."""

    rows: list[list[Node | None]]


def lay_out(table: Node) -> Grid:
    """Returns the cells of `table` where a browser shows them."""
    filled = _filled(table)
    elements = [[cell for cell in row if cell.tag in _CELLS] for row in _rows(table)]
    columns = place_cells(elements)
    rows = [{columns[cell]: filled[cell] for cell in row if cell in filled and cell in columns} for row in elements]
    used = sorted({column for row in rows for column in row})
    return Grid([[row.get(column) for column in used] for row in rows if row])


def place_cells(rows: Sequence[Sequence[Element]]) -> dict[Element, int]:
    """Returns the column of each cell by the layout of HTML, 4.9.12. Cells beyond `_MAX_COLUMNS` have none."""
    columns: dict[Element, int] = {}
    taken: dict[int, int] = {}  # by column: the number of further rows that a cell above spans
    for cells in rows:
        beside = dict(taken)
        taken = {column: count - 1 for column, count in taken.items() if count > 1}
        column = 0
        for cell in cells:
            while column in beside:
                column += 1
            if column >= _MAX_COLUMNS:
                break
            columns[cell] = column
            width = min(span(cell, "colspan"), _MAX_COLUMNS - column)
            if (height := span(cell, "rowspan")) > 1:
                taken.update(dict.fromkeys(range(column, column + width), height - 1))
            column += width
    return columns


def _rows(table: Node) -> list[Element]:
    return list(table.element.iter("tr")) if table.element is not None else []


def _filled(table: Node) -> dict[Element, Node]:
    """Returns the cells with content."""
    return {
        cell.element: cell
        for row in table.children
        if isinstance(row, Node)
        for cell in row.children
        if isinstance(cell, Node) and cell.element is not None
    }


def span(cell: Element, name: str) -> int:
    """Returns how many rows or columns a cell spans, at least one; a `rowspan` of 0 spans all further rows."""
    value = (cell.get(name) or "").strip()
    if not (value.isascii() and value.isdigit()):
        return 1
    number = int(value[:5])
    return number or (65534 if name == "rowspan" else 1)  # the most that HTML, 4.9.11, allows
