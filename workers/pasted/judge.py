"""Decides, block by block, what is the article and by which rule the rest is not."""

from collections.abc import Sequence
from dataclasses import dataclass

from workers.pasted.byline import find_byline
from workers.pasted.lines import Block
from workers.pasted.region import Region, find_region, is_clean, is_prose
from workers.pasted.rules import Rule, find_date, is_spoken, noise_rule
from workers.pasted.title import find_title

_FEW_BLOCKS = 4  # a note: whole sentences of it stay, whatever they say
_DATE_LINES = 12  # before the first prose
_MIN_REPEATED_WORDS = 9.0
_MIN_VERSE_WORDS = 3.0  # lines without prose among them stay if they have so many words on average


@dataclass(frozen=True, slots=True)
class Judgement:
    """A rule for each block, None for those that stay, and the metadata found on the way."""

    rules: list[Rule | None]
    title: str | None = None
    authors: tuple[str, ...] = ()
    published: str | None = None


def judge(blocks: Sequence[Block], noise: Sequence[Rule | None]) -> Judgement:
    """Returns what becomes of each block. `noise` is the rule that takes it wherever it stands (`find_noise`)."""
    region = find_region(blocks, noise)
    if region.start == region.stop:
        return Judgement(_judge_lines(blocks, noise))
    clean = is_clean(blocks, noise, region)
    first = next(i for i in range(region.start, region.stop) if not noise[i] and is_prose(blocks[i]))
    byline = find_byline(blocks, first)
    title = find_title(blocks, noise, first)
    rules = list(noise) if clean else _outside(noise, region)
    if title is not None:
        rules = _trim_head(blocks, rules, title, first)
    if byline:
        rules[byline.start : byline.stop] = [Rule.BYLINE] * (byline.stop - byline.start)
    _mark_repeated(blocks, rules)
    return Judgement(
        rules,
        title=None if title is None else blocks[title].text,
        authors=byline.names if byline else (),
        published=_find_published(blocks, rules, first),
    )


def find_noise(blocks: Sequence[Block]) -> list[Rule | None]:
    """Returns the rule for each block that is noise wherever it stands."""
    noise = [noise_rule(block) for block in blocks]
    if len(blocks) > _FEW_BLOCKS:
        return noise
    return [None if is_spoken(block, rule) else rule for block, rule in zip(blocks, noise, strict=True)]


def _judge_lines(blocks: Sequence[Block], noise: Sequence[Rule | None]) -> list[Rule | None]:
    """Judges text without any prose: a note, a poem and a recipe stay, a menu goes."""
    kept = [block for block, rule in zip(blocks, noise, strict=True) if not rule]
    if len(blocks) < _FEW_BLOCKS or sum(block.words for block in kept) >= _MIN_VERSE_WORDS * len(kept):
        return list(noise)
    return [rule or Rule.MENU for rule in noise]


def _outside(noise: Sequence[Rule | None], region: Region) -> list[Rule | None]:
    before = [rule or Rule.BEFORE_TEXT for rule in noise[: region.start]]
    after = [rule or Rule.AFTER_TEXT for rule in noise[region.stop :]]
    return [*before, *noise[region.start : region.stop], *after]


def _trim_head(blocks: Sequence[Block], rules: Sequence[Rule | None], title: int, first: int) -> list[Rule | None]:
    """Takes what stands before the title, and the labels between it and the first prose."""
    trimmed = list(rules)
    for index in range(first):
        if index < title or not blocks[index].item:
            trimmed[index] = rules[index] or Rule.BEFORE_TEXT
    trimmed[title] = Rule.TITLE
    return trimmed


def _mark_repeated(blocks: Sequence[Block], rules: list[Rule | None]) -> None:
    seen: set[str] = set()
    for index, block in enumerate(blocks):
        if rules[index] or block.item or not block.closed or block.words < _MIN_REPEATED_WORDS:
            continue
        if block.text in seen:
            rules[index] = Rule.REPEATED
        seen.add(block.text)


def _find_published(blocks: Sequence[Block], rules: Sequence[Rule | None], first: int) -> str | None:
    """Returns the first date among the lines of the head that are not the article's."""
    lines = range(max(0, first - _DATE_LINES), first)
    return next((date for i in lines if rules[i] and (date := find_date(blocks[i].text))), None)
