import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml.html import HtmlElement, fromstring
from markdown_it import MarkdownIt

from tests.workers.outputs.pages import markdown

RENDERER = MarkdownIt("commonmark").enable(["table", "strikethrough"])


def shown(markup: str) -> str:
    """Returns the words that a reader of the rendered Markdown sees, single-spaced."""
    return " ".join(words_of(RENDERER.render(markdown(markup))).split())


def words_of(markup: str) -> str:
    page: HtmlElement = fromstring(f"<div>{markup}</div>")
    return str(page.text_content())


@pytest.mark.parametrize(
    ("markup", "written"),
    [
        ("<h2>Why <em>now</em></h2>", "## Why *now*"),
        ("<h2>#</h2>", "## \\#"),
        ("<h2>Why ##</h2>", "## Why \\##"),
        ("<p>one</p><p>two</p>", "one\n\ntwo"),
        ("<p>one<br>two</p>", "one\\\ntwo"),
        ("<p>a <b>bold </b>word</p>", "a **bold** word"),
        ("<p>a <b>bo</b>ld word</p>", "a **bo**ld word"),
        ("<p>so<b>“said”</b>he</p>", "so“said”he"),
        ("<p><a href='/x y'>the <b>ferry</b></a> sails</p>", "[the **ferry**](https://www.example.org/x%20y) sails"),
        ("<p><a href='a_(b)'>x</a></p>", "[x](https://www.example.org/news/a_%28b%29)"),
        ("<p>run <code>a`b</code></p>", "run ``a`b``"),
        ("<ul><li>one<ul><li>deep</li></ul></li><li>two</li></ul>", "- one\n  - deep\n- two"),
        ("<ol><li>one</li><li>two</li></ol>", "1. one\n2. two"),
        ("<ul><li><p>one</p><p>more</p></li></ul>", "- one\\\n  more"),
        ("<blockquote><p>a</p><p>b</p></blockquote>", "> a\n>\n> b"),
        ("<pre>x = 1\n  y</pre>", "```\nx = 1\n  y\n```"),
        ("<pre>```</pre>", "````\n```\n````"),
        (
            "<table><tr><th>a</th><th>b|c</th></tr><tr><td>1</td><td>2</td></tr></table>",
            "| a | b\\|c |\n| --- | --- |\n| 1 | 2 |",
        ),
        ("<table><tr><td>only a layout</td></tr></table>", "only a layout"),
        (
            "<p>a</p><img src='/i.jpg' alt='A [boat]'><p>b</p>",
            "a\n\n![A \\[boat\\]](https://www.example.org/i.jpg)\n\nb",
        ),
    ],
)
def test_elements(markup: str, written: str) -> None:
    assert markdown(markup) == f"{written}\n"


@pytest.mark.parametrize(
    "text",
    [
        "1. not a list",
        "# not a heading",
        "- not an item",
        "+ nor this",
        "> not a quote",
        "---",
        "===",
        "* * *",
        "2 * 3 * 4 and _so_ on",
        "snake_case_name",
        "[not](a-link) and ![no](image)",
        "back\\slash and `tick`",
        "~~~ not a fence",
        "a < b > c & d &amp;amp; e",
        "&lt;script&gt;alert(1)&lt;/script&gt;",
    ],
)
def test_text_that_looks_like_markdown_is_shown_as_it_is(text: str) -> None:
    assert shown(f"<p>{text}</p>") == words_of(f"<p>{text}</p>")


_WORDS = st.text(st.sampled_from("ab1 *_`[]()<>#+-=.~|\\!&;\n'\""), min_size=1, max_size=20)


@settings(max_examples=200)
@given(st.lists(st.tuples(st.sampled_from(["p", "li", "h2", "td", "blockquote"]), _WORDS), min_size=1, max_size=5))
def test_no_character_is_lost_or_added_when_it_is_rendered(parts: list[tuple[str, str]]) -> None:
    page = "".join(f"<{tag}>{_escaped(text)}</{tag}>" for tag, text in parts)
    text = "".join(words_of(page).split())
    assert shown(page).replace(" ", "") == text


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
