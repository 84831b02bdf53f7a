"""The text of a post: of an element, or of HTML in structured data."""

from collections.abc import Collection

from workers.failures import Failed
from workers.page.blocks import BlockKind, TextBlock
from workers.page.segment import segment
from workers.page.tree import Element, parse

_ITEM = BlockKind.ITEM


def text_of(element: Element, without: Collection[str] = ()) -> str:
    """Returns the text of an element: paragraphs with a blank line between them, list items as `- item`.

    Blocks whose text is one of `without` are left out.
    """
    blocks = [block for block in segment(element).blocks if block.text.strip() not in without]
    pieces: list[str] = []
    for before, block in zip([None, *blocks], blocks, strict=False):
        if before is not None:
            pieces.append("\n" if _are_items(before, block) else "\n\n")
        pieces.append(f"- {block.text}" if block.kind is _ITEM else block.text)
    return "".join(pieces).strip()


def _are_items(one: TextBlock, other: TextBlock) -> bool:
    return one.kind is _ITEM and other.kind is _ITEM


def text_in(value: str) -> str:
    """Returns the text in a value of structured data, which may be HTML."""
    if "</" not in value and "<br" not in value:
        return value.strip()
    try:
        return text_of(parse(f"<html><body><div>{value}</div></body></html>"))
    except Failed:
        return value.strip()
