"""Declares the metrics of deliveries to webhooks."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from contract.labels import DeliveryOutcome, WebhookState
from contract.replays import ReplayTarget
from contract.webhooks import DisabledCause

# Chosen: from a receiver on the same machine (5 ms) to the time limit of an attempt (20 s).
_WEBHOOK_BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0)

# Chosen: from a receiver on the same machine to the second delay between attempts, and the sixth (10 h).
_DELAY_BUCKETS_S = (0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 3600.0, 36_000.0)


class WebhookMetrics:
    """What is delivered to webhooks. `contract.metrics.Metrics` extends it."""

    def _declare_webhooks(self, registry: CollectorRegistry) -> None:
        """What is delivered to webhooks. Gauges are of those that this process delivers for."""
        self.webhook_attempts = Counter(
            "copydesk_webhook_attempts",
            f"Attempts to deliver to webhooks, by outcome: {', '.join(DeliveryOutcome)}.",
            ["outcome"],
            registry=registry,
        )
        self.webhook_seconds = Histogram(
            "copydesk_webhook_seconds",
            "Seconds that attempts to deliver to webhooks took.",
            buckets=_WEBHOOK_BUCKETS_S,
            registry=registry,
        )
        self.webhook_delay_seconds = Histogram(
            "copydesk_webhook_delay_seconds",
            "Seconds from the time of an event until a webhook has it, further attempts included. Not of what is sent "
            "again on request.",
            buckets=_DELAY_BUCKETS_S,
            registry=registry,
        )
        self.webhooks = Gauge(
            "copydesk_webhooks",
            f"Webhooks that this process delivers for, by state: {', '.join(WebhookState)}.",
            ["state"],
            registry=registry,
        )
        self.webhook_pending = Gauge(
            "copydesk_webhook_pending", "Deliveries to webhooks that wait for another attempt.", registry=registry
        )
        self.webhook_lag_events = Gauge(
            "copydesk_webhook_lag_events",
            "How many events of the log the webhook that is furthest behind has before it; disabled ones do not count.",
            registry=registry,
        )
        self.webhook_lag_seconds = Gauge(
            "copydesk_webhook_lag_seconds",
            "The age of the event that the webhook which is furthest behind is at; 0 if all are at the end of the log.",
            registry=registry,
        )
        self.webhook_gaps = Counter(
            "copydesk_webhook_gaps",
            "Times that events were gone from the log before they were delivered to a webhook.",
            registry=registry,
        )
        self.webhooks_disabled = Counter(
            "copydesk_webhooks_disabled",
            f"Webhooks that were disabled because of their receivers, by cause: {', '.join(DisabledCause)}.",
            ["cause"],
            registry=registry,
        )
        self._declare_callbacks(registry)
        self._declare_replays(registry)

    def _declare_callbacks(self, registry: CollectorRegistry) -> None:
        """What is posted to the URLs that came with documents."""
        self.callback_attempts = Counter(
            "copydesk_callback_attempts",
            f"Attempts to post to callback URLs of documents, by outcome: {', '.join(DeliveryOutcome)}.",
            ["outcome"],
            registry=registry,
        )
        self.callback_pending = Gauge(
            "copydesk_callback_pending",
            "Callbacks of all documents that wait for an attempt, as each process that delivers sees them.",
            registry=registry,
        )

    def _declare_replays(self, registry: CollectorRegistry) -> None:
        """What is sent again. A download has no process that runs it: the API sends it."""
        self.replays = Gauge(
            "copydesk_replays", "Replays to webhooks and queues that this process runs.", registry=registry
        )
        self.replayed = Counter(
            "copydesk_replayed",
            f"Events that replays handed on, by target: {', '.join(ReplayTarget)}.",
            ["target"],
            registry=registry,
        )
        self.replays_ended = Counter(
            "copydesk_replays_ended",
            "Replays to webhooks and queues that this process ended, by state: completed, failed.",
            ["state"],
            registry=registry,
        )
