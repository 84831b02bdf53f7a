"""One pass over a parsed page that collects the sources of all resolvers."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import cast
from urllib.parse import urlsplit

from workers.metadata import jsonld
from workers.metadata.elements import SILENT, ElementIndex, ElementRegion, PageElement, SignalHit
from workers.metadata.signals import (
    Signal,
    is_author_link,
    signals_of_itemprop,
    signals_of_names,
    signals_of_property,
    signals_of_text,
)
from workers.page.head import Attributes, Head
from workers.page.tree import Element
from workers.page.words import bare, tokens, word_set

# Bounds on work, chosen by hand; not measured.
_MAX_HITS = 5000  # elements with one signal
_MAX_LINKS = 50  # links with one rel
_MAX_TITLE = 1000  # characters of the page's titles
_MIN_LABEL = 4  # letters of a domain's first label that is no part of the top level: co.uk, com.br
_MAX_SITE_WORDS = 6  # words of a site's name; in Chinese, characters
_MAX_AROUND = 2  # elements around a text, in which a link home may be
_MIN_PART = 4  # characters of a part of a title
_HOMES = frozenset({"", "/", "/index.html", "/index.htm", "/index.php", "/home", "/home/"})  # paths of home pages
_RELS = frozenset({"canonical", "image_src", "license"})
_TAGS = {"h1": Signal.H1, "h2": Signal.H2, "time": Signal.TIME}
_READERS: Mapping[str, Callable[[str], tuple[Signal, ...]]] = {
    "class": signals_of_names,
    "id": signals_of_names,
    "itemprop": signals_of_itemprop,
    "property": signals_of_property,
}
_META_READERS = {name: reader for name, reader in _READERS.items() if name != "property"}  # the head has its properties
# These have no text themselves; only the text after them is read.
_WORDLESS = SILENT | word_set(
    "br circle clippath defs g input line path picture polygon polyline rect source symbol use"
)
_SITE_METAS = ("og:site_name", "application-name", "apple-mobile-web-app-title", "twitter:app:name:iphone")
_SITE_TYPES = frozenset({"WebSite", "Organization", "NewsMediaOrganization"})


@dataclass(frozen=True, slots=True, kw_only=True)
class PageSources:
    """The sources of one page.

    `head` is the page's head; `links` the `<link>` and `<a>` targets by rel (`canonical`, `image_src`, `license`);
    `element_index` the elements of the body by signal; `nodes` all JSON-LD, `article` the node of the article itself;
    `heading` the position of the first `h1` that is not aside, 0 if there is none; `sites` the names of the site and of
    its publisher, as bare words; `size` the number of elements.
    """

    url: str | None
    head: Head
    language: str
    links: Mapping[str, tuple[str, ...]]
    element_index: ElementIndex
    nodes: tuple[jsonld.Node, ...]
    article: jsonld.Node
    heading: int = 0
    sites: frozenset[str] = frozenset()
    size: int = 1

    def meta(self, *names: str) -> list[str]:
        """Returns the values of the `<meta>` elements called `names`, in the order of the names."""
        return self.head.values(*names)

    def elements(self, *signals: Signal) -> list[PageElement]:
        """Returns the elements with `signals`, in the order of the signals, then of the document."""
        return [element for signal in signals for element in self.element_index.with_signal(signal)]

    def main_elements(self, *signals: Signal) -> list[PageElement]:
        """Returns the elements with `signals` that are not in navigation, footers, comments and the like."""
        aside = ElementRegion.ASIDE
        return [element for element in self.elements(*signals) if element.region is not aside]

    @property
    def host(self) -> str:
        """The page's host without `www.`, empty if its URL is unknown."""
        return host_of(self.url)


def host_of(url: str | None) -> str:
    """Returns the host of `url` without `www.`, empty if there is none."""
    try:
        return (urlsplit(url or "").hostname or "").removeprefix("www.")
    except ValueError:
        return ""


def gather(tree: Element, head: Head, url: str | None) -> PageSources:
    """Reads a parsed page once, from top to bottom. Leaves the tree unchanged."""
    gatherer = _Gatherer(" ".join([head.title, *head.values("og:title")[:1]])[:_MAX_TITLE])
    gatherer.walk(tree)
    nodes = jsonld.read_scripts(head.json_ld)
    address = url or next(iter(gatherer.links.get("canonical", ())), None)
    element_index = ElementIndex(gatherer.hits)
    linked = _home_links(gatherer.hits, element_index.heading, address)
    return PageSources(
        url=address,
        head=head,
        language=tree.get("lang") or tree.get("xml:lang") or "",
        links={rel: tuple(targets) for rel, targets in gatherer.links.items()},
        element_index=element_index,
        nodes=nodes,
        article=jsonld.find_article(nodes, address),
        heading=element_index.heading,
        sites=_site_names(head, nodes, host_of(address)) | (linked - {bare(head.title)}),
        size=gatherer.size,
    )


