"""Decides by the kind of a text what stays, whatever the models say: all of it, or the lines of the kind's form."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby

import numpy as np

from contract.article import PasteKind
from workers.pasted.classify_lines import ClassifiedLines
from workers.pasted.kinds.rows import Row
from workers.pasted.kinds.tell import tell
from workers.pasted.noise_rules import FURNITURE, Rule, noise_rule
from workers.pasted.pasted_lines import LINE_KINDS, PastedLines
from workers.pasted.region import is_prose

# Of these, the models know too little; of the others, much is on pages, and they know what surrounds it.
_FORMED_KINDS = LINE_KINDS | {PasteKind.SUBTITLES, PasteKind.INTERVIEW, PasteKind.INSTRUCTIONS, PasteKind.LEGAL}
_WHOLE_KINDS = _FORMED_KINDS | {PasteKind.MARKDOWN, PasteKind.PAPER}
_TITLED_KINDS = frozenset({PasteKind.MARKDOWN, PasteKind.PAPER, PasteKind.INSTRUCTIONS})
_STANZA_KINDS = frozenset({PasteKind.VERSE, PasteKind.RECIPE})  # their titles have the form of their lines
_RARE_KINDS = frozenset({PasteKind.RECIPE, PasteKind.TABLE})  # pages have no lines around their articles that look so
# Chosen by hand.
_OTHER_LINES, _OTHER_SHARE = 5, 0.2  # lines that do not have the form of the text's kind, at most: the title, a remark
_SURE = 0.8  # score of the kind from which on lines of other kinds stay on a page
_TITLE_WORDS = 14.0  # words of a title, at most


def is_kept_whole(pasted: PastedLines) -> bool:
    """True if all of a text stays: it is of a kind that the models know little of, and no page surrounds it."""
    if pasted.kind.kind not in _WHOLE_KINDS:
        return False
    others = [line for line, formed in zip(pasted.lines, pasted.formed, strict=True) if not formed]
    if len(others) > max(_OTHER_LINES, _OTHER_SHARE * len(pasted.lines)):
        return False
    judged = pasted.lines if all(pasted.formed) and pasted.kind.kind not in _FORMED_KINDS else others
    return not any(noise_rule(line) in FURNITURE for line in judged)


def keep_whole(pasted: PastedLines, classified: ClassifiedLines) -> ClassifiedLines:
    """Returns `classified` with all lines kept but the frame and a title that stands alone above the text."""
    stated = pasted.framing.index(Rule.TITLE) if Rule.TITLE in pasted.framing else None
    alone = stated if stated is not None else _title_above(pasted)
    rules = [Rule.TITLE if at == alone else rule for at, rule in enumerate(pasted.framing)]
    title = classified.title if alone is None and pasted.kind.kind in _TITLED_KINDS else alone
    kept = np.array([not rule for rule in rules], np.float32)
    return replace(classified, rules=rules, probabilities=kept, title=title, whole=True)


def keep_formed(pasted: PastedLines, rules: Sequence[Rule | None]) -> list[Rule | None]:
    """Returns `rules` without those for lines that have the form of the text's kind."""
    kind = pasted.kind
    if kind.kind not in _FORMED_KINDS or (kind.kind not in _RARE_KINDS and kind.score < _SURE):
        return list(rules)
    return [
        frame or (None if formed and rule not in FURNITURE else rule)
        for rule, formed, frame in zip(rules, pasted.formed, pasted.framing, strict=True)
    ]


def with_code(pasted: PastedLines, rules: Sequence[Rule | None]) -> list[Rule | None]:
    """Returns the rules of all lines, `rules` being those of all but code.

    Code stays if it is fenced, or if a line right before or after it stays; otherwise it goes for the same reason.
    """
    left = iter(rules)
    known = [None if line.code else next(left) for line in pasted.lines]
    for code, group in groupby(range(len(known)), key=lambda at: pasted.lines[at].code):
        run = list(group)
        around = [at for at in (run[0] - 1, run[-1] + 1) if 0 <= at < len(known)]
        if code and around and not any(pasted.formed[at] for at in run) and all(known[at] for at in around):
            known[run[0] : run[-1] + 1] = [known[around[0]]] * len(run)
    return [
        (frame or rule) if line.code else rule
        for line, rule, frame in zip(pasted.lines, known, pasted.framing, strict=True)
    ]


def _title_above(pasted: PastedLines) -> int | None:
    """Returns the index of a title: the only line above the text proper, short and no sentence.

    Were there several, the next reading of the text would find another title.
    """
    at = next((index for index, frame in enumerate(pasted.framing) if not frame), None)
    below = pasted.lines[at + 1 : at + 3] if at is not None else []
    if at is None or len(below) < 2:  # noqa: PLR2004 - a text of two lines at least is below it
        return None
    line = pasted.lines[at]
    if line.words > _TITLE_WORDS or line.closed or line.item or line.text.endswith((":", "：", ",")):
        return None
    if pasted.kind.kind in _STANZA_KINDS:
        rest = [Row(line, line.text) for line in pasted.lines[at + 1 :]]
        stays = tell(rest).kind is pasted.kind.kind  # else reading again would judge the rest otherwise
        return at if stays and below[0].gap and not below[1].gap else None
    if pasted.kind.kind is PasteKind.MARKDOWN:
        return at if not is_prose(line) and is_prose(below[0]) else None
    return at if pasted.kind.kind in _FORMED_KINDS and not pasted.formed[at] and pasted.formed[at + 1] else None
