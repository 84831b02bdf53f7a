"""Classifies the lines of a text: rules decide clear cases, then a model over all lines finds the article."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from contract.options import Focus
from workers.models.boosted_trees import BoostedTrees, Rows, load_model
from workers.pasted.author_features import AUTHOR_FEATURES
from workers.pasted.line_features import RuleFindings, line_features
from workers.pasted.line_rules import RuledLines
from workers.pasted.line_windows import best_cut
from workers.pasted.lines import Line
from workers.pasted.noise_rules import Rule
from workers.pasted.region import is_boilerplate, is_clean, is_prose
from workers.pasted.text_confidence import TEXT_CONFIDENCE_FEATURES
from workers.pasted.title_model import ScoredLines, choose_title
from workers.pasted.whole_text import WHOLE_TEXT_FEATURES, is_whole

# Chosen by hand: without it articles have gaps.
_AMID_BONUS = 4.0  # log-odds of paragraphs between those of the article
_AMID_WORDS = 22.0  # words of such a paragraph, at least
_STANDFIRST_BONUS = 4.0  # log-odds of the line below the title, before the article's paragraphs
_STANDFIRST_WORDS = 12.0  # words of such a line, at least
_STANDFIRST_REACH = 2  # lines after it in which the paragraphs begin; those that rules remove do not count
_LIST_BONUS = 9.0  # log-odds of lists between the article's paragraphs, and of the lines that announce them
_HEADING_BONUS = 3.0  # log-odds of short lines between two paragraphs of the article
_LIST_REACH = 2  # lines before and after a list in which its paragraphs stand
_AMID_REACH = 3  # lines to either side in which the others stand
_FEW_LINES = 12  # lines of clean text, at most, of which the place says nothing

# The weight of recall against precision: the squares of the betas of F-measures.
_RECALL_WORTH: Mapping[Focus, float] = {Focus.PRECISION: 0.5, Focus.BALANCED: 1.0, Focus.RECALL: 2.0}

_DOUBTFUL = frozenset({Rule.PHOTO_CREDIT, Rule.CAPTION})

# These rules go by the place of a line, the others by its words.
_BY_PLACE = frozenset({Rule.BEFORE_TEXT, Rule.AFTER_TEXT, Rule.MENU})


@dataclass(frozen=True, slots=True)
class TextModels:
    """The models for the lines of the article, for texts without a page, for the title, the quality, and the authors.

    Without one for authors, the rules choose them.
    """

    lines: BoostedTrees
    whole: BoostedTrees
    titles: BoostedTrees
    confidence: BoostedTrees
    authors: BoostedTrees | None


@dataclass(frozen=True, slots=True)
class ClassifiedLines:
    """The rule that removes each line, None for kept lines, and the probability that each is part of the article.

    `title` is the index of the title, None if no line is likely enough. `whole`: all of the text is
    article. `by_rules`: the rules decided without the model.
    """

    rules: list[Rule | None]
    probabilities: Rows
    title: int | None
    whole: bool
    by_rules: bool


def load_text_models() -> TextModels:
    """Returns the models that come with this package."""
    return TextModels(
        load_model("pasted_lines"),
        load_model("pasted_whole", WHOLE_TEXT_FEATURES),
        load_model("pasted_titles"),
        load_model("pasted_confidence", TEXT_CONFIDENCE_FEATURES),
        load_model("pasted_authors", AUTHOR_FEATURES),
    )


def classify_lines(
    lines: Sequence[Line],
    ruled_lines: RuledLines,
    models: TextModels,
    *,
    focus: Focus = Focus.BALANCED,
    seek_title: bool = True,
) -> ClassifiedLines:
    """Returns the classification of `lines`. If the rules found no prose, they alone decide."""
    clean = is_all_article(lines, ruled_lines)
    if rules_suffice(lines, ruled_lines, clean=clean):
        rules = _of_whole_text(lines, ruled_lines.rules) if clean else ruled_lines.rules
        kept = np.array([not rule for rule in rules], np.float32)
        title = rules.index(Rule.TITLE) if Rule.TITLE in rules else None
        return ClassifiedLines(rules, kept, title, clean, by_rules=True)
    columns = line_features(lines, rule_findings(ruled_lines))
    rows = np.stack([columns[name] for name in models.lines.names], axis=1).astype(np.float32)
    odds = models.lines.raw(rows)
    probabilities = line_probabilities(lines, ruled_lines, odds)
    whole = is_mail(ruled_lines) or is_whole(columns, odds, models.whole)
    stays = _staying(lines, ruled_lines, probabilities, focus, whole=whole)
    scored = ScoredLines(ruled_lines.noise, probabilities, stays, ruled_lines.title)
    headline = choose_title(lines, scored, columns, models.titles) if seek_title else None
    rules = _of_whole_text(lines, ruled_lines.rules) if whole else ruled_lines.rules
    return ClassifiedLines(_name(rules, stays, headline), probabilities, headline, whole, by_rules=False)


def _of_whole_text(lines: Sequence[Line], rules: Sequence[Rule | None]) -> list[Rule | None]:
    """Returns the rules for a text that is all article: there, paragraphs stay that end with a photographer's name.

    What stands there twice stays, too: somebody wrote it twice.
    """
    return [
        None if rule is Rule.REPEATED or (rule in _DOUBTFUL and is_prose(line)) else rule
        for line, rule in zip(lines, rules, strict=True)
    ]


def rule_findings(ruled_lines: RuledLines) -> RuleFindings:
    """Returns the findings of the rules, as input of the model."""
    return RuleFindings(
        ruled_lines.noise, ruled_lines.region, [not rule for rule in ruled_lines.rules], ruled_lines.title
    )


def line_probabilities(lines: Sequence[Line], ruled_lines: RuledLines, odds: Rows) -> Rows:
    """Returns the probability that each line is the article's: the model's, higher for paragraphs amid the article."""
    total = odds + _AMID_BONUS * _are_amid(lines, ruled_lines, odds)
    total += _STANDFIRST_BONUS * _are_standfirsts(lines, ruled_lines, total)
    total += _LIST_BONUS * _are_lists_amid(lines, ruled_lines, total)
    total += _HEADING_BONUS * _are_headings(lines, ruled_lines, total)
    probabilities: Rows = np.reciprocal(1 + np.exp(-total))
    return probabilities


def choose_lines(lines: Sequence[Line], probabilities: Rows, focus: Focus = Focus.BALANCED) -> list[bool]:
    """Returns which lines to keep, by their probabilities."""
    lengths = np.array([line.words for line in lines], np.float32)
    return [bool(stays) for stays in best_cut(probabilities, lengths, _RECALL_WORTH[focus])]


def _staying(
    lines: Sequence[Line], ruled_lines: RuledLines, probabilities: Rows, focus: Focus, *, whole: bool
) -> list[bool]:
    """Returns which lines to keep. Of a mail, what both the rules and the model leave out is a newsletter's frame."""
    if not whole:
        return choose_lines(lines, probabilities, focus)
    if not is_mail(ruled_lines):
        return [True] * len(lines)
    chosen = choose_lines(lines, probabilities, focus)
    return [stays or not rule for stays, rule in zip(chosen, ruled_lines.rules, strict=True)]


