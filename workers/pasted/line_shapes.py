"""Features of what a line is made of and how it compares with the other lines, without words of any language."""

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from workers.models.boosted_trees import Rows
from workers.pasted.lines import Line

SHAPE_NAMES = (
    "upper", "marks", "letters", "sentences", "pauses", "brackets", "stamped", "starts_upper", "starts_mark",
    "odd_script",
)  # fmt: skip
# These numbers are part of the features, so the weights hold for them alone: change one and train anew. Chosen by hand.
_LINE_CHARS = 400  # of a line are looked at
_SHORT_WORDS = 5.0  # of a line that is a label rather than a sentence
_MOST = 50.0  # lines in a run; longer ones count as this one
_OPENING_CHARS = 12  # of a line's first word that are compared
_SENTENCE = re.compile(r"[.!?…](?=[\s\"'”’»)\]]|$)|[。！？｡।॥؟۔։።]")
_PAUSE = re.compile(r"[,،、，;；؛·፣]")
_BRACKET = re.compile(r"[()\[\]{}（）【】《》〈〉「」『』]")
_STAMP = re.compile(r"\d{1,4}[./年월月-]\s?\d{1,2}[./月월日일-]\s?\d{1,4}|\b\d{1,2}:\d\d\b")
_DIGITS = re.compile(r"\d+")
_WORD = re.compile(r"\w+")


def shape_row(text: str, main_script: str) -> tuple[float, ...]:
    """Returns the features `SHAPE_NAMES` of a line's text; `main_script` is that of most letters of the whole text."""
    return _shape_row(text[:_LINE_CHARS], main_script)


@lru_cache(2048)  # chosen: the lines of a long text, most of which are looked at twice; some 2 MB
def _shape_row(text: str, main_script: str) -> tuple[float, ...]:
    size = max(1, len(text))
    chars = Counter(text)
    letters = {char: times for char, times in chars.items() if char.isalpha()}
    count = sum(letters.values())
    words = max(1, text.count(" ") + 1)
    return (
        sum(times for char, times in letters.items() if char.isupper()) / max(1, count),
        sum(times for char, times in chars.items() if not char.isalnum() and not char.isspace()) / size,
        count / size,
        len(_SENTENCE.findall(text)),
        len(_PAUSE.findall(text)) / words,
        len(_BRACKET.findall(text)) / words,
        bool(_STAMP.search(text)),
        text[:1].isupper(),
        not text[:1].isalnum(),
        sum(times for char, times in letters.items() if _script_of(char) != main_script) / max(1, count),
    )


def main_script(lines: Sequence[Line]) -> str:
    """Returns the script of most letters of the text, as Unicode names it."""
    counts = Counter(_script_of(char) for line in lines for char in line.text[:_LINE_CHARS:7] if char.isalpha())
    return counts.most_common(1)[0][0] if counts else ""


@lru_cache(8192)
def _script_of(char: str) -> str:
    """Returns the first word of a letter's Unicode name: its script. The scripts that Japanese mixes are one."""
    script = unicodedata.name(char, "").partition(" ")[0]
    return "CJK" if script in {"HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "FULLWIDTH"} else script


def compared(lines: Sequence[Line], prose: Rows) -> dict[str, Rows]:
    """Returns how each line compares with the others: its length, the run that it is in, and what they have alike."""
    words = np.array([line.words for line in lines], np.float32)
    short = (words < _SHORT_WORDS).astype(np.float32)
    patterns = [_DIGITS.sub("0", line.text.casefold()) for line in lines]
    openings = [_opening(line.text) for line in lines]
    same, opened = Counter(patterns), Counter(openings)
    usual = (words * prose).sum() / max(1.0, float(prose.sum()))
    return {
        "of_longest": words / max(1.0, float(words.max(initial=0))),
        "of_usual": np.minimum(words / max(1.0, usual), 3.0).astype(np.float32),
        "longest_rank": _rank(words),
        "short_run": _runs(short, np.ones_like(short)),
        "prose_run": _runs(prose, words),
        "alike": np.array([same[pattern] for pattern in patterns], np.float32),
        "opened_alike": np.array([opened[opening] for opening in openings], np.float32),
        **_own_region(words, prose),
    }


def _opening(text: str) -> str:
    match = _WORD.search(text[:_LINE_CHARS])
    return match[0][:_OPENING_CHARS].casefold() if match else ""


def _rank(words: Rows) -> Rows:
    order = np.argsort(-words, kind="stable")
    ranks = np.empty(len(words), np.float32)
    ranks[order] = np.arange(len(words), dtype=np.float32)
    return np.minimum(ranks, _MOST)


def _runs(marks: Rows, worth: Rows) -> Rows:
    """Returns for each marked line the worth of all of the unbroken run of marked lines that it is in, else 0."""
    if not len(marks):
        return marks
    breaks = np.concatenate(([True], marks[1:] != marks[:-1]))
    run = np.cumsum(breaks) - 1
    sums = np.bincount(run, worth * marks)
    found: Rows = np.minimum(sums[run], 20 * _MOST).astype(np.float32)
    return found


def _own_region(words: Rows, prose: Rows) -> dict[str, Rows]:
    """Returns where each line stands to the run of lines with most prose, other lines counting against it."""
    worth = np.where(prose > 0, np.minimum(words, 60.0), -8.0)
    sums = np.concatenate(([0.0], np.cumsum(worth)))
    stop = int((sums - np.minimum.accumulate(sums)).argmax())
    start = int(sums[: stop + 1].argmin())
    at = np.arange(len(words), dtype=np.float32)
    return {
        "from_core": np.clip(at - start, -_MOST, 200).astype(np.float32),
        "to_core_end": np.clip(stop - 1 - at, -_MOST, 200).astype(np.float32),
        "in_core": ((at >= start) & (at < stop)).astype(np.float32),
    }
