import time

import pytest

from contract.article import Source
from tests.workers.pasted.samples import MESSY, Sample
from workers.pasted.noise_rules import Rule
from workers.pasted.text_reader import read_text

PARAGRAPHS = (
    "The ferry to the outer islands will sail twice a day from the first of May, the harbour office said on Monday.",
    "Islanders had asked for a second crossing for years, and the council promised money for the boat last autumn.",
    "The fare stays as it is until the end of the year.",
)
PROSE = "\n\n".join(PARAGRAPHS)


@pytest.mark.parametrize("sample", MESSY, ids=lambda sample: sample.name)
def test_messy_text_comes_out_clean(sample: Sample) -> None:
    draft = read_text(sample.pasted)
    assert draft.text == sample.text
    assert (draft.title.value if draft.title else None) == sample.title
    assert (draft.authors.value if draft.authors else ()) == sample.authors
    assert (draft.published.value if draft.published else None) == sample.published
    assert [removed.rule for removed in draft.removed] == list(sample.rules)


@pytest.mark.parametrize("sample", MESSY, ids=lambda sample: sample.name)
def test_clean_text_stays(sample: Sample) -> None:
    assert read_text(sample.text).text == sample.text


def test_metadata_says_that_the_text_told_it() -> None:
    draft = read_text(f"Second ferry for the outer islands\nBy Jane Roe\n4 May 2025\n\n{PROSE}")
    assert draft.title is not None
    assert draft.authors is not None
    assert draft.published is not None
    assert {draft.title.source, draft.authors.source, draft.published.source} == {Source.TEXT}


@pytest.mark.parametrize(
    "note",
    [
        "Fed raises rates by 25 bp.",
        "Hello",
        "Join us for lunch on Friday at noon.",
        "Read more books. They are good for you, the old man said.",
        "Lunch on Friday?\n\nYes, at noon.",
        "本日の会議は中止です。",
        PARAGRAPHS[0],
        PROSE,
        "The sea was grey that morning\n\nand the wind came up from nowhere\n\nas it will in the north",
        "What you need:\n\n- two cups of flour\n- a pinch of salt\n- some water",
    ],
)
def test_notes_and_clean_text_come_out_whole(note: str) -> None:
    draft = read_text(note)
    assert draft.text == note
    assert draft.removed == ()


@pytest.mark.parametrize(
    "text",
    [
        "",
        " \n\t\n ",
        "😀😀😀",
        "* * *\n———\n0\n",
        "Loading...\nprint-icon\n",
        "Home\nNews\nSport\nLogin",
    ],
)
def test_text_without_an_article_is_empty(text: str) -> None:
    assert read_text(text).text == ""


def test_headings_quotes_and_lists_inside_stay() -> None:
    one, two, three = PARAGRAPHS
    text = f"{one}\n\nWhat it costs\n\n“We are glad,” she said.\n\n{two}\n\n- one boat\n- two boats\n\n{three}"
    assert read_text(text).text == text


def test_lines_exposed_by_removals_are_removed_too() -> None:
    draft = read_text(
        f"{PROSE}\n\n1. Buy a ticket at the pier\n\nAdvertisement\n\n2. Go on board by noon\n\n{PROSE[:112]}"
    )
    assert "- Buy a ticket at the pier\n- Go on board by noon" in draft.text
    assert read_text(draft.text).text == draft.text


def test_labels_around_the_title_go_with_it() -> None:
    draft = read_text(f"Local news\nSecond ferry crossing for the outer islands from May\nHarbour\n\n{PROSE}")
    assert draft.text == PROSE
    assert [removed.rule for removed in draft.removed] == [Rule.BEFORE_TEXT, Rule.TITLE, Rule.BEFORE_TEXT]


def test_a_standfirst_stays_between_title_and_byline() -> None:
    standfirst = "Two boats a day, and a third one in July if the money that was promised comes in time"
    draft = read_text(
        f"Home\nNews\nSport\nSecond ferry crossing for the outer islands from May\n{standfirst}\nBy Jane Roe\n"
        f"4 May 2025\nShare on Facebook\nCopy link\n\n{PROSE}"
    )
    assert draft.text == f"{standfirst}\n\n{PROSE}"
    assert read_text(draft.text).text == draft.text


def test_a_list_that_ends_the_article_stays_and_a_list_of_headlines_goes() -> None:
    items = "- from May: two boats a day\n- from July: three boats a day, if the money comes"
    teasers = "- The winter when no boat came\n- How to knot a rope in the dark"
    menu = "Home\nNews\nSport\nWeather\nTides\nJobs\nAbout us\n\n"
    assert read_text(f"{menu}{PROSE}\n\nThe plan\n\n{items}").text == f"{PROSE}\n\nThe plan\n\n{items}"
    assert read_text(f"{menu}{PROSE}\n\nMore\n\n{teasers}").text == PROSE


def test_long_lines_wrapped_in_two_come_out_whole() -> None:
    pasted = (
        "Share\nTweet\n\nSecond ferry crossing for the outer islands from May\n\nby Jane Roe\n\n"
        "The harbour council voted on Tuesday evening to buy a second ferry for the outer islands, after the\n"
        "first one had stayed in port for most of the winter\n\n"
        "Islanders had asked for the boat since the spring, and the harbour office said that the new vessel\n"
        "takes forty cars and sails in any wind that the pilots know of\n\nLoading...\n"
    )
    text = read_text(pasted).text
    assert text.startswith("The harbour council voted on Tuesday")
    assert "after the first one" in text
    assert text.endswith("the new vessel takes forty cars and sails in any wind that the pilots know of")


def test_a_paragraph_said_twice_in_text_alone_is_kept_twice() -> None:
    draft = read_text(f"{PROSE}\n\n{PARAGRAPHS[1]}\n\nThe boat is ready, and so is its crew of nine.")
    assert draft.text.count(PARAGRAPHS[1]) == 2
    assert not draft.removed


def test_a_paragraph_said_twice_on_a_page_is_kept_once() -> None:
    menu = "Home\nNews\nSport\nWeather\nSign in\nShare\nTweet\nSubscribe to our newsletter"
    draft = read_text(f"{menu}\n\n{PROSE}\n\n{PARAGRAPHS[1]}\n\n{menu}\nAll rights reserved")
    assert draft.text.count(PARAGRAPHS[1]) == 1
    assert (PARAGRAPHS[1], Rule.REPEATED) in [(removed.text, removed.rule) for removed in draft.removed]


@pytest.mark.parametrize(
    "text",
    [
        "word " * 400_000,
        "a" * 2_000_000,
        "\n" * 200_000,
        "😀" * 300_000,
        "\n".join(f"x{n}" for n in range(20_000)),
        "by A B\n" * 20_000,
        "1. a\n2. b\n" * 10_000,
        f"{PARAGRAPHS[0]}\n" * 3_000,
        f"{PARAGRAPHS[2]}\nAdvertisement\n" * 10_000,
        "(" * 300 + "'s photo of " * 20_000,
    ],
    ids=[
        "words",
        "one word",
        "blank lines",
        "emoji",
        "short lines",
        "by-lines",
        "numbers",
        "repeats",
        "noise",
        "openings",
    ],
)
def test_hostile_text_is_read_in_time(text: str) -> None:
    started = time.process_time()
    read_text(text)
    assert time.process_time() - started < 15
