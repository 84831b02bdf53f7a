import pytest

from workers.pasted.lines import count_words, line_of, lines_of, list_numbered


@pytest.mark.parametrize("bullet", ["•", "‣", "–", "-", "*", "·", "▪", "+", "→", "✓"])
def test_bullets_make_items(bullet: str) -> None:
    (block,) = lines_of([f"{bullet} two boats a day"])
    assert block.item
    assert block.text == "two boats a day"


@pytest.mark.parametrize("line", ["-5 degrees", "well – so be it", "*stars*", "–", "2024. Ein Jahr"])
def test_what_only_looks_like_a_bullet_makes_none(line: str) -> None:
    (block,) = lines_of([line])
    assert not block.item
    assert block.text == line


def test_a_bullet_alone_belongs_to_the_line_below() -> None:
    assert [(b.text, b.item) for b in lines_of(["•", "two boats", "•", "three boats"])] == [
        ("two boats", True),
        ("three boats", True),
    ]


def test_numbers_that_count_up_make_a_list_and_numbered_headings_do_not() -> None:
    blocks = list_numbered(lines_of(["1. flour", "2) butter", "(3) salt", "4 eggs", "7. Rest the dough", "Wait."]))
    assert [(b.text, b.item) for b in blocks] == [
        ("flour", True),
        ("butter", True),
        ("salt", True),
        ("4 eggs", False),
        ("7. Rest the dough", False),
        ("Wait.", False),
    ]


@pytest.mark.parametrize(("text", "words"), [("two boats, 3 piers — all new", 6), ("市議会は可決した。", 4), ("—", 0)])
def test_length_is_measured_in_words(text: str, words: float) -> None:
    assert count_words(text) == words


@pytest.mark.parametrize(
    "text",
    [
        "He left.",
        "Why?",
        "“Go!”",
        "It rained.[12]",
        "可決した。",
        "यह सच है।",
        "هل هذا صحيح؟",
        "And then …",
        "(It did.)",
    ],
)
def test_sentences_are_closed(text: str) -> None:
    assert line_of(text).closed


@pytest.mark.parametrize("text", ["Sport", "and these:", "By the sea", "A list [12]", "Price: 3.50 €"])
def test_labels_are_open(text: str) -> None:
    assert not line_of(text).closed
