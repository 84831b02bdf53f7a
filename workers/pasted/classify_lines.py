"""Classifies the lines of a text: rules decide clear cases, then a model over all lines finds the article."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from contract.options import Focus
from workers.models.boosted_trees import BoostedTrees, Rows, load_model
from workers.pasted.line_features import RuleFindings, line_features
from workers.pasted.line_rules import RuledLines
from workers.pasted.line_windows import best_cut
from workers.pasted.lines import Line
from workers.pasted.noise_rules import Rule
from workers.pasted.region import is_boilerplate, is_clean, is_prose
from workers.pasted.text_confidence import TEXT_CONFIDENCE_FEATURES
from workers.pasted.title_model import ScoredLines, choose_title

# Log-odds that the rules add to the model's, because the texts that trained it wrongly leave out many lists. Chosen by
# hand.
_CLEAN_BONUS = 0.5  # all lines of clean text
_SURE_BONUS = 9.0  # list items, the lines that announce them, and kept lines before the first prose
_HEADING_BONUS = 1.0  # other short lines that are kept
_AMID_BONUS = 4.0  # paragraphs between those of the article
_AMID_WORDS = 22.0  # words of such a paragraph, at least
_AMID_REACH = 3  # lines to either side in which the others stand
_FEW_LINES = 12  # lines of clean text, at most, of which the place says nothing

# The weight of recall against precision: the squares of the betas of F-measures.
_RECALL_WORTH: Mapping[Focus, float] = {Focus.PRECISION: 0.5, Focus.BALANCED: 1.0, Focus.RECALL: 2.0}

_COLON = (":", "：")

# These rules go by the place of a line, the others by its words.
_BY_PLACE = frozenset({Rule.BEFORE_TEXT, Rule.AFTER_TEXT, Rule.MENU})


@dataclass(frozen=True, slots=True)
class TextModels:
    """The models for the lines of the article, for its title, and for the quality of its text."""

    lines: BoostedTrees
    titles: BoostedTrees
    confidence: BoostedTrees


@dataclass(frozen=True, slots=True)
class ClassifiedLines:
    """The rule that removes each line, None for kept lines, and the probability that each is part of the article.

    `title` is the index of the title, None if no line is likely enough. `clean`: by the rules, all of the text is
    article. `by_rules`: the rules decided without the model.
    """

    rules: list[Rule | None]
    probabilities: Rows
    title: int | None
    clean: bool
    by_rules: bool


def load_text_models() -> TextModels:
    """Returns the models that come with this package."""
    return TextModels(
        load_model("pasted_lines"),
        load_model("pasted_titles"),
        load_model("pasted_confidence", TEXT_CONFIDENCE_FEATURES),
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
        kept = [not rule for rule in ruled_lines.rules]
        return ClassifiedLines(ruled_lines.rules, np.array(kept, np.float32), ruled_lines.title, clean, by_rules=True)
    columns = line_features(lines, rule_findings(ruled_lines))
    rows = np.stack([columns[name] for name in models.lines.names], axis=1).astype(np.float32)
    probabilities = line_probabilities(lines, ruled_lines, models.lines.raw(rows), clean=clean)
    stays = choose_lines(lines, probabilities, focus)
    scored = ScoredLines(ruled_lines.noise, probabilities, stays, ruled_lines.title)
    headline = choose_title(lines, scored, columns, models.titles) if seek_title else None
    return ClassifiedLines(_name(ruled_lines.rules, stays, headline), probabilities, headline, clean, by_rules=False)


def rule_findings(ruled_lines: RuledLines) -> RuleFindings:
    """Returns the findings of the rules, as input of the model."""
    return RuleFindings(
        ruled_lines.noise, ruled_lines.region, [not rule for rule in ruled_lines.rules], ruled_lines.title
    )


def line_probabilities(lines: Sequence[Line], ruled_lines: RuledLines, odds: Rows, *, clean: bool) -> Rows:
    """Returns the probability that each line belongs to the article: the model's log-odds plus those of the rules."""
    total = odds + _bonus(lines, ruled_lines) + np.float32(clean * _CLEAN_BONUS)
    total += _AMID_BONUS * _are_amid(lines, ruled_lines, total)
    probabilities: Rows = np.reciprocal(1 + np.exp(-total))
    return probabilities


def choose_lines(lines: Sequence[Line], probabilities: Rows, focus: Focus = Focus.BALANCED) -> list[bool]:
    """Returns which lines to keep, by their probabilities."""
    lengths = np.array([line.words for line in lines], np.float32)
    return [bool(stays) for stays in best_cut(probabilities, lengths, _RECALL_WORTH[focus])]


def rules_suffice(lines: Sequence[Line], ruled_lines: RuledLines, *, clean: bool) -> bool:
    """True if the model is not needed: there is no prose, or the text is clean and has only a few lines."""
    return not ruled_lines.region.stop or (clean and len(lines) <= _FEW_LINES)


def is_all_article(lines: Sequence[Line], ruled_lines: RuledLines) -> bool:
    """True if the text is clean, is a mail, or has no prose."""
    return (
        not ruled_lines.region.stop
        or ruled_lines.subject is not None
        or is_clean(lines, ruled_lines.noise, ruled_lines.region)
    )


def _bonus(lines: Sequence[Line], ruled_lines: RuledLines) -> Rows:
    """Returns the log-odds that the rules add for each line that they keep."""
    first = first_prose(lines, ruled_lines)
    kept = [not rule for rule in ruled_lines.rules]
    items = [line.item and keep for line, keep in zip(lines, kept, strict=True)]
    short = [not is_prose(line) for line in lines]
    leads = [shorter or line.text.endswith(_COLON) for line, shorter in zip(lines, short, strict=True)]
    heads = [*(here and below for here, below in zip(leads, items[1:], strict=False)), False]
    sure = [items[index] or heads[index] or index < first for index in range(len(lines))]
    worth: Rows = np.where(sure, _SURE_BONUS, np.where(short, _HEADING_BONUS, 0.0)) * np.array(kept, np.float32)
    return worth.astype(np.float32)


def first_prose(lines: Sequence[Line], ruled_lines: RuledLines) -> int:
    """Returns the first line of the rules' region that reads as running text."""
    inside = range(ruled_lines.region.start, ruled_lines.region.stop)
    return next((i for i in inside if not ruled_lines.noise[i] and is_prose(lines[i])), ruled_lines.region.start)


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
