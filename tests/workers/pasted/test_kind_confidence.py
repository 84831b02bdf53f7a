"""How sure the kind of a paste is depends on the kind, and on whether a page is around the text."""

from pathlib import Path

from contract.article import PasteKind
from workers.pasted.text_reader import read_text

KINDS = Path(__file__).parent / "kinds"
PAGE = "Home\nNews\n\n{}\n\nShare on Facebook\n\nRelated articles\n\nTen lamps\n\n© 2025 All rights reserved."
HOTELS = "\n\n".join(
    f"The {name} stands by the water, has {rooms} rooms, and its guests praise the breakfast and the quiet nights.\n\n"
    f"Location: {name} harbour\nRooms: {rooms}\nPrice: from {rooms} euros"
    for name, rooms in (("Gull", 20), ("Holly", 31), ("Marram", 44), ("Heron", 52))
)


def text_of(name: str) -> str:
    return (KINDS / f"{name}.txt").read_text("utf-8")


def test_the_kind_of_a_text_is_surer_without_a_page_around_it() -> None:
    table = text_of("table-en")
    alone, on_page = read_text(table), read_text(PAGE.format(table))
    assert alone.paste_kind is on_page.paste_kind is PasteKind.TABLE
    assert alone.paste_kind_confidence is not None
    assert on_page.paste_kind_confidence is not None
    assert alone.paste_kind_confidence > on_page.paste_kind_confidence


def test_on_pages_a_table_is_surer_than_a_chat() -> None:
    confidences = [
        read_text(PAGE.format(text_of(name))).paste_kind_confidence or 0.0 for name in ("table-en", "chat-en")
    ]
    assert confidences[0] > confidences[1]


def test_labels_on_a_page_are_no_chat() -> None:
    assert read_text(PAGE.format(HOTELS)).paste_kind is PasteKind.ARTICLE
