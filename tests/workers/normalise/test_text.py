import unicodedata

import pytest
from ftfy.badness import MOJIBAKE_CATEGORIES, is_bad
from hypothesis import given, settings
from hypothesis import strategies as st

from workers.normalise.text import is_mojibake, normalise_line, normalise_markup_line, normalise_text

# Input of normalisation: spaces, breaks, marks, halves of mojibake, ligatures, surrogates, list markers.
TROUBLE = st.text(
    alphabet="ab-é\u0301\u0323\u0344 \t\n\r\v\f\x00\x1b\x7f\x85\x93\xa0\xad\u200b\u2028\ufeff"
    "Ã©â€œ™Â¶ﬁｆŉ\ud83d\ude00\u3000"
)
ANYTHING = st.one_of(
    st.text(), TROUBLE, st.text(alphabet=st.characters(codec=None, min_codepoint=0x80, max_codepoint=0x2FF))
)

GARBLED = st.text(alphabet="".join(MOJIBAKE_CATEGORIES.values()).replace("-", "") + "aZ °×²√≈‚Äà€ŸŠ\x80\x9fГўВЂ")


def is_standard(text: str) -> bool:
    return unicodedata.is_normalized("NFC", text) and not any(
        unicodedata.category(char) in {"Cc", "Cs"} for char in text.replace("\n", "")
    )


@given(ANYTHING)
def test_text_is_in_standard_form_and_stays_as_it_is(text: str) -> None:
    once = normalise_text(text)

    assert normalise_text(once) == once
    assert is_standard(once)
    assert once == once.strip()
    assert "\n\n\n" not in once
    assert "  " not in once


@given(ANYTHING)
def test_mojibake_of_anything_ends_in_standard_form(text: str) -> None:
    garbled = text.encode("utf-8", "surrogatepass").decode("latin-1")

    once = normalise_text(garbled)

    assert normalise_text(once) == once
    assert is_standard(once)


@settings(max_examples=1000)
@given(st.one_of(GARBLED, ANYTHING))
def test_mojibake_is_recognised_as_by_ftfy(text: str) -> None:
    assert is_mojibake(text) == is_bad(text)


@given(ANYTHING)
def test_line_is_one_line_and_stays_as_it_is(text: str) -> None:
    once = normalise_line(text)

    assert normalise_line(once) == once
    assert is_standard(once)
    assert "\n" not in once


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("cafe\u0301", "café"),
        ("one\u00a0two\u2003 three\tfour", "one two three four"),
        ("  indented  \n trailing ", "indented\ntrailing"),
        ("one\r\n\r\ntwo\rthree", "one\n\ntwo\nthree"),
        ("one\n\n\n \n\ntwo\n\n", "one\n\ntwo"),
        ("one\u2029\u2029two", "one\n\ntwo"),
        ("bell\x07 and nul\x00", "bell and nul"),
        ("soft\u00adhyphen zero\u200bwidth \ufeffmark", "softhyphen zerowidth mark"),
        ("ﬁnd the oﬃce", "find the office"),
        ("lone \ud800 surrogate, a pair \ud83d\ude00", "lone � surrogate, a pair 😀"),
        ("rule of law \x96 and order\x85", "rule of law – and order…"),
    ],
)
def test_one_form(raw: str, clean: str) -> None:
    assert normalise_text(raw) == clean


@pytest.mark.parametrize(
    ("garbled", "meant"),
    [
        ("schÃ¶n", "schön"),
        ("itâ€™s â€œfineâ€\x9d", "it’s “fine”"),
        ("plain\n\nvoilÃ  le texte", "plain\n\nvoilà le texte"),
        ("doubly Ã\x83Â¼ber", "doubly über"),
    ],
)
def test_mojibake_is_undone(garbled: str, meant: str) -> None:
    assert normalise_text(garbled) == meant


@pytest.mark.parametrize(
    "text",
    [
        "“Curly” and ‘single’ quotes, a dash — and an ellipsis…",
        "全角，标点。「引用」　".strip(),
        "می‌خواهم",  # a zero-width non-joiner that spells
        "👩‍👩‍👧 and 🏳️‍🌈",
        "AT&amp;T in a text about HTML",
        "L’été à São Paulo, Łódź, Ångström",
    ],
)
def test_correct_text_is_not_changed(text: str) -> None:
    assert normalise_text(text) == text


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("Intro:\n\n- one\n\n- two\n\n\n- three\n\nAfter.", "Intro:\n\n- one\n- two\n- three\n\nAfter."),
        ("- one\ngoes on\n\n- two", "- one\ngoes on\n- two"),
        ("- one\n\nNo item.\n\n- two", "- one\n\nNo item.\n\n- two"),
        ("-\u00a0one\n\n-  two", "- one\n- two"),
    ],
)
def test_list_items_stand_together(raw: str, clean: str) -> None:
    assert normalise_text(raw) == clean


def test_a_long_row_of_marks_is_bounded() -> None:
    text = normalise_text("Z" + "\u0301\u0323" * 500_000 + " rest")

    assert text.endswith(" rest")
    assert len(text) < 50


def test_markup_line_decodes_entities_once_more() -> None:
    assert normalise_markup_line("Tom &amp; Jerry&#039;s\n day") == "Tom & Jerry's day"


CODE = "if x:\n    y(1,  2)\n\n\n- z\n\n- w\n\tv"


def test_spaces_and_blank_lines_stay_in_lines_that_are_named() -> None:
    text = f"Before:\n\n{CODE}\n\n\n\nAfter  all."
    assert normalise_text(text, range(2, 10)) == f"Before:\n\n{CODE}\n\nAfter all.".replace("\t", "    ")


@given(st.lists(st.text(alphabet="ab- \té\u200b\u2003\x07"), min_size=1))
def test_lines_with_spaces_keep_their_words_and_their_number(lines: list[str]) -> None:
    kept = normalise_text("\n".join(lines), range(len(lines))).split("\n")
    assert len(kept) == len(lines)
    assert [line.split() for line in kept] == [normalise_line(line).split() for line in lines]
    assert all(is_standard(line) for line in kept)


@given(ANYTHING)
def test_without_such_lines_nothing_changes(text: str) -> None:
    assert normalise_text(text, ()) == normalise_text(text) == normalise_text(text, [10**9])
