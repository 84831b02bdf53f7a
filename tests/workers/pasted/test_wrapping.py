import textwrap

import pytest

from workers.pasted.wrapping import find_column, unwrap

FIRST = (
    "The ferry to the outer islands will sail twice a day from the first of May, the harbour office said on Monday, "
    "and a third boat may follow in July if the money that the council has promised comes in time for the season."
)
SECOND = (
    "Islanders had asked for years. They pay for each crossing, and in winter the only boat stays in harbour whenever "
    "the wind blows from the north, which it does on two days out of five between November and the end of March."
)


@pytest.mark.parametrize("width", [50, 72, 100])
def test_wrapped_paragraphs_come_back_whole(width: int) -> None:
    lines = [*textwrap.wrap(FIRST, width), *textwrap.wrap(SECOND, width)]
    assert unwrap(lines) == [FIRST, SECOND]


def test_headings_and_lists_stay_apart() -> None:
    first, second = textwrap.wrap(FIRST, 60), textwrap.wrap(SECOND, 60)
    lines = ["A new timetable", *first, "• two boats a day", "• three in July", "What it costs", *second]
    assert unwrap(lines) == ["A new timetable", FIRST, "• two boats a day", "• three in July", "What it costs", SECOND]


def test_a_wrapped_list_item_is_whole() -> None:
    item = f"• {SECOND}"
    assert unwrap([*textwrap.wrap(FIRST, 60), *textwrap.wrap(item, 60), "• short"]) == [FIRST, item, "• short"]


def test_words_broken_by_a_hyphen_are_mended() -> None:
    lines = [
        "The ferry to the outer islands will sail twice a day in the summer, the har-",
        "bour office said on Monday, and a third boat may follow in July if the",
        "money that the council has promised comes in time for the season. It has",
        "asked the ministry for help, which will decide before the end of the year.",
    ]
    assert "the harbour office said" in unwrap(lines)[0]


def test_a_hyphen_of_the_words_own_stays() -> None:
    lines = [
        "Flats for families with a low income are rare here, so a low-",
        "income family waits four years, as the income office counted,",
        "and then moves into two rooms that nobody else wanted to take.",
        "The council says that it will build two hundred more by 2031.",
    ]
    assert "a low-income family" in unwrap(lines)[0]


def test_scripts_without_spaces_are_joined_without_one() -> None:
    text = "市議会は月曜日、旧市街の歩道を広げる計画を賛成多数で可決した。" * 8
    lines = textwrap.wrap(text, 70)
    assert unwrap(lines) == [text]


def test_two_paragraphs_of_two_long_lines_are_enough() -> None:
    lines = [
        "Share",
        "",
        "Second ferry for the outer islands from May",
        "",
        "The harbour council voted on Tuesday evening to buy a second ferry for the outer islands, after the",
        "first one had stayed in port for most of the winter",
        "",
        "Islanders had asked for the boat since the spring, and the harbour office said that the new vessel",
        "takes forty cars and sails in any wind that the pilots know of.",
    ]
    joined = unwrap(lines)
    assert [line for line in joined if line] == [*lines[0:3:2], " ".join(lines[4:6]), " ".join(lines[7:9])]


def test_a_rule_of_dashes_is_not_the_column() -> None:
    wrapped = textwrap.wrap(FIRST, 60)
    longer = "=" * (max(map(len, wrapped)) + 9)
    assert unwrap([longer, "", *wrapped, "", longer]) == [longer, "", FIRST, "", longer]


@pytest.mark.parametrize(
    "lines",
    [
        ["Home", "News", "Sport", "Weather", "About us"],
        ["The sea was grey that morning and the wind", "came up", "from nowhere at all,", "as it will"],
        [FIRST, SECOND, FIRST],
        [FIRST[:90], FIRST[90:]],
        [],
        ["", "", ""],
    ],
)
def test_text_that_is_not_wrapped_stays(lines: list[str]) -> None:
    assert find_column(lines) == 0
    assert unwrap(lines) == lines
