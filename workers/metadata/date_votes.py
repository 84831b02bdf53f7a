"""Determines the dates of publication and last change by a weighted vote of all sources, htmldate included."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

import numpy as np
from htmldate import find_date

from contract.article import Source
from workers.document import Sourced
from workers.metadata import jsonld
from workers.metadata.elements import SILENT, PageElement
from workers.metadata.signals import Signal
from workers.metadata.sources import PageSources
from workers.metadata.written_dates import (
    WrittenDate,
    parse_timestamp,
    parse_url_date,
    parse_written_date,
    says_changed,
)
from workers.page.tree import Element, as_html

# The weights, here and in `_structured` and `_visible`, approximate the log-odds that a source gives the true day,
# rounded by hand. Limits of lengths are chosen by hand.
_EARLIEST = date(1990, 1, 1)
_HTMLDATE_WEIGHT = 2.0  # log-odds
_TEXT_WEIGHT = 1.8  # log-odds
_MAX_TEXT = 100_000  # characters
# The probability that the first day is the true one, by its lead over the second; measured, then rounded.
_LEADS = (0.0, 1.0, 2.3, 3.0, 5.0, 7.0)  # log-odds
_CHANCES = (0.4, 0.55, 0.82, 0.9, 0.92, 0.96)  # probability for each lead
_MIN_LEAD = 0.1  # log-odds; with a smaller lead no date is given
# Top-level domains of countries where dates in English have the month first, or that many sites elsewhere use.
_MONTH_FIRST = frozenset(["us", "ca", "ph", "io", "co", "ai", "me", "tv", "cc", "fm", "ly", "gg", "sh", "app", "dev"])
_COUNTRY = 2  # letters
_MAX_LINE = 120  # characters around a date
_PART = re.compile(r"Review|Comment|Answer|Video|Audio|Image|Rating")  # of nodes about a part of the page
_PUBLISHED_META = (
    ("article:published_time", "og:article:published_time", "og:published_time"),
    (
        *(
            "date",
            "dc.date",
            "dc.date.issued",
            "dcterms.created",
            "dcterms.date",
            "dcterms.issued",
            "pubdate",
            "publishdate",
        ),
        *(
            "publish_date",
            "publish-date",
            "published",
            "publication_date",
            "publicationdate",
            "citation_publication_date",
        ),
        *(
            "citation_date",
            "citation_online_date",
            "parsely-pub-date",
            "sailthru.date",
            "datepublished",
            "cxenseparse:recs:publishtime",
        ),
        *(
            "last-published",
            "article.published",
            "article_date_original",
            "originalpublicationdate",
            "rnews:datepublished",
        ),
        *(
            "date.created",
            "dc.date.created",
            "created",
            "pdate",
            "ptime",
            "release_date",
            "shareaholic:article_published_time",
        ),
    ),
)
_MODIFIED_META = (
    *(
        "article:modified_time",
        "og:article:modified_time",
        "og:updated_time",
        "og:modified_time",
        "article:updated_time",
    ),
    *("last-modified", "dcterms.modified", "dc.date.modified", "datemodified", "modified", "revised", "lastmod"),
)


@dataclass(frozen=True, slots=True)
class DateVote:
    """The day that one source gives. `weight` is about the log-odds that this kind of source gives the true day."""

    kind: str
    weight: float
    written: WrittenDate
    source: Source


def find_published(page: PageSources, tree: Element, now: datetime) -> list[Sourced[str]]:
    """Returns possible dates of publication in ISO 8601, the best first; empty if no day has a clear lead."""
    latest = _latest(now)
    changed = _changed(page)
    votes = [vote for vote in _votes(page) if _EARLIEST <= vote.written.day <= latest and vote.written != changed]
    if _is_open(votes) and (written := _htmldate(tree, page.url, latest)):
        votes.append(DateVote("htmldate", _HTMLDATE_WEIGHT, written, Source.HEURISTIC))
    if not votes and (written := _in_text(tree, _locale(page))) and _EARLIEST <= written.day <= latest:
        votes.append(DateVote("text", _TEXT_WEIGHT, written, Source.TEXT))
    lead = _lead(votes)
    if lead < _MIN_LEAD:
        return []
    chance = round(float(np.interp(lead, _LEADS, _CHANCES)), 4)
    first, *others = [_fullest([vote for vote in votes if vote.written.day == day]) for day in _tally(votes)]
    return [replace(first, confidence=chance), *others]


def _changed(page: PageSources) -> WrittenDate | None:
    """Returns the moment of the last change if the article's own data has an earlier date of publication.

    A source that gives this moment as the publication means the change.
    """
    published, changed = (
        next(filter(None, map(parse_timestamp, jsonld.moments(page.article.get(name)))), None)
        for name in ("datePublished", "dateModified")
    )
    return changed if published and changed and published.day < changed.day else None


def _tally(votes: list[DateVote]) -> dict[date, float]:
    """Returns the weight of each day, the heaviest first."""
    kinds: dict[date, dict[str, float]] = {}
    for vote in votes:
        of_day = kinds.setdefault(vote.written.day, {})
        of_day[vote.kind] = max(vote.weight, of_day.get(vote.kind, 0))
    weights = {day: sum(of_day.values()) for day, of_day in kinds.items()}
    return dict(sorted(weights.items(), key=lambda pair: -pair[1]))


def _locale(page: PageSources) -> str:
    """Returns the language of dates on `page`; English with the region of the page's host, if it has one.

    The region tells 9/10 from 10/9.
    """
    primary, _, region = page.language.lower().replace("_", "-").partition("-")
    if region or primary not in {"", "en"}:
        return page.language
    country = page.host.rpartition(".")[2]
    return f"en-{country}" if len(country) == _COUNTRY and country not in _MONTH_FIRST else "en"


def _lead(votes: list[DateVote]) -> float:
    """Returns the lead of the first day over the second."""
    first, second = [*_tally(votes).values(), 0.0, 0.0][:2]
    return first - second


def _is_open(votes: list[DateVote]) -> bool:
    """Returns True if htmldate's vote could decide. Against years in the text alone it is wrong more often."""
    return _lead(votes) <= _HTMLDATE_WEIGHT and {vote.kind for vote in votes} != {Signal.YEAR}


