"""How often the kind of a paste is right: counted, on documents written for this and on pages (docs/quality.md)."""

from collections.abc import Mapping

from contract.article import PasteKind

# Counted: kinds told of 85 documents without a page around them and of 6 pages without its furniture, 86 right.
_ALONE = 0.95
_ARTICLE = (
    0.98  # counted: of 595 pastes of pages that were looked at, none of those taken for an article was another kind
)
_WIRE = 0.89  # counted: all of 7; with one right and one wrong added, because they are few
# Counted: of 19 pages with furniture, 4 right. Two documents with this share are added to each kind: they are few.
_ON_PAGE = 0.2
_ON_PAGES: Mapping[PasteKind, float] = {
    PasteKind.TABLE: 0.6,  # 2 of 2
    PasteKind.INSTRUCTIONS: 0.35,  # 1 of 2
    PasteKind.CHAT: 0.14,  # 1 of 8, a transcript
    PasteKind.CODE: 0.13,  # 0 of 1
    PasteKind.INTERVIEW: 0.13,  # 0 of 1: questions and answers of an encyclopedia
    PasteKind.RECIPE: 0.13,  # 0 of 1: foods with weights
    PasteKind.PAPER: 0.07,  # 0 of 4: pages with references
}
_FIXED = {
    PasteKind.ARTICLE: _ARTICLE,
    PasteKind.OTHER: _ARTICLE,
    PasteKind.WIRE: _WIRE,
}
_LEAST_LINES, _LEAST_SHARE = 2, 0.01  # lines of furniture, and their share, from which on a page is around; chosen
# Kinds that are hardly ever right when a page is around, unless nearly all of the text has their form: chosen.
_SURE = 0.8  # score, from which on the kind counts nevertheless
_ALONE_KINDS = frozenset({PasteKind.CHAT, PasteKind.CODE, PasteKind.PAPER, PasteKind.VERSE})


def confidence(kind: PasteKind, furniture: int) -> float:
    """Returns how often `kind` is right of texts with so many lines of a page's furniture, in [0, 1]."""
    if kind in _FIXED:
        return _FIXED[kind]
    return _ON_PAGES.get(kind, _ON_PAGE) if furniture else _ALONE


def is_doubtful(kind: PasteKind, score: float, furniture: int, lines: int) -> bool:
    """True if a text of so many lines, some of them a page's furniture, is rather a page than of this kind."""
    return kind in _ALONE_KINDS and score < _SURE and furniture >= max(_LEAST_LINES, _LEAST_SHARE * lines)
