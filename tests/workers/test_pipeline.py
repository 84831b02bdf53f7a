import pickle
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from contract.article import Article, Fetched, Provenance, Removed, Source
from contract.codec import MAX_EVENT_BYTES, encode
from contract.job import CallerMetadata, Job, Kind, Lane
from contract.reasons import Reason
from workers import outcome
from workers.document import Metadata, RawDocument, Sourced
from workers.failures import Failed
from workers.pipeline import extract_article, fit

URL = "https://www.example.org/bridge"
BODY = "The council decided on Tuesday, after a debate of four hours, to renew the old bridge over the river this year."
END = "Work on the bridge will begin in autumn, said the mayor on Wednesday, and it is to take no more than two years."
PASTED = f"Council renews the old bridge\n\nby Ana Lima\n\n{BODY}\n\n{END}"
PAGE = f"""<!doctype html><html lang="en"><head><meta charset="iso-8859-1"><title>Council renews bridge</title></head>
<body><article><h1>Council renews bridge</h1><p>{BODY}</p><p>Work on the bridge will begin in autumn, the mayor said
in the café opposite, and take two years; it costs twelve million.</p></article></body></html>"""


def job(kind: Kind, *, title: str | None = None) -> Job:
    url = None if kind is Kind.TEXT else URL
    metadata = CallerMetadata(title=title)
    return Job(id="0197-x", kind=kind, lane=Lane.BULK, accepted_at="2026-01-31T08:15:00Z", url=url, metadata=metadata)


def test_pasted_text_becomes_an_article() -> None:
    article = extract_article(RawDocument(job=job(Kind.TEXT), content=PASTED, is_html=False))

    assert BODY in article.text
    assert article.language == "en"
    assert article.kind is Kind.TEXT
    assert article.provenance.charset is None
    assert article.provenance.fetch is None


def test_fetched_bytes_become_an_article() -> None:
    fetched = Fetched(url=URL, status=200, media_type="text/html", size=len(PAGE))
    document = RawDocument(job=job(Kind.URL), content=PAGE.encode("latin-1"), is_html=True, url=URL, fetched=fetched)

    article = extract_article(document)

    assert "café" in article.text
    assert article.title == "Council renews bridge"
    assert article.canonical_url == URL
    assert article.provenance.charset == "windows-1252"  # the WHATWG's meaning of iso-8859-1
    assert article.provenance.fetch == fetched


def test_the_charset_of_http_counts() -> None:
    content = PASTED.replace("the mayor", "Łucja").encode("iso-8859-2")

    article = extract_article(
        RawDocument(job=job(Kind.URL), content=content, is_html=False, url=URL, charset="iso-8859-2")
    )

    assert "Łucja" in article.text
    assert article.provenance.charset == "iso-8859-2"


def test_submitted_html_becomes_an_article_with_the_callers_title() -> None:
    article = extract_article(RawDocument(job=job(Kind.HTML, title="Bridge"), content=PAGE, is_html=True, url=URL))

    assert article.title == "Bridge"
    assert article.field_sources["title"] is Source.CALLER
    assert article.provenance.candidates["title"][0] == "Council renews bridge"


def test_stages_are_timed_and_versions_named() -> None:
    provenance = extract_article(RawDocument(job=job(Kind.TEXT), content=PASTED, is_html=False)).provenance

    assert set(provenance.timings) == {"extract", "normalise"}
    assert all(seconds >= 0 for seconds in provenance.timings.values())
    assert set(provenance.versions) == {"copydesk", "trafilatura"}


@pytest.mark.parametrize(
    ("content", "is_html"), [("\u200b\u00ad \u200b", False), ("<html><body></body></html>", True), ("no markup", True)]
)
def test_no_article(content: str, is_html: bool) -> None:
    with pytest.raises(Failed) as failed:
        extract_article(RawDocument(job=job(Kind.TEXT), content=content, is_html=is_html))

    assert failed.value.reason is Reason.NO_ARTICLE


