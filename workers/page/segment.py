"""Cuts the text of a parsed page into blocks in one walk, and collects the containers around them."""

import re

from lxml import etree

from workers.page.blocks import BlockKind, Container, SegmentedPage, TextBlock, TextRun
from workers.page.class_names import GROUP_BITS, NEVER_TEXT_TAGS, NO_TEXT, is_never_text, name_flags
from workers.page.tree import Element

MAX_BLOCKS = 50_000  # of one page; chosen: a longer document is a dump of data, whose rest is left out

_BREAK = "\x1e"  # stands for <br> while a block is collected: the parser lets no control character through
_SILENT = frozenset(
    {
        *("annotation", "annotation-xml", "applet", "area", "audio", "base", "canvas", "datalist", "embed", "frame"),
        *("frameset", "iframe", "input", "link", "map", "meta", "noembed", "noframes", "noscript", "object"),
        *("optgroup", "option", "param", "progress", "script", "select", "source", "style", "svg", "template"),
        *("textarea", "title", "track", "video"),
    }
)
TAGS = (  # those that end a line
    *("body", "div", "p", "li", "ul", "ol", "dl", "dt", "dd", "td", "th", "tr", "table", "tbody", "thead", "tfoot"),
    *("caption", "section", "article", "main", "header", "footer", "nav", "aside", "figure", "figcaption"),
    *("h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "pre", "form", "fieldset", "legend", "address", "details"),
    *("summary", "center", "hr", "button", "label", "hgroup", "dialog", "search", "menu", "listing", "xmp", "html"),
)
CODES = {tag: code for code, tag in enumerate(TAGS, 1)}
_BOILERPLATE_TAGS = frozenset({"nav", "footer", "aside", "form", "button", "dialog", "menu"})
_LINES = frozenset({"li", "tr"})
_LISTS = frozenset({"ul", "ol", "menu"})
_BOILERPLATE = sum(
    1 << GROUP_BITS[name]
    for name in ("navigation", "footer", "comment", "consent", "letter", "related", "share", "advert")
)
_BOILERPLATE |= sum(1 << GROUP_BITS[name] for name in ("side", "overlay", "hidden", "gate"))
_HIDDEN = 1 << GROUP_BITS["hidden"]
_LINK, _BOLD, _ITALIC = range(3)
_MARKS = {"a": _LINK, "b": _BOLD, "strong": _BOLD, "i": _ITALIC, "em": _ITALIC, "cite": _ITALIC}
_UNSHOWN = re.compile(r"\b(?:display\s*:\s*none|visibility\s*:\s*hidden)\b", re.IGNORECASE)
_KINDS = {
    **dict.fromkeys(("h1", "h2", "h3", "h4", "h5", "h6"), BlockKind.HEADING),
    **dict.fromkeys(("pre", "listing", "xmp"), BlockKind.PREFORMATTED),
    **dict.fromkeys(("td", "th"), BlockKind.CELL),
    **dict.fromkeys(("figcaption", "caption"), BlockKind.CAPTION),
    "li": BlockKind.ITEM,
    "blockquote": BlockKind.QUOTE,
}


_NOTHING = Container(etree.Element("html"), 0, BlockKind.PARAGRAPH, 0, -1, 0, 0, 0, -1, -1, -1, 0, 0)  # around the body


def segment(body: Element, *, noscript: bool = False) -> SegmentedPage:
    """Cuts the text below `body` into blocks; with `noscript`, also that for browsers without scripts."""
    return _Segmenter(_SILENT - {"noscript"} if noscript else _SILENT).run(body)


class _Segmenter:
    def __init__(self, silent: frozenset[str]) -> None:
        self._silent = silent
        self._containers: list[Container] = []
        self._ends: list[int] = []
        self._blocks: list[TextBlock] = []
        self._images: list[tuple[int, Element]] = []
        self._forms: dict[tuple[str, str], int] = {}
        self._current = 0
        self._runs: list[TextRun] = []
        self._marks = 0
        self._depths = [0, 0, 0]
        self._chars = [0, 0, 0]
        self._flags = 0
        self._line_filled = False
        self._after_image = False

    def run(self, body: Element) -> SegmentedPage:
        silent, blocks = self._silent, self._blocks
        steps = etree.iterwalk(body, events=("start", "end"))
        for event, element in steps:
            tag = element.tag
            if event == "end":
                self._leave(tag)
                if (tail := element.tail) and (self._runs or not tail.isspace()) and element is not body:
                    self._add(tail, element, is_tail=True)
            elif tag in silent or (tag in NEVER_TEXT_TAGS and is_never_text(tag, element)):
                steps.skip_subtree()
            else:
                self._enter(tag, element)
                if (text := element.text) and (self._runs or not text.isspace()):
                    self._add(text, element, is_tail=False)
            if len(blocks) >= MAX_BLOCKS:
                break
        if self._runs:
            self._flush()
        count = len(self._blocks)
        return SegmentedPage(
            self._blocks, self._containers, [count if end < 0 else end for end in self._ends], self._images
        )

    def _enter(self, tag: str, element: Element) -> None:
        if tag in CODES:
            if self._runs:
                self._flush()
            self._open(tag, element)
        elif tag == "br":
            self._break(element)
        elif tag == "img":
            self._images.append((len(self._blocks), element))
            self._after_image = True
        else:
            if tag in _MARKS:
                self._marks += 1
                self._depths[_MARKS[tag]] += 1
            if names := element.get("class"):
                self._flags |= name_flags(names)

    def _leave(self, tag: str) -> None:
        if tag in CODES:
            if self._runs:
                self._flush()
            self._ends[self._current] = len(self._blocks)
            self._current = self._containers[self._current].parent
        elif tag in _MARKS:
            self._marks -= 1
            self._depths[_MARKS[tag]] -= 1

    def _open(self, tag: str, element: Element) -> None:
        number = len(self._containers)
        above = self._containers[self._current] if number else _NOTHING
        classes = element.get("class") or ""
        own = _names(element, classes)
        is_box = above.box < 0 < number and (own & _BOILERPLATE or tag in _BOILERPLATE_TAGS)
        self._containers.append(
            Container(
                element,
                CODES[tag],
                _KINDS.get(tag, above.kind),
                self._current,
                above.depth + 1,
                above.lists + (tag in _LISTS),
                own,
                above.inherited | own,
                number if is_box else above.box,
                number if tag == "article" else above.article,
                number if tag in _LINES else above.line,
                self._forms.setdefault((tag, classes), len(self._forms)),
                len(self._blocks),
            )
        )
        self._ends.append(-1)
        self._current = number

    def _add(self, text: str, element: Element, *, is_tail: bool) -> None:
        self._runs.append(TextRun(text, element, is_tail))
        if text.isspace():
            return
        self._line_filled = True
        if self._marks:
            chars = len(text.strip())
            for mark, depth in enumerate(self._depths):
                if depth > 0:
                    self._chars[mark] += chars

    def _break(self, element: Element) -> None:
        """Handles a `<br>`. Two of them with nothing in between end a paragraph."""
        if self._line_filled:
            self._runs.append(TextRun(_BREAK, element, is_tail=False))
            self._line_filled = False
        elif self._runs:
            self._flush()

    def _flush(self) -> None:
        runs = self._runs
        flags, (link, bold, italic) = self._flags, self._chars
        self._runs, self._flags, self._chars, self._line_filled = [], 0, [0, 0, 0], False
        kind = self._containers[self._current].kind
        raw = runs[0].text if len(runs) == 1 else "".join([run.text for run in runs])
        text = _verbatim(raw) if kind is BlockKind.PREFORMATTED else _squeeze(raw)
        if text:
            self._blocks.append(
                TextBlock(text, kind, self._current, tuple(runs), link, bold, italic, flags, self._after_image)
            )
            self._after_image = False


def _squeeze(raw: str) -> str:
    if _BREAK not in raw:
        return " ".join(raw.split())
    lines = (" ".join(line.split()) for line in raw.split(_BREAK))
    return "\n".join([line for line in lines if line])


def _verbatim(raw: str) -> str:
    lines = [line.rstrip() for line in raw.replace(_BREAK, "\n").split("\n")]
    return "\n".join([line for line in lines if line])


def _names(element: Element, classes: str) -> int:
    """Returns what the attributes of `element` call it."""
    flags = name_flags(classes) if classes else 0
    attributes: list[tuple[str, str]] = element.items()  # type: ignore[assignment] # the stubs allow for bytes
    for name, value in attributes:
        if name in {"id", "itemprop", "role"}:
            flags |= name_flags(value)
        elif name == "hidden" or (name == "style" and _UNSHOWN.search(value)):
            flags |= _HIDDEN | NO_TEXT
        elif name == "aria-hidden" and value == "true":
            flags |= _HIDDEN
    return flags
