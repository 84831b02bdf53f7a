import pytest

from workers.pasted.author_mentions import Form, Mention, find_mentions
from workers.pasted.lines import lines_of

PROSE = "The ferry to the outer islands will sail twice a day from the first of May, the harbour office said on Monday."


@pytest.mark.parametrize(
    ("line", "form", "names"),
    [
        ("By Jane Roe", Form.BY, ("Jane Roe",)),
        ("By Harbour Staff", Form.BY, ("Harbour Staff",)),
        ("Written by: Jane Roe Jane Roe", Form.BY, ("Jane Roe",)),
        ("Written By: Jane Roe Executive Digital Editor and Master Gardener", Form.BY, ("Jane Roe",)),
        ("Автор: Иван Петров", Form.BY, ("Иван Петров",)),
        ("김철수 기자", Form.BY, ("김철수",)),
        ("Published: 5 hours ago | Written by Jane Roe", Form.WITHIN, ("Jane Roe",)),
        ("Jane Roe, transport correspondent", Form.ROLE, ("Jane Roe",)),
        ("Jane Roe , 26.04.2024 10:00 Uhr", Form.BARE, ("Jane Roe",)),
        ("September 1, 2016September 8, 2016Jane Roe", Form.BARE, ("Jane Roe",)),
        ("Jane Roe/Änne Aue", Form.BARE, ("Jane Roe", "Änne Aue")),
        ("Jane Roe – Journalist i Paris", Form.BARE, ("Jane Roe",)),
        ("Jane Roe and Änne Aue | Guest Columnists", Form.BARE, ("Jane Roe", "Änne Aue")),
        ("Harbour Lifestyle Desk", Form.TEAM, ("Harbour Lifestyle Desk",)),
    ],
)
def test_a_line_of_the_head_names_authors(line: str, form: Form, names: tuple[str, ...]) -> None:
    assert Mention(0, form, names) in find_mentions(lines_of([line]), [])


@pytest.mark.parametrize("line", ["Chief Business Editor", "Read more about boats", "PORT NORTH, May 4, 2025", PROSE])
def test_roles_labels_and_prose_name_nobody(line: str) -> None:
    assert find_mentions(lines_of([line]), []) == []


def test_names_follow_below_a_label() -> None:
    lines = lines_of(["Written by", "Jane Roe", "Änne Aue", PROSE])
    said = [mention for mention in find_mentions(lines, [3]) if mention.form is Form.LABEL]
    assert said == [Mention(1, Form.LABEL, ("Jane Roe",)), Mention(2, Form.LABEL, ("Änne Aue",))]


def test_the_last_paragraph_names_its_authors_in_brackets() -> None:
    lines = lines_of([PROSE, f"{PROSE} (Jane Roe aus Berlin, Änne Aue, 3.5.2024)"])
    assert Mention(1, Form.BRACKET, ("Jane Roe", "Änne Aue")) in find_mentions(lines, [0, 1])


def test_a_sentence_below_the_article_introduces_its_author() -> None:
    lines = lines_of([PROSE, PROSE, "Jane Roe is a freelance travel writer and lives by the sea."])
    assert Mention(2, Form.BOX, ("Jane Roe",)) in find_mentions(lines, [0, 1])
    assert find_mentions(lines_of([lines[2].text, PROSE]), []) == []
