"""Sifts the blocks of a text: the rules say what they know, a model over all lines decides where the article is."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from workers.pasted.cut import best_cut
from workers.pasted.features import Seen, measure
from workers.pasted.headline import find_headline, first_prose
from workers.pasted.judge import Ruling
from workers.pasted.lines import Block
from workers.pasted.region import is_clean, is_prose
from workers.pasted.rules import Rule
from workers.trees import Rows, Trees

_FOLDER = Path(__file__).parent

# Log-odds by which the rules' word counts for more than the trained texts say: their truths leave many lists out.
_CLEAN_BONUS = 0.5  # no menu around the article, and hardly any noise
_SURE_BONUS = 9.0  # list items and their headings, and what stands between title and first prose
_HEADING_BONUS = 1.0  # short lines amid the prose
_FEW_BLOCKS = 12  # of clean text: too few to tell anything by where a line stands

# What a line says of itself holds wherever it stands.
_BY_PLACE = frozenset({Rule.BEFORE_TEXT, Rule.AFTER_TEXT, Rule.MENU})


@dataclass(frozen=True, slots=True)
class Models:
    """The model that says which lines are the article's, and the one that says which of the others is the title."""

    lines: Trees
    titles: Trees


@dataclass(frozen=True, slots=True)
class Sifted:
    """A rule for each block, None for those that stay, and how probable it is that they are the article's.

    `title` is the index of the title, None where none is likely enough.
    """

    rules: list[Rule | None]
    probabilities: Rows
    title: int | None


@cache
def shipped() -> Models:
    """Returns the models that come with this package."""
    return Models(Trees.load(_FOLDER / "lines.npz"), Trees.load(_FOLDER / "titles.npz"))


def sift(blocks: Sequence[Block], ruling: Ruling, models: Models, *, seek_title: bool = True) -> Sifted:
    """Returns what stays of `blocks`, whose rules said `ruling`. Where no prose was found the rules alone decide."""
    region = ruling.region
    title = ruling.rules.index(Rule.TITLE) if Rule.TITLE in ruling.rules else None
    clean = not region.stop or ruling.subject is not None or is_clean(blocks, ruling.noise, region)
    kept = [not rule for rule in ruling.rules]
    if not region.stop or (clean and len(blocks) <= _FEW_BLOCKS):
        return Sifted(ruling.rules, np.array(kept, np.float32), title)
    seen = Seen(ruling.noise, region, kept, title)
    columns = measure(blocks, seen)
    rows = np.stack([columns[name] for name in models.lines.names], axis=1).astype(np.float32)
    odds = models.lines.raw(rows) + _bonus(blocks, ruling) + np.float32(clean * _CLEAN_BONUS)
    probabilities: Rows = np.reciprocal(1 + np.exp(-odds))
    lengths = np.array([block.words for block in blocks], np.float32)
    headline = find_headline(blocks, seen, columns, models.titles) if seek_title else None
    rules = _name(ruling.rules, best_cut(probabilities, lengths).tolist(), headline)
    return Sifted(rules, probabilities, headline)


def _bonus(blocks: Sequence[Block], ruling: Ruling) -> Rows:
    """Returns by how much the word of the rules raises the log-odds of each block that they keep."""
    first = first_prose(blocks, ruling.noise, ruling.region)
    kept = [not rule for rule in ruling.rules]
    items = [block.item and keep for block, keep in zip(blocks, kept, strict=True)]
    short = [not is_prose(block) for block in blocks]
    heads = [*(here and below for here, below in zip(short, items[1:], strict=False)), False]
    sure = [items[index] or heads[index] or index < first for index in range(len(blocks))]
    worth: Rows = np.where(sure, _SURE_BONUS, np.where(short, _HEADING_BONUS, 0.0)) * np.array(kept, np.float32)
    return worth.astype(np.float32)


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
