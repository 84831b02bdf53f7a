"""Keeps blocks together: a list, a table, code between kept paragraphs."""

from collections import defaultdict
from collections.abc import Hashable, Iterator, Mapping, Sequence

from workers.page.blocks import BlockKind, SegmentedPage
from workers.page.data_tables import data_tables

_CODE, _ITEM = BlockKind.PREFORMATTED, BlockKind.ITEM  # read once: see `BlockKind`
_LIKELY = 0.2  # probability of a block that is kept for its neighbours, at least; chosen: well below all thresholds
_ANNOUNCES = (":", "：")
_ANNOUNCED = frozenset({_CODE, _ITEM, BlockKind.CELL})


def average_lists(segmented: SegmentedPage, probabilities: Sequence[float]) -> list[float]:
    """Returns `probabilities`, where items and cells have the mean of their list or table, weighted by length."""
    evened = list(probabilities)
    for numbers in _groups(segmented).values():
        sizes = [len(segmented.blocks[number].text) for number in numbers]
        mean = sum(size * probabilities[number] for size, number in zip(sizes, numbers, strict=True)) / sum(sizes)
        for number in numbers:
            evened[number] = mean
    return evened


def _groups(segmented: SegmentedPage) -> Mapping[Hashable, list[int]]:
    """Returns the numbers of the blocks of each list and of each table of data."""
    groups: dict[Hashable, list[int]] = defaultdict(list)
    cells = data_tables(segmented)
    for number, block in enumerate(segmented.blocks):
        if number in cells:
            groups[cells[number]].append(number)
        elif block.kind is _ITEM and (line := segmented.containers[block.container].line) >= 0:
            groups[segmented.containers[line].parent].append(number)
    return groups


def keep_together(segmented: SegmentedPage, probabilities: Sequence[float], kept: list[bool]) -> None:
    """Keeps code between kept blocks, and a line that ends with a colon before kept code, a list or a table."""
    for number in _code_between(segmented, probabilities, kept):
        kept[number] = True
    for number in range(len(kept) - 1):
        if kept[number + 1] and not kept[number] and probabilities[number] >= _LIKELY:
            kept[number] = _announces(segmented, number)


def _code_between(segmented: SegmentedPage, probabilities: Sequence[float], kept: Sequence[bool]) -> Iterator[int]:
    for number, block in enumerate(segmented.blocks):
        if kept[number] or block.kind is not _CODE or probabilities[number] < _LIKELY:
            continue
        if _is_beside(segmented, kept, number, -1) and _is_beside(segmented, kept, number, 1):
            yield number


def _is_beside(segmented: SegmentedPage, kept: Sequence[bool], number: int, step: int) -> bool:
    """Returns True if the nearest block that is no code, above or below by `step`, is kept."""
    number += step
    while 0 <= number < len(kept) and segmented.blocks[number].kind is _CODE:
        number += step
    return 0 <= number < len(kept) and kept[number]


def _announces(segmented: SegmentedPage, number: int) -> bool:
    """Returns True if a block announces code, a list or a table, and that follows in the same element."""
    block, following = segmented.blocks[number], segmented.blocks[number + 1]
    if (
        block.kind is BlockKind.CAPTION
        or following.kind not in _ANNOUNCED
        or not block.text.endswith(_ANNOUNCES)
        or block.link
    ):
        return False
    above = segmented.containers[block.container].parent
    within = following.container
    while within > above:
        within = segmented.containers[within].parent
    return within == above
