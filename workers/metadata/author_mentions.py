"""Finds every mention of a possible author on a page."""

import re
from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import NamedTuple

from contract.article import Source
from workers.metadata import jsonld
from workers.metadata.byline_words import OTHER_LABEL, REPORTER
from workers.metadata.elements import ElementRegion, PageElement
from workers.metadata.person_names import split_names
from workers.metadata.shown_dates import locale_of
from workers.metadata.signals import BY_WITHIN, MAX_LINE, Signal
from workers.metadata.sources import PageSources
from workers.metadata.written_dates import dates_in
from workers.page.words import bare, plain

# Bounds, chosen by hand.
_MAX_ORGANISATION = 120  # characters of its name
_MAX_NAMES = 12  # names in one mention
_WRITTEN_BY = re.compile(
    r"written by|author|verfasst von|geschrieben von|écrit par|rédigé par|escrito por|scritto da|geschreven door"
    r"|skrevet a[vf]|skriven av|autor|автор|написано|执笔者|作者|投稿者|執筆者|yazan|kirjoittanut|napisane przez",
    re.IGNORECASE,
)


class MentionKind(StrEnum):
    """The kind of place that mentions a name. The values are names of the model's features: do not change them."""

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
    DATED = "dated"
    SITE = "site"
    COPYRIGHT = "copyright"


class Mention(NamedTuple):
    """The names that one source gives as authors.

    `position` is that of the element, 0 if the source is not an element of the body; `characters` the length of the
    element's text.
    """

    kind: MentionKind
    names: tuple[str, ...]
    source: Source
    position: int = 0
    region: ElementRegion = ElementRegion.PAGE
    characters: int = 0


