"""Chooses the blocks of the body, by the model's probabilities and by fixed rules."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from workers.page.blocks import BlockKind, SegmentedPage, TextBlock
from workers.page.class_names import NO_TEXT
from workers.page.tree import Element
from workers.page.words import bare

# Chosen by hand. Half or twice of each changes at most 2 of 60 pages, by .0004 of F1.
_HEAD = 3  # blocks: a kicker or a byline may stand before the headline
_MOST = 0.8  # of the characters
_SHORT_PAGE_CHARS, _SHORT_PAGE_BLOCKS = 300, 5  # characters, and blocks, that a short page has at most
_ACTIVE = ("script", "noscript", "form", "input", "button", "iframe", "frameset")
_DOUBLE = 40  # characters; a shorter text may legitimately occur twice in an article


def choose_blocks(
    segmented: SegmentedPage, probabilities: Sequence[float], threshold: float, title: str | None
) -> list[bool]:
    """Returns for each block True if it is kept.

    Captions, blocks that another block repeats, the `title` at the top, and headings without text below are dropped.
    """
    kept = [
        probability >= threshold and block.kind is not BlockKind.CAPTION
        for block, probability in zip(segmented.blocks, probabilities, strict=True)
    ]
    for number in _no_text(segmented, kept):
        kept[number] = False
    for number in _repeats(segmented, kept, probabilities):
        kept[number] = False
    for number in [*_headlines(segmented.blocks, kept, title), *_dangling(segmented.blocks, kept)]:
        kept[number] = False
    return kept


def is_short_text_page(segmented: SegmentedPage, tree: Element) -> bool:
    """Returns True if a page consists of a few short lines, without scripts and forms: these lines are its text.

    The model is trained on pages with other content around their text.
    """
    chars = sum(len(block.text) for block in segmented.blocks)
    return (
        chars <= _SHORT_PAGE_CHARS
        and len(segmented.blocks) <= _SHORT_PAGE_BLOCKS
        and next(tree.iter(*_ACTIVE), None) is None
    )


def _no_text(segmented: SegmentedPage, kept: Sequence[bool]) -> list[int]:
    """Returns the blocks that no browser shows or that ask for consent, unless they are most of the text.

    If they are, a script shows them later, or the page contains only the consent dialog.
    """
    chosen = [number for number, keep in enumerate(kept) if keep]
    apart = [n for n in chosen if segmented.containers[segmented.blocks[n].container].inherited & NO_TEXT]
    size, of_all = (sum(len(segmented.blocks[number].text) for number in numbers) for numbers in (apart, chosen))
    return apart if size < _MOST * of_all else []


def _repeats(segmented: SegmentedPage, kept: Sequence[bool], probabilities: Sequence[float]) -> Iterator[int]:
    """Yields the less probable of equal blocks, except within one element, which may be a list of equal items."""
    best: dict[str, int] = {}
    for number, block in enumerate(segmented.blocks):
        if not kept[number] or len(block.text) < _DOUBLE:
            continue
        other = best.setdefault(block.text, number)
        if other == number or _parent(segmented, other) == _parent(segmented, number):
            continue
        if probabilities[number] > probabilities[other]:
            best[block.text] = number
            yield other
        else:
            yield number


def _parent(segmented: SegmentedPage, number: int) -> int:
    return segmented.containers[segmented.blocks[number].container].parent


def _headlines(blocks: Sequence[TextBlock], kept: Sequence[bool], title: str | None) -> list[int]:
    first = [number for number, keep in enumerate(kept) if keep][:_HEAD]
    wanted = bare(title or "")
    return [number for number in first if wanted and bare(blocks[number].text) == wanted]


def _dangling(blocks: Sequence[TextBlock], kept: Sequence[bool]) -> Iterator[int]:
    """Yields the headings at the end: the text below them was not kept."""
    for number in reversed([number for number, keep in enumerate(kept) if keep]):
        if blocks[number].kind is not BlockKind.HEADING:
            return
        yield number


def average_lists(segmented: SegmentedPage, probabilities: Sequence[float]) -> list[float]:
    """Returns `probabilities` with those of list items the mean of their list, by length."""
    lists: dict[int, list[int]] = defaultdict(list)
    for number, block in enumerate(segmented.blocks):
        if block.kind is BlockKind.ITEM:
            line = segmented.containers[block.container].line
            lists[segmented.containers[line].parent].append(number)
    evened = list(probabilities)
    for items in lists.values():
        sizes = [len(segmented.blocks[number].text) for number in items]
        mean = sum(size * probabilities[number] for size, number in zip(sizes, items, strict=True)) / sum(sizes)
        for number in items:
            evened[number] = mean
    return evened
