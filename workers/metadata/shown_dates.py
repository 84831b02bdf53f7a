"""The dates that readers see near the heading, each with the label that says what it is of."""

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from workers.metadata.date_labels import DateLabel, label_in, may_be_either
from workers.metadata.elements import PageElement, short_text
from workers.metadata.signals import Signal
from workers.metadata.sources import PageSources
from workers.metadata.written_dates import DateInText, WrittenDate, dates_in, parse_timestamp
from workers.page.tree import Element
from workers.page.words import plain, squeeze

# Top-level domains of countries where dates in English have the month first, or that many sites elsewhere use.
_MONTH_FIRST = frozenset(["us", "ca", "ph", "io", "co", "ai", "me", "tv", "cc", "fm", "ly", "gg", "sh", "app", "dev"])
_COUNTRY = 2  # letters
# Chosen by hand; not measured.
_MAX_LINE = 120  # characters around a date
_MAX_AROUND = 2  # elements around one with a date whose words before it are read
_MAX_LABEL = 40  # characters of a label in another element
_MAX_STEP = 100  # elements between the date of a change and that of the publication
_SIGNALS = (Signal.TIME, Signal.DATE_CLASS, Signal.YEAR)
_SEVERAL = 2  # dates in one element: its machine-readable value is that of one of them
# The date on the cover of a magazine, which is days after the publication: December 5, 2016 Issue.
_ISSUE = re.compile(r"\bissue\b|\bausgabe\b|\bnuméro du\b|\bedición del\b|月号|月號|호$", re.IGNORECASE)
_STAMPS = (
    *("content", "datetime"),  # as in `element_text`
    *("data-timestamp", "data-time", "data-datetime", "data-date", "data-utime", "data-published", "data-epoch"),
)


@dataclass(frozen=True, slots=True)
class ShownDate:
    """A date in an element with `signal`.

    `may_be_either`: its label of a change is one that also stands before only dates, or a class name alone.
    `is_issue`: it is the date of the magazine's issue that the article is in.
    """

    signal: Signal
    written: WrittenDate
    is_change: bool = False
    may_be_either: bool = False
    is_issue: bool = False


def locale_of(page: PageSources) -> str:
    """Returns the language of dates on `page`; English with the region of the page's host, if it has one.

    The region tells 9/10 from 10/9.
    """
    primary, _, region = page.language.lower().replace("_", "-").partition("-")
    if region or primary not in {"", "en"}:
        return page.language
    country = page.host.rpartition(".")[2]
    return f"en-{country}" if len(country) == _COUNTRY and country not in _MONTH_FIRST else "en"


def shown_dates(page: PageSources) -> list[ShownDate]:
    """Returns the dates of each signal, those nearest to the heading first; distances above it count triple."""
    locale = locale_of(page)
    return [shown for signal in _SIGNALS for shown in _of_signal(signal, page, locale)]


def _of_signal(signal: Signal, page: PageSources, locale: str) -> Iterator[ShownDate]:
    """Yields the dates of one signal. After that of a change, those far from it belong to other articles."""
    last = math.inf
    for element in sorted(page.main_elements(signal), key=lambda one: _remoteness(one.position - page.heading)):
        distance = _remoteness(element.position - page.heading)
        if distance > last:
            break
        for shown in _of_element(signal, element, locale):
            yield shown
            last = min(last, distance + _MAX_STEP) if shown.is_change else last


def _remoteness(distance: int) -> int:
    return distance if distance >= 0 else -3 * distance


def _of_element(signal: Signal, element: PageElement, locale: str) -> Iterator[ShownDate]:
    """Yields the dates in the words of an element, or its machine-readable one if the words have at most one."""
    stamp, words = _stamp(element.node), short_text(element.node)
    if element.text not in {stamp, words}:  # the words after the element
        stamp, words = "", element.text
    found = dates_in(words, locale) if len(words) <= _MAX_LINE else ()
    stamped = parse_timestamp(stamp, locale) if stamp else None
    if stamped and len(found) < _SEVERAL:
        yield _labelled(signal, stamped, words, element.node)
        return
    for index, date in enumerate(found):
        said = date.after if _labels_follow(found) else date.before
        written = stamped if stamped and stamped.day == date.written.day else date.written
        if _ISSUE.search(date.before) or _ISSUE.search(date.after):
            yield ShownDate(signal, written, is_issue=True)
            continue
        yield _labelled(signal, written, said, element.node if index == 0 and not stamped else None)


def _stamp(node: Element) -> str:
    """Returns the machine-readable value of an element, empty if it has none."""
    return next(filter(None, (plain(node.get(name)) for name in _STAMPS)), "")


def _labels_follow(dates: Sequence[DateInText]) -> bool:
    """Returns True if the labels of `dates` stand after them: `2024年5月3日 公開 2024年5月5日 更新`."""
    return not _is_said(dates[0].before) and _is_said(dates[-1].after)


def _is_said(words: str) -> bool:
    return label_in(words) is not None


def _labelled(signal: Signal, written: WrittenDate, said: str, node: Element | None) -> ShownDate:
    """Returns a date with its label: the nearest words decide, then those before the element, then class names."""
    around = [said] if node is None else [said, *_words_around(node)]
    words = next(filter(_is_said, around), "")
    if words or node is None:
        return ShownDate(signal, written, label_in(words) is DateLabel.CHANGED, may_be_either(words))
    is_change = label_in(_names_around(node)) is DateLabel.CHANGED
    return ShownDate(signal, written, is_change, may_be_either=is_change)


def _words_around(node: Element) -> Iterator[str]:
    """Yields the words before the date of `node`: its own, if the date is in its tail, and those before the node."""
    yield _label(short_text(node))
    inner: Element | None = node
    for _ in range(_MAX_AROUND + 1):
        previous = inner.getprevious() if inner is not None else None
        if previous is not None:
            yield _label(previous.tail) or _label(short_text(previous))
            return
        inner = inner.getparent() if inner is not None else None
        yield _label(inner.text if inner is not None else "")


def _label(words: str | None) -> str:
    """Returns `words`, or nothing if they are more than a label. With digits, they label a date of their own."""
    words = squeeze(words)
    return "" if len(words) > _MAX_LABEL or any(map(str.isdigit, words)) else words


def _names_around(node: Element) -> str:
    parent = node.getparent()
    names = [node.get("class"), node.get("itemprop"), parent.get("class") if parent is not None else None]
    return " ".join(filter(None, names))
