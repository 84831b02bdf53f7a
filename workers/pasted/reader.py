"""Reads pasted text: repairs it, finds the article in it, and says what was taken away and why."""

from collections.abc import Sequence

from contract.article import Removed, Source
from workers.draft import Draft, Found
from workers.pasted.judge import Judgement, find_noise, judge
from workers.pasted.lines import Block, blocks_of, list_numbered
from workers.pasted.repair import repair
from workers.pasted.rules import Rule, noise_rule
from workers.pasted.wrapping import unwrap

_MAX_PASSES = 8  # taking a line can make another stand out; two are the rule


def read_text(text: str) -> Draft:
    """Returns the article in text copied off a page.

    The draft's text is empty where nothing plausible remains. `removed` holds every line taken, in order, with the
    value of its `Rule`. The result read once more stays as it is.
    """
    blocks = list_numbered(blocks_of(unwrap(repair(text))))
    first = judge(blocks, find_noise(blocks))
    rules = _settle(blocks, first)
    moments = first.moments
    return Draft(
        text=render([block for block, rule in zip(blocks, rules, strict=True) if not rule]),
        title=Found(first.title, Source.TEXT) if first.title else None,
        authors=Found(first.authors, Source.TEXT) if first.authors else None,
        published=Found(moments.published, Source.TEXT) if moments.published else None,
        modified=Found(moments.modified, Source.TEXT) if moments.modified else None,
        removed=tuple(Removed(block.text, rule) for block, rule in zip(blocks, rules, strict=True) if rule),
    )


def render(blocks: Sequence[Block]) -> str:
    """Returns blocks as text: one blank line between paragraphs, list items on consecutive lines."""
    pieces: list[str] = []
    for index, block in enumerate(blocks):
        if index:
            pieces.append("\n" if block.item and blocks[index - 1].item else "\n\n")
        pieces.append(f"- {block.text}" if block.item else block.text)
    return "".join(pieces)


def _settle(blocks: list[Block], first: Judgement) -> list[Rule | None]:
    """Judges what stays until all of it stays. Changes `blocks` where a numbered list appears only then."""
    rules = list(first.rules)
    for _ in range(_MAX_PASSES):
        kept = [index for index, rule in enumerate(rules) if not rule]
        listed = list_numbered([blocks[index] for index in kept])
        changed = [block is not blocks[index] for index, block in zip(kept, listed, strict=True)]
        noise = [noise_rule(block) if new else None for block, new in zip(listed, changed, strict=True)]
        again = judge(listed, noise).rules
        for index, block, rule in zip(kept, listed, again, strict=True):
            blocks[index] = block
            rules[index] = Rule.BEFORE_TEXT if rule is Rule.TITLE else rule
        if not any(again) and not any(changed):
            break
    return rules
