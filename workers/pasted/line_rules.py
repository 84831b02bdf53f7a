"""Decides, block by block, what is the article and by which rule the rest is not."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import zip_longest

from workers.pasted.byline import find_byline, names_before_role, names_in
from workers.pasted.lines import Block
from workers.pasted.mail_header import Mail, find_mail
from workers.pasted.noise_rules import MAX_NOISE_WORDS, Rule, find_date, is_spoken, noise_rule
from workers.pasted.region import Region, find_region, is_boilerplate, is_clean, is_prose
from workers.pasted.stated_dates import Moments, find_moments
from workers.pasted.title_rules import find_title

_FEW_BLOCKS = 4  # a note: whole sentences of it stay, whatever they say
_DATE_LINES = 12  # before the first prose
_STANDFIRST_LINES = 3  # below the title
_MIN_STANDFIRST_WORDS, _MAX_STANDFIRST_WORDS = 12.0, 60.0
_MIN_REPEATED_WORDS = 9.0
_MIN_VERSE_WORDS = 3.0  # lines without prose among them stay if they have so many words on average
_HEADING_WORDS = 4.0
_MAX_TEASERS = 8
_MIN_GROUP = 2  # lines under a heading that stands alone: a single one may be the next sub-heading
_PROMPTS = frozenset({Rule.PROMPT, Rule.COOKIES})


@dataclass(frozen=True, slots=True)
class Ruling:
    """What the rules say: one for each block, None for those that stay, and the metadata found on the way.

    `noise` holds the rules that take a block wherever it stands, `region` is where the article is, empty where there is
    no prose. `subject` is that of a mail: its title. Else the title has the rule of that name.
    """

    rules: list[Rule | None]
    noise: Sequence[Rule | None]
    region: Region
    subject: str | None = None
    authors: tuple[str, ...] = ()
    moments: Moments = field(default_factory=Moments)

    @property
    def title(self) -> int | None:
        """The index of the title."""
        return self.rules.index(Rule.TITLE) if Rule.TITLE in self.rules else None


def judge(blocks: Sequence[Block], noise: Sequence[Rule | None]) -> Ruling:
    """Returns what becomes of each block. `noise` is the rule that takes it wherever it stands (`find_noise`)."""
    mail = find_mail(blocks)
    return _judge_mail(blocks, noise, mail) if mail else _judge_page(blocks, noise)


def _judge_page(blocks: Sequence[Block], noise: Sequence[Rule | None]) -> Ruling:
    region, found = find_region(blocks, noise), noise
    noise = mark_boxes(blocks, noise)  # only now: all its lines together would cut an article in two
    if region.start == region.stop:
        return Ruling(_judge_lines(blocks, noise), found, region)
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
    return Ruling(
        rules,
        found,
        region,
        authors=byline.names if byline else (),
        moments=_find_moments(blocks, rules, first),
    )


def _judge_mail(blocks: Sequence[Block], noise: Sequence[Rule | None], mail: Mail) -> Ruling:
    """Judges what is below the header of an e-mail. Its subject is the title, and its date counts first."""
    below = _judge_page(blocks[mail.stop :], noise[mail.stop :])
    above = [rule or Rule.BEFORE_TEXT for rule in noise[: mail.start]]
    header = [Rule.MAIL_HEADER] * (mail.stop - mail.start)
    sent = find_moments(block.text for block in blocks[mail.start : mail.stop]).published
    moments = replace(below.moments, published=sent) if sent else below.moments
    region = (
        Region(below.region.start + mail.stop, below.region.stop + mail.stop) if below.region.stop else below.region
    )
    rules = [*above, *header, *below.rules]
    return replace(below, rules=rules, noise=noise, region=region, subject=mail.subject, moments=moments)


def find_noise(blocks: Sequence[Block], quoted: Sequence[bool] = ()) -> list[Rule | None]:
    """Returns the rule for each block that is noise wherever it stands; `quoted` ones are of an earlier mail."""
    noise = _find_worded(blocks)
    return [Rule.QUOTED_REPLY if old else rule for rule, old in zip_longest(noise, quoted, fillvalue=None)]


def _find_worded(blocks: Sequence[Block]) -> list[Rule | None]:
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
    """Takes what stands before the title, and the labels between it and the first prose, but not the standfirst."""
    trimmed = list(rules)
    for index in range(first):
        if index < title or not blocks[index].item:
            trimmed[index] = rules[index] or Rule.BEFORE_TEXT
    if (standfirst := _find_standfirst(blocks, trimmed, title, first)) is not None:
        trimmed[standfirst] = None
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


def _find_standfirst(blocks: Sequence[Block], rules: Sequence[Rule | None], title: int, first: int) -> int | None:
    """Returns the block that sums the article up: the only one so long between the title and the first prose."""
    between = range(title + 1, min(first, title + 1 + _STANDFIRST_LINES))
    return next((i for i in between if rules[i] is Rule.BEFORE_TEXT and _is_standfirst(blocks[i])), None)


def _is_standfirst(block: Block) -> bool:
    fits = not block.item and _MIN_STANDFIRST_WORDS <= block.words <= _MAX_STANDFIRST_WORDS
    named = names_in(block.text) or names_before_role(block.text)
    return fits and not (is_boilerplate(block) or named or find_date(block.text))


def _find_moments(blocks: Sequence[Block], rules: Sequence[Rule | None], first: int) -> Moments:
    """Returns the dates of the head: of its lines that are not the article's."""
    return find_moments(blocks[i].text for i in range(max(0, first - _DATE_LINES), first) if rules[i])


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