_METAS = {
    MentionKind.META_AUTHOR: ("author", "article:author_name", "byl", "byline", "authors"),
    MentionKind.META_OTHER: (
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
    MentionKind.ARTICLE_AUTHOR: ("article:author", "og:author", "og:article:author"),
}
_SIGNALS = {
    MentionKind.PROP: Signal.AUTHOR_PROP,
    MentionKind.REL: Signal.AUTHOR_REL,
    MentionKind.LINK: Signal.AUTHOR_LINK,
    MentionKind.BY: Signal.BY,
    MentionKind.BY_WITHIN: Signal.BY_WITHIN,
    MentionKind.CLASS: Signal.AUTHOR_CLASS,
    MentionKind.NAME_CLASS: Signal.NAME_CLASS,
    MentionKind.AVATAR: Signal.AVATAR,
    MentionKind.NEAR: Signal.NAME,
    MentionKind.COPYRIGHT: Signal.COPYRIGHT,
}
_IN_SENTENCES = frozenset({MentionKind.BY, MentionKind.BY_WITHIN, MentionKind.COPYRIGHT})  # any word may follow
_TRUSTED = frozenset({MentionKind.PROP, MentionKind.REL})
_CLOCK = re.compile(r"\b\d\d?[:.h]\d\d(?::\d\d)?\s?(?:uhr|h|am|pm|[ap]\.m\.)?(?!\w)", re.IGNORECASE)
_JOINS = " \t,;:|/·•–—-"
_AROUND_COPYRIGHT = re.compile(
    r"©|\(c\)|copyright|\b(?:19|20)\d\d\b(?:\s*[-–]\s*(?:(?:19|20)?\d\d|\w+))?|all rights reserved.*"
    r"|alle rechte vorbehalten.*|[|·•].*",
    re.IGNORECASE,
)
_AVATAR_WORDS = re.compile(
    r"\b(?:avatar|photo|picture|image|foto|bild|portrait|profile|gravatar|headshot)\b(?:\s+(?:of|for|von|de))?|['’]s\b",
    re.IGNORECASE,
)


def read_mentions(page: PageSources) -> list[Mention]:
    """Returns the mentions on `page`, in the order of their kinds, then of the page."""
    return [mention for mention in _all(page) if mention.names]


def _all(page: PageSources) -> Iterator[Mention]:
    sites = page.sites | _organisations(page)
    yield from _of_json_ld(page, sites)
    yield _of_other_nodes(page, sites)
    yield _written_by(page, sites)
    for kind, keys in _METAS.items():
        texts = [text for text in page.meta(*keys) if not text.startswith("http")]
        yield Mention(kind, _names(texts, sites), Source.META)
    for kind, signal in _SIGNALS.items():
        for element in page.elements(signal):
            if kind is not MentionKind.NEAR or element.region is not ElementRegion.ASIDE:
                yield _of_element(kind, element, sites)
    for element in page.main_elements(Signal.YEAR):
        yield _beside_date(element, page, sites)
    for element in page.elements(Signal.CREDIT)[-1:]:
        yield _of_element(MentionKind.BY, element, sites)
    yield Mention(MentionKind.SITE, _names(page.meta("og:site_name", "application-name")[:2], sites), Source.OPENGRAPH)


def _names(texts: Iterable[str], sites: frozenset[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for text in texts for name in split_names(text, sites)))[:_MAX_NAMES]


def _authors(page: PageSources) -> list[object]:
    return jsonld.follow(page.article.get("author") or page.article.get("creator"), page.nodes)[:_MAX_NAMES]


def _is_organisation(author: object) -> bool:
    return isinstance(author, dict) and any("Organization" in name for name in jsonld.types_of(author))


def _organisations(page: PageSources) -> frozenset[str]:
    """Returns the names that the article's data declares as organisations, as bare words."""
    return frozenset(bare(name) for one in _authors(page) if _is_organisation(one) for name in jsonld.names(one))


def _of_json_ld(page: PageSources, sites: frozenset[str]) -> Iterator[Mention]:
    for author in _authors(page):
        texts = [text for text in jsonld.names(author) if len(text) <= _MAX_ORGANISATION]
        if _is_organisation(author):
            yield Mention(MentionKind.LD_ORGANISATION, tuple(map(plain, texts))[:_MAX_NAMES], Source.JSON_LD)
        else:
            kind = MentionKind.LD_PERSON if isinstance(author, dict) else MentionKind.LD_STRING
            yield Mention(kind, _names(texts, sites), Source.JSON_LD)


def _of_other_nodes(page: PageSources, sites: frozenset[str]) -> Mention:
    texts: list[str] = []
    for node in page.nodes:
        if node is not page.article:
            said = node.get("author") if "Person" not in jsonld.types_of(node) else node
            texts += jsonld.names(said)[:_MAX_NAMES]
    return Mention(MentionKind.LD_OTHER, _names(texts, sites), Source.JSON_LD)


def _written_by(page: PageSources, sites: frozenset[str]) -> Mention:
    for number in "1234":
        if any(_WRITTEN_BY.search(label) for label in page.meta(f"twitter:label{number}")):
            return Mention(MentionKind.WRITTEN_BY, _names(page.meta(f"twitter:data{number}"), sites), Source.META)
    return Mention(MentionKind.WRITTEN_BY, (), Source.META)


def _beside_date(element: PageElement, page: PageSources, sites: frozenset[str]) -> Mention:
    """Returns the whole names on a line with a date: `04.02.2022 | 13:10 Uhr | Mara Quill`."""
    dates = dates_in(element.text, locale_of(page)) if len(element.text) <= MAX_LINE else []
    words = [words for date in dates for words in (date.before, date.after)]
    texts = [piece for text in words for piece in _CLOCK.sub("|", text).split("|")]
    names = [
        name
        for text in texts
        for name in split_names(text.strip(_JOINS), sites, trusted=False)
        if " " in name or REPORTER.search(text.strip(_JOINS))
    ]
    found = tuple(dict.fromkeys(names))[:_MAX_NAMES]
    return Mention(MentionKind.DATED, found, Source.MARKUP, element.position, element.region, len(element.text))


def _is_of_other(text: str, by: re.Match[str]) -> bool:
    """Returns True if the word `by` belongs to a label of others than authors: photographs by, edited by."""
    return any(label.end() > by.start() for label in OTHER_LABEL.finditer(text, 0, by.end()))


def _of_element(kind: MentionKind, element: PageElement, sites: frozenset[str]) -> Mention:
    text = element.text
    if kind is MentionKind.BY_WITHIN:
        found = BY_WITHIN.search(text)
        text = text[found.end() :] if found and not _is_of_other(text, found) else ""
    elif kind is MentionKind.COPYRIGHT:
        text = _AROUND_COPYRIGHT.sub(" ", text)
    elif kind is MentionKind.AVATAR:
        text = _AVATAR_WORDS.sub(" ", text)
    names = split_names(text, sites, trusted=kind in _TRUSTED)[:_MAX_NAMES]
    if kind in _IN_SENTENCES:
        names = [name for name in names if not name.islower()]
    return Mention(kind, tuple(names), Source.MARKUP, element.position, element.region, len(element.text))
