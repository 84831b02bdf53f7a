"""Page elements with a signal: their text, and their region of the page."""

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

from lxml.etree import iterwalk

from workers.metadata.signals import Signal, credit_in, names_aside
from workers.page.tree import Element
from workers.page.words import plain, squeeze

# Bounds on work, chosen by hand. The features of authors depend on `_BEFORE` and `_AFTER`.
_MAX_ELEMENTS = 40  # elements with one signal: those nearest to the heading
_BEFORE, _AFTER = 30, 80  # elements around the heading, in which a name alone may be the author's
_MAX_TEXT = 400  # characters of a title, a name or a date
_MIN_HEADING = 15  # characters of a part of the page's title that may be the article's heading
_PIECE = 2  # characters that the start or end of an element counts as
_INLINE = frozenset(
    {"a", "abbr", "b", "em", "font", "i", "mark", "q", "s", "small", "strong", "sub", "sup", "u", "wbr"}
)
_FLOWING = _INLINE | {"span", "time", "img"}
_CLOSING = (".", ",", ":", ";", "!", "?", ")", "”", "’")
_HEADINGS = frozenset({"h1", "h2", "h3", "h4"})
_ARTICLE_TAGS = frozenset({"article", "main"})
_ASIDE_TAGS = frozenset({"nav", "aside"})
SILENT = frozenset({"script", "style", "template", "noscript", "svg", "iframe", "select", "textarea", "head"})


class ElementRegion(StrEnum):
    """The part of the page that an element is in."""

    ARTICLE = "article"
    PAGE = "page"
    ASIDE = "aside"  # navigation, footer, comments, teasers of other articles


_ARTICLE, _PAGE, _ASIDE = ElementRegion  # read once: see `workers.page.blocks.BlockKind`


class PageElement(NamedTuple):
    """An element with a signal, and its text.

    `position` counts elements from the page's start. `text` is the element's machine-readable value if it has one,
    otherwise its words. `node` is the element of the tree.
    """

    position: int
    text: str
    region: ElementRegion
    node: Element


def element_text(element: Element) -> str:
    """Returns the machine-readable value of `element`, or its words; empty if they are too long."""
    for attribute in ("content", "datetime"):
        if value := plain(element.get(attribute)):
            return value
    if element.tag == "img":
        return plain(element.get("alt"))
    inner = element.find(".//*[@itemprop='name']") if element.get("itemprop") else None
    return short_text(element if inner is None else inner)


def text_after(element: Element) -> str:
    """Returns the words after `element` up to the end of the line, empty if they are too long."""
    pieces = [element.tail or ""]
    sibling = element.getnext()
    while sibling is not None and sibling.tag in _FLOWING and sum(map(len, pieces)) < _MAX_TEXT:
        pieces += [short_text(sibling), " ", sibling.tail or ""]
        sibling = sibling.getnext()
    words = squeeze("".join(pieces))
    return words if len(words) <= _MAX_TEXT else ""


def short_text(element: Element) -> str:
    """Returns the words of `element` on one line, empty if they are too long for a title or a byline."""
    if len(element) == 0:
        words = squeeze(element.text)
        return words if len(words) <= _MAX_TEXT else ""
    pieces: list[str] = []
    size = 0
    for piece in _pieces(element):
        pieces.append(piece)
        size += len(piece.strip()) + _PIECE  # empty elements count, too
        if size > 2 * _MAX_TEXT:
            return ""
    words = squeeze("".join(pieces))
    return words if len(words) <= _MAX_TEXT else ""


def _pieces(element: Element) -> Iterator[str]:
    """Yields the texts below `element`, with a space where an element begins or ends that is not inline."""
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


