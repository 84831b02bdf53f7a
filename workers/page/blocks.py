"""The text blocks of a page, as `segment` cuts them: the types."""

from dataclasses import dataclass, field
from enum import IntEnum
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from workers.page.tree import Element
from workers.page.words import size_of

BREAK = "\x1e"  # the text of a run that ends a line; no page contains it: the parser drops control characters


class BlockKind(IntEnum):
    """The kind of a block.

    Loops compare with constants of their modules: reading a member from its class takes ten times as long as reading
    a constant in Python 3.11.
    """

    PARAGRAPH = 0
    HEADING = 1
    ITEM = 2
    QUOTE = 3
    PREFORMATTED = 4
    CELL = 5
    CAPTION = 6


class TextRun(NamedTuple):
    """A piece of text in the tree: from the text of `element`, or with `is_tail` from the text after it.

    Runs of their own are: an end of line within a block (`BREAK`), a formula (its element is the `<math>`), the
    alternative text of an image that stands for a letter, and a quotation mark that browsers add.
    """

    text: str
    element: Element
    is_tail: bool


class TextBlock(NamedTuple):
    """Text between two ends of line.

    `container` is the number of the innermost container around it. `link`, `bold` and `italic` count the characters in
    such elements. `flags` says what the names of its inline elements mean, as bits of `class_names`.
    `after_image`: an image stands between it and the block before.
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

    Containers have numbers, in document order; -1 stands for none. `parent` is the one around it (0 for the body),
    `box` the outermost one, itself included, that its tag or names mark as boilerplate, `article` the innermost
    `<article>`, `line` the innermost list item or table row. `first` is the number of the first block within.
    `own` has the bits of `class_names` for its own names, `inherited` also those of all containers around it.
    `form` is equal for containers with the same tag and class. `lists` counts the lists around it.
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
    """A page's blocks and their containers, in document order.

    `ends` has for each container the number of the block after its last. `images` are the `<img>`, each with the
    number of the block that follows. `hidden` are pieces of text within lines that browsers do not show; they are in
    no block. Each has the number of the block that it stands in or before, and its length in characters. `is_cut`: the
    page has more blocks than are read.
    """

    blocks: list[TextBlock]
    containers: list[Container]
    ends: list[int]
    images: list[tuple[int, Element]]
    hidden: list[tuple[int, int]] = field(default_factory=list)
    is_cut: bool = False

    @cached_property
    def sizes(self) -> list[float]:
        """The lengths of the blocks, by `size_of`."""
        return [size_of(block.text) for block in self.blocks]

    @cached_property
    def table(self) -> dict[str, NDArray[np.int64]]:
        """The numbers of the C containers by name, (C,) each."""
        columns = dict(zip(Container._fields, zip(*self.containers, strict=True), strict=True))
        return {name: np.array(columns[name], np.int64) for name in _NUMBERS}
