"""Dates in ISO 8601, with the precision that they were stated with."""

import re
from datetime import date, datetime
from functools import lru_cache

from dateparser.data.languages_info import language_order  # type: ignore[import-untyped] # the same
from dateparser.date import DateDataParser  # type: ignore[import-untyped] # no stubs in the package

# A bound on work, chosen by hand: no date is as long.
_MAX_CHARS = 100
_FIRST_YEAR = 1000  # chosen: earlier years are empty values of databases
_EPOCH = re.compile(r"1970-01-01T00:00(:00(\.0+)?)?(Z|\+00:00)?")
_LIBRARY_NAMES = {"no": "nb"}

_ISO = re.compile(
    r"(?P<date>\d{4}(?:-\d\d(?:-\d\d)?)?|\d{8})"
    r"(?:[T ](?P<time>\d\d:?\d\d(?P<seconds>:?\d\d(?P<fraction>[.,]\d+)?)?) ?(?P<zone>Z|[+-]\d\d(?::?\d\d)?)?)?",
    re.IGNORECASE | re.ASCII,
)
_COMPACT_DATE_CHARS = len("20240131")
_MONTH_CHARS = len("2024-01")

# Relative dates would need the time of writing. Incomplete dates are not accepted.
_SETTINGS = {"PARSERS": ["absolute-time"], "REQUIRE_PARTS": ["day", "month", "year"], "RETURN_TIME_AS_PERIOD": True}


# Times of day in forms that the library does not read: 8h14, 9 h 15, 10 Uhr, às 8:14.
_CLOCK_FORMS = (
    (re.compile(r"\b(\d{1,2})\s?h\s?(\d\d)\b", re.IGNORECASE), r"\1:\2"),
    (re.compile(r"(?<![:.\d])(\d{1,2})\s?(?:uhr|uur)\b", re.IGNORECASE), r"\1:00"),
    (re.compile(r"\bàs\b", re.IGNORECASE), " "),
)


def normalise_date(value: str, language: str | None = None) -> str | None:
    """Returns `value` as an ISO 8601 date or date-time, or None if it is not a date.

    Offset and precision stay as stated: no time is made up, no offset is assumed. Dates in words or with the day
    first are read in `language` (BCP 47; the region tells 9/10 from 10/9), or else in English. Relative dates and the
    empty values of databases (year 1, the Unix epoch) do not count as dates.
    """
    value = " ".join(value[: _MAX_CHARS + 1].split())
    if not value or len(value) > _MAX_CHARS:
        return None
    match = _ISO.fullmatch(value)
    found = _from_iso(match) if match else _from_words(value, language)
    return None if found is None or int(found[:4]) < _FIRST_YEAR or _EPOCH.fullmatch(found) else found


def preload() -> None:
    """Loads the data for English dates (0.2 s)."""
    _from_words("January 31, 2024", None)


def _from_iso(match: re.Match[str]) -> str | None:
    try:
        return _iso_time(match) if match["time"] else _iso_date(match["date"])
    except ValueError:
        return None


def _iso_date(stated: str) -> str:
    if len(stated) == _COMPACT_DATE_CHARS or len(stated) > _MONTH_CHARS:
        return date.fromisoformat(stated).isoformat()
    date.fromisoformat(f"{stated}-01-01"[: len("2024-01-01")])
    return stated


def _iso_time(match: re.Match[str]) -> str:
    day, time, zone = _iso_date(match["date"]), match["time"], (match["zone"] or "").upper()
    moment = datetime.fromisoformat(f"{day}T{time}{zone}")
    precision = "minutes" if not match["seconds"] else "milliseconds" if match["fraction"] else "seconds"
    stated = moment.isoformat(timespec=precision)
    return stated.replace("+00:00", "Z") if zone == "Z" else stated


def _from_words(value: str, language: str | None) -> str | None:
    primary, _, region = (language or "en").partition("-")
    for form, usual in _CLOCK_FORMS:
        value = form.sub(usual, value)
    parsed = _parser(primary, region).get_date_data(value)
    moment = parsed.date_obj
    if moment is None:
        return None
    if parsed.period != "time":
        return str(moment.date().isoformat())
    return str(moment.isoformat(timespec="seconds" if moment.second else "minutes"))


@lru_cache(maxsize=64)
def _parser(language: str, region: str) -> DateDataParser:
    """Returns a parser that tries `language` first, if the library has it, and then English."""
    first = _LIBRARY_NAMES.get(language, language)
    languages = list(dict.fromkeys((first, "en"))) if first in language_order else ["en"]
    return DateDataParser(languages=languages, region=region or None, use_given_order=True, settings=_SETTINGS)
