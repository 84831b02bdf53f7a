"""Reads pasted text: repairs it, finds the article in it, and says what was taken away and why."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from contract.article import Removed, Source
from contract.options import Focus
from workers.document import Sourced
from workers.draft import Classification, Draft
from workers.pasted.classify_lines import Models, Sifted, shipped, sift
from workers.pasted.line_rules import Ruling, find_noise, judge
from workers.pasted.lines import Block, blocks_of, list_numbered
from workers.pasted.noise_rules import Rule, noise_rule
from workers.pasted.quoted_replies import split_replies, unquote
from workers.pasted.repair import repair
from workers.pasted.strip_markdown import is_markdown, unmark
from workers.pasted.text_confidence import Choice, confidence
from workers.pasted.wrapping import unwrap

_MAX_PASSES = 8  # taking a line can make another stand out; two are the rule
_WORD_CHARS = 5.0


def read_text(
    text: str, *, focus: Focus = Focus.BALANCED, keep_all: bool = False, models: Models | None = None
) -> Draft:
    """Returns the article in text copied off a page.

    The draft's text is empty where nothing plausible remains. `removed` holds every line taken, in order, with the
    value of its `Rule`. The result read once more stays as it is.

    Args:
        text: as pasted.
        focus: which error is worse, a line too many or one too few.
        keep_all: nothing is taken away; metadata is read all the same, and how good the text is is not said.
        models: if not those that come with this package.
    """
    models = models or shipped()
    read = read_lines(text, models, focus)
    if keep_all:
        read = replace(read, sifted=replace(read.sifted, rules=[None] * len(read.blocks)))
    found, moments = read.ruling, read.ruling.moments
    return Draft(
        text=read.text,
        classification=read.classification,
        confidence=None if keep_all else confidence(read.choice, models.confidence),
        title=Sourced(read.title, Source.TEXT) if read.title else None,
        authors=Sourced(found.authors, Source.TEXT) if found.authors else None,
        published=Sourced(moments.published, Source.TEXT) if moments.published else None,
        modified=Sourced(moments.modified, Source.TEXT) if moments.modified else None,
        removed=tuple(Removed(block.text, rule) for block, rule in read.pairs() if rule),
    )


@dataclass(frozen=True, slots=True)
class Read:
    """The blocks of a text, what the rules said of them, and what became of each."""

    blocks: Sequence[Block]
    ruling: Ruling
    sifted: Sifted

    @property
    def text(self) -> str:
        """What stayed."""
        return render([block for block, rule in self.pairs() if not rule])

    @property
    def title(self) -> str | None:
        """The subject of a mail, or the line that is the title."""
        at = self.sifted.title
        return self.ruling.subject or (None if at is None else self.blocks[at].text)

    @property
    def classification(self) -> Classification:
        """How sure the model was. Two characters of a script without spaces count for a word of five."""
        return Classification(
            probabilities=tuple(self.sifted.probabilities.tolist()),
            sizes=tuple(block.words * _WORD_CHARS for block in self.blocks),
            kept=tuple(not rule for rule in self.sifted.rules),
        )

    @property
    def choice(self) -> Choice:
        """What is to be known of how the lines were chosen."""
        ruled = [not rule for rule in self.ruling.rules]
        sifted = self.sifted
        return Choice(self.classification, ruled, sifted.clean, sifted.by_rules, titled=self.title is not None)

    def pairs(self) -> Iterable[tuple[Block, Rule | None]]:
        """Returns each block with the rule that took it."""
        return zip(self.blocks, self.sifted.rules, strict=True)


def read_lines(text: str, models: Models, focus: Focus = Focus.BALANCED) -> Read:
    """Returns the lines of pasted text and what became of each."""
    blocks, ruling = rule_lines(text)
    return Read(blocks, ruling, _settle(blocks, ruling, models, focus))


def rule_lines(text: str) -> tuple[list[Block], Ruling]:
    """Returns the lines of pasted text and what the rules say of them."""
    plain = unmark(text) if is_markdown(text) else text
    blocks: list[Block] = []
    quoted: list[bool] = []
    for lines, is_quoted in split_replies(repair(plain)):
        found = blocks_of(unwrap([unquote(line) for line in lines]))
        blocks += found
        quoted += [is_quoted] * len(found)
    blocks = list_numbered(blocks)
    return blocks, judge(blocks, find_noise(blocks, quoted))


def render(blocks: Sequence[Block]) -> str:
    """Returns blocks as text: one blank line between paragraphs, list items on consecutive lines."""
    pieces: list[str] = []
    for index, block in enumerate(blocks):
        if index:
            pieces.append("\n" if block.item and blocks[index - 1].item else "\n\n")
        pieces.append(f"- {block.text}" if block.item else block.text)
    return "".join(pieces)


def _settle(blocks: list[Block], first: Ruling, models: Models, focus: Focus) -> Sifted:
    """Sifts what stays until all of it stays. Changes `blocks` where a numbered list appears only then."""
    sifted = sift(blocks, first, models, focus=focus)
    rules = list(sifted.rules)
    for _ in range(_MAX_PASSES):
        kept = [index for index, rule in enumerate(rules) if not rule]
        listed = list_numbered(_as_rendered([blocks[index] for index in kept]))
        changed = [block.item and not blocks[index].item for index, block in zip(kept, listed, strict=True)]
        noise = [noise_rule(block) if new else None for block, new in zip(listed, changed, strict=True)]
        again = sift(listed, judge(listed, noise), models, focus=focus, seek_title=False).rules
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
