"""Who is said to have written the article: every name on the page with what says so."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from contract.article import Source
from workers.metadata import jsonld
from workers.metadata.elements import Region, Spot
from workers.metadata.person_names import split_names
from workers.metadata.signals import BY_WITHIN, Mark
from workers.metadata.sources import Page
from workers.page.words import bare, plain

_MAX_ORGANISATION = 120  # characters of its name
_MAX_NAMES = 12  # in one claim
_WRITTEN_BY = re.compile(
    r"written by|author|verfasst von|geschrieben von|écrit par|rédigé par|escrito por|scritto da|geschreven door"
    r"|skrevet a[vf]|skriven av|autor|автор|написано|执笔者|作者|投稿者|執筆者|yazan|kirjoittanut|napisane przez",
    re.IGNORECASE,
)


class Kind(StrEnum):
    """What makes a claim. The names are part of the model's features: do not change them."""

    LD_PERSON = "ld_person"
    LD_STRING = "ld_string"
    LD_OTHER = "ld_other"
    LD_ORGANISATION = "ld_organisation"
    WRITTEN_BY = "written_by"
    META_AUTHOR = "meta_author"
    META_OTHER = "meta_other"
    ARTICLE_AUTHOR = "article_author"
    PROP = "prop"
    REL = "rel"
    LINK = "link"
    BY = "by"
    BY_WITHIN = "by_within"
    CLASS = "class"
    NAME_CLASS = "name_class"
    AVATAR = "avatar"
    NEAR = "near"
    SITE = "site"
    COPYRIGHT = "copyright"


@dataclass(frozen=True, slots=True)
class Claim:
    """One source's word on the authors.

    `position` is that of the element, 0 where it is none of the body; `characters` the length of what it states.
    """

    kind: Kind
    names: tuple[str, ...]
    source: Source
    position: int = 0
    region: Region = Region.PAGE
    characters: int = 0


_METAS = {
    Kind.META_AUTHOR: ("author", "article:author_name", "byl", "byline", "authors"),
    Kind.META_OTHER: (
        *(
            "citation_author",
            "dc.creator",
            "dc.creator.author",
            "dcterms.creator",
            "dc.contributor.author",
            "dc.author",
        ),
        *("parsely-author", "sailthru.author", "cxenseparse:author", "creator", "og:novel:author", "twitter:author"),
    ),
    Kind.ARTICLE_AUTHOR: ("article:author", "og:author", "og:article:author"),
}
_SPOTS = {
    Kind.PROP: Mark.AUTHOR_PROP,
    Kind.REL: Mark.AUTHOR_REL,
    Kind.LINK: Mark.AUTHOR_LINK,
    Kind.BY: Mark.BY,
    Kind.BY_WITHIN: Mark.BY_WITHIN,
    Kind.CLASS: Mark.AUTHOR_CLASS,
    Kind.NAME_CLASS: Mark.NAME_CLASS,
    Kind.AVATAR: Mark.AVATAR,
    Kind.NEAR: Mark.NAME,
    Kind.COPYRIGHT: Mark.COPYRIGHT,
}
_IN_SENTENCES = frozenset({Kind.BY, Kind.BY_WITHIN, Kind.COPYRIGHT})  # what follows may be any word
_TRUSTED = frozenset({Kind.PROP, Kind.REL})
_AROUND_COPYRIGHT = re.compile(
    r"©|\(c\)|copyright|\b(?:19|20)\d\d\b(?:\s*[-–]\s*(?:(?:19|20)?\d\d|\w+))?|all rights reserved.*"
    r"|alle rechte vorbehalten.*|[|·•].*",
    re.IGNORECASE,
)
_AVATAR_WORDS = re.compile(
    r"\b(?:avatar|photo|picture|image|foto|bild|portrait|profile|gravatar|headshot)\b(?:\s+(?:of|for|von|de))?|['’]s\b",
    re.IGNORECASE,
)


def read_claims(page: Page) -> list[Claim]:
    """Returns the claims of `page` that name anybody, in the order of their kinds, then of the page."""
    return [claim for claim in _all(page) if claim.names]


def _all(page: Page) -> Iterator[Claim]:
    sites = page.sites | _organisations(page)
    yield from _of_json_ld(page, sites)
    yield _of_other_nodes(page, sites)
    yield _written_by(page, sites)
    for kind, keys in _METAS.items():
        texts = [text for text in page.meta(*keys) if not text.startswith("http")]
        yield Claim(kind, _names(texts, sites), Source.META)
    for kind, mark in _SPOTS.items():
        for spot in page.marked(mark):
            if kind is not Kind.NEAR or spot.region is not Region.ASIDE:
                yield _of_spot(kind, spot, sites)
    yield Claim(Kind.SITE, _names(page.meta("og:site_name", "application-name")[:2], sites), Source.OPENGRAPH)


def _names(texts: Iterable[str], sites: frozenset[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for text in texts for name in split_names(text, sites)))[:_MAX_NAMES]


def _authors(page: Page) -> list[object]:
    return jsonld.follow(page.article.get("author") or page.article.get("creator"), page.nodes)[:_MAX_NAMES]


def _is_organisation(author: object) -> bool:
    return isinstance(author, dict) and any("Organization" in name for name in jsonld.types_of(author))


def _organisations(page: Page) -> frozenset[str]:
    """Returns what the article's data calls an organisation, as bare words."""
    return frozenset(
        bare(name) for one in _authors(page) if _is_organisation(one) for name in jsonld.strings(one, "name")
    )


def _of_json_ld(page: Page, sites: frozenset[str]) -> Iterator[Claim]:
    for author in _authors(page):
        texts = [text for text in jsonld.strings(author, "name") if len(text) <= _MAX_ORGANISATION]
        if _is_organisation(author):
            yield Claim(Kind.LD_ORGANISATION, tuple(map(plain, texts))[:_MAX_NAMES], Source.JSON_LD)
        else:
            kind = Kind.LD_PERSON if isinstance(author, dict) else Kind.LD_STRING
            yield Claim(kind, _names(texts, sites), Source.JSON_LD)


def _of_other_nodes(page: Page, sites: frozenset[str]) -> Claim:
    texts: list[str] = []
    for node in page.nodes:
        if node is not page.article:
            said = node.get("author") if "Person" not in jsonld.types_of(node) else node
            texts += jsonld.strings(said, "name")[:_MAX_NAMES]
    return Claim(Kind.LD_OTHER, _names(texts, sites), Source.JSON_LD)


def _written_by(page: Page, sites: frozenset[str]) -> Claim:
    for number in "1234":
        if any(_WRITTEN_BY.search(label) for label in page.meta(f"twitter:label{number}")):
            return Claim(Kind.WRITTEN_BY, _names(page.meta(f"twitter:data{number}"), sites), Source.META)
    return Claim(Kind.WRITTEN_BY, (), Source.META)


def _of_spot(kind: Kind, spot: Spot, sites: frozenset[str]) -> Claim:
    text = spot.text
    if kind is Kind.BY_WITHIN:
        found = BY_WITHIN.search(text)
        text = text[found.end() :] if found else ""
    elif kind is Kind.COPYRIGHT:
        text = _AROUND_COPYRIGHT.sub(" ", text)
    elif kind is Kind.AVATAR:
        text = _AVATAR_WORDS.sub(" ", text)
    names = split_names(text, sites, trusted=kind in _TRUSTED)[:_MAX_NAMES]
    if kind in _IN_SENTENCES:
        names = [name for name in names if not name.islower()]
    return Claim(kind, tuple(names), Source.MARKUP, spot.position, spot.region, len(spot.text))
