"""Flags an article's text as short, repetitive, or in several languages."""

from itertools import pairwise

from contract.article import Flag
from workers.normalise.language import identify

# Chosen by hand.
_SHORT_WORDS = 60  # words; an article with fewer is short
_LEAST_WORDS = 80  # words of a text that can be repetitive, at least
_DISTINCT = 0.55  # share of distinct word pairs; prose has .8 and more
_PARAGRAPH_CHARS = 160  # characters of a paragraph whose language is identified, at least
_REFERENCES = 2  # longest paragraphs, whose short words the others are expected to share
_SHORT_CHARS = 5  # characters of a short word, at most
_SHARED = 0.12  # share of a paragraph's words, at least; in the same language .2 and more are shared
_ASKED = 5  # paragraphs whose language is identified, at most: each takes half a millisecond
_SAMPLE_CHARS = 300  # characters of a paragraph by which its language is identified
_SURE = 0.95  # confidence that a paragraph is in another language, at least
_OTHERS = 2  # paragraphs in other languages, at least
_OTHERS_SHARE = 0.1  # the same, as a share of all paragraphs


def text_flags(text: str, word_count: int, language: str | None) -> tuple[Flag, ...]:
    """Returns the flags of `text`, which has `word_count` words in `language`."""
    found = {
        Flag.SHORT: word_count < _SHORT_WORDS,
        Flag.MIXED_LANGUAGES: _is_mixed(text, language),
        Flag.REPETITIVE: _is_repetitive(text),
    }
    return tuple(flag for flag, holds in found.items() if holds)


def _is_mixed(text: str, language: str | None) -> bool:
    paragraphs = [line for line in text.split("\n") if len(line) >= _PARAGRAPH_CHARS]
    needed = max(_OTHERS, _OTHERS_SHARE * len(paragraphs))
    strange = _strangers(paragraphs)
    if len(strange) < needed:
        return False
    rest = [paragraph for paragraph in paragraphs if paragraph not in set(strange)]
    return _are_other(strange, language, needed) or _are_other(rest, language, needed)


def _are_other(paragraphs: list[str], language: str | None, needed: float) -> bool:
    """Estimates from a few of `paragraphs` whether at least `needed` of them are not in `language`."""
    asked = paragraphs[:: max(1, len(paragraphs) // _ASKED)][:_ASKED]
    others = sum(1 for paragraph in asked if _is_other(paragraph[:_SAMPLE_CHARS], language))
    return others >= _OTHERS and others / len(asked) * len(paragraphs) >= needed


def _strangers(paragraphs: list[str]) -> list[str]:
    """Returns the paragraphs that share few short words with the longest ones."""
    longest = sorted(paragraphs, key=len)[-_REFERENCES:]
    short = {word for paragraph in longest for word in _word_list(paragraph) if len(word) <= _SHORT_CHARS}
    return [paragraph for paragraph in paragraphs if _share(_word_list(paragraph), short) < _SHARED]


def _word_list(paragraph: str) -> list[str]:
    return paragraph.lower().split()


def _share(words: list[str], among: set[str]) -> float:
    return sum(map(among.__contains__, words)) / len(words)


def _is_other(paragraph: str, language: str | None) -> bool:
    found = identify(paragraph, None, None)
    return found.tag is not None and found.tag.value != language and (found.confidence or 0.0) >= _SURE


def _is_repetitive(text: str) -> bool:
    words = text.split()
    if len(words) < _LEAST_WORDS:
        return False
    return len(set(pairwise(words))) < _DISTINCT * (len(words) - 1)
