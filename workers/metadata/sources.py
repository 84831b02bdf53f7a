"""One pass over a parsed page that sorts out whatever any resolver may ask for."""

import re
from collections import defaultdict
from collections.abc import Hashable, Iterator, Mapping
from functools import lru_cache
from typing import TypeVar

from lxml.etree import iterwalk
from lxml.html import HtmlElement

from workers.metadata import jsonld
from workers.metadata.page import Mark, Page, Region, Spot
from workers.metadata.words import plain, squeeze, word_set

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

_MAX_SPOTS = 150  # with one mark
_MAX_VALUES = 50  # of one <meta> name or link rel
_MAX_TEXT = 400  # characters of what may be a title, a name or a date
_MAX_LINE = 120  # characters of a line that holds a name or a date
_SILENT = frozenset({"script", "style", "template", "noscript", "svg", "iframe", "select", "textarea", "head"})
_INLINE = frozenset(
    {"a", "abbr", "b", "em", "font", "i", "mark", "q", "s", "small", "strong", "sub", "sup", "u", "wbr"}
)
_CLOSING = (".", ",", ":", ";", "!", "?", ")", "”", "’")
_RELS = frozenset({"canonical", "image_src", "license"})
_PROPS = {
    "headline": Mark.HEADLINE_PROP,
    "author": Mark.AUTHOR_PROP,
    "datepublished": Mark.PUBLISHED_PROP,
    "datemodified": Mark.MODIFIED_PROP,
}
_CLASSES = {  # of names in lower case
    Mark.TITLE_CLASS: re.compile(r"headline|(?:entry|post|article|page|story|content)[-_]{0,2}title|\btitle\b"),
    Mark.AUTHOR_CLASS: re.compile(
        r"author(?!i[tsz]|ed)|by-?_?line|writer|(?:^|[\s_-])(?:autor|auteur|autore|redakteur|verfasser|journalist)"
    ),
    Mark.DATE_CLASS: re.compile(r"date|time(?!line)|publish|posted|datum|fecha|(?:entry|post)-?meta"),
}
_AUTHOR_FOLDERS = word_set(
    """author authors autor autoren autores auteur auteurs bio by columnist columnists contributor contributors
    journalist journalists people person persons profile profiles redakteur redakteure redaktion reporter reporters
    staff team writer writers"""
)
_BY = re.compile(
    r"\W{0,3}(?:(?:words|text|story|written|posted|reported|published|article|review(?:ed)?|analysis)\s+)?"
    r"(?:by|von|par|por|di|door|av|af|autor(?:in)?|author|auteur|text|texto|testo|著者|文)\b\s*[:：]?(?:\s|$)",
    re.IGNORECASE,
)
_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")
_ASIDE = re.compile(
    r"comment(?!ary)|related|recommend|sidebar|widget|(?:page|site|global)-?footer|newsletter|most-?(?:read|popular)"
    r"|teaser|trending|promo|disqus|replies|read-?more|more-?(?:news|stories|from)"
)
_ASIDE_TAGS = frozenset({"nav", "aside"})
_ARTICLE_TAGS = frozenset({"article", "main"})


def gather(tree: HtmlElement, url: str | None) -> Page:
    """Reads a parsed page once, from top to bottom, and leaves the tree as it is."""
    gatherer = _Gatherer()
    for position, element in enumerate(tree.iter("*")):
        gatherer.take(position, element)
    nodes = jsonld.read_scripts(gatherer.scripts)
    address = url or next(iter(gatherer.links.get("canonical", ())), None)
    return Page(
        url=address,
        head_title=gatherer.head_title,
        language=tree.get("lang") or tree.get("xml:lang") or "",
        metas=_fixed(gatherer.metas),
        links=_fixed(gatherer.links),
        spots=_fixed(gatherer.spots),
        nodes=nodes,
        article=jsonld.find_article(nodes, address),
    )


def _fixed(lists: Mapping[K, list[V]]) -> Mapping[K, tuple[V, ...]]:
    return {key: tuple(values) for key, values in lists.items()}