def _site_names(head: Head, nodes: Iterable[jsonld.Node], host: str) -> frozenset[str]:
    names = head.values(*_SITE_METAS)
    for node in nodes:
        names += jsonld.strings(node.get("publisher"), "name")
        if not _SITE_TYPES.isdisjoint(jsonld.types_of(node)):
            names += jsonld.strings(node.get("name"))
    names += [host, host.rpartition(".")[0]]
    above = {bare(name) for domain in _domains_above(host) for name in (domain, domain.rpartition(".")[0])}
    headline = {bare(text) for text in head.values("og:title")[:1] if len(tokens(text)) > _MAX_SITE_WORDS}
    return frozenset(filter(None, map(bare, names))) - headline | (above - {bare(head.title)})


def _domains_above(host: str) -> Iterator[str]:
    """Yields the domains that `host` belongs to, but for those of whole countries such as co.uk."""
    _, _, domain = host.partition(".")
    while "." in domain:
        if len(domain.partition(".")[0]) >= _MIN_LABEL:
            yield domain
        _, _, domain = domain.partition(".")


def _home_links(hits: Mapping[Signal, Iterable[SignalHit]], heading: int, url: str | None) -> frozenset[str]:
    """Returns what links to the site's home page say, of the parts of the page's title: the name of the site."""
    links = (
        hit
        for hit in hits.get(Signal.TITLE_PART, ())
        if not hit.after
        and len(tokens(hit.element.text or "")) <= _MAX_SITE_WORDS
        and (hit.position <= heading or not heading)
        and _leads_home(hit.element, url)
    )
    return frozenset(filter(None, (bare(hit.element.text or "") for hit in links)))


def _leads_home(element: Element, url: str | None) -> bool:
    holders = (element, *islice(element.iterancestors(), _MAX_AROUND))
    link = next((holder for holder in holders if holder.tag == "a"), None)
    try:
        target = urlsplit((link.get("href") or "").strip()) if link is not None else None
    except ValueError:
        return False
    if link is None or target is None or target.scheme not in {"", "http", "https"}:
        return False
    home = target.path.lower() in _HOMES and bool(target.path or target.netloc)
    return (
        home
        and not (target.query or target.fragment)
        and (not target.netloc or host_of(link.get("href")) in {host_of(url), ""} or not url)
    )


class _Gatherer:
    def __init__(self, title: str) -> None:
        self._title = title
        self.size = 1
        self.links: dict[str, list[str]] = defaultdict(list)
        self.hits: dict[Signal, list[SignalHit]] = defaultdict(list)

    def walk(self, tree: Element) -> None:
        """Collects the sources in `tree`. This loop takes most of the time for metadata, so it avoids calls."""
        take_words = self._take_words
        for position, element in enumerate(tree.iter("*")):
            tag = element.tag
            if tag in _TAGS:
                self._note((_TAGS[tag],), position, element)
            if tag not in _WORDLESS:
                readers = _META_READERS if tag == "meta" else _READERS
                for name, value in cast("Attributes", element.items()):
                    if name in readers:
                        if found := readers[name](value):
                            self._note(found, position, element)
                    elif name == "href" or name == "rel":  # noqa: PLR1714 - faster than a set, and called for each attribute
                        self._take_link(position, element, name, value)
                if (words := element.text) and not words.isspace():
                    take_words(words, position, element)
            if (words := element.tail) and not words.isspace():
                take_words(words, position, element, after=True)
            self.size = position + 1

    def _take_link(self, position: int, element: Element, name: str, value: str) -> None:
        if name == "rel":
            self._take_rel(position, element, value)
        elif element.tag == "a" and is_author_link(value):
            self._note((Signal.AUTHOR_LINK,), position, element)

    def _take_words(self, words: str, position: int, element: Element, *, after: bool = False) -> None:
        if found := signals_of_text(words):
            self._note(found, position, element, after=after)
        if _MIN_PART <= len(words) <= len(self._title) and element.tag != "title" and self._is_title_part(words):
            self._note((Signal.TITLE_PART,), position, element, after=after)

    def _is_title_part(self, words: str) -> bool:
        part = words.strip()
        return len(part) >= _MIN_PART and part in self._title

    def _note(self, found: Iterable[Signal], position: int, element: Element, *, after: bool = False) -> None:
        for signal in found:
            hits = self.hits[signal]
            if len(hits) < _MAX_HITS and not (hits and hits[-1][0] == position and hits[-1][2] == after):
                hits.append(SignalHit(position, element, after))

    def _take_rel(self, position: int, element: Element, names: str) -> None:
        rels = names.lower().split()
        if "author" in rels and element.tag == "a":
            self._note((Signal.AUTHOR_REL,), position, element)
        if element.tag in {"a", "link"} and (own := _RELS.intersection(rels)):
            target = (element.get("href") or "").strip()
            for rel in own:
                if target and len(self.links[rel]) < _MAX_LINKS:
                    self.links[rel].append(target)
