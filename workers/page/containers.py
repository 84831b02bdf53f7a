"""The containers of a page, as a walk over it opens and closes them."""

from lxml import etree

from workers.page.blocks import BlockKind, Container
from workers.page.class_names import GROUP_BITS, LINES
from workers.page.collect import BlockCollector
from workers.page.tags import BOILERPLATE_TAGS, CODES, KINDS, LINE_TAGS, LISTS
from workers.page.tree import Element

_CODE = BlockKind.PREFORMATTED  # read once: see `BlockKind`
_BOILERPLATE = sum(
    1 << GROUP_BITS[name]
    for name in ("navigation", "footer", "comment", "consent", "letter", "related", "share", "advert")
)
_BOILERPLATE |= sum(1 << GROUP_BITS[name] for name in ("side", "overlay", "hidden", "gate"))
_ODD_TAGS, _ODD_KINDS = frozenset({"td", "p"}), frozenset({_CODE})  # see `_kind`
_NOTHING = Container(etree.Element("html"), 0, BlockKind.PARAGRAPH, 0, -1, 0, 0, 0, -1, -1, -1, 0, 0)  # around the body


class ContainerStack:
    """Opens and closes containers, and tells `text` which one its blocks stand in.

    `found` are all containers so far, `holder` is the element of the innermost open one.
    """

    __slots__ = ("_ends", "_forms", "_text", "found", "holder")

    def __init__(self, text: BlockCollector) -> None:
        self.found: list[Container] = []
        self.holder: Element | None = None
        self._text = text
        self._ends: list[int] = []
        self._forms: dict[tuple[str, str], int] = {}

    def open(self, tag: str, element: Element, classes: str, own: int) -> None:
        """Opens a container, whose attributes say `own`."""
        text, number = self._text, len(self.found)
        if text.runs:
            text.flush()
        if own & _BOILERPLATE and ("code" in classes or "highlight" in classes) and _holds_code(element):
            own &= ~_BOILERPLATE  # code stands in a box with buttons, named “toolbar” or “share”
        above = self.found[text.container] if number else _NOTHING
        kind, inherited = above.kind, above.inherited | own
        if kind in _ODD_KINDS or tag in _ODD_TAGS:
            kind = _kind(tag, classes, kind)
        elif tag in KINDS:
            kind = KINDS[tag]
        is_box = above.box < 0 < number and (own & _BOILERPLATE or tag in BOILERPLATE_TAGS)
        held = (
            element,
            CODES[tag],
            kind,
            text.container,
            above.depth + 1,
            above.lists + (tag in LISTS),
            own,
            inherited,
            number if is_box else above.box,
            number if tag == "article" else above.article,
            number if tag in LINE_TAGS else above.line,
            self._forms.setdefault((tag, classes), len(self._forms)),
            len(text.blocks),
        )
        self.found.append(tuple.__new__(Container, held))  # takes half the time of `Container(...)`
        self._ends.append(-1)
        text.container, text.kind, self.holder = number, kind, element
        text.keeps_lines = inherited & LINES != 0

    def close(self) -> None:
        """Closes the innermost open container."""
        text = self._text
        if text.runs:
            text.flush()
        self._ends[text.container] = len(text.blocks)
        number = self.found[text.container].parent
        held = self.found[number]
        text.container, text.kind, self.holder = number, held.kind, held.element
        text.keeps_lines = held.inherited & LINES != 0

    def ends(self) -> list[int]:
        """Returns for each container the number of the block after its last; the open ones end with the page."""
        return [len(self._text.blocks) if end < 0 else end for end in self._ends]


def _kind(tag: str, classes: str, above: BlockKind) -> BlockKind:
    if above is _CODE or (tag == "td" and "blob-code" in classes):  # as GitHub shows files
        return _CODE
    if tag == "p" and classes.startswith("MsoListParagraph"):  # as Word writes it
        return BlockKind.ITEM
    return KINDS.get(tag, above)


def _holds_code(element: Element) -> bool:
    return next(element.iterchildren("pre"), None) is not None
