"""Declares what is measured of documents on their way, and of the articles that they become."""

from datetime import UTC, datetime

from prometheus_client import CollectorRegistry, Counter, Histogram

from contract.article import Article
from contract.labels import UNKNOWN_KIND, ArticleField
from contract.tracing import TraceContext, current, exemplar_of
from contract.verdicts import Acceptance

# Chosen: from a small text on an idle machine (10 ms) to the longest delay between attempts (1 h). The objective for
# documents that are decided has its limit, 60 s, as a bucket.
_WAY_BUCKETS_S = (0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 3600.0)

# Chosen: tenths, and a finer step at the top, where most articles are.
_CONFIDENCE_BUCKETS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0)


class DocumentMetrics:
    """Times from the acceptance of a document, and the quality of articles. `contract.metrics.Metrics` extends it."""

    def _declare_documents(self, registry: CollectorRegistry) -> None:
        self.queue_wait_seconds = Histogram(
            "copydesk_queue_wait_seconds",
            "Seconds from the acceptance of a document until a worker begins its first attempt. A document that waits "
            "for a busy host begins it more than once.",
            ["lane"],
            buckets=_WAY_BUCKETS_S,
            registry=registry,
        )
        self.decided_seconds = Histogram(
            "copydesk_decided_seconds",
            "Seconds from the acceptance of a document until its verdict is in the log, retries included. First runs.",
            ["kind", "lane"],
            buckets=_WAY_BUCKETS_S,
            registry=registry,
        )
        self.notified_seconds = Histogram(
            "copydesk_notified_seconds",
            "Seconds from the acceptance of a document until all subscribers' queues have its event. RabbitMQ only.",
            buckets=_WAY_BUCKETS_S,
            registry=registry,
        )
        self.articles = Counter(
            "copydesk_articles",
            "Articles, by kind of submission and the estimated kind of page or pasted text.",
            ["kind", "content"],
            registry=registry,
        )
        self.articles_without = Counter(
            "copydesk_articles_without",
            f"Articles without a metadata field: {', '.join(ArticleField)}.",
            ["kind", "field"],
            registry=registry,
        )
        self.confidence_ratio = Histogram(
            "copydesk_confidence_ratio",
            "Estimated F1 of the texts of articles, where it is known, by kind of submission.",
            ["kind"],
            buckets=_CONFIDENCE_BUCKETS,
            registry=registry,
        )

    def observe_begun(self, acceptance: Acceptance, at: datetime) -> None:
        """Measures that a worker begins the first attempt at `at`."""
        seconds = seconds_since(acceptance.at, at)
        self.queue_wait_seconds.labels(acceptance.lane).observe(seconds, exemplar_of(current()))

    def observe_decided(self, acceptance: Acceptance | None, trace: TraceContext | None) -> None:
        """Measures that a verdict, whose event was made in `trace`, is in the log now; None for a later run."""
        if acceptance is not None:
            seconds = seconds_since(acceptance.at, datetime.now(UTC))
            self.decided_seconds.labels(acceptance.kind, acceptance.lane).observe(seconds, exemplar_of(trace))

    def observe_notified(self, acceptance: Acceptance | None, trace: TraceContext | None) -> None:
        """Measures that all subscribers' queues have an event, made in `trace`, now; None for a later run."""
        if acceptance is not None:
            self.notified_seconds.observe(seconds_since(acceptance.at, datetime.now(UTC)), exemplar_of(trace))

    def observe_article(self, article: Article) -> None:
        """Counts an article by what it has and lacks."""
        kind = article.kind or UNKNOWN_KIND
        self.articles.labels(kind, article.page_kind or article.quality.kind or UNKNOWN_KIND).inc()
        for name in ArticleField:
            if not getattr(article, name):
                self.articles_without.labels(kind, name).inc()
        if article.quality.confidence is not None:
            self.confidence_ratio.labels(kind).observe(article.quality.confidence)


def seconds_since(stated: str, at: datetime) -> float:
    """Returns the seconds from `stated`, RFC 3339, to `at`. Clocks of machines differ: never below 0."""
    return max(0.0, (at - datetime.fromisoformat(stated)).total_seconds())
