import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml.html import HtmlElement, fromstring

from contract.options import Part
from tests.workers.outputs.pages import html, markdown

LINK = "<p>The <a href='/ferry' onclick='x()' style='y'>ferry</a> sails.</p>"
ALLOWED = {
    *("div", "p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "li", "blockquote", "pre", "code", "table", "tbody"),
    *("tr", "th", "td", "a", "img", "strong", "em", "del", "sub", "sup", "br"),
}


def test_elements_keep_their_structure() -> None:
    page = "<h2>Why</h2><p>One <b>two</b><br>three</p><ol><li>a<ul><li>b</li></ul></li></ol><blockquote>c</blockquote>"
    assert html(page) == (
        "<h2>Why</h2><p>One <strong>two</strong><br>three</p><ol><li>a<ul><li>b</li></ul></li></ol>"
        "<blockquote><p>c</p></blockquote>"
    )


def test_links_are_absolute_and_bare_of_handlers() -> None:
    expected = '<p>The <a href="https://www.example.org/ferry" rel="noopener noreferrer">ferry</a> sails.</p>'
    assert html(LINK) == expected


def test_without_links_their_words_stay() -> None:
    assert html(LINK, include=()) == "<p>The ferry sails.</p>"
    assert markdown(LINK, include=()) == "The ferry sails.\n"


def test_images_come_where_they_are_wanted() -> None:
    page = "<p>One.</p><figure><img data-src='/lazy.jpg' src='data:image/gif;base64,R0' alt='Boat'></figure><p>Two.</p>"
    assert html(page) == '<p>One.</p><p><img src="https://www.example.org/lazy.jpg" alt="Boat"></p><p>Two.</p>'
    assert html(page, include=(Part.LINKS,)) == "<p>One.</p><p>Two.</p>"


@pytest.mark.parametrize(
    "image",
    [
        "<img src='/pixel.gif' width='1' height='1'>",
        "<img src='javascript:alert(1)'>",
        "<img src='data:image/png;base64,AAAA'>",
        "<aside><img src='/teaser.jpg'></aside>",
        "<img alt='no source'>",
    ],
)
def test_images_that_do_not_belong_to_the_article(image: str) -> None:
    assert html(f"<p>One.</p>{image}<p>Two.</p>") == "<p>One.</p><p>Two.</p>"


@pytest.mark.parametrize(
    "href",
    [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        " javascript:alert(1)",
        "java\nscript:alert(1)",
        "&#1;javascript:alert(1)",
        "vbscript:x",
        "data:text/html,<script>alert(1)</script>",
        "//[",
        "file:///etc/passwd",
    ],
)
def test_dangerous_links_are_words(href: str) -> None:
    page = f'<p>The <a href="{href}">ferry</a>.</p>'
    for base in ("https://www.example.org/", None):
        assert not fromstring(html(page, base=base)).xpath("//@href[contains(., 'script') or contains(., 'passwd')]")
        assert "script:" not in markdown(page, base=base).lower()


_HOSTILE = st.sampled_from(
    [
        *(
            "<script>alert(1)</script>",
            "<style>p{}</style>",
            "<iframe src=x></iframe>",
            "<svg onload=alert(1)>",
            "<math>",
        ),
        *("<img src=x onerror=alert(1)>", "<a href='javascript:x'>k</a>", "<p style='x:y' onclick='z'>text", "<form>"),
        *(
            "<table><tr><td>a<td>b",
            "<ul><li>c",
            "<pre>&lt;script&gt;",
            "&lt;img src=x onerror=y&gt;",
            "<a href=/d>e</a>",
        ),
        *("<noscript><p title='</noscript><script>x'>", "<template><p>f</template>", "<object data=x>", "<b><i>g</b>h"),
    ]
)


@settings(max_examples=200)
@given(st.lists(_HOSTILE, min_size=1, max_size=12))
def test_dangerous_markup_is_removed(parts: list[str]) -> None:
    clean: HtmlElement = fromstring(f"<div>{html(''.join(['<p>Words.</p>', *parts]))}</div>")
    for element in clean.iter():
        assert element.tag in ALLOWED
        assert set(element.keys()) <= {"href", "src", "alt", "rel"}
        assert (element.get("href") or element.get("src") or "https:").startswith(("https:", "http:", "mailto:"))
