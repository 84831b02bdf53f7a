"""Finds the title: a short line before the prose that shares words with it. No title is better than a wrong one."""

import re
from collections import Counter
from collections.abc import Sequence

from workers.pasted.byline import names_before_role, names_in
from workers.pasted.lines import Line
from workers.pasted.noise_rules import Rule, find_date

# Chosen by hand on pasted pages. The score is a feature, so the weights of titles hold for these alone.
_BEFORE = 60  # lines before the first prose
_NEAR = 12  # lines before the first prose, among which most titles are
_MIN_WORDS, _MAX_WORDS = 3.0, 26.0  # words of a title
_SHORT = 5.0  # words; a shorter line is more likely a label
_WORDY = 14.0  # words; a longer line is more likely a standfirst
_STANDFIRST_WORDS = 12.0  # words of a standfirst, at least
_MAX_CHARS = 220  # characters of a title
_BODY_CHARS = 6_000  # characters of the body that lines are compared with
_ENOUGH_SHARED = 5.0  # words shared with the body; more count no more
_FOLLOWED_BY = 4  # lines below a title in which a by-line, a date or a share line is looked for
MIN_SCORE = 0.7  # measured: seven in ten titles with at least this score are right
_UNSPACED = r"\u3040-\u30ff\u3400-\u9fff\u0e00-\u0e7f"  # scripts without spaces between words: a character is a word
_LETTERS = re.compile(rf"[{_UNSPACED}]|[\uac00-\ud7af]{{2,}}|[^\W\d_{_UNSPACED}\uac00-\ud7af]{{4,}}")
_STEM_CHARS = 5  # characters of a word that are compared, in place of stemming
_HEAD = frozenset(
    {Rule.TIMESTAMP, Rule.SHARE_LINE, Rule.AVATAR, Rule.PRINT_LINE, Rule.COMMENTS, Rule.PHOTO_CREDIT, Rule.CAPTION}
)


def find_title(lines: Sequence[Line], noise: Sequence[Rule | None], first: int) -> int | None:
    """Returns the index of the title among the lines before `first` (the first prose), or None."""
    scores = score_titles(lines, noise, first)
    best = max(scores, key=lambda index: scores[index], default=None)
    if best is not None and scores[best] > MIN_SCORE:
        return best
    return next((index for index in scores if _is_above_standfirst(lines, noise, index, first)), None)


def score_titles(lines: Sequence[Line], noise: Sequence[Rule | None], first: int) -> dict[int, float]:
    """Returns the score of each line before `first` that may be the title, by index, in order."""
    start = max(0, first - _BEFORE)
    head = {index for index in range(start, first) if _is_head_line(lines[index], noise[index])}
    fit = [i for i in range(start, first) if not noise[i] and i not in head and _is_plausible(lines[i])]
    vocabulary = _vocabulary(lines[first:])
    repeats = Counter(line.text.casefold() for line in lines[start:first])
    return {
        index: _score(lines[index], vocabulary)
        + _score_place(lines, noise, head, index, first)
        + 0.05 * (repeats[lines[index].text.casefold()] > 1)
        for index in fit
    }


def _score_place(lines: Sequence[Line], noise: Sequence[Rule | None], head: set[int], index: int, first: int) -> float:
    """Returns the score of a title for its place: near the prose, above a standfirst, a by-line, a date."""
    distance = first - index
    below = index + 1
    score = 0.15 * (1 - distance / _BEFORE) + 0.1 * (distance <= _NEAR) - 0.05 * _is_beside_item(lines, index)
    score += 0.15 * _is_followed(index, head) + 0.05 * (below in head)
    score += 0.1 * (below < first and _is_named(lines[below]))
    return score + 0.1 * _is_standfirst(lines, noise, below, first)


def _is_above_standfirst(lines: Sequence[Line], noise: Sequence[Rule | None], index: int, first: int) -> bool:
    """Returns True if a standfirst and then a by-line follow. This place alone identifies a title."""
    named = index + 2 < first and bool(names_in(lines[index + 2].text))
    short = _SHORT <= lines[index].words <= _WORDY and not lines[index].item
    return named and short and _is_standfirst(lines, noise, index + 1, first)


def _is_standfirst(lines: Sequence[Line], noise: Sequence[Rule | None], index: int, first: int) -> bool:
    return index < first and not noise[index] and lines[index].words >= _STANDFIRST_WORDS


def _is_plausible(line: Line) -> bool:
    """True if a line has the length of a title and does not end like a sentence."""
    fits = _MIN_WORDS <= line.words <= _MAX_WORDS and len(line.text) <= _MAX_CHARS
    return fits and not line.text.endswith((".", ":", ",", ";"))


def _is_head_line(line: Line, rule: Rule | None) -> bool:
    return rule in _HEAD or bool(find_date(line.text)) or _is_named(line)


def _is_named(line: Line) -> bool:
    return bool(names_in(line.text) or names_before_role(line.text))


def _is_followed(index: int, head: set[int]) -> bool:
    return any(after in head for after in range(index + 1, index + 1 + _FOLLOWED_BY))


def _is_beside_item(lines: Sequence[Line], index: int) -> bool:
    return any(lines[i].item for i in (index - 1, index + 1) if 0 <= i < len(lines))


def _score(line: Line, vocabulary: set[str]) -> float:
    stems = set(_long_word_stems(line.text))
    shared = len(stems & vocabulary)
    overlap = shared / len(stems) if stems else 0.0
    enough = min(shared, _ENOUGH_SHARED) / _ENOUGH_SHARED
    unlike = 0.3 * line.item + 0.1 * (line.words > _WORDY) + 0.1 * (line.words < _SHORT)
    return 0.35 * overlap + 0.3 * enough - unlike


def _vocabulary(lines: Sequence[Line]) -> set[str]:
    stems: set[str] = set()
    chars = 0
    for line in lines:
        stems.update(_long_word_stems(line.text[: _BODY_CHARS - chars]))
        chars += len(line.text)
        if chars >= _BODY_CHARS:
            break
    return stems


def _long_word_stems(text: str) -> list[str]:
    return [word[:_STEM_CHARS] for word in _LETTERS.findall(text.casefold())]
