"""The text blocks of a page, as `segment` cuts them: the types."""

from dataclasses import dataclass, field
from enum import IntEnum
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from workers.page.tree import Element
from workers.page.words import size_of

BREAK = "\x1e"  # a run that is an end of line: the parser lets no control character through


class BlockKind(IntEnum):
    """What a block is in the text."""

    PARAGRAPH = 0
    HEADING = 1
    ITEM = 2
    QUOTE = 3
    PREFORMATTED = 4
    CELL = 5
    CAPTION = 6


class TextRun(NamedTuple):
    """A piece of text in the tree: of the text of `element`, or with `is_tail` of the text after it.

    An end of line within a block is a run of its own, `BREAK`. So is a formula, whose element is its `<math>`, the
    alternative text of an image that is a letter, and a quotation mark that a browser writes.
    """

    text: str
    element: Element
    is_tail: bool


class TextBlock(NamedTuple):
    """Text between two ends of line.

    `container` is the number of the innermost element around it that ends lines. `link`, `bold` and `italic` count the
    characters in such elements, `flags` the names of inline elements in it.
    """

    text: str
    kind: BlockKind
    container: int
    runs: tuple[TextRun, ...]
    link: int
    bold: int
    italic: int
    flags: int
    after_image: bool


class Container(NamedTuple):
    """An element that ends lines.

    Others are told by their numbers, in document order: `parent` (0 for the body's own), `box`, the outermost one
    around it, itself included, that its tag or name sets apart as boilerplate, `article`, the innermost `<article>`,
    and `line`, the innermost list item or table row; -1 if there is none. `first` is the number of the first block
    within.
    `own` and `inherited` are what names say of it, and of it and all around it, with the bits
    of `class_names` beside those.
    `form` is the same for the same tag and class. `lists` counts the lists around it.
    """

    element: Element
    tag: int
    kind: BlockKind
    parent: int
    depth: int
    lists: int
    own: int
    inherited: int
    box: int
    article: int
    line: int
    form: int
    first: int


_NUMBERS = tuple(name for name in Container._fields if name not in {"element", "kind"})


@dataclass(frozen=True)
class SegmentedPage:
    """A page's blocks in document order, and what holds them.

    `ends` has for each container the number of the block after its last. `images` are the `<img>`, each with the
    number of the block that follows. `hidden` are the pieces within lines that no browser shows and no block has: the
    number of the block that they stand in, or before, and their characters. `is_cut` says that the page has more blocks
    than are read.
    """

    blocks: list[TextBlock]
    containers: list[Container]
    ends: list[int]
    images: list[tuple[int, Element]]
    hidden: list[tuple[int, int]] = field(default_factory=list)
    is_cut: bool = False

    @cached_property
    def sizes(self) -> list[float]:
        """The blocks' lengths, as `size_of` tells them."""
        return [size_of(block.text) for block in self.blocks]

    @cached_property
    def table(self) -> dict[str, NDArray[np.int64]]:
        """The containers' numbers by name, (C,) each."""
        columns = dict(zip(Container._fields, zip(*self.containers, strict=True), strict=True))
        return {name: np.array(columns[name], np.int64) for name in _NUMBERS}
