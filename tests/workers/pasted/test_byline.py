import pytest

from workers.pasted.byline import Byline, find_byline, is_name, names_before_role, names_in
from workers.pasted.lines import lines_of

PROSE = "The ferry to the outer islands will sail twice a day from the first of May, the harbour office said on Monday."


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("by Jane Roe", ("Jane Roe",)),
        ("By Jane Roe and John Q. Public", ("Jane Roe", "John Q. Public")),
        ("By: JANE ROE | Staff Writer", ("JANE ROE",)),
        ("Written by Jane O'Roe-Smith, Senior Editor", ("Jane O'Roe-Smith",)),
        ("Von Änne von der Aue und Jörg Öhm", ("Änne von der Aue", "Jörg Öhm")),
        ("Par Hélène d’Arc, publié le 4 mai 2023", ("Hélène d’Arc",)),
        ("Por María del Carmen Núñez", ("María del Carmen Núñez",)),
        ("di Chiara Bruni", ("Chiara Bruni",)),
        ("Door Piet van den Berg", ("Piet van den Berg",)),
        ("Autor: Jan Kowalski", ("Jan Kowalski",)),
        ("By Jane Roe May 4, 2025", ("Jane Roe",)),
        ("By Jane RoePublished 4 May", ("Jane Roe",)),
        ("By Jane Roe, Travel Writer", ("Jane Roe",)),
        ("Reviewed by John Public", ()),
        ("文：山田太郎", ("山田太郎",)),
        ("Submitted by Jane Roe", ("Jane Roe",)),
        ("Pubblicato il 2 maggio 2025 da Chiara Bruni", ("Chiara Bruni",)),
        ("Posted on May 4, 2025 at 10:15 by Jane Roe", ("Jane Roe",)),
        ("Scritto da Chiara Bruni", ("Chiara Bruni",)),
        ("Автор: Анна Каренина", ("Анна Каренина",)),
        ("Текст: Анна Каренина, Лев Мышкин", ("Анна Каренина", "Лев Мышкин")),
        ("May 4, 2025 by popular demand", ()),
        ("By the sea", ()),
        ("By Industry", ()),
        ("Von Montag bis Freitag", ()),
        ("By clicking Accept All", ()),
        ("Bye Jane Roe", ()),
        ("Jane Roe", ()),
    ],
)
def test_names_in_a_line(line: str, names: tuple[str, ...]) -> None:
    assert names_in(line) == names


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("Jane Roe Transport correspondent", ("Jane Roe",)),
        ("Jane Roe, science and health editor", ("Jane Roe",)),
        ("JANE ROE | Senior Reporter", ("JANE ROE",)),
        ("Änne Aue, Redakteurin", ("Änne Aue",)),
        ("Chiara Bruni, inviata", ("Chiara Bruni",)),
        ("Анна Каренина, корреспондент", ("Анна Каренина",)),
        ("Transport correspondent", ()),
        ("Our foreign editor", ()),
        ("Jane Roe", ()),
    ],
)
def test_names_before_a_role(line: str, names: tuple[str, ...]) -> None:
    assert names_before_role(line) == names


def test_a_line_with_by_counts_before_one_with_a_role() -> None:
    blocks = lines_of(["By Jane Roe", "4 May 2025", "Ann Other, photo editor", PROSE])
    assert find_byline(blocks, 3) == Byline(("Jane Roe",), 0, 1)


@pytest.mark.parametrize("text", ["Jane", "jane roe", "Jane roe", "The Roe Family", "A B C D E F", "Jane 2 Roe", ""])
def test_texts_that_are_not_names(text: str) -> None:
    assert not is_name(text)


def test_the_nearest_by_line_before_the_prose_counts() -> None:
    blocks = lines_of(["By Ann Early", "Other story", "By Jane Roe", "4 May 2025", PROSE, "By Late Comer"])
    assert find_byline(blocks, 4) == Byline(("Jane Roe",), 2, 3)


def test_the_name_may_stand_under_its_label() -> None:
    assert find_byline(lines_of(["A headline", "Written by", "Jane Roe", PROSE]), 3) == Byline(("Jane Roe",), 1, 3)


def test_a_sentence_is_no_by_line() -> None:
    blocks = lines_of(["By Jane Roe, Captain, the boat left the harbour at noon and never came back."])
    assert find_byline(blocks, 0) is None
