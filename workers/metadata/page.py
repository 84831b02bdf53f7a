"""All that a page says about itself, sorted by source: what every resolver reads."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol
from urllib.parse import urlsplit

from workers.markup import Element
from workers.metadata import jsonld


class Region(StrEnum):
    """Where on the page an element stands."""

    ARTICLE = "article"
    PAGE = "page"
    ASIDE = "aside"  # navigation, footer, comments, teasers of other articles


class Mark(StrEnum):
    """Why an element is worth asking."""

    H1 = "h1"
    H2 = "h2"
    TITLE_CLASS = "title class"
    HEADLINE_PROP = "itemprop headline"
    AUTHOR_PROP = "itemprop author"
    AUTHOR_REL = "rel author"
    AUTHOR_LINK = "author link"
    AUTHOR_CLASS = "author class"
    NAME_CLASS = "name class"
    AVATAR = "avatar"
    BY = "by"
    BY_WITHIN = "by within"
    NAME = "name"
    COPYRIGHT = "copyright"
    PUBLISHED_PROP = "itemprop datePublished"
    MODIFIED_PROP = "itemprop dateModified"
    TIME = "time"
    DATE_CLASS = "date class"
    YEAR = "year"


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


class MarkedSpots(Protocol):
    """The elements of a page by mark."""

    def marked(self, mark: Mark) -> tuple[Spot, ...]:
        """Returns the spots with `mark`, in the order of the document."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page, gathered.

    `metas` are the `<meta>` elements by lower-case name, property or http-equiv; `links` the `<link>` and `<a>` targets
    by rel (`canonical`, `image_src`, `license`); `spots` the elements of the body by mark; `nodes` all JSON-LD,
    `article` the node of the article itself; `heading` the position of the first `h1` of the page proper, 0 where there
    is none; `sites` what the site and its publisher are called, as bare words.
    """

    url: str | None
    head_title: str
    language: str
    metas: Mapping[str, tuple[str, ...]]
    links: Mapping[str, tuple[str, ...]]
    spots: MarkedSpots
    nodes: tuple[jsonld.Node, ...]
    article: jsonld.Node
    heading: int = 0
    sites: frozenset[str] = frozenset()

    def meta(self, *names: str) -> list[str]:
        """Returns the values of the `<meta>` elements called `names`, in the order of the names."""
        return [value for name in names for value in self.metas.get(name, ())]

    def marked(self, *marks: Mark) -> list[Spot]:
        """Returns the spots with `marks`, in the order of the marks, then of the document."""
        return [spot for mark in marks for spot in self.spots.marked(mark)]

    def proper(self, *marks: Mark) -> list[Spot]:
        """Returns what `marked` returns, without what stands aside."""
        return [spot for spot in self.marked(*marks) if spot.region is not Region.ASIDE]

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
