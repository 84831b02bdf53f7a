"""Finds the body of a page: the model classifies its text blocks, and the chosen ones become the article's blocks."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape

from contract.options import Focus
from workers.draft import ArticleBlock, Classification
from workers.extract.block_features import block_features, feature_rows
from workers.extract.choose import choose_blocks, is_short_text_page
from workers.extract.together import average_lists
from workers.extract.trafilatura_vote import add_vote
from workers.models.boosted_trees import BoostedTrees, load_model
from workers.page.blocks import BlockKind, SegmentedPage
from workers.page.class_names import GROUP_BITS, UNSHOWN
from workers.page.head import Head
from workers.page.segment import segment
from workers.page.tags import CODES, TAGS
from workers.page.tree import Element, parse
from workers.page.words import bare

# Chosen by hand.
_SCANT = 300  # characters; if a page shows fewer, its text may be in `<noscript>`
_HIDES_MOST = 0.8  # share of hidden characters from which on all are read: a script shows them
_AFTER = 6  # blocks of `ArticleBody.after`
_CHUNK = 1024  # blocks classified at once, which bounds memory
_LEAST_BODY_CHARS = 200  # a shorter text is a teaser
_PROBABILITY = 0.85  # of the blocks of a text from JSON-LD; chosen
_COMMENT = 1 << GROUP_BITS["comment"]
_FORM = CODES["form"]
_LEAST_COMMENT_CHARS = 20  # shorter blocks are names, dates and buttons


@dataclass(frozen=True, slots=True)
class ArticleBody:
    """The chosen blocks of a page, and how they were chosen."""

    segmented: SegmentedPage
    blocks: tuple[ArticleBlock, ...] = ()
    classification: Classification = field(default_factory=Classification)

    @property
    def after(self) -> list[str]:
        """The texts of the few blocks that follow the last one kept."""
        last = max((number for number, keep in enumerate(self.classification.kept) if keep), default=-1)
        return [block.text for block in self.segmented.blocks[last + 1 :][:_AFTER]]


def find_body(
    tree: Element, head: Head, title: str | None, focus: Focus = Focus.BALANCED, trees: BoostedTrees | None = None
) -> ArticleBody:
    """Returns the body of the page `tree` with the head `head`, without the headline `title`.

    `trees` is the model that classifies its blocks; by default the one that comes with Copydesk.
    """
    segmented = segment_page(tree)
    if not segmented.blocks:
        return ArticleBody(segmented)
    unvoted = block_probabilities(segmented, head, trees or load_model("page_blocks"))
    probabilities = average_lists(segmented, add_vote(segmented, unvoted, tree))
    kept, hidden = choose_blocks(segmented, probabilities, focus, title)
    if not any(kept) and is_short_text_page(segmented, tree):
        kept = [bare(block.text) != bare(title or "") for block in segmented.blocks]
    return ArticleBody(
        segmented,
        tuple(article_blocks(segmented, probabilities, kept)),
        Classification(
            probabilities=tuple(probabilities), sizes=tuple(segmented.sizes), kept=tuple(kept), hidden=hidden
        ),
    )


def segment_page(tree: Element) -> SegmentedPage:
    """Returns the blocks of a page, with those in `<noscript>` if there is hardly any other text.

    If a page hides nearly all its text, a script shows it: then nothing counts as hidden.
    """
    body = tree.find("body")
    start = tree if body is None else body
    segmented = segment(start)
    if sum(len(block.text) for block in segmented.blocks) < _SCANT:
        segmented = segment(start, noscript=True)
    return segment(start, shown=True) if _hides_most(segmented) else segmented


def _hides_most(segmented: SegmentedPage) -> bool:
    hidden, shown = sum(chars for _, chars in segmented.hidden), 0
    for block in segmented.blocks:
        if segmented.containers[block.container].inherited & UNSHOWN:
            hidden += len(block.text)
        else:
            shown += len(block.text)
    return hidden > _HIDES_MOST * (hidden + shown)


def block_probabilities(segmented: SegmentedPage, head: Head, trees: BoostedTrees) -> list[float]:
    """Returns for each block the probability that it belongs to the body."""
    table = feature_rows(block_features(segmented, head), trees.names)
    found: list[float] = []
    for start in range(0, len(table), _CHUNK):
        found += trees.probabilities(table[start : start + _CHUNK]).tolist()
    return found


def article_blocks(
    segmented: SegmentedPage, probabilities: Sequence[float], kept: Sequence[bool]
) -> list[ArticleBlock]:
    """Returns the kept text blocks as blocks of the article."""
    chosen = []
    for block, probability, keep in zip(segmented.blocks, probabilities, kept, strict=True):
        if keep:
            held = segmented.containers[block.container]
            chosen.append(
                ArticleBlock(
                    kind=block.kind,
                    text=block.text,
                    level=_level(block.kind, held.tag, held.lists),
                    line=held.line,
                    probability=probability,
                    element=held.element,
                    runs=block.runs,
                )
            )
    return chosen


def _level(kind: BlockKind, tag: int, lists: int) -> int:
    if kind is BlockKind.HEADING:
        name = TAGS[tag - 1]
        return int(name[1]) if name[0] == "h" and name[1:].isdigit() else 2
    return lists if kind is BlockKind.ITEM else 0


def body_from_json_ld(text: str) -> ArticleBody | None:
    """Returns the body made of `text` (plain text or HTML), or None if it is too short."""
    if len(text) < _LEAST_BODY_CHARS:
        return None
    markup = text if "</" in text else "".join(f"<p>{escape(line)}</p>" for line in text.splitlines())
    segmented = segment(parse(f"<html><body><div>{markup}</div></body></html>"))
    count = len(segmented.blocks)
    probabilities, kept = (_PROBABILITY,) * count, (True,) * count
    return ArticleBody(
        segmented,
        tuple(article_blocks(segmented, probabilities, kept)),
        Classification(probabilities=probabilities, sizes=tuple(segmented.sizes), kept=kept),
    )


def find_comments(segmented: SegmentedPage, kept: Sequence[bool]) -> str | None:
    """Returns the text of the comments outside the `kept` blocks, a blank line between two blocks."""
    blocks = zip(segmented.blocks, kept, strict=True)
    found = [block.text for block, keep in blocks if not keep and _is_comment(segmented, block.container)]
    worded = [text for text in found if len(text) >= _LEAST_COMMENT_CHARS]
    return "\n\n".join(worded) or None


def _is_comment(segmented: SegmentedPage, number: int) -> bool:
    held = segmented.containers[number]
    return bool(held.inherited & _COMMENT) and held.tag != _FORM
