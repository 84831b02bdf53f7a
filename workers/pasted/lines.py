"""Makes `Line`s of unwrapped lines: recognises bullets, measures lengths."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

_BULLETS = re.compile(r"(?:[•‣◦▪▫●○■□◆◇►▶▸▹❖➤➢→✓✔✅·∙⁃–*+\-]\s+(?=\S))+")
_LONE_BULLET = re.compile(r"[•‣◦▪▫●○■□◆◇►▶▸▹❖➤➢∙⁃·*+\-–]|\(?\d{1,3}[.)]")
_NUMBER = re.compile(r"\(?(\d{1,3})[.)]\s+(?=\S)")
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+"
)
_WIDE_MARK = re.compile("[\u3001-\u303f\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65]")
# Chosen by hand. Lengths in words are features: retrain the models after a change.
_UNSPACED_CHARS_PER_WORD = 2.0  # characters of scripts without spaces that count as one word
_END = re.compile("[.!?…。！？｡।॥؟۔։።](?:[\\s\"'“”’»«›」』）)\\]*]|\\[\\d{1,3}\\])*$")
_TAIL_CHARS = 24  # characters at the end of a line in which the end of a sentence is looked for


@dataclass(frozen=True, slots=True)
class Line:
    """A whole line: a paragraph, a list item, a heading or a label.

    `words` is its length; in scripts without spaces two characters count as a word. `closed`: it ends like a sentence.
    `gap`: a blank line stood before it. `code`: it is code among prose, and its spaces must stay.
    """

    text: str
    item: bool
    words: float
    closed: bool
    gap: bool = False
    code: bool = False


def line_of(text: str, *, item: bool = False, gap: bool = False, code: bool = False) -> Line:
    """Returns the line of `text`."""
    return Line(text, item, count_words(text), bool(_END.search(text[-_TAIL_CHARS:])), gap, code)


@lru_cache(4096)  # chosen: the lines of a long text, which are counted when its kind is told and when it is read
def count_words(text: str) -> float:
    """Returns the number of words with a letter or digit; in scripts without spaces two characters count as a word."""
    unspaced = sum(map(len, _UNSPACED.findall(text)))
    spaced = sum(1 for word in _UNSPACED.sub(" ", text).split() if any(map(str.isalnum, word)))
    return spaced + unspaced / _UNSPACED_CHARS_PER_WORD


def lines_of(texts: Sequence[str]) -> list[Line]:
    """Returns a `Line` for each of `texts`, repaired and unwrapped, that is not blank; its bullet is removed."""
    return list(_to_lines(_attach_bullets(texts)))


def list_numbered(lines: Sequence[Line]) -> list[Line]:
    """Returns `lines` with numbered lists as list items: lines that follow each other and count up by one."""
    numbers = [_number_of(line) for line in lines]
    listed: list[Line] = []
    for index, (line, number) in enumerate(zip(lines, numbers, strict=True)):
        before = numbers[index - 1] if index else None
        after = numbers[index + 1] if index + 1 < len(lines) else None
        counts = number is not None and (before == number - 1 or after == number + 1)
        listed.append(
            line_of(_strip_bullets(_NUMBER.sub("", line.text, count=1)), item=True, gap=line.gap) if counts else line
        )
    return listed


def _number_of(line: Line) -> int | None:
    match = None if line.item else _NUMBER.match(line.text)
    return int(match[1]) if match else None


def is_item(text: str) -> bool:
    """True if a line opens a list item."""
    return bool(_BULLETS.match(text) or _NUMBER.match(text))


def is_unspaced(char: str) -> bool:
    """True if a character belongs to a script without spaces between words, or is one of its marks."""
    return bool(_UNSPACED.match(char) or _WIDE_MARK.match(char))


def _attach_bullets(texts: Sequence[str]) -> Iterable[str]:
    """Joins a bullet that stands alone with the next line, as text from a PDF needs."""
    pending = ""
    for text in texts:
        if pending and text and not _LONE_BULLET.fullmatch(text) and not is_item(text):
            yield f"{pending} {text}"
            pending = ""
            continue
        if pending:
            yield pending
        pending = text if _LONE_BULLET.fullmatch(text) else ""
        if not pending:
            yield text
    if pending:
        yield pending


def _to_lines(rows: Iterable[str]) -> Iterable[Line]:
    gap = False
    for row in rows:
        text = _strip_bullets(row)
        if row:
            yield line_of(text, item=text != row, gap=gap)
        gap = not row


def _strip_bullets(text: str) -> str:
    match = _BULLETS.match(text)
    return text[match.end() :] if match else text
