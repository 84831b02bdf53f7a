"""Boxes inside an article: what a heading or a prompt opens goes with it."""

from collections.abc import Sequence

from workers.pasted.lines import Block
from workers.pasted.region import is_boilerplate, is_prose
from workers.pasted.rules import MAX_NOISE_WORDS, Rule

_HEADING_WORDS = 4.0
_MAX_TEASERS = 8
_MIN_GROUP = 2  # lines under a heading that stands alone: a single one may be the next sub-heading
_PROMPTS = frozenset({Rule.PROMPT, Rule.COOKIES})


def mark_boxes(blocks: Sequence[Block], noise: Sequence[Rule | None]) -> list[Rule | None]:
    """Returns `noise` with the rest of each box: the teasers below `Related`, the small print beside a prompt."""
    marked = list(noise)
    if any(block.gap for block in blocks):
        for index, rule in enumerate(noise):
            if rule is Rule.RELATED and blocks[index].words <= _HEADING_WORDS:
                _mark_teasers(blocks, marked, index + 1)
    for index, block in enumerate(blocks):
        beside = {*marked[max(0, index - 1) : index], *marked[index + 1 : index + 2]}
        if not marked[index] and block.words <= MAX_NOISE_WORDS and beside & _PROMPTS and is_boilerplate(block):
            marked[index] = Rule.PROMPT
    return marked


def _mark_teasers(blocks: Sequence[Block], marked: list[Rule | None], start: int) -> None:
    """Takes the lines that no blank line parts from the heading, or from each other below the one under it."""
    if start == len(blocks):
        return
    stop = start + 1
    while stop < len(blocks) and not blocks[stop].gap:
        stop += 1
    few = _MIN_GROUP if blocks[start].gap else 1
    if few <= stop - start <= _MAX_TEASERS and not any(map(_is_told, blocks[start:stop])):
        marked[start:stop] = [rule or Rule.RELATED for rule in marked[start:stop]]


def _is_told(block: Block) -> bool:
    return is_prose(block) or block.text.endswith((".", ":", ";"))
