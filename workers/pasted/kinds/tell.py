"""Tells the kind of a pasted text, by the form of its lines, before anything is removed from it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from contract.article import PasteKind
from workers.pasted.kinds.code import code
from workers.pasted.kinds.confidence import confidence, is_doubtful
from workers.pasted.kinds.papers import mail, paper, press_release, wire
from workers.pasted.kinds.recipe import recipe
from workers.pasted.kinds.rows import NOTHING, Evidence, Row
from workers.pasted.kinds.steps import instructions, legal
from workers.pasted.kinds.subtitles import subtitles
from workers.pasted.kinds.table import table
from workers.pasted.kinds.turns import chat, interview
from workers.pasted.kinds.verse import verse
from workers.pasted.noise_rules import FURNITURE, noise_rule
from workers.pasted.region import is_prose

# Chosen by hand, with the documents of tests/workers/pasted/kinds in view; docs/quality.md says how often it is right.
_LEAST_SCORE = 0.5  # of a kind other than an article
_PROSE_SHARE = 0.5  # of the words of an article
_RIVAL = 0.5  # of the second kind's score, by which it makes the first less likely
_ONE_LINER_ROWS, _ONE_LINER_WORDS = 2, 40.0  # lines and words of a one-liner, at most

# Kinds whose form is also that of others, which are then no rivals. Where scores are equal, the first in order counts.
_INCLUDES: Mapping[PasteKind, frozenset[PasteKind]] = {
    PasteKind.SUBTITLES: frozenset({PasteKind.CHAT, PasteKind.VERSE, PasteKind.INSTRUCTIONS}),
    PasteKind.CODE: frozenset({PasteKind.CHAT, PasteKind.VERSE, PasteKind.TABLE, PasteKind.MAIL}),
    PasteKind.RECIPE: frozenset({PasteKind.INSTRUCTIONS}),
    PasteKind.LEGAL: frozenset({PasteKind.INSTRUCTIONS}),
    PasteKind.INTERVIEW: frozenset({PasteKind.CHAT}),
    PasteKind.PRESS_RELEASE: frozenset({PasteKind.WIRE}),
}
_BY_FORM = {
    PasteKind.SUBTITLES: subtitles,
    PasteKind.TABLE: table,
    PasteKind.CODE: code,
    PasteKind.RECIPE: recipe,
    PasteKind.LEGAL: legal,
    PasteKind.INSTRUCTIONS: instructions,
    PasteKind.INTERVIEW: interview,
    PasteKind.CHAT: chat,
    PasteKind.PRESS_RELEASE: press_release,
    PasteKind.WIRE: wire,
    PasteKind.PAPER: paper,
}


@dataclass(frozen=True, slots=True)
class KindOfPaste:
    """The kind of a text, and the lines (of those not blank) that have its form.

    `score` in [0, 1] says how much of the text has that form, `confidence` in [0, 1] how likely the kind is right.
    """

    kind: PasteKind
    score: float
    rows: frozenset[int] = frozenset()
    confidence: float = 1.0


def tell(rows: Sequence[Row], *, wrapped: bool = False, quotes: bool = False) -> KindOfPaste:
    """Returns the kind of a text.

    Args:
        rows: its lines that are not blank.
        wrapped: its lines are cut off at a column, so no line ends where its writer ended it.
        quotes: it quotes an earlier mail.
    """
    if not rows:
        return KindOfPaste(PasteKind.OTHER, 1.0)
    found: dict[PasteKind, Evidence] = {kind: judge(rows) for kind, judge in _BY_FORM.items()}
    found[PasteKind.MAIL] = mail(rows, quotes=quotes)
    found[PasteKind.VERSE] = NOTHING if wrapped else verse(rows)
    told = _decide(rows, found)
    if told.kind not in found:
        return replace(told, confidence=confidence(told.kind, 0))
    furniture = sum(noise_rule(row.line) in FURNITURE for row in rows)
    while is_doubtful(told.kind, told.score, furniture, len(rows)):
        found[told.kind] = NOTHING
        told = _decide(rows, found)
    return replace(told, confidence=confidence(told.kind, furniture))


def _decide(rows: Sequence[Row], found: Mapping[PasteKind, Evidence]) -> KindOfPaste:
    first = max(found, key=lambda kind: found[kind].score)
    first = next(
        (kind for kind in found if found[kind].score >= _LEAST_SCORE and first in _INCLUDES.get(kind, ())), first
    )
    best = found[first]
    if best.score >= _LEAST_SCORE:
        no_rivals = _INCLUDES.get(first, frozenset()) | {first}
        sure = best.score * (1 - _RIVAL * max(found[kind].score for kind in found if kind not in no_rivals))
        return KindOfPaste(first, round(sure, 3), best.rows)
    words = sum(row.line.words for row in rows)
    if len(rows) <= _ONE_LINER_ROWS and words <= _ONE_LINER_WORDS:
        return KindOfPaste(PasteKind.ONE_LINER, round(1 - best.score, 3), frozenset(range(len(rows))))
    prose = sum(row.line.words for row in rows if is_prose(row.line)) / max(1.0, words)
    if prose >= _PROSE_SHARE:
        return KindOfPaste(PasteKind.ARTICLE, round(prose * (1 - best.score), 3))
    return KindOfPaste(PasteKind.OTHER, round(1 - max(prose, best.score), 3))
