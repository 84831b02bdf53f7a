"""Any input becomes an article with the promised properties, or raises Failed."""

import hashlib
import re

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from contract.article import Article
from contract.codec import encode
from contract.job import Job, Kind, Lane
from contract.options import Focus, Format, Options, Part
from workers.document import RawDocument
from workers.failures import Failed
from workers.normalise.text import normalise_text
from workers.pipeline import extract_article

WORDS = "The last ferry left the old harbour nine years ago, and few believed that one would ever come back to it."
TAGS = st.sampled_from(
    [
        *("p", "div", "span", "a href='/x'", "a href='javascript:x'", "b", "h1", "h2", "ul", "ol", "li", "table", "tr"),
        *(
            "td",
            "th",
            "blockquote",
            "pre",
            "code",
            "article",
            "main",
            "nav",
            "form",
            "figure",
            "figcaption",
            "br",
            "hr",
        ),
        *(
            "img src=/i.jpg alt=Boat",
            "img",
            "script",
            "style",
            "noscript",
            "template",
            "svg",
            "iframe",
            "base href='//['",
        ),
        *(
            "div class=comments",
            "div class='byline author'",
            "time datetime=2024-13-40",
            "title",
            "body",
            "head",
            "html",
        ),
        *("input type=password", "section hidden", "dl", "dd", "dt", "frameset", "textarea", "select", "option"),
    ]
)
PIECES = st.sampled_from(
    [WORDS, f"{WORDS} {WORDS}", "Short.", "&amp;&#0;&#xd800;", "\ud800", "\0", "", "- item", "<", "字字字。"]
)
MARKUP = st.recursive(
    PIECES,
    lambda inner: st.builds(
        lambda tag, parts, closed: f"<{tag}>{''.join(parts)}{f'</{tag.split()[0]}>' if closed else ''}",
        TAGS,
        st.lists(inner, max_size=5),
        st.booleans(),
    ),
    max_leaves=25,
)
OPTIONS = st.builds(
    Options,
    formats=st.just(tuple(Format)),
    include=st.lists(st.sampled_from(Part), unique=True).map(tuple),
    focus=st.sampled_from(Focus),
    keep_all=st.booleans(),
)
URLS = st.sampled_from([None, "https://www.example.org/news/a?b=c", "//[", "https://[::1", "x:y"])
CODE = re.compile("<(?:pre|code|textarea)")
INDENTED_ITEM = re.compile(r"^ +(?=- |\d+\. )", re.MULTILINE)
LENIENT = settings(
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.too_slow],
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # to shrink such a page takes minutes
)


def extracted(content: str, options: Options, url: str | None, *, is_html: bool) -> Article | None:
    kind = Kind.HTML if is_html else Kind.TEXT
    job = Job(id="1", kind=kind, lane=Lane.BULK, accepted_at="2026-01-01T00:00:00Z", options=options)
    try:
        return extract_article(RawDocument(job=job, content=content, is_html=is_html, url=url))
    except Failed:
        return None


def check(article: Article, *, has_code: bool = False) -> None:
    """Code keeps its spaces, and blank lines between lines that begin with `-`. Items of nested lists are indented."""
    assert article.text
    standard = normalise_text(article.text)
    assert standard.split() == article.text.split()
    assert has_code or standard == INDENTED_ITEM.sub("", article.text)
    assert article.char_count == len(article.text)
    assert article.content_sha256 == hashlib.sha256(article.text.encode()).hexdigest()
    assert article.markdown is not None
    assert article.html is not None
    assert "<script" not in article.html
    assert 'href="javascript:' not in article.html
    assert 0 <= (article.quality.confidence or 0) <= 1
    assert encode(article)


@LENIENT
@given(st.lists(MARKUP, min_size=1, max_size=4).map("".join), OPTIONS, URLS)
def test_html(markup: str, options: Options, url: str | None) -> None:
    article = extracted(f"<p>{markup}", options, url, is_html=True)
    if article:
        check(article, has_code=CODE.search(markup) is not None)


@LENIENT
@given(st.lists(st.text(max_size=80) | PIECES, min_size=1, max_size=8).map("\n".join), OPTIONS)
def test_text(text: str, options: Options) -> None:
    article = extracted(text, options, None, is_html=False)
    if article:
        check(article)


@LENIENT
@given(st.binary(max_size=300), st.sampled_from([None, "utf-8", "utf-16", "shift_jis", "nonsense"]))
def test_bytes(body: bytes, charset: str | None) -> None:
    job = Job(id="1", kind=Kind.URL, lane=Lane.BULK, accepted_at="2026-01-01T00:00:00Z")
    try:
        article = extract_article(
            RawDocument(job=job, content=b"<p>" + WORDS.encode() + body, is_html=True, charset=charset)
        )
    except Failed:
        return
    assert normalise_text(article.text) == article.text
