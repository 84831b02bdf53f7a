"""Numerals of all scripts, and other calendars: Buddhist, Persian, Islamic, and the eras of Japan and Taiwan."""

import re
import unicodedata
from datetime import date
from enum import StrEnum

import jdatetime  # type: ignore[import-untyped] # no stubs in the package
from hijridate import Hijri

_OTHER_DIGIT = re.compile(r"(?![0-9])\d")
_CHINESE_DIGITS = "〇一二三四五六七八九"
_CHINESE_NUMBER = re.compile(rf"[{_CHINESE_DIGITS}零○十]+(?=\s?[年月日])")
_ERA = re.compile(r"(令和|平成|昭和|民國|民国)\s?(\d{1,3}|元)\s?(?=年)")
_ERA_STARTS = {"令和": 2019, "平成": 1989, "昭和": 1926, "民國": 1912, "民国": 1912}  # their first years
_BUDDHIST_YEARS = range(2400, 2600)  # 1857 to 2056; no date of a page is as late
_BUDDHIST_OFFSET = 543  # years since 1941


class Calendar(StrEnum):
    """A calendar that pages write dates in. Buddhist dates have Gregorian months."""

    GREGORIAN = "gregorian"
    PERSIAN = "persian"
    ISLAMIC = "islamic"


def western_numerals(text: str) -> str:
    """Returns `text` with ASCII digits for those of other scripts, and with years of eras as years of our own."""
    if text.isascii():
        return text
    text = _OTHER_DIGIT.sub(lambda match: str(unicodedata.decimal(match[0])), text)
    if "年" not in text and "月" not in text:
        return text
    return _ERA.sub(_year_of_era, _CHINESE_NUMBER.sub(lambda match: _chinese_number(match[0]), text))


def _chinese_number(numeral: str) -> str:
    """Returns 二〇二四 as 2024, and 二十三 as 23."""
    plain = numeral.replace("零", "〇").replace("○", "〇")
    if "十" not in plain:
        return "".join(str(_CHINESE_DIGITS.index(char)) for char in plain)
    tens, _, ones = plain.partition("十")
    return str(10 * int(_chinese_number(tens or "一")) + int(_chinese_number(ones or "〇")))


def _year_of_era(match: re.Match[str]) -> str:
    years = 1 if match[2] == "元" else int(match[2])
    return str(_ERA_STARTS[match[1]] + years - 1)


def day_of(year: int, month: int, day: int, calendar: Calendar = Calendar.GREGORIAN) -> date | None:
    """Returns the day in our own calendar, or None if there is no such day.

    The Islamic calendar is that of Umm al-Qura, which is official in Saudi Arabia; others may differ by a day.
    """
    if calendar is Calendar.GREGORIAN and year in _BUDDHIST_YEARS:
        year -= _BUDDHIST_OFFSET
    try:
        if calendar is Calendar.PERSIAN:
            found: date = jdatetime.date(year, month, day).togregorian()
            return found
        if calendar is Calendar.ISLAMIC:
            return date(*Hijri(year, month, day).to_gregorian().datetuple())
        return date(year, month, day)
    except (ValueError, OverflowError):
        return None
