"""Which passages are the body: what the model says, and what no model has to be asked."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from workers.page.blocks import Kind, Passage, Walked
from workers.page.class_names import NO_TEXT
from workers.page.tree import Element
from workers.page.words import bare

_HEAD = 3  # blocks: a kicker or a byline may stand before the headline
_MOST = 0.8  # of the characters
_SLIP_CHARS, _SLIP_LINES = 300, 5
_ACTIVE = ("script", "noscript", "form", "input", "button", "iframe", "frameset")
_DOUBLE = 40  # characters; what is shorter may well stand twice in an article


def choose(walked: Walked, probabilities: Sequence[float], threshold: float, title: str | None) -> list[bool]:
    """Returns for each passage whether it is kept.

    No caption is, nor a passage that another one repeats elsewhere on the page, nor the `title` at the top, nor a
    heading that nothing follows.
    """
    kept = [
        probability >= threshold and passage.kind is not Kind.CAPTION
        for passage, probability in zip(walked.passages, probabilities, strict=True)
    ]
    for number in _no_text(walked, kept):
        kept[number] = False
    for number in _repeats(walked, kept, probabilities):
        kept[number] = False
    for number in [*_headlines(walked.passages, kept, title), *_dangling(walked.passages, kept)]:
        kept[number] = False
    return kept


def is_slip(walked: Walked, tree: Element) -> bool:
    """Tells whether a page is a few short lines and nothing to run or to fill in: these lines are its text.

    The model is for pages with something around their text. What waits for a script, or asks something, is none.
    """
    chars = sum(len(passage.text) for passage in walked.passages)
    return chars <= _SLIP_CHARS and len(walked.passages) <= _SLIP_LINES and next(tree.iter(*_ACTIVE), None) is None


def _no_text(walked: Walked, kept: Sequence[bool]) -> list[int]:
    """Returns the passages that no browser shows or that ask for consent, unless they are most of the text.

    A script shows them then, or there is nothing on the page but the question.
    """
    chosen = [number for number, keep in enumerate(kept) if keep]
    apart = [n for n in chosen if walked.containers[walked.passages[n].container].inherited & NO_TEXT]
    size, of_all = (sum(len(walked.passages[number].text) for number in numbers) for numbers in (apart, chosen))
    return apart if size < _MOST * of_all else []


def _repeats(walked: Walked, kept: Sequence[bool], probabilities: Sequence[float]) -> Iterator[int]:
    """Yields the less probable of equal passages, but those within one element: it lists what may well be equal."""
    best: dict[str, int] = {}
    for number, passage in enumerate(walked.passages):
        if not kept[number] or len(passage.text) < _DOUBLE:
            continue
        other = best.setdefault(passage.text, number)
        if other == number or _parent(walked, other) == _parent(walked, number):
            continue
        if probabilities[number] > probabilities[other]:
            best[passage.text] = number
            yield other
        else:
            yield number


def _parent(walked: Walked, number: int) -> int:
    return walked.containers[walked.passages[number].container].parent


def _headlines(passages: Sequence[Passage], kept: Sequence[bool], title: str | None) -> list[int]:
    first = [number for number, keep in enumerate(kept) if keep][:_HEAD]
    wanted = bare(title or "")
    return [number for number in first if wanted and bare(passages[number].text) == wanted]


def _dangling(passages: Sequence[Passage], kept: Sequence[bool]) -> Iterator[int]:
    """Yields the headings at the end: what they head was not kept."""
    for number in reversed([number for number, keep in enumerate(kept) if keep]):
        if passages[number].kind is not Kind.HEADING:
            return
        yield number


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
