"""Tells tables of data from tables that only lay a page out."""

from collections import defaultdict

from workers.page.blocks import BlockKind, SegmentedPage
from workers.page.tree import Element

_CELL = BlockKind.CELL  # read once: see `BlockKind`
# Chosen by hand; not measured.
_LEAST_ROWS, _LEAST_COLUMNS = 2, 2
_MAX_CELL_CHARS = 400  # characters of a cell, on average; more are columns of text
_DATA_TAGS = ("th", "thead", "caption", "col")
_LAYOUT_ROLES = frozenset({"presentation", "none"})


def data_tables(segmented: SegmentedPage) -> dict[int, Element]:
    """Returns the table of each block in a table of data, by the block's number."""
    found: dict[int, Element] = {}
    tables: dict[Element, list[int]] = defaultdict(list)
    for number, block in enumerate(segmented.blocks):
        container = segmented.containers[block.container]
        if block.kind is _CELL and (table := table_around(container.element)) is not None:
            tables[table].append(number)
    for table, numbers in tables.items():
        if is_data_table(table):
            found.update(dict.fromkeys(numbers, table))
    return found


def table_around(element: Element) -> Element | None:
    """Returns the innermost table around `element`, if there is one."""
    return next(element.iterancestors("table"), None)


def is_data_table(table: Element) -> bool:
    """Returns True if the rows and columns of `table` hold data, rather than the layout of a page."""
    if (table.get("role") or "").lower() in _LAYOUT_ROLES or next(table.iterdescendants("table"), None) is not None:
        return False
    rows = [[cell for cell in row if cell.tag in {"td", "th"}] for row in table.iter("tr")]
    filled = [row for row in rows if len(row) >= _LEAST_COLUMNS]
    if not filled or (len(filled) < _LEAST_ROWS and next(table.iter(*_DATA_TAGS), None) is None):
        return False
    if any(_is_code(cell) for row in rows for cell in row):
        return False
    cells = [cell for row in filled for cell in row]
    chars = sum(len(" ".join(str(text) for text in cell.itertext()).strip()) for cell in cells)
    return chars <= _MAX_CELL_CHARS * len(cells)


def _is_code(cell: Element) -> bool:
    return "blob-code" in (cell.get("class") or "") or next(cell.iter("pre"), None) is not None
