"""Names of months in all languages that Babel has, and those of the Persian and the Islamic calendar."""

import unicodedata
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Literal, NamedTuple

import jdatetime  # type: ignore[import-untyped] # no stubs in the package
from babel import Locale, UnknownLocaleError
from babel.dates import get_month_names

from workers.metadata.calendars import Calendar

_MIN_PREFIX = 3  # letters of an abbreviated month; chosen by hand
# Other locales of a language that name months differently.
_VARIANTS = {"ar": ("ar_SY", "ar_DZ", "ar_MA"), "de": ("de_AT",), "no": ("nb",), "sr": ("sr_Latn",), "fa": ("fa_AF",)}
# Languages to try where neither the page's own nor English has the name: pages declare the wrong language, or none.
# The most common ones of each script come first: a name may mean another month in a later one.
_OF_SCRIPT = {
    "LATIN": "es fr de it pt nl pl tr cs sv nb fi hu ro id vi hr lt lv et ca",
    "CYRILLIC": "ru uk bg sr be kk mk",
    "ARABIC": "ar fa ur ckb ps",
    "GREEK": "el",
    "HEBREW": "he",
    "THAI": "th",
    "DEVANAGARI": "hi mr ne",
    "BENGALI": "bn",
    "TAMIL": "ta",
    "TELUGU": "te",
    "GUJARATI": "gu",
    "KANNADA": "kn",
    "MALAYALAM": "ml",
    "GEORGIAN": "ka",
    "ARMENIAN": "hy",
    "LAO": "lo",
    "KHMER": "km",
    "MYANMAR": "my",
    "SINHALA": "si",
    "ETHIOPIC": "am",
}
# The names that pages use, with their usual other spellings. Source: the calendars' own names.
_ISLAMIC_MONTHS = (
    ("محرم", "المحرم"),
    ("صفر",),
    ("ربيع الأول", "ربيع الاول", "ربیع‌الاول", "ربیع الاول"),
    ("ربيع الآخر", "ربيع الثاني", "ربیع‌الثانی", "ربیع الثانی"),
    ("جمادى الأولى", "جمادى الاولى", "جمادی‌الاولی", "جمادی الاولی", "جمادى الأول"),
    ("جمادى الآخرة", "جمادى الثانية", "جمادی‌الثانی", "جمادی الثانی", "جمادى الآخر"),
    ("رجب",),
    ("شعبان",),
    ("رمضان",),
    ("شوال",),
    ("ذو القعدة", "ذي القعدة", "ذی‌القعده", "ذی القعده"),
    ("ذو الحجة", "ذي الحجة", "ذی‌الحجه", "ذی الحجه"),
)
_AFGHAN_MONTHS = ("حمل", "ثور", "جوزا", "سرطان", "اسد", "سنبله", "میزان", "عقرب", "قوس", "جدی", "دلو", "حوت")


class Month(NamedTuple):
    """A month of a calendar; `number` counts from 1."""

    number: int
    calendar: Calendar = Calendar.GREGORIAN


def find_month(words: str, language: str) -> Month | None:
    """Returns the month that `words` name, in `language` (BCP 47), English, or another language of their script.

    Of two words one may be the name, or each a name of the same month: `مايو/أيار`.
    """
    choices = [words, *words.replace("/", " ").split()]
    keys = [key for choice in dict.fromkeys(choices) if (key := _key(choice))]
    if not keys:
        return None
    own = (language.replace("_", "-").partition("-")[0].lower(), "en")
    for name in dict.fromkeys((*own, *_languages_of(keys[0]))):
        for key in keys:
            if month := _in_language(key, name):
                return month
    return _elsewhere(keys)


def _key(name: str) -> str:
    """Returns `name` in lower case without accents, points and invisible joiners. Vowels written as marks stay."""
    decomposed = unicodedata.normalize("NFKD", name.casefold())
    return "".join(char for char in decomposed if char.isalpha() or char == " " or _is_vowel_mark(char)).strip()


def _is_vowel_mark(char: str) -> bool:
    return unicodedata.category(char) in {"Mn", "Mc"} and unicodedata.combining(char) == 0


def _languages_of(key: str) -> Iterable[str]:
    script = unicodedata.name(key[0], "").partition(" ")[0]
    return _OF_SCRIPT.get(script, "").split()


def _in_language(key: str, language: str) -> Month | None:
    names = _months(language)
    if language == "he":
        key = key.removeprefix("ב")  # "in", written together with the name
    found = {names[key]} if key in names else set()
    if not found and len(key) >= _MIN_PREFIX:
        found = {number for full, number in names.items() if full.startswith(key)}
    return Month(found.pop()) if len(found) == 1 else None


@cache
def _months(language: str) -> Mapping[str, int]:
    names: dict[str, int] = {}
    for code in (language, *_VARIANTS.get(language, ())):
        for name, number in _months_of_locale(code):
            names.setdefault(_key(name), number)
    names.pop("", None)
    return names


def _months_of_locale(code: str) -> list[tuple[str, int]]:
    try:
        locale = Locale.parse(code)
    except (ValueError, UnknownLocaleError, TypeError):
        return []
    widths: tuple[Literal["wide", "abbreviated"], ...] = ("wide", "abbreviated")
    return [
        (str(name), number)
        for width in widths
        for context in ("format", "stand-alone")
        for number, name in get_month_names(width, context, locale).items()
        if not any(map(str.isdigit, str(name)))  # 5月, tháng 5
    ]


def _elsewhere(keys: Iterable[str]) -> Month | None:
    return next((month for key in keys if (month := _of_other_calendars().get(key))), None)


@cache
def _of_other_calendars() -> Mapping[str, Month]:
    persian = enumerate(zip(jdatetime.date.j_months_fa, _AFGHAN_MONTHS, strict=True), 1)
    months = {_key(name): Month(number, Calendar.PERSIAN) for number, names in persian for name in names}
    islamic = enumerate(_ISLAMIC_MONTHS, 1)
    return months | {_key(name): Month(number, Calendar.ISLAMIC) for number, names in islamic for name in names}
