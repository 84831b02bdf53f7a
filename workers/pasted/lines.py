"""Lines become blocks: hard-wrapped lines are joined, bullets recognised, lengths measured."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_BULLETS = re.compile(r"(?:[•‣◦▪▫●○■□◆◇►▶▸▹❖➤➢→✓✔✅·∙⁃–*+\-]\s+(?=\S))+")
_LONE_BULLET = re.compile(r"[•‣◦▪▫●○■□◆◇►▶▸▹❖➤➢∙⁃·*+\-–]|\(?\d{1,3}[.)]")
_NUMBER = re.compile(r"\(?(\d{1,3})[.)]\s+(?=\S)")
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+"
)
_WIDE_MARK = re.compile("[\u3001-\u303f\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65]")
_UNSPACED_CHARS_PER_WORD = 2.0
_END = re.compile("[.!?…。！？｡।॥؟۔։።](?:[\\s\"'“”’»«›」』）)\\]*]|\\[\\d{1,3}\\])*$")
_TAIL_CHARS = 24  # where the end of a sentence is looked for


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph, a list item or any other line, whole.

    `words` is its length, where two characters count as a word in scripts without spaces. `closed`: it ends as a
    sentence does. `gap`: a blank line stood before it.
    """

    text: str
    item: bool
    words: float
    closed: bool
    gap: bool = False


def block_of(text: str, *, item: bool = False, gap: bool = False) -> Block:
    """Returns `text` measured."""
    return Block(text, item, count_words(text), bool(_END.search(text[-_TAIL_CHARS:])), gap)


def count_words(text: str) -> float:
    """Returns the number of words with a letter or digit; characters by two in scripts without spaces."""
    unspaced = sum(map(len, _UNSPACED.findall(text)))
    spaced = sum(1 for word in _UNSPACED.sub(" ", text).split() if any(map(str.isalnum, word)))
    return spaced + unspaced / _UNSPACED_CHARS_PER_WORD


def blocks_of(lines: Sequence[str]) -> list[Block]:
    """Returns the blocks of repaired, un-wrapped lines."""
    return list(_measure(_attach_bullets(lines)))


def list_numbered(blocks: Sequence[Block]) -> list[Block]:
    """Returns `blocks` with numbered lists as list items: lines that follow each other and count up by one."""
    numbers = [_number_of(block) for block in blocks]
    listed: list[Block] = []
    for index, (block, number) in enumerate(zip(blocks, numbers, strict=True)):
        before = numbers[index - 1] if index else None
        after = numbers[index + 1] if index + 1 < len(blocks) else None
        counts = number is not None and (before == number - 1 or after == number + 1)
        listed.append(
            block_of(_strip_bullets(_NUMBER.sub("", block.text, count=1)), item=True, gap=block.gap)
            if counts
            else block
        )
    return listed


def _number_of(block: Block) -> int | None:
    match = None if block.item else _NUMBER.match(block.text)
    return int(match[1]) if match else None


def is_item(line: str) -> bool:
    """Whether a line opens a list item."""
    return bool(_BULLETS.match(line) or _NUMBER.match(line))


def is_unspaced(char: str) -> bool:
    """Whether a character belongs to a script without spaces between words, or is one of its marks."""
    return bool(_UNSPACED.match(char) or _WIDE_MARK.match(char))


def _attach_bullets(lines: Sequence[str]) -> Iterable[str]:
    """Puts a bullet that stands alone before the line right under it, as text out of a PDF needs."""
    pending = ""
    for line in lines:
        if pending and line and not _LONE_BULLET.fullmatch(line) and not is_item(line):
            yield f"{pending} {line}"
            pending = ""
            continue
        if pending:
            yield pending
        pending = line if _LONE_BULLET.fullmatch(line) else ""
        if not pending:
            yield line
    if pending:
        yield pending


def _measure(rows: Iterable[str]) -> Iterable[Block]:
    gap = False
    for row in rows:
        text = _strip_bullets(row)
        if row:
            yield block_of(text, item=text != row, gap=gap)
        gap = not row


def _strip_bullets(text: str) -> str:
    match = _BULLETS.match(text)
    return text[match.end() :] if match else text
