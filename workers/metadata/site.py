"""The fields without a vote: language, site, URLs, description, image, licence, categories and tags."""

import re
from collections.abc import Iterable
from urllib.parse import urljoin

from contract.article import Source
from workers.document import Sourced
from workers.metadata import jsonld
from workers.metadata.sources import PageSources
from workers.page.words import plain

# Bounds, chosen by hand; not measured.
_MAX_LABELS = 30  # categories or tags
_MAX_LABEL = 100  # characters
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8})*")


def first(*choices: tuple[Source, Iterable[str]]) -> Sourced[str] | None:
    """Returns the first text that is not empty, with its source."""
    for source, texts in choices:
        for text in texts:
            if value := plain(text):
                return Sourced(value, source)
    return None


def find_language(page: PageSources) -> Sourced[str] | None:
    """Returns the language as the page declares it."""
    choices = (
        (Source.MARKUP, [page.language]),
        (Source.JSON_LD, jsonld.strings(page.article.get("inLanguage"), "alternateName", "name")),
        (Source.META, page.meta("content-language", "dc.language", "dcterms.language", "language")),
        (Source.OPENGRAPH, page.meta("og:locale")),
    )
    return first(
        *((source, [text for text in texts if _LANGUAGE.fullmatch(text.strip())]) for source, texts in choices)
    )


def find_site_name(page: PageSources) -> Sourced[str] | None:
    """Returns the name of the site or its publisher."""
    return first(
        (Source.OPENGRAPH, page.meta("og:site_name")),
        (Source.JSON_LD, [name for node in page.nodes if "WebSite" in jsonld.types_of(node) for name in _name(node)]),
        (Source.JSON_LD, jsonld.strings(jsonld.follow(page.article.get("publisher"), page.nodes), "name")),
        (
            Source.META,
            page.meta("application-name", "apple-mobile-web-app-title", "dc.publisher", "citation_journal_title"),
        ),
    )


def _name(node: jsonld.Node) -> list[str]:
    return jsonld.strings(node.get("name"))


def find_canonical_url(page: PageSources) -> Sourced[str] | None:
    """Returns the URL that the page declares as its own."""
    return _absolute(
        page,
        first(
            (Source.META, page.links.get("canonical", ())),
            (Source.OPENGRAPH, page.meta("og:url")),
            (Source.JSON_LD, jsonld.strings(page.article.get("mainEntityOfPage"), "@id", "url")),
            (Source.JSON_LD, jsonld.strings(page.article.get("url"))),
        ),
    )


def find_description(page: PageSources) -> Sourced[str] | None:
    """Returns the page's summary of the article."""
    return first(
        (Source.OPENGRAPH, page.meta("og:description")),
        (Source.META, page.meta("description", "twitter:description", "dc.description", "dcterms.abstract")),
        (Source.JSON_LD, jsonld.strings(page.article.get("description"))),
    )


def find_image(page: PageSources) -> Sourced[str] | None:
    """Returns the URL of the article's picture."""
    return _absolute(
        page,
        first(
            (Source.OPENGRAPH, page.meta("og:image", "og:image:url", "og:image:secure_url")),
            (
                Source.JSON_LD,
                jsonld.strings(jsonld.follow(page.article.get("image"), page.nodes), "url", "contentUrl", "@id"),
            ),
            (Source.META, page.meta("twitter:image", "twitter:image:src", "thumbnail")),
            (Source.META, page.links.get("image_src", ())),
        ),
    )


def find_license(page: PageSources) -> Sourced[str] | None:
    """Returns the licence, mostly the URL of its text."""
    return first(
        (Source.JSON_LD, jsonld.strings(page.article.get("license"), "url", "@id", "name")),
        (Source.MARKUP, page.links.get("license", ())),
        (Source.META, page.meta("dc.rights.license", "dcterms.license", "license")),
    )


def find_categories(page: PageSources) -> Sourced[tuple[str, ...]] | None:
    """Returns the sections of the site that the article is in."""
    return _labels(
        (Source.JSON_LD, jsonld.strings(page.article.get("articleSection"), "name")),
        (Source.META, page.meta("article:section", "og:article:section", "parsely-section", "section")),
    )


def find_tags(page: PageSources) -> Sourced[tuple[str, ...]] | None:
    """Returns the subjects that the article is filed under."""
    return _labels(
        (Source.JSON_LD, jsonld.strings(page.article.get("keywords"), "name")),
        (Source.META, page.meta("article:tag", "og:article:tag")),
        (Source.META, page.meta("news_keywords", "parsely-tags", "citation_keywords", "dc.subject", "keywords")),
    )


def _labels(*choices: tuple[Source, list[str]]) -> Sourced[tuple[str, ...]] | None:
    for source, texts in choices:
        parts = (
            [plain(part) for text in texts for part in re.split(r"[,;|]", text)]
            if len(texts) == 1
            else map(plain, texts)
        )
        if labels := tuple(dict.fromkeys(part for part in parts if 0 < len(part) <= _MAX_LABEL)):
            return Sourced(labels[:_MAX_LABELS], source)
    return None


def _absolute(page: PageSources, found: Sourced[str] | None) -> Sourced[str] | None:
    if found is None or page.url is None:
        return found
    try:
        return Sourced(urljoin(page.url, found.value), found.source)
    except ValueError:
        return found
