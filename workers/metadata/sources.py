"""One pass over a parsed page that sorts out whatever any resolver may ask for."""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar, cast
from urllib.parse import urlsplit

from workers.metadata import jsonld
from workers.metadata.elements import SILENT, ElementIndex, ElementRegion, PageElement, SignalHit
from workers.metadata.signals import Signal, is_author_link, signals_of_itemprop, signals_of_names, signals_of_text
from workers.page.tree import Element
from workers.page.words import bare, plain, word_set

Attributes = Sequence[tuple[str, str]]  # lxml's types allow for bytes, which there are none of in HTML
K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
_MAX_HITS = 5000  # of one mark
_MAX_VALUES = 50  # of one <meta> name or link rel
_RELS = frozenset({"canonical", "image_src", "license"})
_DUBLIN_CORE = {"dc": "dc.", "dcterm": "dcterms.", "dcterms": "dcterms."}
_TAGS = {"h1": Signal.H1, "h2": Signal.H2, "time": Signal.TIME}
_READERS: Mapping[str, Callable[[str], tuple[Signal, ...]]] = {
    "class": signals_of_names,
    "id": signals_of_names,
    "itemprop": signals_of_itemprop,
}
# Of these there is nothing to read but what stands after them.
_WORDLESS = SILENT | word_set(
    "br circle clippath defs g input line path picture polygon polyline rect source symbol use"
)
_SITE_METAS = ("og:site_name", "application-name", "apple-mobile-web-app-title", "twitter:app:name:iphone")
_SITE_TYPES = frozenset({"WebSite", "Organization", "NewsMediaOrganization"})


@dataclass(frozen=True, slots=True, kw_only=True)
class PageSources:
    """One page, gathered.

    `metas` are the `<meta>` elements by lower-case name, property or http-equiv; `links` the `<link>` and `<a>` targets
    by rel (`canonical`, `image_src`, `license`); `element_index` the elements of the body by mark; `nodes` all JSON-LD,
    `article` the node of the article itself; `heading` the position of the first `h1` of the page proper, 0 where there
    is none; `sites` what the site and its publisher are called, as bare words.
    """

    url: str | None
    head_title: str
    language: str
    metas: Mapping[str, tuple[str, ...]]
    links: Mapping[str, tuple[str, ...]]
    element_index: ElementIndex
    nodes: tuple[jsonld.Node, ...]
    article: jsonld.Node
    heading: int = 0
    sites: frozenset[str] = frozenset()

    def meta(self, *names: str) -> list[str]:
        """Returns the values of the `<meta>` elements called `names`, in the order of the names."""
        return [value for name in names for value in self.metas.get(name, ())]

    def elements(self, *signals: Signal) -> list[PageElement]:
        """Returns the elements with `signals`, in the order of the signals, then of the document."""
        return [element for signal in signals for element in self.element_index.with_signal(signal)]

    def main_elements(self, *signals: Signal) -> list[PageElement]:
        """Returns what `elements` returns, without navigation, footers, comments and the like."""
        return [element for element in self.elements(*signals) if element.region is not ElementRegion.ASIDE]

    @property
    def host(self) -> str:
        """The page's host without `www.`, empty where no URL is known."""
        return host_of(self.url)


def host_of(url: str | None) -> str:
    """Returns the host of `url` without `www.`, empty where there is none."""
    try:
        return (urlsplit(url or "").hostname or "").removeprefix("www.")
    except ValueError:
        return ""


def gather(tree: Element, url: str | None) -> PageSources:
    """Reads a parsed page once, from top to bottom, and leaves the tree as it is."""
    gatherer = _Gatherer()
    gatherer.walk(tree)
    nodes = jsonld.read_scripts(gatherer.scripts)
    address = url or next(iter(gatherer.links.get("canonical", ())), None)
    element_index = ElementIndex(gatherer.hits)
    return PageSources(
        url=address,
        head_title=gatherer.head_title,
        language=tree.get("lang") or tree.get("xml:lang") or "",
        metas=_fixed(gatherer.metas),
        links=_fixed(gatherer.links),
        element_index=element_index,
        nodes=nodes,
        article=jsonld.find_article(nodes, address),
        heading=element_index.heading,
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


class _Gatherer:
    def __init__(self) -> None:
        self.scripts: list[str] = []
        self.metas: dict[str, list[str]] = defaultdict(list)
        self.links: dict[str, list[str]] = defaultdict(list)
        self.hits: dict[Signal, list[SignalHit]] = defaultdict(list)
        self.head_title = ""

    def walk(self, tree: Element) -> None:  # noqa: C901 - see below
        """Takes what `tree` holds. This loop is most of what metadata costs, so it calls nothing it need not."""
        apart = {"script": self._take_script, "meta": self._take_meta, "title": self._take_title}
        readers, take_words = _READERS, self._take_words
        for position, element in enumerate(tree.iter("*")):
            tag = element.tag
            if tag in apart:
                apart[tag](element)
            elif tag in _TAGS:
                self._note((_TAGS[tag],), position, element)
            if tag not in _WORDLESS:
                for name, value in cast("Attributes", element.items()):
                    if name in readers:
                        if found := readers[name](value):
                            self._note(found, position, element)
                    elif name == "href" or name == "rel":  # noqa: PLR1714 - a set would be built or asked for each
                        self._take_link(position, element, name, value)
                if (words := element.text) and not words.isspace():
                    take_words(words, position, element)
            if (words := element.tail) and not words.isspace():
                take_words(words, position, element, after=True)

    def _take_link(self, position: int, element: Element, name: str, value: str) -> None:
        if name == "rel":
            self._take_rel(position, element, value)
        elif element.tag == "a" and is_author_link(value):
            self._note((Signal.AUTHOR_LINK,), position, element)

    def _take_words(self, words: str, position: int, element: Element, *, after: bool = False) -> None:
        if found := signals_of_text(words):
            self._note(found, position, element, after=after)

    def _note(self, found: Iterable[Signal], position: int, element: Element, *, after: bool = False) -> None:
        for signal in found:
            hits = self.hits[signal]
            if len(hits) < _MAX_HITS and not (hits and hits[-1][0] == position and hits[-1][2] == after):
                hits.append(SignalHit(position, element, after))

    def _take_title(self, element: Element) -> None:
        self.head_title = self.head_title or plain(element.text)

    def _take_script(self, element: Element) -> None:
        if "ld+json" in (element.get("type") or "").lower() and (text := element.text):
            self.scripts.append(text)

    def _take_meta(self, element: Element) -> None:
        given = dict(cast("Attributes", element.items()))
        content = plain(given.get("content") or given.get("value"))  # a slip that whole sites make
        if not content:
            return
        for attribute in ("name", "property", "http-equiv"):
            for name in given.get(attribute, "").lower().split():
                prefix, _, rest = name.partition(":")
                values = self.metas[_DUBLIN_CORE[prefix] + rest if prefix in _DUBLIN_CORE else name]
                if len(values) < _MAX_VALUES and content not in values:
                    values.append(content)

    def _take_rel(self, position: int, element: Element, names: str) -> None:
        rels = names.lower().split()
        if "author" in rels and element.tag == "a":
            self._note((Signal.AUTHOR_REL,), position, element)
        if element.tag in {"a", "link"} and (own := _RELS.intersection(rels)):
            target = (element.get("href") or "").strip()
            for rel in own:
                if target and len(self.links[rel]) < _MAX_VALUES:
                    self.links[rel].append(target)
