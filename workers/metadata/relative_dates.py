"""Dates relative to now: "3 hours ago", in the language of the page or in English."""

import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from functools import cache

from babel import Locale, UnknownLocaleError

from workers.metadata.calendars import western_numerals
from workers.page.words import word_set

# Babel has no words for these days.
_TODAY = word_set("today heute aujourd'hui hoy oggi hoje vandaag idag dzisiaj dziś dnes сегодня bugün اليوم 今天 今日")
_YESTERDAY = word_set("yesterday gestern hier ayer ieri ontem gisteren igår wczoraj včera вчера dün أمس 昨天 昨日")
_ONE = re.compile(r"\b(?:an?|one)\b")
_UNITS = {
    "second": timedelta(seconds=1),
    "minute": timedelta(minutes=1),
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(weeks=1),
}  # months and years ago give no day
_WIDTHS = ("", "-short", "-narrow")
_MAX_TEXT = 60  # characters of a text that may be a relative date; chosen by hand
_MAX_NUMBER = 1000  # of a unit; chosen: older pages state their date
_MIN_LETTERS = 2  # beside the number: "-5d" is not clear enough


def parse_relative_date(text: str, language: str, now: datetime) -> date | None:
    """Returns the day that `text` means at `now`, or None if it does not state a time that passed."""
    if len(text) > _MAX_TEXT:
        return None
    words = western_numerals(text).casefold()
    for days, names in enumerate((_TODAY, _YESTERDAY)):
        if any(re.match(rf"\W*{name}(?![^\W\d_])", words) for name in names):
            return (now - timedelta(days=days)).date()
    for name in dict.fromkeys((language.replace("_", "-").partition("-")[0].lower(), "en")):
        stated = _ONE.sub("1", words) if name == "en" else words
        for pattern, unit in _patterns(name).items():
            if match := pattern.search(stated):
                number = int(match[1]) if pattern.groups else 1
                return (now - number * unit).date() if number <= _MAX_NUMBER else None
    return None


@cache
def _patterns(language: str) -> Mapping[re.Pattern[str], timedelta]:
    try:
        fields = Locale.parse(language)._data["date_fields"]  # noqa: SLF001 - Babel formats with these, but has no name for them
    except (ValueError, UnknownLocaleError, TypeError):
        return {}
    return {
        pattern: 2 * size if form_name == "two" else size
        for unit, size in _UNITS.items()
        for width in _WIDTHS
        for form_name, form in fields.get(f"{unit}{width}", {}).get("past", {}).items()
        for pattern in _pattern(form)
    }


def _pattern(form: str) -> Iterator[re.Pattern[str]]:
    if sum(map(str.isalpha, form)) >= _MIN_LETTERS:
        words = re.escape(form.casefold()).replace(re.escape("{0}"), r"\s*(?<!\d)(\d{1,4})\s*").replace(r"\ ", r"\s*")
        yield re.compile(rf"(?<![^\W\d]){words}")
