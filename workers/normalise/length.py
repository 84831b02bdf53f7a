"""Word count, reading time and excerpt of a text."""

import math
import re
from dataclasses import dataclass

# The inside of a character class: letters of scripts without spaces between words, without combining marks. East Asia
# first, then Thai, Lao, Burmese, Khmer. No Hangul: Korean has spaces.
UNSPACED = (
    "\u3005-\u3007\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff"
    "\uf900-\ufaff\uff66-\uff9d\U00020000-\U0003ffff"
    "\u0e01-\u0e30\u0e32\u0e33\u0e40-\u0e46\u0e81-\u0eb0\u0eb2\u0eb3\u0ebd-\u0ec6\u1000-\u102a\u1780-\u17b3"
)
_WORDS_A_MINUTE = 238  # Brysbaert 2019, "How many words do we read per minute?": silent reading of non-fiction
_CHARS_A_MINUTE = 500  # the same for text without spaces
_EXCERPT_CHARS = 200  # chosen: two or three lines on a screen
_SHORTEST_SENTENCE_CHARS = 80  # chosen: characters of an excerpt of whole sentences, at least
_UNSPACED = re.compile(f"[{UNSPACED}]")
_WORD = re.compile(r"[^\W_]\S*")  # from the first letter or digit of a run between white space to its end
_SENTENCE_END = re.compile(r"[.!?…؟।][\"'”’»)]*(?=\s|$)|[。！？][」』”’]*")


@dataclass(frozen=True, slots=True)
class Length:
    """`words` counts each character of a script without spaces as one; `reading_s` is in seconds, rounded up."""

    words: int
    reading_s: int


def measure_length(text: str) -> Length:
    """Returns the length of `text`.

    A word is a run between white space with a letter or a digit in it. In Chinese, Japanese, Thai, Lao, Burmese and
    Khmer, which have no spaces between words, each letter counts as one.
    """
    spaced, characters = _UNSPACED.subn(" ", text)
    words = len(_WORD.findall(spaced))
    minutes = words / _WORDS_A_MINUTE + characters / _CHARS_A_MINUTE
    return Length(words + characters, math.ceil(minutes * 60))


def excerpt(text: str) -> str:
    """Returns the beginning of `text` on one line, up to 200 characters: whole sentences, or whole words and `…`."""
    start = " ".join(text[: 2 * _EXCERPT_CHARS].split())
    if len(start) <= _EXCERPT_CHARS:
        return start
    ends = [match.end() for match in _SENTENCE_END.finditer(start) if match.end() <= _EXCERPT_CHARS]
    if ends and ends[-1] >= _SHORTEST_SENTENCE_CHARS:
        return start[: ends[-1]]
    words, space, _ = start[:_EXCERPT_CHARS].rpartition(" ")
    return (words if space else start[: _EXCERPT_CHARS - 1]).rstrip(" ,;:-–—") + "…"
