"""Parses dates in attributes and in text of many languages to ISO 8601."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from itertools import chain

from workers.metadata.calendars import Calendar, day_of, western_numerals
from workers.metadata.month_names import find_month

# Seconds since 1970, also with milli- or microseconds, from 2001 (10 digits) to 2030.
_UNIX = re.compile(r"@?(?:/Date\()?(1[0-8]\d{8})(?:\d{3}|\d{6})?(?:\.\d*)?(?:[+-]\d{4})?(?:\)/)?", re.ASCII)
_ISO = re.compile(
    r"(?<!\d)(\d{4})-(\d\d?)-(\d\d?)"
    r"(?:[T ]\s*(\d\d?:\d\d(?::\d\d(?:[.,]\d+)?)?)\s*(Z|UTC|GMT|[+-]\d\d:?\d\d|[+-]\d\d)?)?",
    re.IGNORECASE,
)
_COMPACT_ISO = re.compile(r"((?:19|20)\d\d)(\d\d)(\d\d)T?(\d\d)(\d\d)(\d\d)?(?:\.\d+)?(Z|[+-]\d{4})?")
# JavaScript's Date.toString(): Fri May 03 2024 10:20:00 GMT+0200 (Central European Summer Time)
_JAVASCRIPT = re.compile(
    r"[A-Z]\w\w,? ([A-Z]\w\w) (\d\d?),? (\d{4}),? (\d\d:\d\d(?::\d\d)?)(?: (?:GMT|UTC))?([+-]\d{4})?"
)
_YEAR_FIRST = re.compile(r"(?<!\d)((?:19|20)\d\d)\s?[./年년]\s?(\d\d?)\s?[./月월]\s?(\d\d?)(?!\d)")
_YEAR_LAST = re.compile(r"(?<!\d)(\d\d?)\s?([./|-])\s?(\d\d?)\s?\2\s?((?:19|20|25)\d\d)(?!\d)")
# Two digits of a year, only where nothing else but a time stands beside them: 28.09.19, 14:05
_SHORT_YEAR = re.compile(r"\W*(?<!\d)(\d\d)\.(\d\d)\.(\d\d)(?:\W+\d\d?:\d\d(?::\d\d)?(?:\s?Uhr)?)?\W*", re.IGNORECASE)
_PERSIAN = re.compile(r"(?<!\d)(1[34]\d\d)([./-])(\d\d?)\2(\d\d?)(?!\d)")
_COMPACT = re.compile(r"(?<!\d)((?:19|20)\d\d)(\d\d)(\d\d)(?!\d)")
_YEAR = r"((?:1[3-9]|20|2[45])\d\d)(?!\d)"
# A name has letters, marks and points: มี.ค., `kwietnia`; it may have two words: تشرين الأول, مايو/أيار.
_WORD = r"[^\W\d_](?:[^\s\d_,،:;/|()\[\]<>–—-]{1,14}?)"
_MONTH = rf"({_WORD}(?:\s?/\s?{_WORD}|\s{_WORD})?)"
_DAY_MONTH = re.compile(
    rf"(?<!\d)(\d\d?)(?:st|nd|rd|th|[.ºª]|er)?[\s/-]*(?:de |of |d['’]|ngày )?{_MONTH}[.,،]*[\s/-]*"
    rf"(?:del? |yil |[พค]\.ศ\.\s?|سنة |عام |שנת )?{_YEAR}"
)
_MONTH_DAY = re.compile(rf"(?<![^\W\d_])({_WORD})\.?\s+(\d\d?)(?:st|nd|rd|th)?[.,،]*\s+{_YEAR}")
_YEAR_MONTH_DAY = re.compile(rf"(?<!\d)((?:19|20)\d\d)[.,]?\s+(?:m\.\s*)?({_WORD})[.,]*\s+(\d\d?)(?![\d:])")
_VIETNAMESE = re.compile(rf"(?<!\d)(\d\d?)\s+(?:tháng|thg)\s+(\d\d?)\s*,?\s*(?:năm\s+)?{_YEAR}", re.IGNORECASE)
_YEARS_OF_PERSIAN = frozenset({"fa", "ps", "ckb", "prs"})
_ANY_YEAR = re.compile(r"\d{4}")  # in each of these forms; looked for first, because most texts have no date
_URL = re.compile(r"(?<!\d)((?:19|20)\d\d)[/_-](\d\d?)[/_-](\d\d?)(?!\d)|(?<!\d)((?:19|20)\d\d)(\d\d)(\d\d)(?!\d)")
_URL_MONTH = re.compile(r"/((?:19|20)\d\d)/([a-z]{3,9})/(\d\d?)(?!\d)", re.IGNORECASE)
# The last number repeats the year and month: /2015/08/150803-
_URL_SHORT = re.compile(r"/((?:19|20)(\d\d))/(\d\d)/(?:[^/]*\D)?\2\3(\d\d)(?!\d)")
# Chosen by hand; they bound the work.
_MAX_URL = 2048  # characters of a URL that are read
_MAX_STAMP = 200  # characters of a machine-readable date that are read
_LAST_SHORT = 69  # two digits of a year up to 2069; later ones are of the last century, as in POSIX strptime
_MONTH_FIRST = frozenset({"", "en", "en-us", "en-ca", "en-ph"})


@dataclass(frozen=True, slots=True)
class WrittenDate:
    """A day, and all that the text states: an ISO 8601 date, or a date and time, with the offset if it has one."""

    day: date
    iso: str


@dataclass(frozen=True, slots=True)
class DateInText:
    """A date, with the words between it and the dates before and after it."""

    before: str
    written: WrittenDate
    after: str


@dataclass(frozen=True, slots=True)
class _Found:
    start: int
    end: int
    written: WrittenDate


def parse_timestamp(text: str, language: str = "en") -> WrittenDate | None:
    """Returns the moment in a machine-readable value, or None.

    That is ISO 8601 with or without hyphens, RFC 5322, JavaScript's form, Unix time, or a plain date in `language`.
    """
    text = western_numerals(text[:_MAX_STAMP]).strip()
    return (
        _unix(text)
        or _first(_iso(text))
        or _compact(text)
        or _javascript(text)
        or _rfc5322(text)
        or parse_written_date(text, language)
    )


def parse_written_date(text: str, language: str) -> WrittenDate | None:
    """Returns the first date written in `text`, in words of `language` (BCP 47) or in English, or None.

    Names of months in other languages count, too, if the two do not have them.
    """
    text = western_numerals(text)
    if not _ANY_YEAR.search(text):
        return _first(_short_year(text))
    return _first(chain.from_iterable(form(text, language) for form in _FORMS))


@lru_cache(maxsize=1024)  # dates and authors are sought in the same lines
def dates_in(text: str, language: str) -> tuple[DateInText, ...]:
    """Returns all dates written in `text`, in order, read as `parse_written_date` does."""
    text = western_numerals(text)
    if not _ANY_YEAR.search(text):
        return tuple(DateInText("", found.written, "") for found in _short_year(text))
    every = [found for form in _FORMS for found in form(text, language)]
    dates: list[_Found] = []
    for found in sorted(every, key=lambda found: (found.start, -found.end)):
        if not dates or found.start >= dates[-1].end:
            dates.append(found)
    edges = [0, *(edge for found in dates for edge in (found.start, found.end)), len(text)]
    between = [text[start:end] for start, end in zip(edges[::2], edges[1::2], strict=True)]
    return tuple(
        DateInText(before, found.written, after)
        for before, found, after in zip(between[:-1], dates, between[1:], strict=True)
    )


def _first(found: Iterator[_Found]) -> WrittenDate | None:
    return next((one.written for one in found), None)


def parse_url_date(url: str) -> WrittenDate | None:
    """Returns the day in the path of `url`, or None."""
    url = url[:_MAX_URL]
    if short := _URL_SHORT.search(url):
        return _written_date(*short.group(1, 3, 4))
    if (named := _URL_MONTH.search(url)) and (month := find_month(named[2], "en")):
        return _written_date(named[1], str(month.number), named[3])
    match = _URL.search(url)
    return _written_date(*[part for part in match.groups() if part]) if match else None


def _unix(text: str) -> WrittenDate | None:
    """Returns the moment of seconds or milliseconds since 1970. `2024013112`, a date and an hour, is out of range."""
    if not (match := _UNIX.fullmatch(text)):
        return None
    moment = datetime.fromtimestamp(int(match[1]), UTC)
    return WrittenDate(moment.date(), f"{moment:%Y-%m-%dT%H:%M:%S}+00:00")


def _compact(text: str) -> WrittenDate | None:
    if not (match := _COMPACT_ISO.fullmatch(text)):
        return None
    year, month, day, hours, minutes, seconds, offset = match.groups()
    return _moment(_written_date(year, month, day), f"{hours}:{minutes}:{seconds or '00'}", offset)


def _javascript(text: str) -> WrittenDate | None:
    if not (match := _JAVASCRIPT.match(text)) or not (month := find_month(match[1], "en")):
        return None
    return _moment(_written_date(match[3], str(month.number), match[2]), match[4], match[5])


def _iso(text: str, _language: str = "") -> Iterator[_Found]:
    for match in _ISO.finditer(text):
        if written := _moment(_written_date(*match.group(1, 2, 3)), match[4], match[5]):
            yield _Found(*match.span(), written)


def _moment(written: WrittenDate | None, time: str | None, offset: str | None) -> WrittenDate | None:
    """Returns a date with its time of day, or without it if the time is not valid."""
    if not written or not time:
        return written
    iso = f"{written.iso}T{_clock(time)}{_offset(offset)}"
    return WrittenDate(written.day, iso) if _is_valid(iso) else written


def _is_valid(iso: str) -> bool:
    try:
        datetime.fromisoformat(iso)
    except ValueError:
        return False
    return True


def _clock(time: str) -> str:
    hours, _, rest = time.replace(",", ".").partition(":")
    minutes, _, seconds = rest.partition(":")
    return ":".join([hours.zfill(2), minutes, (seconds or "00")[:2]])


def _offset(offset: str | None) -> str:
    if not offset:
        return ""
    if offset[0] not in "+-":
        return "+00:00"
    digits = offset[1:].replace(":", "").ljust(4, "0")
    return f"{offset[0]}{digits[:2]}:{digits[2:]}"


def _rfc5322(text: str) -> WrittenDate | None:
    try:
        value = parsedate_to_datetime(text)
    except (ValueError, IndexError, TypeError, OverflowError):
        return None
    return WrittenDate(value.date(), value.isoformat())


def _numeric(text: str, language: str) -> Iterator[_Found]:
    for pattern in (_YEAR_FIRST, _COMPACT):
        for match in pattern.finditer(text):
            yield from _found(match, _written_date(*match.group(1, 2, 3)))
    for match in _YEAR_LAST.finditer(text):
        yield from _found(match, _year_last(match, language))
    for match in _VIETNAMESE.finditer(text):
        yield from _found(match, _written_date(*match.group(3, 2, 1)))
    if language.partition("-")[0].lower() in _YEARS_OF_PERSIAN:
        for match in _PERSIAN.finditer(text):
            yield from _found(match, _written_date(*match.group(1, 3, 4), calendar=Calendar.PERSIAN))


def _short_year(text: str) -> Iterator[_Found]:
    """Yields a date with two digits of the year if `text` is nothing else: 28.09.19, 14:05 Uhr."""
    if match := _SHORT_YEAR.fullmatch(text[:_MAX_STAMP]):
        day, month, year = match.groups()
        yield from _found(match, _written_date(f"{'19' if int(year) > _LAST_SHORT else '20'}{year}", month, day))


def _year_last(match: re.Match[str], language: str) -> WrittenDate | None:
    first, separator, second, year = match.groups()
    american = separator != "." and language.lower() in _MONTH_FIRST and int(first) <= 12  # noqa: PLR2004 - months
    if american or int(second) > 12:  # noqa: PLR2004 - months
        return _written_date(year, first, second)
    return _written_date(year, second, first)


def _named(text: str, language: str) -> Iterator[_Found]:
    for pattern, year, month, day in ((_DAY_MONTH, 3, 2, 1), (_MONTH_DAY, 3, 1, 2), (_YEAR_MONTH_DAY, 1, 2, 3)):
        for match in pattern.finditer(text):
            if found := find_month(match[month], language):
                written = _written_date(match[year], str(found.number), match[day], calendar=found.calendar)
                yield from _found(match, written)


def _found(match: re.Match[str], written: WrittenDate | None) -> Iterator[_Found]:
    if written:
        yield _Found(*match.span(), written)


def _written_date(year: str, month: str, day: str, *, calendar: Calendar = Calendar.GREGORIAN) -> WrittenDate | None:
    value = day_of(int(year), int(month), int(day), calendar)
    return WrittenDate(value, value.isoformat()) if value else None


_FORMS: tuple[Callable[[str, str], Iterator[_Found]], ...] = (_iso, _named, _numeric)