def rules_suffice(lines: Sequence[Line], ruled_lines: RuledLines, *, clean: bool) -> bool:
    """True if the model is not needed: there is no prose, or the text is clean and has only a few lines."""
    return not ruled_lines.region.stop or (clean and len(lines) <= _FEW_LINES)


def is_all_article(lines: Sequence[Line], ruled_lines: RuledLines) -> bool:
    """True if by the rules the text is clean, is a mail, or has no prose."""
    return (
        not ruled_lines.region.stop
        or ruled_lines.subject is not None
        or is_clean(lines, ruled_lines.noise, ruled_lines.region)
    )


def is_mail(ruled_lines: RuledLines) -> bool:
    """True if the text is a mail: it has a header, or quotes an earlier mail."""
    return ruled_lines.subject is not None or Rule.QUOTED_REPLY in ruled_lines.noise


def _are_amid(lines: Sequence[Line], ruled_lines: RuledLines, odds: Rows) -> NDArray[np.bool_]:
    """Returns which lines are paragraphs that no rule removes, with paragraphs of the article before and after them.

    Without such a paragraph the article would have a gap, even if the model doubts it.
    """
    prose = np.array([is_prose(line) and not rule for line, rule in zip(lines, ruled_lines.rules, strict=True)])
    long = np.array([line.words >= _AMID_WORDS and not is_boilerplate(line) for line in lines])
    sure = np.concatenate(([0], np.cumsum(prose & (odds > 0))))
    at = np.arange(len(lines))
    before = sure[at] > sure[np.maximum(at - _AMID_REACH, 0)]
    after = sure[np.minimum(at + 1 + _AMID_REACH, len(lines))] > sure[at + 1]
    amid: NDArray[np.bool_] = prose & long & before & after
    return amid


