"""Writes texts letter by letter in another script, so that models learn to do without the words that rules know.

The result means nothing; its lines, lengths, punctuation and repetitions are those of the text.
"""

import re
import zlib
from collections.abc import Callable

_LATIN = "abcdefghijklmnopqrstuvwxyz"
_CYRILLIC = "абцдефгхиюклмнопярстувшжйз"
_GEORGIAN = "აბგდევზთიკლმნოპჟრსტუფქღყშჩ"  # has no capitals
_TO_CYRILLIC = str.maketrans(_LATIN + _LATIN.upper(), _CYRILLIC + _CYRILLIC.upper())
_TO_GEORGIAN = str.maketrans(_LATIN + _LATIN.upper(), _GEORGIAN + _GEORGIAN)
_WORD = re.compile(r"[^\W\d_]+")
_WORD_GAP = re.compile(r"(?<=[\u4e00-\u9fff，。：；！？]) +(?=[\u4e00-\u9fff])")
_MARK = re.compile(r"(?<=[\u4e00-\u9fff])[.,:;!?](?!\d)")
_MARKS = str.maketrans(".,:;!?", "。，：；！？")
_IDEOGRAPHS = 0x4E00, 3_000  # the first, and how many are used
_TWO_FROM = 5  # letters of a word that two ideographs stand for


def to_cyrillic(text: str) -> str:
    """Returns `text` with each Latin letter as a Cyrillic one."""
    return text.translate(_TO_CYRILLIC)


def to_georgian(text: str) -> str:
    """Returns `text` with each Latin letter as a Georgian one: a script without capitals."""
    return text.translate(_TO_GEORGIAN)


def to_ideographs(text: str) -> str:
    """Returns `text` with each word as one or two ideographs, without the blanks between words."""
    return _MARK.sub(lambda mark: mark[0].translate(_MARKS), _WORD_GAP.sub("", _WORD.sub(_ideographs, text)))


def _ideographs(word: re.Match[str]) -> str:
    number = zlib.crc32(word[0].casefold().encode())
    first, count = _IDEOGRAPHS
    two = len(word[0]) >= _TWO_FROM
    return chr(first + number % count) + (chr(first + number // count % count) if two else "")


SCRIPTS: tuple[Callable[[str], str], ...] = (to_cyrillic, to_georgian, to_ideographs)
