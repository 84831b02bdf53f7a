"""The result of a reader (of HTML or pasted text): text, metadata, and how they were found. Normalisation is next."""

from dataclasses import dataclass, fields
from typing import Self

from contract.article import Flag, PageKind, PasteKind, Post, Removed
from workers.document import Metadata
from workers.page.blocks import BlockKind, TextRun
from workers.page.tree import Element


@dataclass(frozen=True, slots=True, kw_only=True)
class ArticleBlock:
    """A block of the article's body, between two ends of line.

    `text` has single spaces, and line feeds for `<br>`. `level` is that of a heading (1 to 6), or how many lists an
    item is in. `element` is the innermost one around the block that ends lines, `runs` are all of its text. Blocks
    of one list item or of one row of a table follow one another and have the same `line`; it is -1 elsewhere.
    `probability` is that of the block to belong to the body.
    """

    kind: BlockKind
    text: str
    level: int
    line: int
    probability: float
    element: Element
    runs: tuple[TextRun, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Classification:
    """The classification of each block of a page, in order: its probability, its size, and if it is kept.

    `sizes` are in characters; those of Chinese, Japanese, Korean and Thai count more. `hidden` counts the characters
    that the classifier accepts, but that were left out because the page does not show them.
    """

    probabilities: tuple[float, ...] = ()
    sizes: tuple[float, ...] = ()
    kept: tuple[bool, ...] = ()
    hidden: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft(Metadata):
    """An article as a reader found it, before normalisation and before the caller's metadata are applied.

    `text` has paragraphs separated by blank lines, list items as `- item`. `blocks` are those of `text` if it was
    HTML; `classification` says how they were chosen. `spaced_lines` are the numbers of the lines of `text` whose
    spaces must stay: code, and items of inner lists. `page_kind`, `flags` and `confidence` are estimates for the whole
    page; `comments` are those of its readers, `posts` those of a thread, with dates as stated. `paste_kind` and
    its confidence are estimates for pasted text.
    """

    text: str
    blocks: tuple[ArticleBlock, ...] = ()
    classification: Classification | None = None
    removed: tuple[Removed, ...] = ()
    page_kind: PageKind | None = None
    paste_kind: PasteKind | None = None
    paste_kind_confidence: float | None = None
    flags: tuple[Flag, ...] = ()
    confidence: float | None = None
    comments: str | None = None
    posts: tuple[Post, ...] = ()
    spaced_lines: frozenset[int] = frozenset()

    @classmethod
    def of(
        cls,
        metadata: Metadata,
        *,
        text: str,
        blocks: tuple[ArticleBlock, ...] = (),
        classification: Classification | None = None,
        removed: tuple[Removed, ...] = (),
    ) -> Self:
        """Returns the draft of `text` with `metadata`."""
        named = {one.name: getattr(metadata, one.name) for one in fields(Metadata)}
        return cls(text=text, blocks=blocks, classification=classification, removed=removed, **named)
