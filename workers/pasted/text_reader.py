"""Reads pasted text: repairs it, finds the article in it, and reports what was removed and why."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from contract.article import PasteKind, Removed, Source
from contract.options import Focus
from workers.document import Sourced
from workers.draft import Classification, Draft
from workers.pasted.byline import Byline, find_byline_below
from workers.pasted.classify_lines import ClassifiedLines, TextModels, classify_lines, load_text_models
from workers.pasted.keep_whole import is_kept_whole, keep_formed, keep_whole
from workers.pasted.kinds.tell import KindOfPaste
from workers.pasted.line_rules import RuledLines, apply_rules, find_noise
from workers.pasted.lines import Line, list_numbered
from workers.pasted.noise_rules import Rule, noise_rule
from workers.pasted.pasted_lines import LINE_KINDS, PastedLines, cut
from workers.pasted.region import is_prose
from workers.pasted.text_confidence import ChosenLines, confidence

_MAX_PASSES = 8  # chosen: removing a line can expose another one; two passes are usual
# Chosen by hand: about the length of an English word. Sizes are in characters, as those of pages are.
_WORD_CHARS = 5.0  # characters


def read_text(
    text: str, *, focus: Focus = Focus.BALANCED, keep_all: bool = False, models: TextModels | None = None
) -> Draft:
    """Returns the article in text copied off a page.

    The draft's text is empty if nothing plausible remains. `removed` holds every removed line, in order, with the
    value of its `Rule`. Reading the result again does not change it.

    Args:
        text: as pasted.
        focus: which error is worse, a line too many or one too few.
        keep_all: keeps all lines. Metadata is still read; `confidence` is None.
        models: by default those that come with this package.
    """
    models = models or load_text_models()
    read = read_lines(text, models, focus)
    if keep_all:
        read = replace(read, classified=replace(read.classified, rules=[None] * len(read.lines)))
    found, dates = read.ruled_lines, read.ruled_lines.dates
    text_read = read.text
    return Draft(
        text=text_read,
        spaced_lines=frozenset(range(text_read.count("\n") + 1)) if read.is_code else frozenset(),
        paste_kind=read.kind.kind,
        paste_kind_confidence=read.kind.confidence,
        classification=read.classification,
        confidence=None if keep_all else confidence(read.choice, models.confidence),
        title=Sourced(read.title, Source.TEXT) if read.title else None,
        authors=Sourced(found.authors, Source.TEXT) if found.authors else None,
        published=Sourced(dates.published, Source.TEXT) if dates.published else None,
        modified=Sourced(dates.modified, Source.TEXT) if dates.modified else None,
        removed=tuple(Removed(line.text, rule) for line, rule in read.pairs() if rule),
    )


@dataclass(frozen=True, slots=True)
class Read:
    """The lines of a text, the result of the rules, the final classification, and the kind of text."""

    lines: Sequence[Line]
    ruled_lines: RuledLines
    classified: ClassifiedLines
    kind: KindOfPaste

    @property
    def text(self) -> str:
        """The text of the lines that were kept."""
        return render([line for line, rule in self.pairs() if not rule], as_written=self.kind.kind in LINE_KINDS)

    @property
    def is_code(self) -> bool:
        """True if the spaces of the text must stay."""
        return self.kind.kind is PasteKind.CODE

    @property
    def title(self) -> str | None:
        """The subject of a mail, or the line that is the title."""
        at = self.classified.title
        return self.ruled_lines.subject or (None if at is None else self.lines[at].text)

    @property
    def classification(self) -> Classification:
        """The probability, the size and the decision for each line. Sizes count five characters a word."""
        return Classification(
            probabilities=tuple(self.classified.probabilities.tolist()),
            sizes=tuple(line.words * _WORD_CHARS for line in self.lines),
            kept=tuple(not rule for rule in self.classified.rules),
        )

    @property
    def choice(self) -> ChosenLines:
        """How the lines were chosen, as `confidence` needs it."""
        ruled = [not rule for rule in self.ruled_lines.rules]
        classified = self.classified
        return ChosenLines(
            self.classification, ruled, classified.whole, classified.by_rules, titled=self.title is not None
        )

    def pairs(self) -> Iterable[tuple[Line, Rule | None]]:
        """Returns each line with the rule that removed it, or None."""
        return zip(self.lines, self.classified.rules, strict=True)


def read_lines(text: str, models: TextModels, focus: Focus = Focus.BALANCED) -> Read:
    """Returns the lines of pasted text with their classification."""
    pasted = cut(text)
    lines, ruled_lines = pasted.lines, _ruled(pasted)
    if is_kept_whole(pasted):
        return Read(lines, ruled_lines, keep_whole(pasted, classify_lines(lines, ruled_lines, models)), pasted.kind)
    classified = _classify_until_stable(pasted, ruled_lines, models, focus)
    byline = _byline_of(lines, ruled_lines, classified)
    if not byline:
        return Read(lines, ruled_lines, classified, pasted.kind)
    rules = list(classified.rules)
    for index in range(byline.start, byline.stop):
        rules[index] = rules[index] if is_prose(lines[index]) else Rule.BYLINE
    named = replace(ruled_lines, authors=byline.names)
    return Read(lines, named, replace(classified, rules=rules), pasted.kind)


def _byline_of(lines: Sequence[Line], ruled_lines: RuledLines, classified: ClassifiedLines) -> Byline | None:
    """Returns the by-line below the title that the model chose: where the article is, the rules know less well."""
    if classified.title is None or classified.by_rules or ruled_lines.subject is not None:
        return None
    kept = (index for index, rule in enumerate(classified.rules) if not rule and index > classified.title)
    first = next((index for index in kept if is_prose(lines[index])), len(lines))
    return find_byline_below(lines, classified.title, first)


def rule_lines(text: str) -> tuple[list[Line], RuledLines]:
    """Returns the lines of pasted text and the result of the rules."""
    pasted = cut(text)
    return pasted.lines, _ruled(pasted)


def _ruled(pasted: PastedLines) -> RuledLines:
    return apply_rules(pasted.lines, find_noise(pasted.lines, pasted.quoted))


def render(lines: Sequence[Line], *, as_written: bool = False) -> str:
    """Returns lines as text: one blank line between paragraphs, list items on consecutive lines.

    With `as_written`, blank lines stand only where they stood.
    """
    pieces: list[str] = []
    for index, line in enumerate(lines):
        if index:
            together = not line.gap if as_written else line.item and lines[index - 1].item
            pieces.append("\n" if together else "\n\n")
        pieces.append(f"- {line.text}" if line.item else line.text)
    return "".join(pieces)


def _classify_until_stable(pasted: PastedLines, first: RuledLines, models: TextModels, focus: Focus) -> ClassifiedLines:
    """Classifies the kept lines again until all are kept. Changes `lines` if a numbered list appears only then."""
    lines = pasted.lines
    classified = classify_lines(lines, first, models, focus=focus)
    rules = keep_formed(pasted, classified.rules)
    for _ in range(_MAX_PASSES):
        kept = [index for index, rule in enumerate(rules) if not rule]
        listed = list_numbered(_as_rendered([lines[index] for index in kept]))
        changed = [line.item and not lines[index].item for index, line in zip(kept, listed, strict=True)]
        noise = [noise_rule(line) if new else None for line, new in zip(listed, changed, strict=True)]
        again = classify_lines(listed, apply_rules(listed, noise), models, focus=focus, seek_title=False).rules
        for index, line, rule in zip(kept, listed, again, strict=True):
            lines[index] = line
            rules[index] = Rule.BEFORE_TEXT if rule is Rule.TITLE else rule
        rules = keep_formed(pasted, rules)
        if not any(rules[index] for index in kept) and not any(changed):
            break
    return replace(classified, rules=rules)


def _as_rendered(lines: Sequence[Line]) -> list[Line]:
    """Returns `lines` with the blank lines that their text will have."""
    follows = [False, *(not (a.item and b.item) for a, b in pairwise(lines))]
    return [replace(line, gap=gap) for line, gap in zip(lines, follows, strict=False)]
