"""What is measured of documents on their way, and of articles."""

from dataclasses import replace
from datetime import UTC, datetime

from prometheus_client import CollectorRegistry

from contract.article import Article, PageKind, PasteKind, Quality
from contract.job import Job, Kind, Lane
from contract.metrics import Metrics
from contract.signals import seconds_since
from contract.verdicts import acceptance_of

JOB = Job(id="d-1", kind=Kind.HTML, lane=Lane.INTERACTIVE, accepted_at="2026-01-02T03:04:00.000Z", content="<p>A word.")
ARTICLE = Article(
    id="d-1",
    kind=Kind.HTML,
    title="A title",
    language="en",
    text="A word.",
    excerpt="A word.",
    word_count=2,
    char_count=7,
    reading_time_s=1,
    content_sha256="0",
    simhash="0",
    page_kind=PageKind.FORUM,
    quality=Quality(confidence=0.85),
)


def new() -> Metrics:
    return Metrics(CollectorRegistry())


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(name, labels)


def test_the_wait_in_a_queue_is_measured_from_the_acceptance() -> None:
    metrics, acceptance = new(), acceptance_of(JOB)
    assert acceptance is not None
    metrics.observe_begun(acceptance, datetime(2026, 1, 2, 3, 4, 7, tzinfo=UTC))
    assert value(metrics, "copydesk_queue_wait_seconds_sum", lane="interactive") == 7
    assert value(metrics, "copydesk_queue_wait_seconds_bucket", lane="interactive", le="5.0") == 0
    assert value(metrics, "copydesk_queue_wait_seconds_bucket", lane="interactive", le="10.0") == 1


def test_a_later_run_has_no_acceptance_to_measure_from() -> None:
    metrics = new()
    assert acceptance_of(replace(JOB, run=2)) is None
    metrics.observe_decided(None, None)
    metrics.observe_notified(None, None)
    assert value(metrics, "copydesk_decided_seconds_count", kind="html", lane="interactive") is None
    assert value(metrics, "copydesk_notified_seconds_count") == 0


def test_a_verdict_is_measured_by_kind_and_lane() -> None:
    metrics = new()
    metrics.observe_decided(acceptance_of(JOB), None)
    metrics.observe_notified(acceptance_of(JOB), None)
    assert value(metrics, "copydesk_decided_seconds_count", kind="html", lane="interactive") == 1
    assert value(metrics, "copydesk_notified_seconds_count") == 1


def test_clocks_that_differ_make_no_negative_time() -> None:
    assert seconds_since("2026-01-02T03:04:09Z", datetime(2026, 1, 2, 3, 4, 7, tzinfo=UTC)) == 0


def test_an_article_is_counted_by_what_it_has_and_lacks() -> None:
    metrics = new()
    metrics.observe_article(ARTICLE)
    assert value(metrics, "copydesk_articles_total", kind="html", content="forum") == 1
    without = {
        name: value(metrics, "copydesk_articles_without_total", kind="html", field=name)
        for name in ("title", "authors", "published", "language")
    }
    assert without == {"title": None, "authors": 1, "published": 1, "language": None}
    assert value(metrics, "copydesk_confidence_ratio_bucket", kind="html", le="0.8") == 0
    assert value(metrics, "copydesk_confidence_ratio_bucket", kind="html", le="0.9") == 1


def test_a_pasted_text_is_counted_by_its_kind_and_without_confidence() -> None:
    metrics = new()
    metrics.observe_article(replace(ARTICLE, kind=Kind.TEXT, page_kind=None, quality=Quality(kind=PasteKind.MAIL)))
    metrics.observe_article(replace(ARTICLE, kind=Kind.TEXT, page_kind=None, quality=Quality()))
    assert value(metrics, "copydesk_articles_total", kind="text", content="mail") == 1
    assert value(metrics, "copydesk_articles_total", kind="text", content="unknown") == 1
    assert value(metrics, "copydesk_confidence_ratio_count", kind="text") is None
