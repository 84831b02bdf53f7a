"""What an element of a page states, and where on the page it stands."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from lxml.etree import iterwalk

from workers.metadata.signals import Mark, names_aside
from workers.page.tree import Element
from workers.page.words import plain, squeeze

_MAX_SPOTS = 40  # with one mark: those nearest to the heading
_BEFORE, _AFTER = 30, 80  # elements around the heading: where a bare name may be the author's
_MAX_TEXT = 400  # characters of what may be a title, a name or a date
_PIECE = 2  # what an element's start or end counts, in characters
_INLINE = frozenset(
    {"a", "abbr", "b", "em", "font", "i", "mark", "q", "s", "small", "strong", "sub", "sup", "u", "wbr"}
)
_FLOWING = _INLINE | {"span", "time", "img"}
_CLOSING = (".", ",", ":", ";", "!", "?", ")", "”", "’")
_ARTICLE_TAGS = frozenset({"article", "main"})
_ASIDE_TAGS = frozenset({"nav", "aside"})
SILENT = frozenset({"script", "style", "template", "noscript", "svg", "iframe", "select", "textarea", "head"})


class Region(StrEnum):
    """Where on the page an element stands."""

    ARTICLE = "article"
    PAGE = "page"
    ASIDE = "aside"  # navigation, footer, comments, teasers of other articles


@dataclass(frozen=True, slots=True)
class Spot:
    """An element that may tell something.

    `position` counts elements from the page's start. `text` is what the element states: its machine-readable value
    where it has one, else its words.
    """

    position: int
    text: str
    region: Region
    element: Element


def stated(element: Element) -> str:
    """Returns what `element` states: its machine-readable value or its words, empty where that is too long."""
    for attribute in ("content", "datetime"):
        if value := plain(element.get(attribute)):
            return value
    if element.tag == "img":
        return plain(element.get("alt"))
    inner = element.find(".//*[@itemprop='name']") if element.get("itemprop") else None
    return words_of(element if inner is None else inner)


def words_after(element: Element) -> str:
    """Returns the words that follow `element` up to the next break of the line, empty where they are too many."""
    pieces = [element.tail or ""]
    sibling = element.getnext()
    while sibling is not None and sibling.tag in _FLOWING and sum(map(len, pieces)) < _MAX_TEXT:
        pieces += [words_of(sibling), " ", sibling.tail or ""]
        sibling = sibling.getnext()
    words = squeeze("".join(pieces))
    return words if len(words) <= _MAX_TEXT else ""


def words_of(element: Element) -> str:
    """Returns the words of `element` on one line, empty where they are more than a title's or a byline's."""
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

    def __init__(self, frames: frozenset[Element]) -> None:
        self._frames = frames
        self._known: dict[Element, Region] = {}

    def of(self, element: Element) -> Region:
        """Returns the region of `element`."""
        parent = element.getparent()
        around = self._within(parent) if parent is not None else Region.PAGE
        return Region.ASIDE if self._is_named_aside(element) else around

    def _within(self, element: Element) -> Region:
        chain: list[Element] = []
        outer: Element | None = element
        while outer is not None and outer not in self._known:
            chain.append(outer)
            outer = outer.getparent()
        region = self._known[outer] if outer is not None else Region.PAGE
        for inner in reversed(chain):
            region = self._known[inner] = self._next(inner, region)
        return region

    def _next(self, element: Element, around: Region) -> Region:
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

    def _is_named_aside(self, element: Element) -> bool:
        names = element.get("class")
        if names and names_aside(names):
            return element not in self._frames
        names = element.get("id")
        return bool(names) and names_aside(names) and element not in self._frames


class Hit(NamedTuple):
    """An element with a mark; `after` says that it is the words after the element that bear it."""

    position: int
    element: Element
    after: bool = False


class Spots:
    """What the marked elements of one page state, read when it is first asked for: much of it never is."""

    def __init__(self, hits: Mapping[Mark, Sequence[Hit]]) -> None:
        self._hits = hits
        self._by_mark: dict[Mark, tuple[Spot, ...]] = {}
        self._by_place: dict[tuple[int, bool], Spot] = {}
        headings = hits.get(Mark.H1, ())[:_MAX_SPOTS]
        self._regions = Regions(frozenset(frame for hit in headings for frame in hit.element.iterancestors()))
        proper = (hit.position for hit in headings if self._regions.of(hit.element) is not Region.ASIDE)
        self.heading = next(proper, 0)

    def marked(self, mark: Mark) -> tuple[Spot, ...]:
        """Returns those with `mark` that are nearest to the heading and state anything, in the order of the page."""
        if mark not in self._by_mark:
            near = self._near(mark)
            self._by_mark[mark] = tuple(spot for spot in map(self._spot, near) if spot.text)
        return self._by_mark[mark]

    def _near(self, mark: Mark) -> Sequence[Hit]:
        hits = self._hits.get(mark, ())
        if mark is Mark.NAME:
            hits = [hit for hit in hits if -_BEFORE <= hit.position - self.heading <= _AFTER]
        if len(hits) <= _MAX_SPOTS:
            return hits
        nearest = sorted(hits, key=lambda hit: abs(hit.position - self.heading))[:_MAX_SPOTS]
        return sorted(nearest, key=lambda hit: hit.position)

    def _spot(self, hit: Hit) -> Spot:
        place = (hit.position, hit.after)
        if place not in self._by_place:
            text = words_after(hit.element) if hit.after else stated(hit.element)
            self._by_place[place] = Spot(hit.position, text, self._regions.of(hit.element), hit.element)
        return self._by_place[place]
