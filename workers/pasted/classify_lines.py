"""Sifts the blocks of a text: the rules say what they know, a model over all lines decides where the article is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from contract.options import Focus
from workers.models.boosted_trees import BoostedTrees, Rows, load_model
from workers.pasted.line_features import Seen, measure
from workers.pasted.line_rules import Ruling
from workers.pasted.line_windows import best_cut
from workers.pasted.lines import Block
from workers.pasted.noise_rules import Rule
from workers.pasted.region import is_boilerplate, is_clean, is_prose
from workers.pasted.text_confidence import TEXT_CONFIDENCE_FEATURES
from workers.pasted.title_model import Judged, find_headline

# Log-odds by which the rules' word counts for more than the trained texts say: their truths leave many lists out.
_CLEAN_BONUS = 0.5  # no menu around the article, and hardly any noise
_SURE_BONUS = 9.0  # list items and what leads to them, and what stands between title and first prose
_HEADING_BONUS = 1.0  # short lines amid the prose
_AMID_BONUS = 4.0  # paragraphs amid those of the article
_AMID_WORDS = 22.0  # at least
_AMID_REACH = 3  # lines to either side
_FEW_BLOCKS = 12  # of clean text: too few to tell anything by where a line stands

# What recall counts for against precision: the squares of the betas of F-measures.
_RECALL_WORTH: Mapping[Focus, float] = {Focus.PRECISION: 0.5, Focus.BALANCED: 1.0, Focus.RECALL: 2.0}

_COLON = (":", "：")

# What a line says of itself holds wherever it stands.
_BY_PLACE = frozenset({Rule.BEFORE_TEXT, Rule.AFTER_TEXT, Rule.MENU})


@dataclass(frozen=True, slots=True)
class Models:
    """Which lines are the article's, which of the others is the title, and how good the text is."""

    lines: BoostedTrees
    titles: BoostedTrees
    confidence: BoostedTrees


@dataclass(frozen=True, slots=True)
class Sifted:
    """A rule for each block, None for those that stay, and how probable it is that they are the article's.

    `title` is the index of the title, None where none is likely enough. `clean`: the rules took all of the text for
    the article's. `by_rules`: the model was not asked.
    """

    rules: list[Rule | None]
    probabilities: Rows
    title: int | None
    clean: bool
    by_rules: bool


def shipped() -> Models:
    """Returns the models that come with this package."""
    return Models(
        load_model("pasted_lines"),
        load_model("pasted_titles"),
        load_model("pasted_confidence", TEXT_CONFIDENCE_FEATURES),
    )


def sift(
    blocks: Sequence[Block],
    ruling: Ruling,
    models: Models,
    *,
    focus: Focus = Focus.BALANCED,
    seek_title: bool = True,
) -> Sifted:
    """Returns what stays of `blocks`, whose rules said `ruling`. Where no prose was found the rules alone decide."""
    clean = is_all_article(blocks, ruling)
    if is_told_by_rules(blocks, ruling, clean=clean):
        kept = [not rule for rule in ruling.rules]
        return Sifted(ruling.rules, np.array(kept, np.float32), ruling.title, clean, by_rules=True)
    columns = measure(blocks, seen_by(ruling))
    rows = np.stack([columns[name] for name in models.lines.names], axis=1).astype(np.float32)
    probabilities = weigh(blocks, ruling, models.lines.raw(rows), clean=clean)
    stays = cut(blocks, probabilities, focus)
    judged = Judged(ruling.noise, probabilities, stays, ruling.title)
    headline = find_headline(blocks, judged, columns, models.titles) if seek_title else None
    return Sifted(_name(ruling.rules, stays, headline), probabilities, headline, clean, by_rules=False)


def seen_by(ruling: Ruling) -> Seen:
    """Returns what the model is told of the rules' word."""
    return Seen(ruling.noise, ruling.region, [not rule for rule in ruling.rules], ruling.title)


def weigh(blocks: Sequence[Block], ruling: Ruling, odds: Rows, *, clean: bool) -> Rows:
    """Returns how probable it is that each block is the article's: the model's log-odds, and what rules add to them."""
    total = odds + _bonus(blocks, ruling) + np.float32(clean * _CLEAN_BONUS)
    total += _AMID_BONUS * _are_amid(blocks, ruling, total)
    probabilities: Rows = np.reciprocal(1 + np.exp(-total))
    return probabilities


def cut(blocks: Sequence[Block], probabilities: Rows, focus: Focus = Focus.BALANCED) -> list[bool]:
    """Returns which blocks stay by how probable they are."""
    lengths = np.array([block.words for block in blocks], np.float32)
    return [bool(stays) for stays in best_cut(probabilities, lengths, _RECALL_WORTH[focus])]


def is_told_by_rules(blocks: Sequence[Block], ruling: Ruling, *, clean: bool) -> bool:
    """Whether there is nothing for the model: no prose, or so few lines that where they stand tells nothing."""
    return not ruling.region.stop or (clean and len(blocks) <= _FEW_BLOCKS)


def is_all_article(blocks: Sequence[Block], ruling: Ruling) -> bool:
    """Whether the text is clean already, or a mail."""
    return not ruling.region.stop or ruling.subject is not None or is_clean(blocks, ruling.noise, ruling.region)


def _bonus(blocks: Sequence[Block], ruling: Ruling) -> Rows:
    """Returns by how much the word of the rules raises the log-odds of each block that they keep."""
    first = first_prose(blocks, ruling)
    kept = [not rule for rule in ruling.rules]
    items = [block.item and keep for block, keep in zip(blocks, kept, strict=True)]
    short = [not is_prose(block) for block in blocks]
    leads = [shorter or block.text.endswith(_COLON) for block, shorter in zip(blocks, short, strict=True)]
    heads = [*(here and below for here, below in zip(leads, items[1:], strict=False)), False]
    sure = [items[index] or heads[index] or index < first for index in range(len(blocks))]
    worth: Rows = np.where(sure, _SURE_BONUS, np.where(short, _HEADING_BONUS, 0.0)) * np.array(kept, np.float32)
    return worth.astype(np.float32)


def first_prose(blocks: Sequence[Block], ruling: Ruling) -> int:
    """Returns the first block of the rules' region that reads as running text."""
    inside = range(ruling.region.start, ruling.region.stop)
    return next((i for i in inside if not ruling.noise[i] and is_prose(blocks[i])), ruling.region.start)


def _are_amid(blocks: Sequence[Block], ruling: Ruling, odds: Rows) -> NDArray[np.bool_]:
    """Returns which blocks are paragraphs that no rule takes, between others that are the article's for sure.

    However odd such a paragraph is, the article would have a hole without it.
    """
    prose = np.array([is_prose(block) and not rule for block, rule in zip(blocks, ruling.rules, strict=True)])
    long = np.array([block.words >= _AMID_WORDS and not is_boilerplate(block) for block in blocks])
    sure = np.concatenate(([0], np.cumsum(prose & (odds > 0))))
    at = np.arange(len(blocks))
    before = sure[at] > sure[np.maximum(at - _AMID_REACH, 0)]
    after = sure[np.minimum(at + 1 + _AMID_REACH, len(blocks))] > sure[at + 1]
    amid: NDArray[np.bool_] = prose & long & before & after
    return amid


def _name(rules: Sequence[Rule | None], stays: Sequence[bool], title: int | None) -> list[Rule | None]:
    """Returns `rules` where they go by what a line says, and else one by where it stands to what stays."""
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