def find_modified(page: PageSources, published: str | None, now: datetime) -> list[Sourced[str]]:
    """Returns the dates of the last change that `page` states, ISO 8601, none before the day of publication."""
    first = published[:10] if published else ""
    stated = [
        *((Source.JSON_LD, text) for text in jsonld.moments(page.article.get("dateModified"))),
        *((Source.META, text) for text in page.meta(*_MODIFIED_META)),
        *((Source.MARKUP, element.text) for element in page.main_elements(Signal.MODIFIED_PROP)),
        *((Source.MARKUP, element.text) for element in page.main_elements(Signal.TIME) if is_update(element)),
    ]
    dates_written = [(source, written) for source, text in stated if (written := parse_timestamp(text))]
    return [
        Sourced(written.iso, source)
        for source, written in dates_written
        if first <= written.iso[:10] and _EARLIEST <= written.day <= _latest(now)
    ]


def _latest(now: datetime) -> date:
    return (now + timedelta(days=1)).date()


def _fullest(votes: list[DateVote]) -> Sourced[str]:
    """Returns the date with the most detail, then of the weightiest source; htmldate's only if there is no other."""
    best = max(votes, key=lambda vote: (vote.source is not Source.HEURISTIC, len(vote.written.iso), vote.weight))
    return Sourced(best.written.iso, best.source)


def _votes(page: PageSources) -> Iterator[DateVote]:
    yield from _structured(page)
    yield from _visible(page)
    if page.url and (written := parse_url_date(page.url)):
        yield DateVote("url", 2.5, written, Source.URL)


