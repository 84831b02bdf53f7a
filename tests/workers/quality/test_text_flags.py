from itertools import pairwise

import pytest

from contract.article import Flag
from tests.workers.quality.pages import PROSE
from workers.quality.text_flags import text_flags

ENGLISH = [f"{one} {two}" for one, two in pairwise(PROSE)]
GERMAN = [
    (
        "Der Rat beschloss am Dienstag nach vier Stunden, die alte Brücke noch in diesem Jahr zu erneuern. Die Arbeit "
        "daran beginnt im Herbst, wenn das Wasser niedrig genug dafür ist."
    ),
    (
        "Niemand weiß bisher, was eine Fahrkarte kosten wird, sagte der Hafenmeister. Sie soll aber weniger kosten als "
        "der Bus in die Stadt, und für Kinder soll sie ganz frei sein."
    ),
    (
        "Die Gesellschaft will ab Mai zweimal am Tag fahren, und stündlich, sobald das zweite Schiff wieder fertig ist "
        "für die offene See, auf der es im Winter beschädigt wurde."
    ),
]


def flags(paragraphs: list[str], language: str = "en") -> tuple[Flag, ...]:
    text = "\n\n".join(paragraphs)
    return text_flags(text, len(text.split()), language)


def test_prose_has_no_flags() -> None:
    assert flags(ENGLISH) == ()
    assert flags(GERMAN, "de") == ()


def test_few_words_are_short() -> None:
    assert flags(["Only a few words, and no more than that."]) == (Flag.SHORT,)


@pytest.mark.parametrize(("paragraphs", "language"), [(ENGLISH + GERMAN, "en"), (GERMAN + ENGLISH, "de")])
def test_two_languages_in_one_text(paragraphs: list[str], language: str) -> None:
    assert flags(paragraphs, language) == (Flag.MIXED_LANGUAGES,)


def test_one_foreign_paragraph_is_a_quotation() -> None:
    assert flags([*ENGLISH, GERMAN[0]]) == ()


def test_repeated_text_is_repetitive() -> None:
    assert flags([PROSE[0]] * 8) == (Flag.REPETITIVE,)


@pytest.mark.parametrize("text", ["", "\n\n", "!" * 1000, "字" * 1000])
def test_odd_texts_have_flags_or_none(text: str) -> None:
    assert set(flags([text])) <= {Flag.SHORT, Flag.REPETITIVE}
