"""Reads pasted text: repairs it, finds the article in it, and reports what was removed and why."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, chain, pairwise

import numpy as np

from contract.article import PasteKind, Removed, Source
from contract.options import Focus
from workers.document import Sourced
from workers.draft import Classification, Draft
from workers.models.boosted_trees import BoostedTrees
from workers.pasted.author_features import TextAround
from workers.pasted.author_model import choose_authors
from workers.pasted.byline import Byline, find_byline_below
from workers.pasted.classify_lines import ClassifiedLines, TextModels, classify_lines, load_text_models
from workers.pasted.keep_whole import is_kept_whole, keep_formed, keep_whole, with_code
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
    value of its `Rule`. Reading the result again does not change it, but for the spaces of code that only its fences
    showed to be code.

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
        spaced_lines=read.spaced_lines,
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
        return render(self.kept, as_written=self.kind.kind in LINE_KINDS)

    @property
    def kept(self) -> list[Line]:
        """The lines of the text."""
        return [line for line, rule in self.pairs() if not rule]

    @property
    def spaced_lines(self) -> frozenset[int]:
        """The numbers of the lines of `text` whose spaces must stay."""
        if self.kind.kind is PasteKind.CODE:
            return frozenset(range(self.text.count("\n") + 1))
        kept = self.kept
        if not any(line.code for line in kept):
            return frozenset()
        ends = _ends(kept, as_written=self.kind.kind in LINE_KINDS)
        numbers = list(accumulate(map(len, ends)))
        rows = [(line.code, number) for line, number in zip(kept, numbers, strict=True)]
        between = (range(first, last) for (one, first), (other, last) in pairwise(rows) if one and other)
        return frozenset(chain((number for code, number in rows if code), *between))

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
    if not any(line.code for line in pasted.lines):
        return _read(pasted, models, focus)
    read = _read(pasted.without_code(), models, focus)
    return replace(
        read,
        lines=pasted.lines,
        ruled_lines=replace(read.ruled_lines, rules=with_code(pasted, read.ruled_lines.rules)),
        classified=_placed(pasted, read.classified),
    )


def _placed(pasted: PastedLines, classified: ClassifiedLines) -> ClassifiedLines:
    """Returns the classification of all lines, `classified` being that of all but code."""
    rules = with_code(pasted, classified.rules)
    probabilities = np.array([not rule for rule in rules], np.float32)
    others = [at for at, line in enumerate(pasted.lines) if not line.code]
    probabilities[others] = classified.probabilities
    title = None if classified.title is None else others[classified.title]
    return replace(classified, rules=rules, probabilities=probabilities, title=title)


def _read(pasted: PastedLines, models: TextModels, focus: Focus) -> Read:
    lines, ruled_lines = pasted.lines, _ruled(pasted)
    if is_kept_whole(pasted):
        return Read(lines, ruled_lines, keep_whole(pasted, classify_lines(lines, ruled_lines, models)), pasted.kind)
    classified = _classify_until_stable(pasted, ruled_lines, models, focus)
    read = _with_byline_below(Read(lines, ruled_lines, classified, pasted.kind))
    if not models.authors:
        return read
    own = pasted.formed if pasted.kind.kind in LINE_KINDS else ()
    return _with_authors(read, models.authors, frozenset(at for at, formed in enumerate(own) if formed))


def _with_byline_below(read: Read) -> Read:
    byline = _byline_of(read.lines, read.ruled_lines, read.classified)
    if not byline:
        return read
    named = replace(read.ruled_lines, authors=byline.names)
    return replace(read, ruled_lines=named, classified=_without(read, range(byline.start, byline.stop)))


def _with_authors(read: Read, trees: BoostedTrees, formed: frozenset[int]) -> Read:
    """Returns `read` with the authors that the model chooses, except where the rules decide.

    Lines that are `formed` as those of a recipe, of verse or of a chat name nobody.
    """
    classified, found = read.classified, read.ruled_lines
    if classified.by_rules or found.subject is not None or not any(not rule for rule in classified.rules):
        return read
    around = TextAround(read.lines, classified.rules, classified.probabilities, classified.title, found.authors)
    authors = choose_authors(around, trees, formed)
    named = replace(found, authors=authors.names)
    return replace(read, ruled_lines=named, classified=_without(read, authors.bylines))


def _without(read: Read, bylines: Collection[int]) -> ClassifiedLines:
    """Returns the classification with these by-lines removed, except for prose and the title."""
    rules = [
        Rule.BYLINE if at in bylines and rule is not Rule.TITLE and not is_prose(line) else rule
        for at, (line, rule) in enumerate(read.pairs())
    ]
    return replace(read.classified, rules=rules)


def _byline_of(lines: Sequence[Line], ruled_lines: RuledLines, classified: ClassifiedLines) -> Byline | None:
    """Returns the by-line below the title that the model chose: where the article is, the rules know less well."""
    if classified.title is None or classified.by_rules or ruled_lines.subject is not None:
        return None
    kept = (index for index, rule in enumerate(classified.rules) if not rule and index > classified.title)
    first = next((index for index in kept if is_prose(lines[index])), len(lines))
    return find_byline_below(lines, classified.title, first)


def rule_lines(text: str) -> tuple[list[Line], RuledLines]:
    """Returns the lines of pasted text but for code, and the result of the rules."""
    pasted = cut(text).without_code()
    return pasted.lines, _ruled(pasted)


def _ruled(pasted: PastedLines) -> RuledLines:
    return apply_rules(pasted.lines, find_noise(pasted.lines, pasted.quoted))


def render(lines: Sequence[Line], *, as_written: bool = False) -> str:
    """Returns lines as text: one blank line between paragraphs, list items on consecutive lines.

    With `as_written`, blank lines stand only where they stood, as within code.
    """
    texts = (f"- {line.text}" if line.item else line.text for line in lines)
    return "".join(part for pair in zip(_ends(lines, as_written=as_written), texts, strict=True) for part in pair)


def _ends(lines: Sequence[Line], *, as_written: bool) -> Iterator[str]:
    """Yields the line ends before each line."""
    previous: Line | None = None
    for line in lines:
        if previous is None:
            yield ""
        elif as_written or (line.code and previous.code):
            yield "\n\n" if line.gap else "\n"
        else:
            yield "\n" if line.item and previous.item else "\n\n"
        previous = line


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
