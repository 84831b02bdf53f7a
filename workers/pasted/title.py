"""The title: a short line before the prose that speaks of what the prose speaks of. None rather than a wrong one."""

import re
from collections import Counter
from collections.abc import Sequence

from workers.pasted.byline import names_in
from workers.pasted.lines import Block
from workers.pasted.rules import Rule, find_date

_BEFORE = 60  # lines before the first prose
_MIN_WORDS, _MAX_WORDS = 3.0, 26.0
_WORDY = 14.0  # a longer one is rather a standfirst
_MAX_CHARS = 220
_BODY_CHARS = 6_000  # of the body are compared with
_ENOUGH_SHARED = 5.0  # words shared with the body
_FOLLOWED_BY = 4  # lines in which a by-line, a date or a share line is looked for
_MIN_SCORE = 0.65  # measured: seven in ten are right from here on
_LETTERS = re.compile(r"[^\W\d_]{4,}|[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_STEM_CHARS = 5
_HEAD = frozenset(
    {Rule.TIMESTAMP, Rule.SHARE_LINE, Rule.AVATAR, Rule.PRINT_LINE, Rule.COMMENTS, Rule.PHOTO_CREDIT, Rule.CAPTION}
)


def find_title(blocks: Sequence[Block], noise: Sequence[Rule | None], first: int) -> int | None:
    """Returns the index of the title among the blocks before `first` (the first prose), or None."""
    start = max(0, first - _BEFORE)
    head = {index for index in range(start, first) if _is_head_line(blocks[index], noise[index])}
    vocabulary = _vocabulary(blocks[first:])
    repeats = Counter(block.text.casefold() for block in blocks[start:first])
    best, best_score = None, _MIN_SCORE
    for index in range(start, first):
        if noise[index] or index in head or not _is_plausible(blocks[index]):
            continue
        score = _score(blocks[index], vocabulary) + 0.15 * (1 - (first - index) / _BEFORE)
        score += 0.15 * _is_followed(index, head)
        score += 0.05 * (repeats[blocks[index].text.casefold()] > 1) - 0.05 * _is_beside_item(blocks, index)
        if score > best_score:
            best, best_score = index, score
    return best


def _is_plausible(block: Block) -> bool:
    """Whether a block is as short, and as long, as a title, and does not end as a sentence."""
    fits = _MIN_WORDS <= block.words <= _MAX_WORDS and len(block.text) <= _MAX_CHARS
    return fits and not block.text.endswith((".", ":", ",", ";"))


def _is_head_line(block: Block, rule: Rule | None) -> bool:
    return rule in _HEAD or bool(find_date(block.text)) or bool(names_in(block.text))


def _is_followed(index: int, head: set[int]) -> bool:
    return any(after in head for after in range(index + 1, index + 1 + _FOLLOWED_BY))


def _is_beside_item(blocks: Sequence[Block], index: int) -> bool:
    return any(blocks[i].item for i in (index - 1, index + 1) if 0 <= i < len(blocks))


def _score(block: Block, vocabulary: set[str]) -> float:
    stems = set(_stems(block.text))
    shared = len(stems & vocabulary)
    overlap = shared / len(stems) if stems else 0.0
    enough = min(shared, _ENOUGH_SHARED) / _ENOUGH_SHARED
    return 0.35 * overlap + 0.3 * enough - 0.2 * block.item - 0.1 * (block.words > _WORDY)


def _vocabulary(blocks: Sequence[Block]) -> set[str]:
    stems: set[str] = set()
    chars = 0
    for block in blocks:
        stems.update(_stems(block.text[: _BODY_CHARS - chars]))
        chars += len(block.text)
        if chars >= _BODY_CHARS:
            break
    return stems


def _stems(text: str) -> list[str]:
    return [word[:_STEM_CHARS] for word in _LETTERS.findall(text.casefold())]
