"""One pass over a parsed page that sorts out whatever any resolver may ask for."""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from lxml.html import HtmlElement

from workers.metadata import jsonld, marks
from workers.metadata.page import Mark, Page, Region, Spot, host_of
from workers.metadata.spots import SILENT, Regions, stated, words_after, words_of
from workers.metadata.words import bare, plain

__all__ = ["gather", "words_of"]

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

_MAX_SPOTS = 40  # with one mark: those nearest to the heading
_MAX_HITS = 5000  # of one mark
_MAX_VALUES = 50  # of one <meta> name or link rel
_RELS = frozenset({"canonical", "image_src", "license"})
_DUBLIN_CORE = {"dc": "dc.", "dcterm": "dcterms.", "dcterms": "dcterms."}
_TAGS = {"h1": Mark.H1, "h2": Mark.H2, "time": Mark.TIME}
_SITE_METAS = ("og:site_name", "application-name", "apple-mobile-web-app-title", "twitter:app:name:iphone")
_SITE_TYPES = frozenset({"WebSite", "Organization", "NewsMediaOrganization"})


@dataclass(frozen=True, slots=True)
class _Hit:
    """An element with a mark; `after` says that it is the words after the element that bear it."""

    position: int
    element: HtmlElement
    after: bool = False


def gather(tree: HtmlElement, url: str | None) -> Page:
    """Reads a parsed page once, from top to bottom, and leaves the tree as it is."""
    gatherer = _Gatherer()
    gatherer.walk(tree)
    nodes = jsonld.read_scripts(gatherer.scripts)
    address = url or next(iter(gatherer.links.get("canonical", ())), None)
    heading, spots = _spots(gatherer.hits)
    return Page(
        url=address,
        head_title=gatherer.head_title,
        language=tree.get("lang") or tree.get("xml:lang") or "",
        metas=_fixed(gatherer.metas),
        links=_fixed(gatherer.links),
        spots=spots,
        nodes=nodes,
        article=jsonld.find_article(nodes, address),
        heading=heading,
        sites=_site_names(gatherer.metas, nodes, host_of(address)),
    )


def _fixed(lists: Mapping[K, list[V]]) -> Mapping[K, tuple[V, ...]]:
    return {key: tuple(values) for key, values in lists.items()}


def _site_names(metas: Mapping[str, list[str]], nodes: Iterable[jsonld.Node], host: str) -> frozenset[str]:
    names = [value for name in _SITE_METAS for value in metas.get(name, ())]
    for node in nodes:
        names += jsonld.strings(node.get("publisher"), "name")
        if not _SITE_TYPES.isdisjoint(jsonld.types_of(node)):
            names += jsonld.strings(node.get("name"))
    names += [host, host.rpartition(".")[0]]
    return frozenset(filter(None, map(bare, names)))


def _spots(hits: Mapping[Mark, list[_Hit]]) -> tuple[int, Mapping[Mark, tuple[Spot, ...]]]:
    """Returns the position of the heading, and by mark the spots nearest to it."""
    headings = hits.get(Mark.H1, [])[:_MAX_SPOTS]
    regions = Regions(frozenset(frame for hit in headings for frame in hit.element.iterancestors()))
    heading = next((hit.position for hit in headings if regions.of(hit.element) is not Region.ASIDE), 0)
    known: dict[tuple[int, bool], Spot] = {}
    spots: dict[Mark, tuple[Spot, ...]] = {}
    for mark, found in hits.items():
        near = sorted(sorted(found, key=lambda hit: abs(hit.position - heading))[:_MAX_SPOTS], key=lambda h: h.position)
        for hit in near:
            if (hit.position, hit.after) not in known:
                known[hit.position, hit.after] = _spot(hit, regions)
        spots[mark] = tuple(spot for hit in near if (spot := known[hit.position, hit.after]).text)
    return heading, spots


def _spot(hit: _Hit, regions: Regions) -> Spot:
    text = words_after(hit.element) if hit.after else stated(hit.element)
    return Spot(hit.position, text, regions.of(hit.element), hit.element)


class _Gatherer:
    def __init__(self) -> None:
        self.scripts: list[str] = []
        self.metas: dict[str, list[str]] = defaultdict(list)
        self.links: dict[str, list[str]] = defaultdict(list)
        self.hits: dict[Mark, list[_Hit]] = defaultdict(list)
        self.head_title = ""

    def walk(self, tree: HtmlElement) -> None:
        """Takes what `tree` holds. Most of the time that metadata costs goes here: a few look-ups an element."""
        apart = {"script": self._take_script, "meta": self._take_meta, "title": self._take_title}
        for position, element in enumerate(tree.iter("*")):
            tag = element.tag
            if tag in apart:
                apart[tag](element)
            elif tag in {"a", "link"}:
                self._take_link(position, element)
            elif tag in _TAGS:
                self._mark(_TAGS[tag], position, element)
            if tag not in SILENT:
                self._take_element(position, element)
            if (words := element.tail) and not words.isspace():
                for mark in marks.of_words(words):
                    self._mark(mark, position, element, after=True)

    def _take_element(self, position: int, element: HtmlElement) -> None:
        get = element.get
        if names := get("class"):
            for mark in marks.of_names(names):
                self._mark(mark, position, element)
        if names := get("id"):
            for mark in marks.of_name(names):
                self._mark(mark, position, element)
        if prop := get("itemprop"):
            for mark in filter(None, map(marks.PROPS.get, prop.lower().split())):
                self._mark(mark, position, element)
        if (words := element.text) and not words.isspace():
            for mark in marks.of_words(words):
                self._mark(mark, position, element)

    def _mark(self, mark: Mark, position: int, element: HtmlElement, *, after: bool = False) -> None:
        hits = self.hits[mark]
        if len(hits) < _MAX_HITS and not (hits and hits[-1].position == position and hits[-1].after == after):
            hits.append(_Hit(position, element, after))

    def _take_title(self, element: HtmlElement) -> None:
        self.head_title = self.head_title or plain(element.text)

    def _take_script(self, element: HtmlElement) -> None:
        if element.text and "ld+json" in (element.get("type") or "").lower():
            self.scripts.append(element.text)

    def _take_meta(self, element: HtmlElement) -> None:
        content = plain(element.get("content"))
        if not content:
            return
        for attribute in ("name", "property", "http-equiv"):
            for name in (element.get(attribute) or "").lower().split():
                prefix, _, rest = name.partition(":")
                values = self.metas[_DUBLIN_CORE[prefix] + rest if prefix in _DUBLIN_CORE else name]
                if len(values) < _MAX_VALUES and content not in values:
                    values.append(content)

    def _take_link(self, position: int, element: HtmlElement) -> None:
        target = (element.get("href") or "").strip()
        for rel in (element.get("rel") or "").lower().split():
            if rel in _RELS and target and len(self.links[rel]) < _MAX_VALUES:
                self.links[rel].append(target)
            if rel == "author" and element.tag == "a":
                self._mark(Mark.AUTHOR_REL, position, element)
        if element.tag == "a" and target and marks.is_authors(target):
            self._mark(Mark.AUTHOR_LINK, position, element)
