"""Documents of every kind, written for these tests in `kinds/`: what they are, and that nothing of them is lost."""

import re
from pathlib import Path

import pytest

from contract.article import PasteKind
from workers.pasted.text_reader import read_text

DOCUMENTS = sorted((Path(__file__).parent / "kinds").glob("*.txt"))
OF_A_PAGE = {"article-page-en", "other-menu-en", "other-list-en", "html-en", "html-ru", "wire-en"}
FRAMED = {"subtitles", "mail", "markdown", "press_release"}
PAGE = (
    "Home",
    "News",
    "Recipes",
    "Contact",
    "",
    "{}",
    "",
    "Share on Facebook",
    "Related articles",
    "Ten lamps",
    "Privacy",
)


def kind_of(file: Path) -> PasteKind:
    """Returns the true kind: the first part of the name."""
    return PasteKind(file.stem.partition("-")[0])


def words(text: str) -> list[str]:
    return re.findall(r"\w+", re.sub(r"-\s+", "", text))


@pytest.mark.parametrize("file", DOCUMENTS, ids=lambda file: file.stem)
def test_the_kind_of_a_paste_is_told(file: Path) -> None:
    draft = read_text(file.read_text("utf-8"))
    assert draft.paste_kind is kind_of(file)
    assert draft.paste_kind_confidence is not None
    assert 0 < draft.paste_kind_confidence <= 1


@pytest.mark.parametrize(
    "file",
    [file for file in DOCUMENTS if file.stem not in OF_A_PAGE and kind_of(file) not in FRAMED],
    ids=lambda file: file.stem,
)
def test_nothing_of_a_paste_that_no_page_surrounds_is_lost(file: Path) -> None:
    text = file.read_text("utf-8")
    draft = read_text(text)
    kept = words(draft.text) + words(draft.title.value if draft.title else "")
    assert [word for word in words(text) if word not in kept and not word.isdigit()] == []


@pytest.mark.parametrize("file", DOCUMENTS, ids=lambda file: file.stem)
def test_reading_a_paste_again_changes_nothing(file: Path) -> None:
    once = read_text(file.read_text("utf-8")).text
    assert read_text(once).text == once


@pytest.mark.parametrize(
    "file",
    [
        file
        for file in DOCUMENTS
        if kind_of(file) in {PasteKind.RECIPE, PasteKind.CHAT, PasteKind.TABLE, PasteKind.INTERVIEW}
    ],
    ids=lambda file: file.stem,
)
def test_a_page_around_a_paste_takes_nothing_of_its_form_with_it(file: Path) -> None:
    text = file.read_text("utf-8")
    draft = read_text("\n".join(PAGE).format(text))
    title, _, body = text.partition("\n\n") if "\n\n" in text else ("", "", text)
    kept = words(draft.text) + words(title) + words(draft.title.value if draft.title else "")
    assert [word for word in words(body) if word not in kept and not word.isdigit()] == []
    assert "Privacy" not in draft.text


def test_the_lines_of_verse_and_chats_stay_lines() -> None:
    for name in ("verse-de", "chat-en", "code-c", "recipe-ru"):
        text = next(file for file in DOCUMENTS if file.stem == name).read_text("utf-8").rstrip("\n")
        draft = read_text(text)
        without_title = text.removeprefix(draft.title.value).lstrip("\n") if draft.title else text
        assert draft.text == without_title


def test_cells_that_tabs_separate_stay_apart() -> None:
    assert read_text("Ship\tBuilt\nGull\t1974\nHolly\t1988\nMarram\t2003").text.split("\n")[1] == "Gull | 1974"


def test_sentences_of_subtitles_are_joined_and_their_times_removed() -> None:
    draft = read_text(next(file for file in DOCUMENTS if file.stem == "subtitles-en").read_text("utf-8"))
    assert draft.text == "The boat is late again.\n\nIt always is in winter, when the wind comes from the west."
    assert {removed.rule for removed in draft.removed} == {"cue"}


def test_code_keeps_its_indentation() -> None:
    draft = read_text("if ready:\n    for rope in ropes:\n\trope.untie()\n    sail()\nelse:\n    wait()")
    assert draft.text == "if ready:\n    for rope in ropes:\n    rope.untie()\n    sail()\nelse:\n    wait()"
    assert draft.spaced_lines == frozenset(range(6))


def test_lines_that_are_indented_far_are_no_code() -> None:
    lines = (
        "Home",
        "News",
        "The council has bought a second ferry, and it will sail from the first of June.",
        "Contact",
    )
    assert read_text("\n".join(f"{' ' * 400}{line}" for line in lines)).paste_kind is not PasteKind.CODE


def test_long_code_and_long_tables_are_kept_to_their_end() -> None:
    code = "\n".join(f"    boat[{n}] = sail(harbour, {n});" for n in range(1000))
    table = "\n".join(f"boat {n}\t{n}\t{n * 3}" for n in range(1000))
    assert read_text(code).text.count("\n") == 999
    assert read_text(table).text.split("\n")[-1] == "boat 999 | 999 | 2997"
