"""The body's blocks as plain text: paragraphs, `- item` lists, one line a table row."""

import re
from collections.abc import Iterator, Sequence
from itertools import groupby

from workers.draft import ArticleBlock
from workers.page.blocks import BlockKind

_BULLET = re.compile(r"^(?:[-*•·‣▪●○–—]\s+)+")
# Chosen by hand; half or twice of it changes none of 60 pages.
_MAX_ITEM = 400  # characters of a list item that is one line, whatever it is made of


def render(blocks: Sequence[ArticleBlock]) -> str:
    """Returns `blocks` with one blank line between them; items of a list and rows of a table on consecutive lines."""
    pieces: list[str] = []
    previous = None
    for kind, text in _lines(blocks):
        pieces += ["\n" if kind is previous and kind in {BlockKind.ITEM, BlockKind.CELL} else "\n\n", text]
        previous = kind
    return "".join(pieces[1:])


def _lines(blocks: Sequence[ArticleBlock]) -> Iterator[tuple[BlockKind, str]]:
    numbered = groupby(enumerate(blocks), key=lambda pair: (pair[1].line, -1 if pair[1].line >= 0 else pair[0]))
    for _, group in numbered:
        together = [block for _, block in group]
        if together[0].kind is BlockKind.ITEM:
            yield from _item(together)
        elif together[0].kind is BlockKind.CELL:
            yield from _row(together)
        else:
            yield from ((block.kind, block.text) for block in together)


def _item(blocks: list[ArticleBlock]) -> Iterator[tuple[BlockKind, str]]:
    """Yields a list item on one line, but paragraphs where the item is as good as a page of its own."""
    flat = [" ".join(block.text.split()) for block in blocks]
    is_line = all(block.kind is BlockKind.ITEM for block in blocks) and sum(map(len, flat)) <= _MAX_ITEM
    if is_line or len(blocks) == 1:
        yield BlockKind.ITEM, f"- {_BULLET.sub('', ' '.join(flat))}"
    else:
        yield from ((BlockKind.PARAGRAPH, block.text) for block in blocks)


def _row(blocks: list[ArticleBlock]) -> Iterator[tuple[BlockKind, str]]:
    """Yields the cells on one line, but paragraphs where they are a layout rather than a table."""
    cells = [block.element for block in blocks]
    is_table = len(blocks) > 1 and len(set(cells)) == len(cells) and not any("\n" in block.text for block in blocks)
    if is_table and all(block.kind is BlockKind.CELL and block.element.tag in {"td", "th"} for block in blocks):
        yield BlockKind.CELL, " | ".join(block.text for block in blocks)
    else:
        yield from ((BlockKind.PARAGRAPH, block.text) for block in blocks)
