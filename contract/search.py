"""Splits texts into words and parses search queries, in the same way for every database. Pure.

A word is a run of letters, digits and their marks, compared without case and without the accents of Latin, Greek and
Cyrillic letters. Scripts that write no spaces between words (Chinese, Japanese, Thai, Lao, Khmer, Burmese) have each
character as a word, so any sequence of characters is found as a phrase.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

MAX_QUERY_CHARS: Final = 500  # chosen: longer than a person types, and it bounds the work of parsing
MAX_TERMS: Final = 16  # words and phrases; chosen: each is one more look-up in the index

# PostgreSQL counts positions of words up to 16,383, and a tsvector holds at most 1 MiB (PostgreSQL manual, 12.11).
# These two keep within both limits.
MAX_WORDS: Final = 16_000
# Characters beyond this do not count; chosen: longer than words of languages, unlike keys and addresses.
_MAX_WORD_CHARS = 40

_FIRST_MARK, _LAST_MARK = 0x0900, 0x1CFF  # the blocks of scripts whose vowels are marks, Devanagari to Vedic
_MARKS = "".join(
    chr(code) for code in range(_FIRST_MARK, _LAST_MARK) if unicodedata.category(chr(code)) in {"Mn", "Mc"}
)
# Thai to Lao, Myanmar, Khmer, kana, CJK ideographs with their extensions.
_SOLO = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"
    "\u3005-\u3007\u3041-\u3096\u309d-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
_ACCENT = "\u0300-\u036f"
_RUN = re.compile(f"[\\w{_MARKS}{_ACCENT}]+")
_WORD = re.compile(f"[{_SOLO}]|(?:[^\\W_{_SOLO}]|[{_MARKS}])+")
_ACCENTS = re.compile(f"[{_ACCENT}]")
_BARRED = str.maketrans("łøđħŧı", "lodhti")  # letters that Unicode does not decompose
_TERM = re.compile(r'(-?)(?:"([^"]*)"|(\S+))')


class SearchError(ValueError):
    """The query cannot be parsed; the message says why."""


@dataclass(frozen=True, slots=True)
class Term:
    """Consecutive words that a text must contain, or must not contain if `excluded`."""

    words: tuple[str, ...]
    excluded: bool = False


def words_of(text: str) -> list[str]:
    """Returns the words of `text` in order, at most `MAX_WORDS`."""
    found = []
    for run in _RUN.findall(text.casefold().replace("_", " ")):
        if run.isascii():
            found.append(run)
        else:
            found += _known(run) if len(run) <= _MAX_WORD_CHARS else _split(run)
    words = found[:MAX_WORDS]
    if max(map(len, words), default=0) <= _MAX_WORD_CHARS:
        return words  # nearly always, and a copy of each word takes a tenth of the time
    return [word[:_MAX_WORD_CHARS] for word in words]


def _split(run: str) -> tuple[str, ...]:
    """Returns the words of `run`, text without separators that is not ASCII."""
    folded = unicodedata.normalize("NFKD", run).casefold()  # some compatibility characters stand for capitals
    plain = _ACCENTS.sub("", unicodedata.normalize("NFKD", folded)).translate(_BARRED)
    return tuple(_WORD.findall(unicodedata.normalize("NFC", plain)))


_known = lru_cache(maxsize=50_000)(_split)  # at most 15 MB; most words are common, and splitting is the slow step


def parse_query(query: str) -> tuple[Term, ...]:
    """Returns the terms of `query`. Words and "phrases" must occur; those with a - before them must not.

    A hyphenated word such as state-of-the-art is a phrase.

    Raises:
        SearchError: too long, an open quotation mark, or nothing to look for.
    """
    if len(query) > MAX_QUERY_CHARS:
        raise SearchError(f"must have at most {MAX_QUERY_CHARS} characters")
    if query.count('"') % 2:
        raise SearchError('has a quotation mark " without its second')
    terms = [
        Term(tuple(words), excluded=bool(minus))
        for minus, phrase, word in _TERM.findall(query)
        if (words := words_of(phrase or word))
    ]
    if all(term.excluded for term in terms):
        raise SearchError("must hold at least one word to look for")
    if len(terms) > MAX_TERMS:
        raise SearchError(f"must have at most {MAX_TERMS} words and phrases")
    return tuple(terms)
