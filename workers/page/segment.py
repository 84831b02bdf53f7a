"""Cuts the text of a parsed page into blocks in one walk, and collects the containers around them."""

from itertools import islice

from lxml import etree

from workers.page.attributes import AttributeReader
from workers.page.blocks import BlockKind, SegmentedPage
from workers.page.class_names import ASIDE, CONTROL, GUTTER, UNSHOWN
from workers.page.collect import MARKS, BlockCollector
from workers.page.containers import ContainerStack
from workers.page.formulas import formula_text, tex_text
from workers.page.letters import is_letters, letters_of
from workers.page.panels import is_panel
from workers.page.raised import RAISED_TAGS
from workers.page.tags import CODES, SILENT, SPECIAL
from workers.page.tree import Element
from workers.page.unread import MAYBE_UNREAD_TAGS, is_apart, is_unread

MAX_BLOCKS = 50_000  # blocks of one page, the rest is left out; chosen: longer documents are dumps of data

_CODE, _HEADING = BlockKind.PREFORMATTED, BlockKind.HEADING  # read once: see `BlockKind`
_APART = ASIDE | GUTTER | CONTROL | UNSHOWN
# Chosen by hand; not measured.
_LINE_CHARS = 40  # characters of a custom element that begins a line; a shorter one may be a word within a line
_LINE_PIECES = 20  # pieces of text that are read to decide that: a bound on work
_PANEL_CHARS = 40  # characters of a panel within a line; shorter hidden text is a note for programs
_TOLD_AT_ITS_END = frozenset({*MARKS, *RAISED_TAGS, "q", "rt"})


def segment(body: Element, *, noscript: bool = False, shown: bool = False) -> SegmentedPage:
    """Cuts the text below `body` into blocks.

    With `noscript`, text for browsers without scripts is read, too. With `shown`, nothing counts as hidden.
    """
    return _Segmenter(body, SILENT - {"noscript"} if noscript else SILENT, shown=shown).run()


class _Segmenter:
    def __init__(self, body: Element, silent: frozenset[str], *, shown: bool) -> None:
        self._body = body
        self._silent = silent
        self._shown = shown
        self._attributes = AttributeReader(body, shown=shown)
        self._text = BlockCollector()
        self._containers = ContainerStack(self._text)
        self._images: list[tuple[int, Element]] = []
        self._line_elements: list[Element] = []
        self._hidden_pieces: list[tuple[int, int]] = []

    def run(self) -> SegmentedPage:
        body, silent, text, containers = self._body, self._silent, self._text, self._containers
        skipped: Element | None = None
        steps = etree.iterwalk(body, events=("start", "end"))
        for event, element in steps:
            tag = element.tag
            if event == "end":
                if element is containers.holder:
                    containers.close()
                elif element is skipped:
                    skipped = None
                elif tag in _TOLD_AT_ITS_END or self._line_elements:
                    self._leave_inline(tag, element)
                if (tail := element.tail) and (text.runs or not tail.isspace()) and element is not body:
                    text.add(tail, element, is_tail=True)
            elif (tag in silent and not self._enter_silent(tag, element)) or not self._enter(tag, element):
                skipped = element
                steps.skip_subtree()
            elif (own := element.text) and (text.runs or not own.isspace() or text.kind is _CODE):
                text.add(own, element)
            if len(text.blocks) >= MAX_BLOCKS:
                break
        return self._page()

    def _page(self) -> SegmentedPage:
        if self._text.runs:
            self._text.flush()
        blocks, containers = self._text.blocks, self._containers
        is_cut = len(blocks) >= MAX_BLOCKS
        return SegmentedPage(
            blocks, containers.found, containers.ends(), self._images, self._hidden_pieces, is_cut=is_cut
        )

    def _enter_silent(self, tag: str, element: Element) -> bool:
        """Reads the formula of a script with TeX. Returns False: the walk skips elements without text."""
        if tag == "script" and (element.get("type") or "").startswith("math/tex") and element.text:
            self._text.add(tex_text(element.text), element)
        return False

    def _enter(self, tag: str, element: Element) -> bool:
        """Begins `element`. Returns True if the walk goes on inside it."""
        if tag in MAYBE_UNREAD_TAGS and is_unread(tag, element, in_heading=self._text.kind is _HEADING):
            return False
        if tag in CODES:
            classes, own = self._attributes.of_container(element)
            if own & (GUTTER | CONTROL) and is_apart(own, element):
                return False
            self._containers.open(tag, element, classes, own)
            return True
        if tag == "br":
            self._text.end_line(element)
            return True
        if tag in SPECIAL:
            self._enter_special(tag, element)
            return False
        return self._enter_inline(tag, element)

    def _enter_special(self, tag: str, element: Element) -> None:
        """Reads a picture, an image that stands for letters, or a formula."""
        if tag == "math":
            self._text.add(formula_text(element), element)
        elif is_letters(element):
            self._text.add(letters_of(element), element)
        else:
            self._images.append((len(self._text.blocks), element))
            self._text.after_image = True

    def _enter_inline(self, tag: str, element: Element) -> bool:
        flags = self._attributes.of_inline(element)
        if flags & _APART and not self._reads_on(flags, element):
            return False
        if "-" in tag and _is_line(element):
            self._begin_line(element)
        self._text.flags |= flags
        if tag in MARKS:
            self._text.mark(tag, 1)
        elif tag in RAISED_TAGS:
            self._text.raise_or_lower(tag)
        elif tag == "q":
            self._text.open_quote(element)
        elif tag == "rt" and not _has_brackets(element):
            self._text.add("（", element)
        return True

    def _reads_on(self, flags: int, element: Element) -> bool:
        """Returns True if an inline element is text although its names or styles set it apart."""
        if flags & (GUTTER | CONTROL) and is_apart(flags, element):
            return False
        if not flags & (ASIDE | UNSHOWN) or next(element.iter("math"), None) is not None:
            return True
        if flags & ASIDE or (element.get("role") or "") == "tooltip":
            return False
        if self._shown:
            return True
        chars = sum(len(str(text).strip()) for text in element.itertext())
        if chars >= _PANEL_CHARS and is_panel(element, flags):
            return True
        self._hidden_pieces.append((len(self._text.blocks), chars))
        return False

    def _begin_line(self, element: Element) -> None:
        """Begins a line with a custom element; it ends where the element ends."""
        if self._text.runs:
            self._text.flush()
        self._line_elements.append(element)

    def _leave_inline(self, tag: str, element: Element) -> None:
        if tag in MARKS:
            self._text.mark(tag, -1)
        elif tag in RAISED_TAGS:
            self._text.end_raised()
        elif self._line_elements and element is self._line_elements[-1]:
            self._line_elements.pop()
            if self._text.runs:
                self._text.flush()
        elif tag == "q":
            self._text.close_quote(element)
        elif tag == "rt" and not _has_brackets(element):
            self._text.add("）", element)


def _has_brackets(reading: Element) -> bool:
    """Returns True if the page itself writes brackets around a ruby annotation (HTML, 4.5.10)."""
    before = reading.getprevious()
    return before is not None and before.tag == "rp"


def _is_line(element: Element) -> bool:
    """Returns True if a custom element holds whole lines: it is long enough, and no text stands beside it."""
    above, before = element.getparent(), element.getprevious()
    beside = (above.text if above is not None else None) if before is None else before.tail
    if (beside and not beside.isspace()) or ((tail := element.tail) and not tail.isspace()):
        return False
    chars = 0
    for text in islice(element.itertext(), _LINE_PIECES):
        chars += len(str(text).strip())
        if chars >= _LINE_CHARS:
            return True
    return False
