"""Control characters in posted documents never reach the article."""

import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contract.article import Article
from contract.job import Job, Kind, Lane
from workers.controls import clean_controls
from workers.document import RawDocument
from workers.failures import Failed
from workers.pipeline import extract_article

CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
SENTENCE = "The council voted on Tuesday to move the ferry landing to the northern quay before the summer. "


def extracted(content: str, kind: Kind) -> Article:
    job = Job(id="i", kind=kind, lane=Lane.BULK, accepted_at="2026-11-22T10:00:00.000Z", content=content)
    return extract_article(RawDocument(job=job, content=content, is_html=kind is Kind.HTML))


@pytest.mark.parametrize("kind", [Kind.TEXT, Kind.HTML])
def test_dropped_controls_are_counted_and_page_breaks_are_white_space(kind: Kind) -> None:
    paragraph = SENTENCE.replace("voted on", "vo\x08ted\fo\x00n").replace("Tuesday", "Tue\x7fsday") + SENTENCE * 3
    html = f"<html><body><article\fclass=x><h1>Ferry</h1><p>{paragraph}</p></article></body></html>"
    article = extracted(html if kind is Kind.HTML else paragraph, kind)
    assert "council voted on Tuesday to move" in " ".join(article.text.split())
    assert article.provenance.controls_dropped == 3


def test_null_in_a_tag_does_not_make_another_tag() -> None:
    assert clean_controls("<scr\0ipt>a\0b", is_html=True) == ("<scr\ufffdipt>ab", 2)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(max_size=60), st.sampled_from([Kind.TEXT, Kind.HTML]))
def test_any_text_is_an_article_without_controls_or_a_named_reason(odd: str, kind: Kind) -> None:
    try:
        article = extracted(
            f"<p>{SENTENCE}{odd}{SENTENCE}</p>" if kind is Kind.HTML else SENTENCE + odd + SENTENCE, kind
        )
    except Failed:
        return  # a failure has a reason by its type
    assert not CONTROL.search(article.text)