SHELL = """<html lang="de"><head><meta property="og:title" content="Rat &amp; Brücke">
<meta name="author" content="Ana Lima"><meta property="og:image" content="/b.jpg">
<meta property="article:published_time" content="2026-01-30T10:00:00+01:00"></head>
<body><div id="app"></div><script>render()</script></body></html>"""


def refusal(html: str, *, title: str | None = None) -> Failed:
    with pytest.raises(Failed) as failed:
        extract_article(RawDocument(job=job(Kind.HTML, title=title), content=html, is_html=True, url=URL))
    return failed.value


def test_a_page_without_an_article_reports_its_metadata() -> None:
    failed = refusal(SHELL)

    told = outcome.failed(job(Kind.HTML), failed.failure, datetime(2026, 1, 31, tzinfo=UTC)).data

    assert (failed.reason, told.title, told.authors) == (Reason.NO_ARTICLE, "Rat & Brücke", ("Ana Lima",))
    assert (told.published, told.language) == ("2026-01-30T10:00:00+01:00", "de")
    assert (told.image, told.host) == ("https://www.example.org/b.jpg", "www.example.org")
    assert told.field_sources["title"] is Source.OPENGRAPH


def test_the_callers_metadata_take_precedence_on_a_page_without_an_article() -> None:
    known = refusal(SHELL, title="Bridge").metadata

    assert known.title == Sourced("Bridge", Source.CALLER)
    assert known.authors is not None


def test_the_callers_metadata_take_precedence_if_no_text_is_left() -> None:
    with pytest.raises(Failed) as failed:
        extract_article(RawDocument(job=job(Kind.TEXT, title="Bridge"), content="\u200b\u00ad \u200b", is_html=False))

    assert failed.value.metadata.title == Sourced("Bridge", Source.CALLER)


def test_metadata_too_long_for_an_event_are_left_out() -> None:
    long = refusal(SHELL.replace("</head>", f'<meta name="description" content="{"word " * 100_000}"></head>'))

    assert long.metadata == Metadata()


def test_raw_document_and_article_can_be_pickled() -> None:
    document = RawDocument(job=job(Kind.TEXT), content=PASTED, is_html=False)

    article = extract_article(pickle.loads(pickle.dumps(document)))  # noqa: S301 - written a moment ago

    assert pickle.loads(pickle.dumps(article)) == article  # noqa: S301 - the same


def large(*, text: int = 10, removed: int = 10, candidates: int = 10) -> Article:
    return Article(
        id="0197-x",
        kind=Kind.TEXT,
        text="t" * text,
        excerpt="",
        word_count=1,
        char_count=text,
        reading_time_s=1,
        content_sha256="",
        simhash="",
        removed=(Removed("r" * removed, "rule"),),
        provenance=Provenance(candidates={"title": ("c" * candidates,)}, charset="utf-8"),
    )


def test_an_article_that_fits_is_left_alone() -> None:
    article = large()
    assert fit(article, len(encode(article))) == article


def test_removed_lines_are_left_out_first() -> None:
    article = large(removed=5000)
    assert fit(article, 2000) == replace(article, removed=())


def test_candidates_are_left_out_next() -> None:
    article = large(candidates=5000)
    assert fit(article, 2000) == replace(article, removed=(), provenance=Provenance(charset="utf-8"))


def test_an_article_that_is_too_large_without_them_fails() -> None:
    with pytest.raises(Failed) as failed:
        fit(large(text=5000), 2000)

    assert failed.value.reason is Reason.RESULT_TOO_LARGE


def test_the_limit_leaves_room_for_the_envelope() -> None:
    with pytest.raises(Failed):
        fit(large(text=MAX_EVENT_BYTES))
    assert len(encode(fit(large(text=MAX_EVENT_BYTES - 300 * 1024)))) < MAX_EVENT_BYTES
