"""Items of one list stand or fall together: short ones say too little to be judged alone."""

from collections import defaultdict
from collections.abc import Sequence

from workers.draft import Kind
from workers.extract.walk import Walked


def even_out(walked: Walked, probabilities: Sequence[float]) -> list[float]:
    """Returns `probabilities` with those of list items the mean of their list, by length."""
    lists: dict[int, list[int]] = defaultdict(list)
    for number, passage in enumerate(walked.passages):
        if passage.kind is Kind.ITEM:
            line = walked.containers[passage.container].line
            lists[walked.containers[line].parent].append(number)
    evened = list(probabilities)
    for items in lists.values():
        sizes = [len(walked.passages[number].text) for number in items]
        mean = sum(size * probabilities[number] for size, number in zip(sizes, items, strict=True)) / sum(sizes)
        for number in items:
            evened[number] = mean
    return evened
