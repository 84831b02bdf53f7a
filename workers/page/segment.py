"""Cuts the text of a parsed page into blocks in one walk, and collects the containers around them."""

from itertools import islice

from lxml import etree

from workers.page.blocks import BlockKind, Container, SegmentedPage
from workers.page.class_names import (
    ASIDE,
    CONTROL,
    GROUP_BITS,
    GUTTER,
    LINES,
    PANEL,
    UNSHOWN,
    name_flags,
)
from workers.page.collect import MARKS, BlockCollector
from workers.page.formulas import formula_text, tex_text
from workers.page.letters import is_letters, letters_of
from workers.page.panels import is_panel
from workers.page.raised import RAISED_TAGS
from workers.page.styles import hidden_classes, style_flags
from workers.page.tree import Element
from workers.page.unread import ASKED_TAGS, is_apart, is_unread

MAX_BLOCKS = 50_000  # blocks of one page, the rest is left out; chosen: longer documents are dumps of data

_SILENT = frozenset(
    {
        *("annotation", "annotation-xml", "applet", "area", "audio", "base", "canvas", "datalist", "embed", "frame"),
        *("frameset", "iframe", "input", "link", "map", "meta", "noembed", "noframes", "noscript", "object"),
        *("optgroup", "option", "param", "progress", "script", "select", "source", "style", "svg"),
        *("template", "textarea", "title", "track", "video"),
    }
)
TAGS = (  # those that end a line
    *("body", "div", "p", "li", "ul", "ol", "dl", "dt", "dd", "td", "th", "tr", "table", "tbody", "thead", "tfoot"),
    *("caption", "section", "article", "main", "header", "footer", "nav", "aside", "figure", "figcaption"),
    *("h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "pre", "form", "fieldset", "legend", "address", "details"),
    *("summary", "center", "hr", "button", "label", "hgroup", "dialog", "search", "menu", "listing", "xmp", "html"),
)
CODES = {tag: code for code, tag in enumerate(TAGS, 1)}
_IMAGES = frozenset({"img", "amp-img"})
_SPECIAL = frozenset({"math", *_IMAGES})
_BOILERPLATE_TAGS = frozenset({"nav", "footer", "aside", "form", "button", "dialog", "menu"})
_LINE_TAGS = frozenset({"li", "tr"})
_LISTS = frozenset({"ul", "ol", "menu"})
_BOILERPLATE = sum(
    1 << GROUP_BITS[name]
    for name in ("navigation", "footer", "comment", "consent", "letter", "related", "share", "advert")
)
_BOILERPLATE |= sum(1 << GROUP_BITS[name] for name in ("side", "overlay", "hidden", "gate"))
_HIDDEN = 1 << GROUP_BITS["hidden"]
_ODD_TAGS, _ODD_KINDS = frozenset({"td", "p"}), frozenset({BlockKind.PREFORMATTED})  # see `_kind`
_APART = ASIDE | GUTTER | CONTROL | UNSHOWN
_KINDS = {
    **dict.fromkeys(("h1", "h2", "h3", "h4", "h5", "h6"), BlockKind.HEADING),
    **dict.fromkeys(("pre", "listing", "xmp"), BlockKind.PREFORMATTED),
    **dict.fromkeys(("td", "th"), BlockKind.CELL),
    **dict.fromkeys(("figcaption", "caption"), BlockKind.CAPTION),
    "li": BlockKind.ITEM,
    "blockquote": BlockKind.QUOTE,
}
# Chosen by hand; not measured.
_LINE_CHARS = 40  # characters of a custom element that begins a line; a shorter one may be a word within a line
_LINE_PIECES = 20  # pieces of text that are read to decide that: a bound on work
_PANEL_CHARS = 40  # characters of a panel within a line; shorter hidden text is a note for programs

_NOTHING = Container(etree.Element("html"), 0, BlockKind.PARAGRAPH, 0, -1, 0, 0, 0, -1, -1, -1, 0, 0)  # around the body


def segment(body: Element, *, noscript: bool = False, shown: bool = False) -> SegmentedPage:
    """Cuts the text below `body` into blocks.

    With `noscript`, text for browsers without scripts is read, too. With `shown`, nothing counts as hidden.
    """
    return _Segmenter(body, _SILENT - {"noscript"} if noscript else _SILENT, shown=shown).run()


class _Segmenter:
    def __init__(self, body: Element, silent: frozenset[str], *, shown: bool) -> None:
        self._body = body
        self._silent = silent
        self._hidden = frozenset() if shown else hidden_classes(body)
        self._shown = shown
        self._containers: list[Container] = []
        self._ends: list[int] = []
        self._images: list[tuple[int, Element]] = []
        self._forms: dict[tuple[str, str], int] = {}
        self._text = BlockCollector()
        self._holder: Element | None = None  # the element of the innermost open container
        self._skipped: Element | None = None
        self._line_elements: list[Element] = []
        self._hidden_pieces: list[tuple[int, int]] = []

    def run(self) -> SegmentedPage:
        body, silent, text = self._body, self._silent, self._text
        steps = etree.iterwalk(body, events=("start", "end"))
        for event, element in steps:
            tag = element.tag
            if event == "end":
                if element is self._holder:
                    self._close()
                elif element is self._skipped:
                    self._skipped = None
                elif tag not in CODES:
                    self._leave_inline(tag, element)
                if (tail := element.tail) and (text.runs or not tail.isspace()) and element is not body:
                    text.add(tail, element, is_tail=True)
            elif (tag in silent and not self._enter_silent(tag, element)) or not self._enter(tag, element):
                self._skipped = element
                steps.skip_subtree()
            elif (own := element.text) and (text.runs or not own.isspace() or text.kind is BlockKind.PREFORMATTED):
                text.add(own, element)
            if len(text.blocks) >= MAX_BLOCKS:
                break
        return self._page()

    def _page(self) -> SegmentedPage:
        if self._text.runs:
            self._text.flush()
        blocks = self._text.blocks
        ends = [len(blocks) if end < 0 else end for end in self._ends]
        is_cut = len(blocks) >= MAX_BLOCKS
        return SegmentedPage(blocks, self._containers, ends, self._images, self._hidden_pieces, is_cut=is_cut)

    def _enter_silent(self, tag: str, element: Element) -> bool:
        """Reads the formula of a script with TeX. Returns False: the walk skips elements without text."""
        if tag == "script" and (element.get("type") or "").startswith("math/tex") and element.text:
            self._text.add(tex_text(element.text), element)
        return False

    def _enter(self, tag: str, element: Element) -> bool:
        """Begins `element`. Returns True if the walk goes on inside it."""
        if tag in ASKED_TAGS and is_unread(tag, element, in_heading=self._text.kind is BlockKind.HEADING):
            return False
        if tag in CODES:
            return self._open(tag, element)
        if tag == "br":
            self._text.end_line(element)
            return True
        if tag in _SPECIAL:
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
        names, style = element.get("class"), element.get("style")
        flags = name_flags(names) if names else 0
        if style:
            flags |= style_flags(style)
        if not self._shown and (element.get("hidden") is not None or (self._hidden and names and self._hides(names))):
            flags |= UNSHOWN
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

    def _close(self) -> None:
        text = self._text
        if text.runs:
            text.flush()
        self._ends[text.container] = len(text.blocks)
        number = self._containers[text.container].parent
        held = self._containers[number]
        text.container, text.kind, self._holder = number, held.kind, held.element
        text.keeps_lines = held.inherited & LINES != 0

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

    def _hides(self, names: str) -> bool:
        return not self._hidden.isdisjoint(names.split())

    def _open(self, tag: str, element: Element) -> bool:
        """Opens a container. Returns False if it holds no text."""
        text, number = self._text, len(self._containers)
        classes = element.get("class") or ""
        own = self._names(element, classes)
        if own & (GUTTER | CONTROL) and is_apart(own, element):
            return False
        if text.runs:
            text.flush()
        if own & _BOILERPLATE and ("code" in classes or "highlight" in classes) and _holds_code(element):
            own &= ~_BOILERPLATE  # code stands in a box with buttons, named “toolbar” or “share”
        above = self._containers[text.container] if number else _NOTHING
        is_odd = above.kind in _ODD_KINDS or tag in _ODD_TAGS
        is_box = above.box < 0 < number and (own & _BOILERPLATE or tag in _BOILERPLATE_TAGS)
        held = Container(
            element,
            CODES[tag],
            _kind(tag, classes, above.kind) if is_odd else _KINDS.get(tag, above.kind),
            text.container,
            above.depth + 1,
            above.lists + (tag in _LISTS),
            own,
            above.inherited | own,
            number if is_box else above.box,
            number if tag == "article" else above.article,
            number if tag in _LINE_TAGS else above.line,
            self._forms.setdefault((tag, classes), len(self._forms)),
            len(text.blocks),
        )
        self._containers.append(held)
        self._ends.append(-1)
        text.container, text.kind, self._holder = number, held.kind, element
        text.keeps_lines = held.inherited & LINES != 0
        return True

    def _names(self, element: Element, classes: str) -> int:
        """Returns what the attributes of `element` say of it, as bits of `class_names`."""
        flags = name_flags(classes) if classes else 0
        attributes: list[tuple[str, str]] = element.items()  # type: ignore[assignment] # the stubs allow for bytes
        is_hidden = bool(self._hidden) and self._hides(classes)
        for name, value in attributes:
            if name in {"id", "itemprop", "role"}:
                flags |= name_flags(value)
            elif name == "hidden":
                is_hidden = (
                    is_hidden or value.lower() != "until-found"
                )  # browsers show such an element when a search in the page finds its text
            elif name == "style":
                flags |= style_flags(value)
            elif name == "aria-hidden" and value == "true":
                flags |= _HIDDEN
        if not (is_hidden or flags & UNSHOWN):
            return flags
        flags &= ~UNSHOWN
        if self._shown:
            return flags
        return flags | PANEL if is_panel(element, flags) else flags | _HIDDEN | UNSHOWN


def _kind(tag: str, classes: str, above: BlockKind) -> BlockKind:
    if above is BlockKind.PREFORMATTED or (tag == "td" and "blob-code" in classes):  # as GitHub shows files
        return BlockKind.PREFORMATTED
    if tag == "p" and classes.startswith("MsoListParagraph"):  # as Word writes it
        return BlockKind.ITEM
    return _KINDS.get(tag, above)


def _holds_code(element: Element) -> bool:
    return next(element.iterchildren("pre"), None) is not None


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
