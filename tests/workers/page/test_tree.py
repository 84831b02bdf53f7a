"""The tree of a page has all its text, however deeply nested, and shadow roots in the place where they are shown."""

import pytest
from lxml import etree
from lxml.html import HtmlElement

from workers.page.tree import MAX_DEPTH, Element, as_html, parse


def body(markup: str) -> Element:
    found = parse(f"<html><head><title>t</title></head><body>{markup}</body></html>").find("body")
    assert found is not None
    return found


def text(element: Element) -> str:
    return " ".join("".join(map(str, element.itertext())).split())


def depth(root: Element) -> int:
    deepest = current = 0
    for event, _ in etree.iterwalk(root, events=("start", "end")):
        current += 1 if event == "start" else -1
        deepest = max(deepest, current)
    return deepest


ROOT = "<x-a><template shadowrootmode=open>"


@pytest.mark.parametrize("count", [200, 300, 20_000])
@pytest.mark.parametrize("tag", ["span", "div", "b", "blockquote"])
def test_text_in_and_after_deep_elements_is_read(tag: str, count: int) -> None:
    page = body(f"<p>one</p>{f'<{tag}>' * count}two<p>three</p>{f'</{tag}>' * count}<p>four</p>")
    assert text(page) == "onetwothreefour"
    assert page[-1].tag == "p"
    assert depth(page) <= MAX_DEPTH


def test_paragraphs_beyond_the_greatest_depth_stay_apart() -> None:
    page = body("<div>" * 2000 + "<p>one <b>bold</b> word</p><p>two</p>" + "</div>" * 2000)
    assert text(page) == "one bold wordtwo"
    assert len(list(page.iter("p"))) == 2


def test_elements_that_never_end_are_read_to_the_end() -> None:
    assert text(body("<ul><li>" * 5000 + "last")) == "last"


def test_a_paragraph_longer_than_the_parser_takes_is_read() -> None:
    long = "x" * 11_000_000
    page = body(f"<p>{long}</p><p>after</p>")
    assert len(text(page)) == len(long) + len("after")


def test_a_page_that_was_too_deep_can_be_handed_to_others() -> None:
    copied = as_html(parse("<div>" * 1000 + "<p>one</p>"))
    assert [each.text_content() for each in copied.iter("p")] == ["one"]
    assert type(body("<p>later</p>")).__name__ == "_Element"


def test_all_elements_that_others_get_have_one_class() -> None:
    copied = as_html(parse("<form><label>one</label><input><select><option>two</select><textarea></textarea></form>"))
    assert {type(each) for each in copied.iter()} == {HtmlElement}


@pytest.mark.parametrize(
    ("markup", "shown"),
    [
        ("<x-a><template shadowrootmode=open><p>one</p></template></x-a><p>two</p>", "onetwo"),
        ("<x-a><template shadowroot=open><p>one</p></template></x-a>", "one"),
        (
            "<x-a><template shadowrootmode=open><h2>one</h2><slot></slot><p>three</p></template><p>two</p></x-a>",
            "onetwothree",
        ),
        ("<x-a><template shadowrootmode=open><slot>else</slot></template>one</x-a>", "one"),
        ("<x-a><template shadowrootmode=open><slot>else</slot></template></x-a>", "else"),
        (f"{ROOT}<slot name=t></slot>|<slot></slot></template><p>b</p><h2 slot=t>a</h2>c</x-a>", "a|bc"),
        (f"{ROOT}{ROOT}1<slot></slot></template>2</x-a><slot></slot></template>3</x-a>", "123"),
    ],
)
def test_a_shadow_root_stands_where_it_is_shown(markup: str, shown: str) -> None:
    page = body(markup)
    assert text(page) == shown
    assert next(page.iter("template"), None) is None


def test_other_templates_stay_templates() -> None:
    assert next(body("<template><p>one</p></template>").iter("template"), None) is not None
