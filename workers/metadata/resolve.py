"""Reads all metadata of a page, each field with its source."""

from collections.abc import Iterable
from datetime import UTC, datetime

from workers.document import Metadata, Sourced
from workers.metadata import authors, date_votes, jsonld, site, title
from workers.metadata.kicker import find_kicker
from workers.metadata.shown_dates import shown_dates
from workers.metadata.sources import gather
from workers.page.head import Head
from workers.page.tree import Element
from workers.page.words import bare

__all__ = ["Metadata", "read_metadata"]

# Chosen by hand, for the size of events.
_MAX_CANDIDATES = 5  # other values of each field


def read_metadata(tree: Element, head: Head, url: str | None, *, now: datetime | None = None) -> Metadata:
    """Returns the metadata of a page with its `head`. Dates after `now` do not count. It does not change the tree."""
    now = now or datetime.now(UTC)
    page = gather(tree, head, url)
    titles = title.find_titles(page)
    names = authors.find_authors(page, titles[0].value if titles else "")
    shown = shown_dates(page)
    published = date_votes.find_published(page, tree, shown, now)
    modified = date_votes.find_modified(page, shown, published[0].value if published else None, now)
    return Metadata(
        title=next(iter(titles), None),
        kicker=find_kicker(page, titles[0].value if titles else ""),
        authors=next(iter(names), None),
        published=next(iter(published), None),
        modified=max(modified, key=lambda found: found.value, default=None),
        language=site.find_language(page),
        site_name=site.find_site_name(page),
        canonical_url=site.find_canonical_url(page),
        description=site.find_description(page),
        image=site.find_image(page),
        license=site.find_license(page),
        categories=site.find_categories(page),
        tags=site.find_tags(page),
        candidates=_candidates(titles, names, published),
        article_body=next(iter(jsonld.strings(page.article.get("articleBody"))), ""),
    )


def _candidates(
    titles: Iterable[Sourced[str]], names: Iterable[Sourced[tuple[str, ...]]], published: Iterable[Sourced[str]]
) -> dict[str, tuple[str, ...]]:
    lists = {
        "title": [found.value for found in titles],
        "authors": [", ".join(found.value) for found in names],
        "published": [found.value for found in published],
    }
    return {name: others for name, values in lists.items() if (others := _others(values))}


def _others(values: list[str]) -> tuple[str, ...]:
    distinct = {bare(value): value for value in reversed(values)}
    if values:
        distinct.pop(bare(values[0]), None)
    return tuple(reversed(distinct.values()))[:_MAX_CANDIDATES]