class _Gatherer:
    def __init__(self) -> None:
        self.scripts: list[str] = []
        self.metas: dict[str, list[str]] = defaultdict(list)
        self.links: dict[str, list[str]] = defaultdict(list)
        self.spots: dict[Mark, list[Spot]] = defaultdict(list)
        self.head_title = ""

    def take(self, position: int, element: HtmlElement) -> None:
        tag = element.tag
        if tag == "script":
            self._take_script(element)
        elif tag == "meta":
            self._take_meta(element)
        elif tag == "title" and not self.head_title:
            self.head_title = plain(element.text)
        if tag in {"link", "a"}:
            self._take_link(element)
        if tag not in _SILENT:
            for mark in dict.fromkeys(marks_of(element)):
                self._take_spot(mark, position, element)

    def _take_script(self, element: HtmlElement) -> None:
        if element.text and "ld+json" in (element.get("type") or "").lower():
            self.scripts.append(element.text)

    def _take_meta(self, element: HtmlElement) -> None:
        content = plain(element.get("content"))
        for attribute in ("name", "property", "http-equiv"):
            name = (element.get(attribute) or "").strip().lower()
            values = self.metas[name]
            if content and name and len(values) < _MAX_VALUES and content not in values:
                values.append(content)

    def _take_link(self, element: HtmlElement) -> None:
        target = (element.get("href") or "").strip()
        for rel in _RELS.intersection((element.get("rel") or "").lower().split()):
            if target and len(self.links[rel]) < _MAX_VALUES:
                self.links[rel].append(target)

    def _take_spot(self, mark: Mark, position: int, element: HtmlElement) -> None:
        spots = self.spots[mark]
        if len(spots) < _MAX_SPOTS and (text := stated(element)):
            spots.append(Spot(position, text, region_of(element), element))


def marks_of(element: HtmlElement) -> Iterator[Mark]:
    """Yields the marks that `element` bears by its tag, attributes and first words."""
    if element.tag in {"h1", "h2", "time"}:
        yield Mark(element.tag)
    for prop in (element.get("itemprop") or "").lower().split():
        if prop in _PROPS:
            yield _PROPS[prop]
    for attribute in ("class", "id"):
        if names := element.get(attribute):
            yield from _marks_of_names(names)
    if element.tag == "a":
        yield from _marks_of_link(element)
    yield from _marks_of_words(element)


@lru_cache(maxsize=4096)  # the same few names recur all over a site
def _marks_of_names(names: str) -> tuple[Mark, ...]:
    lower = names.lower()
    return tuple(mark for mark, pattern in _CLASSES.items() if pattern.search(lower))


def _marks_of_link(element: HtmlElement) -> Iterator[Mark]:
    if "author" in (element.get("rel") or "").lower().split():
        yield Mark.AUTHOR_REL
    *folders, last = (element.get("href") or "").lower().partition("?")[0].rstrip("/").split("/")
    if last and not _AUTHOR_FOLDERS.isdisjoint(folders):
        yield Mark.AUTHOR_LINK


def _marks_of_words(element: HtmlElement) -> Iterator[Mark]:
    words = element.text
    if not words or len(words) > _MAX_TEXT:
        return
    if _BY.match(words):
        yield Mark.BY
    if len(words) < _MAX_LINE and _YEAR.search(words):
        yield Mark.YEAR


def stated(element: HtmlElement) -> str:
    """Returns what `element` states: its machine-readable value or its words, empty where that is too long."""
    for attribute in ("content", "datetime"):
        if value := plain(element.get(attribute)):
            return value
    inner = element.find(".//*[@itemprop='name']") if element.get("itemprop") else None
    return words_of(element if inner is None else inner)


def words_of(element: HtmlElement) -> str:
    """Returns the words of `element` on one line, empty where they are more than a title's or a byline's."""
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
        elif inner.tag in _SILENT or not isinstance(inner.tag, str):
            text = ""
            walk.skip_subtree()
        else:
            text = inner.text
        text = text or ""
        yield text if inner.tag in _INLINE or text.startswith(_CLOSING) else f" {text}"


def region_of(element: HtmlElement) -> Region:
    """Tells whether `element` stands in the article, elsewhere on the page, or aside."""
    in_footer = False
    for ancestor in (element, *element.iterancestors()):
        if ancestor.tag in {"body", "html"}:
            break
        if ancestor.tag in _ARTICLE_TAGS:
            return Region.PAGE if in_footer else Region.ARTICLE
        if _is_aside(ancestor, element):
            return Region.ASIDE
        in_footer = in_footer or ancestor.tag == "footer"
    return Region.ASIDE if in_footer else Region.PAGE


def _is_aside(ancestor: HtmlElement, element: HtmlElement) -> bool:
    if ancestor.tag in _ASIDE_TAGS and ancestor is not element:
        return True
    if not any(_names_aside(names) for names in (ancestor.get("class"), ancestor.get("id")) if names):
        return False
    return ancestor.find(".//h1") is None  # else it is the frame of the whole page, as in "has-sidebar"


@lru_cache(maxsize=4096)
def _names_aside(names: str) -> bool:
    return _ASIDE.search(names.lower()) is not None
