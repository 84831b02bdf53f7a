from typing import TypeVar

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from lxml import etree

from contract.article import Source
from contract.reasons import Reason
from workers.document import Sourced
from workers.draft import Draft
from workers.extract.html_reader import read_html
from workers.failures import Failed

T = TypeVar("T")
URL = "https://www.harbour-gazette.example/news/ferry-returns"
FIRST = "The last ferry left the old harbour nine years ago, and few believed that one would ever come back."
SECOND = "On Tuesday morning it did, an hour late and with a brass band on deck, to the cheers of the whole town."
PAGE = f"""<!doctype html>
<html lang="en-GB"><head>
<title>Ferry returns after nine years | Harbour Gazette</title>
<link rel="canonical" href="/news/ferry-returns">
<meta property="og:site_name" content="Harbour Gazette">
<meta property="og:description" content="A brass band played.">
<script type="application/ld+json">
{{"@type": "NewsArticle", "headline": "Ferry returns after nine years", "datePublished": "2024-03-05T08:00:00+01:00",
  "dateModified": "2024-03-06T09:00:00+01:00", "author": [{{"@type": "Person", "name": "Jo Marsh"}}],}}
</script></head><body>
<nav><a href="/">Home</a> <a href="/news">News</a></nav>
<article><h1>Ferry returns after nine years</h1><p class="byline">By Jo Marsh</p>
<p>{FIRST}</p><p>{SECOND}</p><p>It brought:</p><ul><li>forty passengers,</li><li>two goats,</li><li>the post.</li></ul>
<p>The company means to sail <b>twice</b> a day from May, and hourly once the second ship is ready for the sea.</p>
</article>
<footer><p>Copyright Harbour Gazette. All rights reserved.</p></footer></body></html>"""


def value_and_source(found: Sourced[T] | None) -> tuple[T, Source] | None:
    return (found.value, found.source) if found else None


def read(html: str, url: str | None = URL) -> Draft | Reason:
    try:
        return read_html(html, url)
    except Failed as failed:
        return failed.reason


def test_a_news_page() -> None:
    draft = read_html(PAGE, URL)
    assert draft.text == (
        f"{FIRST}\n\n{SECOND}\n\nIt brought:\n\n- forty passengers,\n- two goats,\n- the post.\n\n"
        "The company means to sail twice a day from May, and hourly once the second ship is ready for the sea."
    )
    assert value_and_source(draft.title) == ("Ferry returns after nine years", Source.MARKUP)
    assert value_and_source(draft.authors) == (("Jo Marsh",), Source.JSON_LD)
    assert value_and_source(draft.published) == ("2024-03-05T08:00:00+01:00", Source.JSON_LD)
    assert value_and_source(draft.modified) == ("2024-03-06T09:00:00+01:00", Source.JSON_LD)
    assert value_and_source(draft.language) == ("en-GB", Source.MARKUP)
    assert value_and_source(draft.site_name) == ("Harbour Gazette", Source.OPENGRAPH)
    assert value_and_source(draft.canonical_url) == (URL, Source.META)
    assert value_and_source(draft.description) == ("A brass band played.", Source.OPENGRAPH)


def test_boxes_within_the_article_are_left_out() -> None:
    box = '<div class="article-ad"><span>Advertisement</span></div><sup><a href="#1">[1]</a></sup>'
    assert read_html(PAGE.replace("</p><p>It", f"</p>{box}<p>It"), URL).text == read_html(PAGE, URL).text


def test_a_page_that_declares_an_encoding() -> None:
    draft = read_html('<?xml version="1.0" encoding="utf-16"?>' + PAGE, None)
    assert draft.text.startswith(FIRST)


def test_a_fragment_without_html_or_body() -> None:
    assert read_html(f"<p>{FIRST}</p><p>{SECOND}</p>", None).text == f"{FIRST}\n\n{SECOND}"


def test_control_characters_and_lone_surrogates_do_no_harm() -> None:
    assert read_html(f"<p>\x00{FIRST}\ud800</p>\x0b<p>{SECOND}\ufffe</p>", None).text == f"{FIRST}\n\n{SECOND}"


@pytest.mark.parametrize(
    "html",
    [
        "",
        " \n\t",
        "Plain words without any markup.",
        '{"json": true}',
        "a < b",
        "<",
        "<!-- only a comment -->",
        "<!doctype html>",
        "<html></html>",
        "<script>var x = 1</script>",
        "<div>" * 5000,
    ],
)
def test_no_article(html: str) -> None:
    assert read(html) is Reason.NO_ARTICLE


@pytest.mark.parametrize(
    ("raised", "seen"),
    [
        (KeyError, Failed),
        (AssertionError, Failed),
        (etree.XPathEvalError, Failed),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid"), Failed),
        (MemoryError, MemoryError),
        (RecursionError, RecursionError),
        (KeyboardInterrupt, KeyboardInterrupt),
    ],
)
def test_only_memory_and_recursion_errors_pass_through(
    raised: BaseException | type[BaseException], seen: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise raised

    monkeypatch.setattr("workers.extract.html_reader.find_body", broken)
    with pytest.raises(seen):
        read_html(PAGE, URL)


_TAGS = st.sampled_from(
    (
        *("html", "head", "body", "title", "meta", "script", "style", "article", "main", "section", "div", "span", "p"),
        *(
            "br",
            "h1",
            "h2",
            "ul",
            "li",
            "dl",
            "dt",
            "table",
            "tr",
            "td",
            "blockquote",
            "pre",
            "code",
            "a",
            "img",
            "time",
        ),
        *(
            "time",
            "figure",
            "form",
            "input",
            "nav",
            "footer",
            "aside",
            "svg",
            "template",
            "iframe",
            "font",
            "b",
            "i",
            "em",
        ),
    )
)
_WORDS = st.sampled_from(["Some words.", "By Jo Marsh", "5 March 2024", "{", "&amp;", "&#0;", "]]>", "", "\n", FIRST])
_ATTRIBUTES = st.sampled_from(
    [
        "",
        ' class="byline date title comment"',
        ' itemprop="author datePublished headline"',
        ' name="author" content="Jo Marsh"',
        ' property="og:title" content="Words"',
        ' rel="author license canonical" href="//["',
        ' type="application/ld+json"',
        ' datetime="2024-13-99T99:99"',
        " =",
    ]
)
_MARKUP = st.recursive(
    _WORDS,
    lambda inner: st.builds(
        lambda tag, attributes, parts, closed: f"<{tag}{attributes}>{''.join(parts)}{f'</{tag}>' if closed else ''}",
        _TAGS,
        _ATTRIBUTES,
        st.lists(inner, max_size=4),
        st.booleans(),
    ),
    max_leaves=30,
)


@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow])
@given(_MARKUP, st.sampled_from([None, URL, "//[", "https://[::1", "x:y"]))
def test_never_raises_but_failed_on_nested_tags(html: str, url: str | None) -> None:
    outcome = read(html, url)
    assert isinstance(outcome, Draft) or outcome is Reason.NO_ARTICLE


@settings(max_examples=100)
@given(st.text(max_size=200))
@example("<p>\x00")
@example("<a href='//['>" * 50)
def test_never_raises_but_failed_on_any_text(text: str) -> None:
    for html in (text, f"<{text}>", f"<html><body><p>{text}</p></body></html>"):
        outcome = read(html, None)
        assert isinstance(outcome, Draft) or outcome is Reason.NO_ARTICLE
