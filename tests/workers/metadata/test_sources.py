"""Which elements of a page are marked, and what they state."""

import pytest

from tests.workers.metadata.pages import page
from workers.metadata.elements import Region
from workers.metadata.signals import Mark, of_names, of_words


@pytest.mark.parametrize(
    ("words", "marks"),
    [
        ("By Jo Marsh", {Mark.BY, Mark.NAME}),
        ("by Jo Marsh", {Mark.BY}),
        ("\n      by\n   ", {Mark.BY}),
        ("(Written by Jo Marsh)", {Mark.BY}),
        ("Posted on 5 March 2024 by Jo Marsh", {Mark.BY_WITHIN, Mark.YEAR}),
        ("Story By Jo Marsh", {Mark.BY, Mark.NAME}),
        ("Kerry By Jo Marsh", {Mark.BY_WITHIN, Mark.NAME}),
        ("作者：王明", {Mark.BY}),
        ("港报 记者：王明", set()),
        ("Jo van Marsh", {Mark.NAME}),
        ("the harbour", set()),
        ("Harbour", set()),
        ("© 2024 Gazette", {Mark.YEAR, Mark.COPYRIGHT}),
        ("x" * 401 + " by Jo", set()),
    ],
)
def test_words(words: str, marks: set[Mark]) -> None:
    assert set(of_words(words)) == marks


@pytest.mark.parametrize(
    ("names", "marks"),
    [
        ("row Post-Title", {Mark.TITLE_CLASS}),
        ("byline", {Mark.AUTHOR_CLASS}),
        ("fn", {Mark.NAME_CLASS}),
        ("posted", {Mark.DATE_CLASS}),
        ("authority timeline", set()),
        ("author-date", {Mark.AUTHOR_CLASS, Mark.DATE_CLASS}),
    ],
)
def test_names(names: str, marks: set[Mark]) -> None:
    assert set(of_names(names)) == marks


def test_spots_are_the_nearest_to_the_heading_in_their_order() -> None:
    far = "".join(f"<p class=date>far {number}</p>" for number in range(60))
    near = "".join(f"<p class=date>near {number}</p>" for number in range(40))
    spots = page("", far + "<h1>Ferry returns</h1>" + near).marked(Mark.DATE_CLASS)
    assert [spot.text for spot in spots] == [
        *(f"far {number}" for number in range(40, 60)),
        *(f"near {number}" for number in range(20)),
    ]


def test_what_an_element_states() -> None:
    body = (
        '<article><h1>Ferry returns</h1><time datetime="2024-03-05">today</time><i class="date"> </i></article>'
        "<footer><time>5 March</time></footer>"
    )
    found = page("", body)
    times = [(spot.text, spot.region) for spot in found.marked(Mark.TIME)]
    assert times == [("2024-03-05", Region.ARTICLE), ("5 March", Region.ASIDE)]
    assert found.marked(Mark.DATE_CLASS) == []
    assert [spot.text for spot in found.proper(Mark.TIME)] == ["2024-03-05"]


def test_links_by_rel() -> None:
    head = '<link rel="canonical nofollow" href=" https://a.example/x "><link rel="license" href="/by">'
    assert page(head, '<a rel="license" href="/terms">Terms</a>').links == {
        "canonical": ("https://a.example/x",),
        "license": ("/by", "/terms"),
    }