class RegionFinder:
    """Determines for elements of one page whether they are in the article, elsewhere on the page, or aside.

    `frames` are the elements that contain a main heading or the page's title. They are never aside, even with a class
    such as "has-sidebar".
    """

    def __init__(self, frames: frozenset[Element]) -> None:
        self._frames = frames
        self._known: dict[Element, ElementRegion] = {}

    def of(self, element: Element) -> ElementRegion:
        """Returns the region of `element`."""
        parent = element.getparent()
        around = self._within(parent) if parent is not None else _PAGE
        return _ASIDE if self._is_named_aside(element) else around

    def _within(self, element: Element) -> ElementRegion:
        chain: list[Element] = []
        outer: Element | None = element
        while outer is not None and outer not in self._known:
            chain.append(outer)
            outer = outer.getparent()
        region = self._known[outer] if outer is not None else _PAGE
        for inner in reversed(chain):
            region = self._known[inner] = self._next(inner, region)
        return region

    def _next(self, element: Element, around: ElementRegion) -> ElementRegion:
        tag = element.tag
        if tag in {"body", "html"}:
            return _PAGE
        if tag in _ARTICLE_TAGS:
            return _ARTICLE
        if tag in _ASIDE_TAGS or self._is_named_aside(element):
            return _ASIDE
        if tag == "footer":
            return _PAGE if around is _ARTICLE else _ASIDE
        return around

    def _is_named_aside(self, element: Element) -> bool:
        names = element.get("class")
        if names and names_aside(names):
            return element not in self._frames
        names = element.get("id")
        return bool(names) and names_aside(names) and element not in self._frames


class SignalHit(NamedTuple):
    """An element with a signal; `after`: the words after the element have the signal."""

    position: int
    element: Element
    after: bool = False


def _is_title(hit: SignalHit) -> bool:
    """Returns True for a long part of the page's title that is a heading or a link in one: the article's heading."""
    parent = hit.element.getparent()
    tags = {hit.element.tag, parent.tag if parent is not None else ""}
    return not hit.after and not tags.isdisjoint(_HEADINGS) and len(squeeze(hit.element.text)) >= _MIN_HEADING


class ElementIndex:
    """The elements of one page by signal. It reads their texts on first use: most are never used."""

    def __init__(self, hits: Mapping[Signal, Sequence[SignalHit]]) -> None:
        self._hits = hits
        self._by_signal: dict[Signal, tuple[PageElement, ...]] = {}
        self._by_place: dict[tuple[int, bool], PageElement] = {}
        headings = hits.get(Signal.H1, ())[:_MAX_ELEMENTS]
        titles = [*headings, *filter(_is_title, hits.get(Signal.TITLE_PART, ())[:_MAX_ELEMENTS])]
        self._regions = RegionFinder(frozenset(frame for hit in titles for frame in hit.element.iterancestors()))
        proper = (hit.position for hit in headings if self._regions.of(hit.element) is not _ASIDE)
        self.heading = next(proper, 0)

    def with_signal(self, signal: Signal) -> tuple[PageElement, ...]:
        """Returns the elements with `signal` and a text that are nearest to the heading, in page order."""
        if signal not in self._by_signal:
            near = self._near(signal)
            read = self._credit if signal is Signal.CREDIT else self._page_element
            self._by_signal[signal] = tuple(element for element in map(read, near) if element.text)
        return self._by_signal[signal]

    def _near(self, signal: Signal) -> Sequence[SignalHit]:
        hits = self._hits.get(signal, ())
        if signal is Signal.NAME:
            hits = [hit for hit in hits if -_BEFORE <= hit.position - self.heading <= _AFTER]
        if len(hits) <= _MAX_ELEMENTS:
            return hits
        nearest = sorted(hits, key=lambda hit: abs(hit.position - self.heading))[:_MAX_ELEMENTS]
        return sorted(nearest, key=lambda hit: hit.position)

    def _credit(self, hit: SignalHit) -> PageElement:
        words = hit.element.tail if hit.after else hit.element.text
        return PageElement(hit.position, credit_in(words or ""), self._regions.of(hit.element), hit.element)

    def _page_element(self, hit: SignalHit) -> PageElement:
        place = (hit.position, hit.after)
        if place not in self._by_place:
            text = text_after(hit.element) if hit.after else element_text(hit.element)
            self._by_place[place] = PageElement(hit.position, text, self._regions.of(hit.element), hit.element)
        return self._by_place[place]
