"""Determines the dates of publication and last change by a weighted vote of all sources, htmldate included."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta, timezone

import numpy as np
from htmldate import find_date

from contract.article import Source
from workers.document import Sourced
from workers.metadata import jsonld
from workers.metadata.elements import SILENT
from workers.metadata.relative_dates import parse_relative_date
from workers.metadata.shown_dates import ShownDate, locale_of
from workers.metadata.signals import Signal
from workers.metadata.sources import PageSources
from workers.metadata.written_dates import WrittenDate, parse_timestamp, parse_url_date, parse_written_date
from workers.page.tree import Element, as_html

# The weights, here and in `_structured`, `_visible` and `_of_url`, approximate the log-odds that a source gives the
# true day, rounded by hand. Limits of lengths are chosen by hand.
_EARLIEST = date(1990, 1, 1)
_HTMLDATE_WEIGHT = 2.0  # log-odds
_TEXT_WEIGHT = 1.8  # log-odds
_RELATIVE_WEIGHT = 1.2  # log-odds
_MAX_TEXT = 100_000  # characters
# The probability that the first day is the true one, by its lead over the second; measured, then rounded.
_LEADS = (0.0, 1.0, 2.3, 3.0, 5.0, 7.0)  # log-odds
_CHANCES = (0.4, 0.55, 0.82, 0.9, 0.92, 0.96)  # probability for each lead
_MIN_LEAD = 0.1  # log-odds; with a smaller lead no date is given
_MAX_OFFSET = timedelta(hours=14)  # of a time zone's clock from UTC; source: the tz database
_OFFSET_STEP = timedelta(minutes=15)  # of such offsets; source: the tz database
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


def find_published(page: PageSources, tree: Element, shown: Sequence[ShownDate], now: datetime) -> list[Sourced[str]]:
    """Returns possible dates of publication in ISO 8601, the best first; empty if no day has a clear lead.

    `shown` are the dates that readers see on `page`.
    """
    latest = _latest(now)
    changed = _changed(page)
    votes = [*_structured(page), *_visible(shown), *_of_url(page)]
    votes = _same_moments(
        [vote for vote in votes if _EARLIEST <= vote.written.day <= latest and vote.written != changed]
    )
    issues = {one.written.day for one in shown if one.is_issue}
    votes = [vote for vote in votes if vote.kind != "url" or vote.written.day not in issues]
    updates = {one.written.day for one in shown if one.is_change and not one.may_be_either}
    updates = (updates | issues) - {vote.written.day for vote in votes}
    votes += [vote for vote in _guesses(page, tree, votes, latest) if vote.written.day not in updates]
    if not votes and (day := _relative(page, now)):
        votes.append(DateVote("relative", _RELATIVE_WEIGHT, WrittenDate(day, day.isoformat()), Source.MARKUP))
    lead = _lead(votes)
    if lead < _MIN_LEAD:
        return []
    chance = round(float(np.interp(lead, _LEADS, _CHANCES)), 4)
    first, *others = [_fullest([vote for vote in votes if vote.written.day == day]) for day in _tally(votes)]
    return [replace(first, confidence=chance), *others]


def _same_moments(votes: list[DateVote]) -> list[DateVote]:
    """Returns `votes` with local times where one source states a moment in UTC and another in local time.

    Their distance, to the second a number of quarters of an hour, is the offset that the local time lacks.
    """
    moments = {vote.written: datetime.fromisoformat(vote.written.iso) for vote in votes if "T" in vote.written.iso}
    meant: dict[WrittenDate, WrittenDate] = {}
    for local, clock in moments.items():
        for stated, moment in moments.items():
            if clock.tzinfo is None and moment.tzinfo is not None and clock.second:
                offset = clock - moment.astimezone(UTC).replace(tzinfo=None)
                if abs(offset) <= _MAX_OFFSET and not offset % _OFFSET_STEP:
                    iso = clock.replace(tzinfo=timezone(offset)).isoformat()
                    meant[local] = meant[stated] = WrittenDate(local.day, iso)
    return [replace(vote, written=meant.get(vote.written, vote.written)) for vote in votes]


def _guesses(page: PageSources, tree: Element, votes: list[DateVote], latest: date) -> Iterator[DateVote]:
    """Yields htmldate's vote where it could decide, and the first date in the text where there is no vote at all."""
    if _is_open(votes) and (written := _htmldate(tree, page.url, latest)):
        yield DateVote("htmldate", _HTMLDATE_WEIGHT, written, Source.HEURISTIC)
    elif not votes and (written := _in_text(tree, locale_of(page))) and _EARLIEST <= written.day <= latest:
        yield DateVote("text", _TEXT_WEIGHT, written, Source.TEXT)


def _relative(page: PageSources, now: datetime) -> date | None:
    elements = page.main_elements(Signal.TIME, Signal.DATE_CLASS)
    days = (parse_relative_date(element.text, locale_of(page), now) for element in elements)
    return next(filter(None, days), None)


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


def _lead(votes: list[DateVote]) -> float:
    """Returns the lead of the first day over the second."""
    first, second = [*_tally(votes).values(), 0.0, 0.0][:2]
    return first - second


def _is_open(votes: list[DateVote]) -> bool:
    """Returns True if htmldate's vote could decide. Against years in the text alone it is wrong more often."""
    return _lead(votes) <= _HTMLDATE_WEIGHT and {vote.kind for vote in votes} != {Signal.YEAR}


def find_modified(
    page: PageSources, shown: Sequence[ShownDate], published: str | None, now: datetime
) -> list[Sourced[str]]:
    """Returns the dates of the last change that `page` states, ISO 8601, none before the day of publication."""
    first = published[:10] if published else ""
    stated = [
        *((Source.JSON_LD, text) for text in jsonld.moments(page.article.get("dateModified"))),
        *((Source.META, text) for text in page.meta(*_MODIFIED_META)),
        *((Source.MARKUP, element.text) for element in page.main_elements(Signal.MODIFIED_PROP)),
    ]
    dates_written = [(source, written) for source, text in stated if (written := parse_timestamp(text))]
    dates_written += [(Source.MARKUP, one.written) for one in shown if one.is_change]
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


def _of_url(page: PageSources) -> Iterator[DateVote]:
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


def _visible(shown: Iterable[ShownDate]) -> Iterator[DateVote]:
    for signal, weight in ((Signal.TIME, 2.0), (Signal.DATE_CLASS, 1.5), (Signal.YEAR, 1.2)):
        nearest = next(
            (one.written for one in shown if one.signal is signal and not (one.is_change or one.is_issue)), None
        )
        if nearest is not None:
            yield DateVote(signal, weight, nearest, Source.MARKUP)


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
                and ("19" in words or "20" in words or not words.isascii())
                and (written := parse_written_date(words[:_MAX_TEXT], language))
            ):
                return written
            size += len(words or "")
        if size > _MAX_TEXT:
            break
    return None