def _structured(page: PageSources) -> Iterator[DateVote]:
    sources = (
        ("json-ld", 2.6, Source.JSON_LD, jsonld.moments(page.article.get("datePublished"))[:1]),
        ("json-ld beside", 2.2, Source.JSON_LD, _beside_article(page)[:1]),
        ("published_time", 3.0, Source.META, page.meta(*_PUBLISHED_META[0])[:1]),
        ("meta", 1.8, Source.META, page.meta(*_PUBLISHED_META[1])[:1]),
        ("itemprop", 1.7, Source.MARKUP, [element.text for element in page.main_elements(Signal.PUBLISHED_PROP)][:1]),
    )
    for kind, weight, source, texts in sources:
        for text in texts:
            if written := parse_timestamp(text):
                yield DateVote(kind, weight, written, source)


def _beside_article(page: PageSources) -> list[str]:
    """Returns the dates of publication in other nodes, such as the page's, if the article's own node has none."""
    if page.article.get("datePublished"):
        return []
    nodes = [node for node in page.nodes if not any(map(_PART.search, jsonld.types_of(node)))]
    return [text for node in nodes for text in jsonld.moments(node.get("datePublished"))]


def _visible(page: PageSources) -> Iterator[DateVote]:
    for signal, weight in ((Signal.TIME, 2.0), (Signal.DATE_CLASS, 1.5), (Signal.YEAR, 1.2)):
        if (nearest := _nearest(page, signal)) is not None:
            yield DateVote(signal, weight, nearest, Source.MARKUP)


def _nearest(page: PageSources, signal: Signal) -> WrittenDate | None:
    """Returns the date in the element with `signal` nearest to the heading; distances above it count triple."""
    locale = _locale(page)
    for element in sorted(page.main_elements(signal), key=lambda element: _remoteness(element.position - page.heading)):
        if (
            len(element.text) <= _MAX_LINE
            and (written := parse_written_date(element.text, locale))
            and not is_update(element)
        ):
            return written
    return None


def _remoteness(distance: int) -> int:
    return distance if distance >= 0 else -3 * distance


def is_update(element: PageElement) -> bool:
    """Returns True if the words or names on and just before an element say that its date is that of a change."""
    node, parent = element.node, element.node.getparent()
    around = [node.get("class"), node.get("itemprop"), node.text, element.text]
    previous = node.getprevious()
    around += [previous.tail, previous.text if len(previous) == 0 else None] if previous is not None else []
    around += [parent.get("class"), parent.text if previous is None else None] if parent is not None else []
    words = " ".join(filter(None, around))
    return says_changed(words) or "stand:" in words.lower()  # in pasted text "Stand:" stands before the only date


def _htmldate(tree: Element, url: str | None, latest: date) -> WrittenDate | None:
    """Returns the date that htmldate finds, without its search of the whole text, which can take seconds."""
    try:
        page = as_html(tree)
        found = find_date(page, extensive_search=False, original_date=True, url=url, max_date=latest.isoformat())
    except (MemoryError, RecursionError):
        raise
    except Exception:  # noqa: BLE001 - if htmldate fails, one vote of many is missing
        return None
    if found is None or found.endswith("-01-01"):
        return None  # a year only, mostly that of the copyright notice
    return parse_timestamp(found)


def _in_text(tree: Element, language: str) -> WrittenDate | None:
    """Returns the first whole date in the words of the page."""
    body = tree.find("body")
    size = 0
    for element in body.iter("*") if body is not None else ():
        for words in (None if element.tag in SILENT else element.text, element.tail):
            if (
                words
                and ("19" in words or "20" in words)
                and (written := parse_written_date(words[:_MAX_TEXT], language))
            ):
                return written
            size += len(words or "")
        if size > _MAX_TEXT:
            break
    return None
