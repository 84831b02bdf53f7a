import pytest

from workers.pasted.line_rules import find_noise
from workers.pasted.lines import Line, line_of, lines_of
from workers.pasted.region import Region, find_region, is_boilerplate, is_clean

PROSE = "The ferry to the outer islands will sail twice a day from the first of May, the harbour office said on Monday."
MENU = ["Home", "News", "Sport", "Weather", "About us"]


def region_of(blocks: list[Line]) -> Region:
    return find_region(blocks, find_noise(blocks))


def test_the_run_of_prose_is_found_between_menus() -> None:
    assert region_of(lines_of([*MENU, PROSE, "A heading", PROSE, *MENU])) == Region(5, 8)


def test_a_teaser_after_a_break_is_left_out() -> None:
    assert region_of(lines_of([PROSE, PROSE, "Related articles", "Islands get a boat", PROSE])) == Region(0, 2)


def test_a_lone_line_of_noise_parts_nothing() -> None:
    blocks = lines_of([*[PROSE] * 16, "Advertisement", PROSE, "Advertisement", "Subscribe", PROSE])
    assert region_of(blocks) == Region(0, 18)


def test_sentences_about_the_site_fall_off_the_ends_and_stay_inside() -> None:
    cookies = "The site keeps a cookie on your machine so that it knows you when you return to it."
    assert region_of(lines_of([cookies, PROSE, cookies, PROSE, cookies])) == Region(1, 4)


def test_no_prose_no_region() -> None:
    assert region_of(lines_of(MENU)) == Region(0, 0)


def test_clean_text_is_known_from_text_with_a_menu() -> None:
    clean = lines_of([PROSE, "A heading of five words", PROSE, "The last words stay open"])
    messy = lines_of([*MENU * 4, PROSE])
    assert is_clean(clean, find_noise(clean), region_of(clean))
    assert not is_clean(messy, find_noise(messy), region_of(messy))


def test_a_few_words_outside_are_a_signature() -> None:
    blocks = lines_of([*[PROSE] * 4, "Jane", "Roe", "Harbour", "office", "Pier", "Seven"])
    assert is_clean(blocks, find_noise(blocks), region_of(blocks))


def test_a_table_is_no_menu() -> None:
    rows = [f"Island number {n}" for n in range(40)]
    blocks = lines_of([PROSE, *rows])
    assert is_clean(blocks, find_noise(blocks), region_of(blocks))


@pytest.mark.parametrize(
    "text",
    [
        "Администрация сайта удаляет комментарии, которые нарушают эти правила.",
        "Все права на материалы газеты охраняются законом, перепечатка только с письменного согласия редакции.",
        "Zanim dodasz komentarz, zapoznaj się z zasadami komentowania artykułów w naszej gazecie.",
        "Απαγορεύεται η αναδημοσίευση των κειμένων χωρίς την άδεια της εφημερίδας.",
        "本报版权所有，未经授权不得使用。",
        "Alle Rechte vorbehalten; die Nutzungsbedingungen stehen im Impressum der Zeitung.",
    ],
)
def test_rights_and_rules_for_comments_are_no_part_of_an_article(text: str) -> None:
    assert is_boilerplate(line_of(text))
