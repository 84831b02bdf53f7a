"""One reader reads the head of a page: different spellings of `<meta>` give the same article."""

from dataclasses import replace

import pytest

from contract.article import Article
from contract.job import Job, Kind, Lane
from contract.options import Options, Part
from tests.workers.quality.pages import PROSE, URL
from workers.document import RawDocument
from workers.pipeline import extract_article

DESCRIPTION = "After nine years a ferry crosses the harbour once more."
METAS = {
    "og:title": "Ferry returns after nine years",
    "og:type": "article",
    "og:description": DESCRIPTION,
    "article:published_time": "2024-03-05T08:00:00Z",
    "author": "Jo Marsh",
}
TEXT = "".join(f"<p>{paragraph}</p>" for paragraph in PROSE)
BODY = f"<div><div>{DESCRIPTION}</div><div>Ferry returns after nine years</div><div>{TEXT}</div></div>"


def extracted(meta: str) -> Article:
    metas = "".join(meta.format(name=name, value=value) for name, value in METAS.items())
    html = f"<!doctype html><html><head><title>Ferry | Gazette</title>{metas}</head><body>{BODY}</body></html>"
    job = Job(
        id="0197-x",
        kind=Kind.HTML,
        lane=Lane.BULK,
        accepted_at="2026-01-31T08:15:00Z",
        options=Options(include=tuple(Part)),
    )
    article = extract_article(RawDocument(job=job, content=html, is_html=True, url=URL))
    return replace(article, provenance=replace(article.provenance, timings={}))


USUAL = '<meta property="{name}" content="{value}">'


@pytest.mark.parametrize(
    "meta",
    [
        '<meta property="{name}" value="{value}">',
        '<meta name="{name}" content="{value}">',
        '<meta name="{name}" value="{value}">',
        '<META PROPERTY="{name}" CONTENT=" {value} ">',
    ],
)
def test_a_page_is_read_the_same_however_its_metas_are_spelt(meta: str) -> None:
    assert extracted(meta) == extracted(USUAL)


def test_the_metas_of_this_page_count_for_text_kind_and_metadata() -> None:
    with_metas, without = extracted(USUAL), extracted("")
    assert with_metas.text != without.text
    assert with_metas.quality != without.quality
    assert (with_metas.title, with_metas.authors) != (without.title, without.authors)
