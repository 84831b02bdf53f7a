"""How long a text is and how it begins: word count, reading time, excerpt."""

import math
import re
from dataclasses import dataclass

from workers.normalise.scripts import UNSPACED

_WORDS_A_MINUTE = 238  # Brysbaert 2019, "How many words do we read per minute?": silent reading of non-fiction
_CHARS_A_MINUTE = 500  # the same for text without spaces
_EXCERPT_CHARS = 200
_SHORTEST_SENTENCE_CHARS = 80  # of an excerpt: a shorter one says less than a cut one

_UNSPACED = re.compile(f"[{UNSPACED}]")
_LETTER_OR_DIGIT = re.compile(r"[^\W_]")
_SENTENCE_END = re.compile(r"[.!?…؟।][\"'”’»)]*(?=\s|$)|[。！？][」』”’]*")


@dataclass(frozen=True, slots=True)
class Length:
    """`words` counts each character of a script without spaces as one; `reading_s` is in seconds, rounded up."""

    words: int
    reading_s: int


def measure(text: str) -> Length:
    """Returns the length of `text`.

    A word is what stands between white space and has a letter or a digit in it. In Chinese, Japanese, Thai, Lao,
    Burmese and Khmer, which have no spaces between words, each letter counts as one.
    """
    spaced, characters = _UNSPACED.subn(" ", text)
    words = sum(1 for token in spaced.split() if _LETTER_OR_DIGIT.search(token))
    minutes = words / _WORDS_A_MINUTE + characters / _CHARS_A_MINUTE
    return Length(words + characters, math.ceil(minutes * 60))


def excerpt(text: str) -> str:
    """Returns the beginning of `text` on one line, up to 200 characters: whole sentences, else whole words and `…`."""
    start = " ".join(text[: 2 * _EXCERPT_CHARS].split())
    if len(start) <= _EXCERPT_CHARS:
        return start
    ends = [match.end() for match in _SENTENCE_END.finditer(start) if match.end() <= _EXCERPT_CHARS]
    if ends and ends[-1] >= _SHORTEST_SENTENCE_CHARS:
        return start[: ends[-1]]
    words, space, _ = start[:_EXCERPT_CHARS].rpartition(" ")
    return (words if space else start[: _EXCERPT_CHARS - 1]).rstrip(" ,;:-–—") + "…"
