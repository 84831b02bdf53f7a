"""The elements of a page with signals, and their text."""

import pytest

from tests.workers.metadata.pages import page
from workers.metadata.elements import ElementRegion
from workers.metadata.signals import Signal, signals_of_names, signals_of_text


@pytest.mark.parametrize(
    ("words", "signals"),
    [
        ("By Jo Marsh", {Signal.BY, Signal.NAME}),
        ("by Jo Marsh", {Signal.BY}),
        ("\n      by\n   ", {Signal.BY}),
        ("(Written by Jo Marsh)", {Signal.BY}),
        ("Posted on 5 March 2024 by Jo Marsh", {Signal.BY_WITHIN, Signal.YEAR}),
        ("Story By Jo Marsh", {Signal.BY, Signal.NAME}),
        ("Kerry By Jo Marsh", {Signal.BY_WITHIN, Signal.NAME}),
        ("作者：王明", {Signal.BY}),
        ("港报 记者：王明", {Signal.BY_WITHIN}),
        ("Jo van Marsh", {Signal.NAME}),
        ("the harbour", set()),
        ("Harbour", set()),
        ("© 2024 Gazette", {Signal.YEAR, Signal.COPYRIGHT}),
        ("By Jo Marsh, who has written about harbours " + "and ships " * 20, {Signal.BY}),
        ("Text: " + "Jo Marsh " * 20, {Signal.BY}),
        ("The harbour " + "and the ships " * 20 + " by Jo Marsh", set()),
        ("x" * 401 + " by Jo", set()),
    ],
)
def test_words(words: str, signals: set[Signal]) -> None:
    assert set(signals_of_text(words)) == signals


@pytest.mark.parametrize(
    ("names", "signals"),
    [
        ("row Post-Title", {Signal.TITLE_CLASS}),
        ("byline", {Signal.AUTHOR_CLASS}),
        ("fn", {Signal.NAME_CLASS}),
        ("posted", {Signal.DATE_CLASS}),
        ("authority timeline", set()),
        ("author-date", {Signal.AUTHOR_CLASS, Signal.DATE_CLASS}),
    ],
)
def test_names(names: str, signals: set[Signal]) -> None:
    assert set(signals_of_names(names)) == signals


def test_elements_are_the_nearest_to_the_heading_in_page_order() -> None:
    far = "".join(f"<p class=date>far {number}</p>" for number in range(60))
    near = "".join(f"<p class=date>near {number}</p>" for number in range(40))
    elements = page("", far + "<h1>Ferry returns</h1>" + near).elements(Signal.DATE_CLASS)
    assert [element.text for element in elements] == [
        *(f"far {number}" for number in range(40, 60)),
        *(f"near {number}" for number in range(20)),
    ]


def test_text_of_an_element() -> None:
    body = (
        '<article><h1>Ferry returns</h1><time datetime="2024-03-05">today</time><i class="date"> </i></article>'
        "<footer><time>5 March</time></footer>"
    )
    found = page("", body)
    times = [(element.text, element.region) for element in found.elements(Signal.TIME)]
    assert times == [("2024-03-05", ElementRegion.ARTICLE), ("5 March", ElementRegion.ASIDE)]
    assert found.elements(Signal.DATE_CLASS) == []
    assert [element.text for element in found.main_elements(Signal.TIME)] == ["2024-03-05"]


def test_links_by_rel() -> None:
    head = '<link rel="canonical nofollow" href=" https://a.example/x "><link rel="license" href="/by">'
    assert page(head, '<a rel="license" href="/terms">Terms</a>').links == {
        "canonical": ("https://a.example/x",),
        "license": ("/by", "/terms"),
    }
