"""Reads pasted text: repairs it, finds the article in it, and says what was taken away and why."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from contract.article import Removed, Source
from workers.draft import Draft, Found, Judgement
from workers.pasted.judge import Ruling, find_noise, judge
from workers.pasted.lines import Block, blocks_of, list_numbered
from workers.pasted.markdown import is_markdown, unmark
from workers.pasted.repair import repair
from workers.pasted.rules import Rule, noise_rule
from workers.pasted.sift import Models, Sifted, shipped, sift
from workers.pasted.wrapping import unwrap

_MAX_PASSES = 8  # taking a line can make another stand out; two are the rule
_WORD_CHARS = 5.0


def read_text(text: str, *, keep_all: bool = False, models: Models | None = None) -> Draft:
    """Returns the article in text copied off a page.

    The draft's text is empty where nothing plausible remains. `removed` holds every line taken, in order, with the
    value of its `Rule`. The result read once more stays as it is.

    Args:
        text: as pasted.
        keep_all: nothing is taken away; metadata is read all the same.
        models: if not those that come with this package.
    """
    plain = unmark(text) if is_markdown(text) else text
    blocks = list_numbered(blocks_of(unwrap(repair(plain))))
    first = judge(blocks, find_noise(blocks))
    sifted = _settle(blocks, first, models or shipped())
    title = first.subject or (None if sifted.title is None else blocks[sifted.title].text)
    moments = first.moments
    if keep_all:
        sifted = replace(sifted, rules=[None] * len(blocks))
    return Draft(
        text=render([block for block, rule in zip(blocks, sifted.rules, strict=True) if not rule]),
        judgement=_judgement(blocks, sifted),
        title=Found(title, Source.TEXT) if title else None,
        authors=Found(first.authors, Source.TEXT) if first.authors else None,
        published=Found(moments.published, Source.TEXT) if moments.published else None,
        modified=Found(moments.modified, Source.TEXT) if moments.modified else None,
        removed=tuple(Removed(block.text, rule) for block, rule in zip(blocks, sifted.rules, strict=True) if rule),
    )


def render(blocks: Sequence[Block]) -> str:
    """Returns blocks as text: one blank line between paragraphs, list items on consecutive lines."""
    pieces: list[str] = []
    for index, block in enumerate(blocks):
        if index:
            pieces.append("\n" if block.item and blocks[index - 1].item else "\n\n")
        pieces.append(f"- {block.text}" if block.item else block.text)
    return "".join(pieces)


def _settle(blocks: list[Block], first: Ruling, models: Models) -> Sifted:
    """Sifts what stays until all of it stays. Changes `blocks` where a numbered list appears only then."""
    sifted = sift(blocks, first, models)
    rules = list(sifted.rules)
    for _ in range(_MAX_PASSES):
        kept = [index for index, rule in enumerate(rules) if not rule]
        listed = list_numbered(_as_rendered([blocks[index] for index in kept]))
        changed = [block.item and not blocks[index].item for index, block in zip(kept, listed, strict=True)]
        noise = [noise_rule(block) if new else None for block, new in zip(listed, changed, strict=True)]
        again = sift(listed, judge(listed, noise), models, seek_title=False).rules
        for index, block, rule in zip(kept, listed, again, strict=True):
            blocks[index] = block
            rules[index] = Rule.BEFORE_TEXT if rule is Rule.TITLE else rule
        if not any(again) and not any(changed):
            break
    return replace(sifted, rules=rules)


def _as_rendered(blocks: Sequence[Block]) -> list[Block]:
    """Returns `blocks` with the blank lines that their text will have."""
    follows = [False, *(not (a.item and b.item) for a, b in pairwise(blocks))]
    return [replace(block, gap=gap) for block, gap in zip(blocks, follows, strict=False)]


def _judgement(blocks: Sequence[Block], sifted: Sifted) -> Judgement:
    """Returns how sure the model was. Two characters of a script without spaces count for a word of five."""
    return Judgement(
        probabilities=tuple(sifted.probabilities.tolist()),
        sizes=tuple(block.words * _WORD_CHARS for block in blocks),
        kept=tuple(not rule for rule in sifted.rules),
    )
