import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.normalise.length import excerpt, measure_length
from workers.normalise.text import normalise_text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", 0),
        ("It's a well-known fact — or is it?", 7),
        ("- one\n- two", 2),
        ("_ one_two (three) .4\u2003$ --", 3),
        ("हिन्दी में लिखा", 3),
        ("한국어 문장 하나", 3),
        ("日本語のテキスト。", 8),
        ("用 Python 写的", 4),
        ("ภาษา", 4),
        ("ที่นี่", 2),  # vowels and tones above the letters are not counted
    ],
)
def test_words(text: str, words: int) -> None:
    assert measure_length(text).words == words


@pytest.mark.parametrize(
    ("text", "seconds"), [("", 0), ("one", 1), ("word " * 238, 60), ("字" * 500, 60), ("word " * 119 + "字" * 250, 60)]
)
def test_reading_time(text: str, seconds: int) -> None:
    assert measure_length(text).reading_s == seconds


def test_a_short_text_is_its_own_excerpt() -> None:
    assert excerpt("One.\n\n- Two.") == "One. - Two."


def test_an_excerpt_ends_with_a_sentence() -> None:
    first = "The council met on Tuesday to decide about the bridge, and it took all night to reach a decision."
    assert excerpt(f"{first} {'Later it ' * 40}") == first


def test_an_excerpt_ends_with_a_word_where_sentences_are_long() -> None:
    text = "Mr. " + "several words " * 40

    cut = excerpt(text)

    assert cut.endswith(("several…", "words…"))
    assert 180 < len(cut) <= 200


def test_an_excerpt_without_spaces_is_cut() -> None:
    assert excerpt("字" * 300) == "字" * 199 + "…"
    assert excerpt("字" * 99 + "。" + "字" * 300) == "字" * 99 + "。"


@given(st.text(max_size=1000))
def test_an_excerpt_is_one_line_of_200_characters_at_most(text: str) -> None:
    cut = excerpt(normalise_text(text))

    assert len(cut) <= 200
    assert "\n" not in cut