def _are_standfirsts(lines: Sequence[Line], ruled_lines: RuledLines, odds: Rows) -> NDArray[np.bool_]:
    """Returns which line is the standfirst: the first below the title that no rule removes, before paragraphs.

    The texts that trained the model leave out many, though readers count them in.
    """
    found = np.zeros(len(lines), np.bool_)
    if ruled_lines.title is None:
        return found
    kept = [index for index in range(ruled_lines.title + 1, len(lines)) if not ruled_lines.rules[index]]
    begins = any(odds[index] > 0 and is_prose(lines[index]) for index in kept[1 : 1 + _STANDFIRST_REACH])
    if begins and lines[kept[0]].words >= _STANDFIRST_WORDS:
        found[kept[0]] = True
    return found


def _are_lists_amid(lines: Sequence[Line], ruled_lines: RuledLines, odds: Rows) -> NDArray[np.bool_]:
    """Returns which lines are lists that no rule removes, amid paragraphs of the article, with their lead-ins.

    The last list needs no paragraph after it if its first item reads as a sentence or goes on with one.

    The texts that trained the model wrongly leave out many lists.
    """
    kept = [not rule for rule in ruled_lines.rules]
    sure = [keep and is_prose(line) and odd > 0 for keep, line, odd in zip(kept, lines, odds.tolist(), strict=True)]
    amid = np.zeros(len(lines), np.bool_)
    for start, stop in _lists(lines):
        follows = any(sure[max(0, start - _LIST_REACH) : start])
        if follows and (any(sure[stop : stop + _LIST_REACH]) or _is_sentence(lines[start])):
            first = start - 1 if start else start
            amid[first:stop] = kept[first:stop]
    return amid


def _is_sentence(item: Line) -> bool:
    """True if a list item goes on with a sentence, or is one: headlines of other articles do not."""
    return item.closed or item.text[:1].islower()


def _are_headings(lines: Sequence[Line], ruled_lines: RuledLines, odds: Rows) -> NDArray[np.bool_]:
    """Returns which lines are short and stand right between two paragraphs of the article, but for lines removed."""
    kept = [index for index, rule in enumerate(ruled_lines.rules) if not rule]
    sure = [odds[index] > 0 and is_prose(lines[index]) for index in kept]
    headings = np.zeros(len(lines), np.bool_)
    for before, index, after in zip(sure, kept[1:], sure[2:], strict=False):
        headings[index] = before and after and not (lines[index].item or is_prose(lines[index]))
    return headings


def _lists(lines: Sequence[Line]) -> Iterator[tuple[int, int]]:
    """Yields where each list starts and stops."""
    for item, group in groupby(range(len(lines)), key=lambda index: lines[index].item):
        run = list(group)
        if item:
            yield run[0], run[-1] + 1


def _name(rules: Sequence[Rule | None], stays: Sequence[bool], title: int | None) -> list[Rule | None]:
    """Returns the rule of each removed line: the one by its words, or else by its place among the kept lines."""
    said = [None if rule in _BY_PLACE else rule for rule in rules]
    kept = [index for index, rule in enumerate(said) if stays[index] and not rule]
    first, last = (kept[0], kept[-1]) if kept else (len(said), len(said))
    stay = frozenset(kept)
    named = [rule or (None if at in stay else _place(at, first, last)) for at, rule in enumerate(said)]
    return [
        Rule.TITLE if at == title and rule else _place(at, first, last) if rule is Rule.TITLE else rule
        for at, rule in enumerate(named)
    ]


def _place(index: int, first: int, last: int) -> Rule:
    if index < first:
        return Rule.BEFORE_TEXT
    return Rule.AFTER_TEXT if index > last else Rule.BOILERPLATE
