import numpy as np
import pytest

from workers.pasted.classify_lines import rule_findings
from workers.pasted.line_features import line_features
from workers.pasted.lines import Line
from workers.pasted.text_reader import read_text, rule_lines
from workers.pasted.title_model import ScoredLines, first_of_article, title_columns

TITLE = "Second ferry crossing for the outer islands from May"
PROSE = (
    "The ferry to the outer islands will sail twice a day from the first of May, the harbour office said on Monday.",
    "Islanders had asked for a second crossing for years, and the council promised money for the boat last autumn.",
    "The fare stays as it is until the end of the year, and children under six sail for nothing on all the boats.",
    "A third crossing is not planned, the office said, because the pier on the north island is too short for that.",
    "The old boat, which has sailed since the war, will be sold or scrapped when the new one has come to the pier.",
)
MORE = tuple(f"{line[:-1]}, and more of it was said on day {day}." for day, line in enumerate(PROSE))
MENU = ("Home", "News", "Sport", "Weather", "Culture", "Boats", "About us")
FOOT = ("Most read", "Winter storms close mountain roads", "A new roof for the town hall", "Contact", "Imprint")


def page(*head: str) -> str:
    return "\n".join([*MENU, *head, "", "\n\n".join([*PROSE, *MORE]), "", *FOOT])


def title_of(text: str) -> tuple[list[Line], ScoredLines]:
    blocks, ruled_lines = rule_lines(text)
    sure = np.array([0.95 if block.text in (*PROSE, *MORE) else 0.02 for block in blocks], np.float32)
    return blocks, ScoredLines(ruled_lines.noise, sure, [bool(one > 0.5) for one in sure])


@pytest.mark.parametrize("above", [(), ("Ferries",), ("Home > News > Ferries",)])
def test_the_title_of_a_page_is_found(above: tuple[str, ...]) -> None:
    draft = read_text(page(*above, TITLE, "By Jane Roe", "4 May 2025"))
    assert draft.title is not None
    assert draft.title.value == TITLE
    assert TITLE not in draft.text


def test_no_title_rather_than_a_wrong_one() -> None:
    assert read_text(page()).title is None


def test_the_article_begins_with_its_first_sure_prose() -> None:
    blocks, scored = title_of(page(TITLE))
    assert blocks[first_of_article(blocks, scored)].text == PROSE[0]


def test_lines_with_a_number_before_them_are_no_titles() -> None:
    text = page(f"4. {TITLE}", TITLE)
    blocks, scored = title_of(text)
    found = title_columns(blocks, scored, line_features(blocks, rule_findings(rule_lines(text)[1])))
    assert found is not None
    texts = [blocks[index].text for index in found[0]]
    assert TITLE in texts
    assert f"4. {TITLE}" not in texts


def test_rare_words_of_the_article_weigh_more() -> None:
    text = page(FOOT[1], "Ferries", TITLE)
    blocks, scored = title_of(text)
    found = title_columns(blocks, scored, line_features(blocks, rule_findings(rule_lines(text)[1])))
    assert found is not None
    at, columns = found
    texts = [blocks[index].text for index in at]
    title, other = texts.index(TITLE), texts.index(FOOT[1])
    assert columns["said"][title] > columns["said"][other]
    assert columns["led_sum"][title] > columns["led_sum"][other]
    assert columns["times"][other] == 2
    assert columns["to_first"][title] == 1
    assert all(len(column) == len(at) and np.isfinite(column).all() for column in columns.values())
