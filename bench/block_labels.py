"""Labels the blocks of a page by comparing each with the true text."""

from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from workers.page.words import tokens

_GRAM = 4  # tokens in an n-gram, as in scrapinghub's benchmark
_NEAR = 5  # blocks to either side


def label(texts: Sequence[str], truth: str) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Returns for each block the share of its words that are in `truth`, and its number of words.

    A text that the page repeats counts where its neighbours are in `truth`, and only as often as `truth` has it.
    """
    words = [tokens(text) for text in texts]
    lengths = np.array([len(each) for each in words], np.float32)
    true = tokens(truth)
    shares = _shares(words, _grams(true), lengths)
    _settle_short(words, true, shares)
    return shares, lengths


def _shares(
    words: Sequence[Sequence[str]], left: Counter[tuple[str, ...]], lengths: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Returns the share of each block's words that 4-grams of the truth cover, -1 if it has too few words.

    Each 4-gram of the truth counts once, first for blocks between others of the truth.
    """
    shares = np.array([_share(each, left) for each in words], np.float32)
    sure = np.where(shares > 0.5, lengths, 0)
    density = np.convolve(np.pad(sure, _NEAR), np.ones(2 * _NEAR + 1), "valid") - sure
    for number in sorted(np.flatnonzero(shares > 0).tolist(), key=lambda number: -density[number]):
        shares[number] = _share(words[number], left)
        if shares[number] > 0.5:
            left.subtract(_grams(words[number]))
    return shares


def _grams(words: Sequence[str]) -> Counter[tuple[str, ...]]:
    return Counter(tuple(words[i : i + _GRAM]) for i in range(len(words) - _GRAM + 1))


def _share(words: Sequence[str], grams: Counter[tuple[str, ...]]) -> float:
    if len(words) < _GRAM:
        return -1
    covered = np.zeros(len(words), bool)
    for i in range(len(words) - _GRAM + 1):
        if grams[tuple(words[i : i + _GRAM])] > 0:
            covered[i : i + _GRAM] = True
    return float(covered.mean())


def _settle_short(words: Sequence[Sequence[str]], true: Sequence[str], shares: NDArray[np.float32]) -> None:
    """Decides on blocks of fewer than four words: they count if the truth has them beside their neighbours."""
    places: dict[str, list[int]] = defaultdict(list)
    for position, word in enumerate(true):
        places[word].append(position)
    spots = _spots(words, true, shares)
    for number, each in enumerate(words):
        if shares[number] >= 0:
            continue
        shares[number] = 0
        if not each:
            continue
        before = next((spots[i][1] for i in range(number - 1, max(-1, number - 9), -1) if i in spots), None)
        after = next((spots[i][0] for i in range(number + 1, min(len(words), number + 9)) if i in spots), None)
        for position in places.get(each[0], ()):
            if list(true[position : position + len(each)]) != list(each):
                continue
            follows = before is not None and 0 <= position - before <= 3
            leads = after is not None and 0 <= after - (position + len(each)) <= 3
            if follows or leads:
                shares[number] = 1
                spots[number] = (position, position + len(each))
                break


def _spots(
    words: Sequence[Sequence[str]], true: Sequence[str], shares: NDArray[np.float32]
) -> dict[int, tuple[int, int]]:
    """Returns the start and end in the truth of each longer block that is in it."""
    places: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for i in range(len(true) - _GRAM + 1):
        places[tuple(true[i : i + _GRAM])].append(i)
    spots = {}
    reached = 0
    for number, each in enumerate(words):
        if shares[number] <= 0.5:
            continue
        begins = _place(places.get(tuple(each[:_GRAM]), []), reached)
        ends = _place(places.get(tuple(each[-_GRAM:]), []), begins if begins is not None else reached)
        if begins is None and ends is None:
            continue
        begin = begins if begins is not None else max(0, ends + _GRAM - len(each))  # type: ignore[operator]
        end = ends + _GRAM if ends is not None else begin + len(each)
        spots[number] = (begin, end)
        reached = max(begin, 0)
    return spots


def _place(places: Sequence[int], reached: int) -> int | None:
    return next((place for place in places if place >= reached), places[-1] if places else None)
