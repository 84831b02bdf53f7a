"""Parses dates in attributes and in text of many languages to ISO 8601."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from typing import Literal

from babel import Locale, UnknownLocaleError
from babel.dates import get_month_names

# Seconds since 1970 with or without milliseconds, from 2001 (10 digits) to 2030.
_UNIX = re.compile(r"1[0-8]\d{8}(?:\d{3})?", re.ASCII)
_ISO = re.compile(
    r"(?<!\d)(\d{4})-(\d\d?)-(\d\d?)"
    r"(?:[T ]\s*(\d\d?:\d\d(?::\d\d(?:[.,]\d+)?)?)\s*(Z|UTC|GMT|[+-]\d\d:?\d\d|[+-]\d\d)?)?",
    re.IGNORECASE,
)
_YEAR_FIRST = re.compile(r"(?<!\d)((?:19|20)\d\d)[./年]\s?(\d\d?)[./月]\s?(\d\d?)(?!\d)")
_YEAR_LAST = re.compile(r"(?<!\d)(\d\d?)([./-])\s?(\d\d?)\2\s?((?:19|20)\d\d)(?!\d)")
_COMPACT = re.compile(r"(?<!\d)((?:19|20)\d\d)(\d\d)(\d\d)(?!\d)")
_YEAR = r"((?:19|20)\d\d)(?!\d)"
_DAY_MONTH = re.compile(
    r"(?<!\d)(\d\d?)(?:st|nd|rd|th|\.|er|º|ª)?\s*(?:de |of |d['’])?([^\W\d_]{3,12})\.?,?\s*(?:del? )?" + _YEAR
)
_MONTH_DAY = re.compile(r"([^\W\d_]{3,12})\.?\s+(\d\d?)(?:st|nd|rd|th)?\.?,?\s+" + _YEAR)
_URL = re.compile(r"(?<!\d)((?:19|20)\d\d)[/_-](\d\d?)[/_-](\d\d?)(?!\d)|(?<!\d)((?:19|20)\d\d)(\d\d)(\d\d)(?!\d)")
# The last number repeats the year and month: /2015/08/150803-
_URL_SHORT = re.compile(r"/((?:19|20)(\d\d))/(\d\d)/(?:[^/]*\D)?\2\3(\d\d)(?!\d)")
# Chosen by hand; the last two bound the work.
_MIN_PREFIX = 3  # letters of an abbreviated month
_MAX_URL = 2048  # characters of a URL that are read
_MAX_STAMP = 200  # characters of a machine-readable date that are read
_CHANGE = (
    r"(?:updat|modifi|\bedited|last changed|revis|aktualis|geändert|mise? à jour|màj|actualiz|aggiorna|bijgewerkt"
    r"|gewijzigd|atualiz|oppdatert|uppdater|päivitetty|обновлено|изменено|更新)"
)
_CHANGED = re.compile(_CHANGE, re.IGNORECASE)
_CHANGE_LABEL = re.compile(rf"\b{_CHANGE}", re.IGNORECASE)
_MONTH_FIRST = frozenset({"", "en", "en-us", "en-ca", "en-ph"})


@dataclass(frozen=True, slots=True)
class WrittenDate:
    """A day, and all that the text states: an ISO 8601 date, or a date and time, with the offset if it has one."""

    day: date
    iso: str


def says_changed(words: str) -> bool:
    """Returns True if `words` around a date, or the class names of its element, say that it is of a change.

    Class names join words, as in `lastUpdated`, so a word counts even inside another one.
    """
    return _CHANGED.search(words) is not None


def labels_change(label: str) -> bool:
    """Returns True if a word of `label`, the text before a date, begins with a word for a change.

    最后更新 ("last update") does not: Chinese pages put it before their only date.
    """
    return _CHANGE_LABEL.search(label) is not None


def parse_timestamp(text: str) -> WrittenDate | None:
    """Returns the moment in a machine-readable value (ISO 8601, RFC 5322, Unix time, or a plain date), or None."""
    text = text[:_MAX_STAMP]
    return _unix(text) or _iso(text) or _rfc5322(text) or parse_written_date(text, "en")


def parse_written_date(text: str, language: str) -> WrittenDate | None:
    """Returns the first date written in `text`, in words of `language` (BCP 47) or in English, or None."""
    return _iso(text) or _named(text, language) or _numeric(text, language)


def parse_url_date(url: str) -> WrittenDate | None:
    """Returns the day in the path of `url`, or None."""
    url = url[:_MAX_URL]
    if short := _URL_SHORT.search(url):
        return _written_date(*short.group(1, 3, 4))
    match = _URL.search(url)
    return _written_date(*[part for part in match.groups() if part]) if match else None


def _unix(text: str) -> WrittenDate | None:
    """Returns the moment of seconds or milliseconds since 1970. `2024013112`, a date and an hour, is out of range."""
    if not _UNIX.fullmatch(text.strip()):
        return None
    moment = datetime.fromtimestamp(int(text.strip()[:10]), UTC)
    return WrittenDate(moment.date(), f"{moment:%Y-%m-%dT%H:%M:%S}+00:00")


def _iso(text: str) -> WrittenDate | None:
    match = _ISO.search(text)
    if not match or not (written := _written_date(*match.group(1, 2, 3))):
        return None
    time, offset = match[4], match[5]
    iso = f"{written.iso}T{_clock(time)}{_offset(offset)}" if time else ""
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


def _numeric(text: str, language: str) -> WrittenDate | None:
    if match := _YEAR_FIRST.search(text) or _COMPACT.search(text):
        return _written_date(*match.group(1, 2, 3))
    if not (match := _YEAR_LAST.search(text)):
        return None
    first, separator, second, year = match.groups()
    american = separator != "." and language.lower() in _MONTH_FIRST and int(first) <= 12  # noqa: PLR2004 - months
    if american or int(second) > 12:  # noqa: PLR2004 - months
        return _written_date(year, first, second)
    return _written_date(year, second, first)


def _named(text: str, language: str) -> WrittenDate | None:
    for pattern, day, month in ((_DAY_MONTH, 1, 2), (_MONTH_DAY, 2, 1)):
        for match in pattern.finditer(text):
            number = _month(match[month].casefold(), language)
            if number and (written := _written_date(match[3], str(number), match[day])):
                return written
    return None


def _written_date(year: str, month: str, day: str) -> WrittenDate | None:
    try:
        value = date(int(year), int(month), int(day))
    except ValueError:
        return None
    return WrittenDate(value, value.isoformat())


def _month(word: str, language: str) -> int | None:
    for name in dict.fromkeys((language.partition("-")[0].lower(), "en")):
        names = _months(name)
        found = {number for full, number in names.items() if full == word} or {
            number for full, number in names.items() if len(word) >= _MIN_PREFIX and full.startswith(word)
        }
        if len(found) == 1:
            return found.pop()
    return None


@cache
def _months(language: str) -> Mapping[str, int]:
    try:
        locale = Locale.parse(language)
    except (ValueError, UnknownLocaleError, TypeError):
        return {}
    widths: tuple[Literal["wide", "abbreviated"], ...] = ("wide", "abbreviated")
    return {
        str(name).casefold().strip("."): number
        for width in widths
        for context in ("format", "stand-alone")
        for number, name in get_month_names(width, context, locale).items()
    }
