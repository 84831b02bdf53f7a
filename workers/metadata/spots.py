"""What an element of a page states, and where on the page it stands."""

from collections.abc import Iterator

from lxml.etree import iterwalk
from lxml.html import HtmlElement

from workers.metadata.marks import names_aside
from workers.metadata.page import Region
from workers.metadata.words import plain, squeeze

_MAX_TEXT = 400  # characters of what may be a title, a name or a date
_INLINE = frozenset(
    {"a", "abbr", "b", "em", "font", "i", "mark", "q", "s", "small", "strong", "sub", "sup", "u", "wbr"}
)
_FLOWING = _INLINE | {"span", "time", "img"}
_CLOSING = (".", ",", ":", ";", "!", "?", ")", "”", "’")
_ARTICLE_TAGS = frozenset({"article", "main"})
_ASIDE_TAGS = frozenset({"nav", "aside"})
SILENT = frozenset({"script", "style", "template", "noscript", "svg", "iframe", "select", "textarea", "head"})


def stated(element: HtmlElement) -> str:
    """Returns what `element` states: its machine-readable value or its words, empty where that is too long."""
    for attribute in ("content", "datetime"):
        if value := plain(element.get(attribute)):
            return value
    if element.tag == "img":
        return plain(element.get("alt"))
    inner = element.find(".//*[@itemprop='name']") if element.get("itemprop") else None
    return words_of(element if inner is None else inner)


def words_after(element: HtmlElement) -> str:
    """Returns the words that follow `element` up to the next break of the line, empty where they are too many."""
    pieces = [element.tail or ""]
    sibling = element.getnext()
    while sibling is not None and sibling.tag in _FLOWING and sum(map(len, pieces)) < _MAX_TEXT:
        pieces += [words_of(sibling), " ", sibling.tail or ""]
        sibling = sibling.getnext()
    words = squeeze("".join(pieces))
    return words if len(words) <= _MAX_TEXT else ""


def words_of(element: HtmlElement) -> str:
    """Returns the words of `element` on one line, empty where they are more than a title's or a byline's."""
    if len(element) == 0:
        words = squeeze(element.text)
        return words if len(words) <= _MAX_TEXT else ""
    pieces: list[str] = []
    size = 0
    for piece in _pieces(element):
        pieces.append(piece)
        size += len(piece) + 1  # empty elements count too
        if size > 10 * _MAX_TEXT:
            return ""
    words = squeeze("".join(pieces))
    return words if len(words) <= _MAX_TEXT else ""


def _pieces(element: HtmlElement) -> Iterator[str]:
    """Yields the texts below `element`, with a space where an element that is not part of a sentence begins or ends."""
    walk = iterwalk(element, events=("start", "end"))
    for event, inner in walk:
        if event == "end":
            text = inner.tail if inner is not element else ""
        elif inner.tag in SILENT or not isinstance(inner.tag, str):
            text = ""
            walk.skip_subtree()
        else:
            text = inner.text
        text = text or ""
        yield text if inner.tag in _INLINE or text.startswith(_CLOSING) else f" {text}"


class Regions:
    """Tells for elements of one page whether they stand in the article, elsewhere on the page, or aside.

    `frames` are the elements that hold a main heading: what holds one is not aside, whatever it is called, as
    "has-sidebar".
    """

    def __init__(self, frames: frozenset[HtmlElement]) -> None:
        self._frames = frames
        self._known: dict[HtmlElement, Region] = {}

    def of(self, element: HtmlElement) -> Region:
        """Returns the region of `element`."""
        parent = element.getparent()
        around = self._within(parent) if parent is not None else Region.PAGE
        return Region.ASIDE if self._is_named_aside(element) else around

    def _within(self, element: HtmlElement) -> Region:
        chain: list[HtmlElement] = []
        while element is not None and element not in self._known:
            chain.append(element)
            element = element.getparent()
        region = self._known[element] if element is not None else Region.PAGE
        for inner in reversed(chain):
            region = self._known[inner] = self._next(inner, region)
        return region

    def _next(self, element: HtmlElement, around: Region) -> Region:
        tag = element.tag
        if tag in {"body", "html"}:
            return Region.PAGE
        if tag in _ARTICLE_TAGS:
            return Region.ARTICLE
        if tag in _ASIDE_TAGS or self._is_named_aside(element):
            return Region.ASIDE
        if tag == "footer":
            return Region.PAGE if around is Region.ARTICLE else Region.ASIDE
        return around

    def _is_named_aside(self, element: HtmlElement) -> bool:
        names = (element.get("class"), element.get("id"))
        return any(names_aside(name) for name in names if name) and element not in self._frames
