"""Compares words: white space, tokens, likeness, and the length of text in any script."""

import html
import re

_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060\ufeff]")
_CJK = "\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\uff66-\uff9f\u0e00-\u0e7f"
_CJK_CHARACTER = re.compile(f"[{_CJK}]")
_TOKEN = re.compile(rf"[{_CJK}]|[^\W_{_CJK}]+")
_WIDE = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3\uf900-\ufaff\u0e00-\u0e7f\uff66-\uff9f]")
# Chosen by hand. The features depend on it: retrain the models after a change.
_WIDE_WEIGHT = 1.5  # added for each character of these scripts: it counts as 2.5 characters of an alphabet


def is_cjk(text: str) -> bool:
    """Returns True if `text` has Chinese, Japanese or Thai characters: no spaces separate its words."""
    return not text.isascii() and _CJK_CHARACTER.search(text) is not None


def squeeze(text: str | None) -> str:
    """Returns `text` on one line, without soft hyphens and other invisible characters."""
    text = text or ""
    return " ".join((text if text.isascii() else _INVISIBLE.sub("", text)).split())


def plain(text: str | None) -> str:
    """Returns the `text` of an attribute or JSON string squeezed, character references resolved, even doubled ones."""
    text = text or ""
    return squeeze(html.unescape(html.unescape(text)) if "&" in text else text)


def word_set(text: str) -> frozenset[str]:
    """Returns the words of `text` as a set."""
    return frozenset(text.split())


def tokens(text: str) -> list[str]:
    """Returns the words of `text` in lower case; Chinese, Japanese and Thai give single characters."""
    return _TOKEN.findall(text.casefold())


def bare(text: str) -> str:
    """Returns the words of `text` in lower case, for comparing texts regardless of punctuation."""
    return " ".join(tokens(text))


def jaccard(one: str, other: str) -> float:
    """Returns the share, in [0, 1], of the words of both texts that they have in common."""
    left, right = set(tokens(one)), set(tokens(other))
    return len(left & right) / len(left | right) if left | right else 0.0


def size_of(text: str) -> float:
    """Returns the length of `text`. A Chinese, Japanese, Korean or Thai character counts as 2.5."""
    if text.isascii():
        return len(text)
    return len(text) + _WIDE_WEIGHT * len(_WIDE.findall(text))


ENGLISH_DATE_WORDS = word_set(
    """january february march april may june july august september october november december
    monday tuesday wednesday thursday friday saturday sunday"""
)
MONTHS = word_set(
    """january february march april may june july august september october november december
    jan feb mar apr jun jul aug sep sept oct okt nov dec dez
    januar jänner februar märz mai juni juli oktober dezember
    janvier février mars avril juin juillet août septembre octobre novembre décembre
    enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre
    gennaio febbraio aprile maggio giugno luglio settembre ottobre novembre dicembre
    januari februari maart mei augustus janeiro fevereiro março maio junho julho setembro outubro novembro dezembro
    января февраля марта апреля мая июня июля августа сентября октября ноября декабря"""
)
WEEKDAYS = word_set(
    """mon tue tues wed thu thur thurs fri sat sun monday tuesday wednesday thursday friday saturday sunday
    montag dienstag mittwoch donnerstag freitag samstag sonntag lundi mardi mercredi jeudi vendredi samedi dimanche
    lunes martes miércoles jueves viernes sábado domingo lunedì martedì mercoledì giovedì venerdì sabato domenica
    maandag dinsdag woensdag donderdag vrijdag zaterdag zondag
    понедельник вторник среда четверг пятница суббота воскресенье"""
)
