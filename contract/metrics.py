"""Declares every metric that Copydesk emits, with its labels."""

from enum import StrEnum

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from contract.duplicates import DuplicateKind
from contract.labels import (
    AuditOutcome,
    AuditState,
    DeadAction,
    DeliveryOutcome,
    InHand,
    LogReader,
    Outcome,
    ParserRestart,
    ParserState,
    ProblemName,
    PublishFailure,
    SessionLoss,
    SessionRole,
    Stage,
    StreamEnd,
    VerdictKind,
    WaitFor,
    WaitOutcome,
)
from contract.reasons import FailureClass, Reason
from contract.signals import DocumentMetrics
from contract.webhook_metrics import WebhookMetrics
from contract.webhooks import DisabledCause

# Chosen: from a small text (5 ms) to the time limit of a job (120 s).
_STAGE_BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 60.0, 120.0)


class Metrics(DocumentMetrics, WebhookMetrics):
    """The metrics of one process, on a registry of its own. Attributes are prometheus-client metrics."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        self.build_info = Gauge(
            "copydesk_build_info",
            "Always 1; the labels say what runs.",
            ["version", "python", "role"],
            registry=registry,
        )
        self._declare_http(registry)
        self._declare_work(registry)
        self._declare_broker(registry)
        self._declare_audit(registry)
        self._declare_ledger(registry)
        self._declare_documents(registry)
        self._declare_webhooks(registry)

    def _declare_http(self, registry: CollectorRegistry) -> None:
        """What the HTTP side does."""
        self.accepted = Counter(
            "copydesk_accepted", "Documents accepted: the broker confirmed.", ["kind", "lane"], registry=registry
        )
        self.refused = Counter("copydesk_refused", "Requests refused, by problem type.", ["reason"], registry=registry)
        self.connections = Gauge(
            "copydesk_connections", "Open connections to a port: api, ops.", ["listener"], registry=registry
        )
        self.connections_cut = Counter(
            "copydesk_connections_cut",
            "Connections that Copydesk ended or refused, by port and cause.",
            ["listener", "cause"],
            registry=registry,
        )
        self.request_seconds = Histogram(
            "copydesk_request_seconds",
            "Seconds to answer HTTP requests, by route and status. Without event streams, requests that waited, and "
            "requests with many documents.",
            ["method", "route", "status"],
            registry=registry,
        )
        self.receipt_seconds = Histogram(
            "copydesk_receipt_seconds",
            "Seconds until up to 64 documents of a request with many are stored or refused, since the first was read.",
            buckets=_STAGE_BUCKETS_S,
            registry=registry,
        )
        self.event_streams = Gauge("copydesk_event_streams", "Open GET /v1/events streams.", registry=registry)
        self.event_streams_ended = Counter(
            "copydesk_event_streams_ended",
            f"GET /v1/events streams that ended, by reason: {_listed(StreamEnd)}.",
            ["reason"],
            registry=registry,
        )
        self.keys_age_seconds = Gauge(
            "copydesk_keys_age_seconds",
            "Seconds since the API keys were last read from the ledger; 0 where it keeps none.",
            registry=registry,
        )
        self.waiting_requests = Gauge(
            "copydesk_waiting_requests",
            f"Requests that wait for a verdict or a preview, by what for: {_listed(WaitFor)}.",
            ["kind"],
            registry=registry,
        )
        self.waits = Counter(
            "copydesk_waits",
            f"Waits of requests that ended, by what for and outcome: {_listed(WaitOutcome)}.",
            ["kind", "outcome"],
            registry=registry,
        )

    def _declare_work(self, registry: CollectorRegistry) -> None:
        """What workers do."""
        self.in_flight = Gauge("copydesk_in_flight", "Jobs in progress in this process.", registry=registry)
        self.in_hand = Gauge(
            "copydesk_in_hand",
            f"Documents that a worker has taken, by what they do: {_listed(InHand)}.",
            ["state"],
            registry=registry,
        )
        self.held_bytes = Gauge(
            "copydesk_held_bytes",
            "Bytes that a worker has counted of the documents that it has taken, as they were delivered and fetched.",
            registry=registry,
        )
        self.stage_seconds = Histogram(
            "copydesk_stage_seconds",
            f"Seconds spent in a stage: {_listed(Stage)}; job is the sum.",
            ["stage"],
            buckets=_STAGE_BUCKETS_S,
            registry=registry,
        )
        self.fetches = Counter(
            "copydesk_fetches",
            "URLs fetched, by outcome: fetched, or the reason of the failure.",
            ["outcome"],
            registry=registry,
        )
        self.fetched_bytes = Counter(
            "copydesk_fetched_bytes",
            "Bytes of the bodies that were fetched, as they were sent; those of refused ones, too.",
            registry=registry,
        )
        self.verdicts = Counter(
            "copydesk_verdicts",
            f"Verdicts, by kind ({_listed(VerdictKind)}) and reason (processed, deferred, or that of a failure).",
            ["verdict", "reason"],
            registry=registry,
        )
        self.duplicates = Counter(
            "copydesk_duplicates",
            f"Articles that are duplicates of one before, dropped ones too, by kind: {_listed(DuplicateKind)}.",
            ["kind"],
            registry=registry,
        )
        self.duplicates_unchecked = Counter(
            "copydesk_duplicates_unchecked",
            "Articles for which the ledger could not be asked for duplicates.",
            registry=registry,
        )
        self.retries = Counter(
            "copydesk_retries", "Attempts that failed and are repeated, by reason.", ["reason"], registry=registry
        )
        self.parsers = Gauge(
            "copydesk_parsers",
            f"Parser children that run, by what they do: {_listed(ParserState)}.",
            ["state"],
            registry=registry,
        )
        self.parser_restarts = Counter(
            "copydesk_parser_restarts",
            f"Parser children replaced, by cause: {_listed(ParserRestart)}.",
            ["cause"],
            registry=registry,
        )

    def _declare_broker(self, registry: CollectorRegistry) -> None:
        """What the broker takes, holds and refuses."""
        self.published = Counter(
            "copydesk_published", "Messages confirmed by the broker, by destination.", ["to"], registry=registry
        )
        self.publish_failures = Counter(
            "copydesk_publish_failures",
            f"Messages not confirmed, by destination and cause: {_listed(PublishFailure)}.",
            ["to", "cause"],
            registry=registry,
        )
        self.subscriber_refused = Counter(
            "copydesk_subscriber_refused",
            "Events that a subscriber's full queue refused; they stand in the log.",
            registry=registry,
        )
        self.session_losses = Counter(
            "copydesk_session_losses",
            f"Broker sessions lost or not begun, by role ({_listed(SessionRole)}) and cause.",
            ["role", "cause"],
            registry=registry,
        )
        self.disk_refusals = Counter(
            "copydesk_disk_refusals",
            "Commits that the embedded broker's disk refused; they are tried again.",
            registry=registry,
        )
        self.queue_depth = Gauge(
            "copydesk_queue_depth",
            "Messages that wait in a queue, as the broker last reported; no series while it does not report.",
            ["queue"],
            registry=registry,
        )
        self.queue_limit = Gauge(
            "copydesk_queue_limit",
            "Messages that an intake queue holds at most, by this process's settings; more are refused.",
            ["queue"],
            registry=registry,
        )
        self.disk_free_bytes = Gauge(
            "copydesk_disk_free_bytes",
            "Bytes that are free on the disk of the embedded broker. RabbitMQ tells of its own disk.",
            ["disk"],
            registry=registry,
        )
        self.queue_oldest_seconds = Gauge(
            "copydesk_queue_oldest_seconds",
            "Seconds since the first message of a queue was due. The embedded broker alone tells.",
            ["queue"],
            registry=registry,
        )
        self.queue_bound_missing = Gauge(
            "copydesk_queue_bound_missing",
            "1 where a queue was declared without a bound that it should have, and no policy is seen to set it.",
            ["queue", "bound"],
            registry=registry,
        )
        self.dead_letters = Counter(
            "copydesk_dead_letters",
            f"Dead letters that an operator handled, by action: {_listed(DeadAction)}.",
            ["action"],
            registry=registry,
        )

    def _declare_audit(self, registry: CollectorRegistry) -> None:
        """What the audit finds."""
        self.audit_runs = Gauge(
            "copydesk_audit_runs",
            f"Distinct runs in the books of copydesk audit --watch, by state: {_listed(AuditState)}.",
            ["state"],
            registry=registry,
        )
        self.audit_oldest_seconds = Gauge(
            "copydesk_audit_oldest_seconds",
            "Age of the oldest accepted run without a verdict, by lane; 0 if there is none.",
            ["lane"],
            registry=registry,
        )
        self.audit_readings = Counter(
            "copydesk_audit_readings",
            f"Readings of the broker by copydesk audit --watch: {_listed(AuditOutcome)}.",
            ["outcome"],
            registry=registry,
        )

    def _declare_ledger(self, registry: CollectorRegistry) -> None:
        """What the recorder records."""
        self.ledger_recording = Gauge(
            "copydesk_ledger_recording",
            "1 while this process records into the ledger, 0 while it stands by.",
            registry=registry,
        )
        self.ledger_lag_seconds = Gauge(
            "copydesk_ledger_lag_seconds",
            "How far the ledger is behind the log, as far as this process records; 0 for less than 3 s.",
            registry=registry,
        )
        self.log_left_seconds = Gauge(
            "copydesk_log_left_seconds",
            "Seconds until the log removes the oldest event that the slowest reader of a kind has not read, by kind: "
            f"{_listed(LogReader)}; 0 if it is gone. As the process that records sees it.",
            ["reader"],
            registry=registry,
        )
        self.log_reach_seconds = Gauge(
            "copydesk_log_reach_seconds",
            "How many seconds a reader may be behind before it misses events; 0 while the log has removed nothing and "
            "has no limit of age, and in processes that do not record.",
            registry=registry,
        )
        self.ledger_rows = Gauge("copydesk_ledger_rows", "Runs of documents in the ledger.", registry=registry)
        self.ledger_bytes = Gauge(
            "copydesk_ledger_bytes", "Bytes of the events in the ledger, compressed.", registry=registry
        )
        self.ledger_entries = Counter(
            "copydesk_ledger_entries",
            "Entries of the broker's records that are in the ledger, by stream.",
            ["stream"],
            registry=registry,
        )
        self.batches_completed = Counter(
            "copydesk_batches_completed",
            "Batches whose completion was published, by this process.",
            registry=registry,
        )
        self.ledger_repeats = Counter(
            "copydesk_ledger_repeats",
            "Events of runs that had one already, by content: same, differing.",
            ["content"],
            registry=registry,
        )
        self.ledger_unreadable = Counter(
            "copydesk_ledger_unreadable",
            "Entries of the broker's records that the ledger cannot read, by stream.",
            ["stream"],
            registry=registry,
        )
        self.ledger_gaps = Counter(
            "copydesk_ledger_gaps",
            "Times that entries were gone before they were recorded, by stream.",
            ["stream"],
            registry=registry,
        )
        self.ledger_failures = Counter(
            "copydesk_ledger_failures", "Times that the ledger's database failed; it is tried again.", registry=registry
        )

    def start_at_zero(self) -> None:
        """Shows the series that alerts watch from the start.

        Prometheus cannot tell by how much a series grew that was not there before: `increase()` of one that begins at
        1 is 0.
        """
        for name in ProblemName:
            self.refused.labels(name)
        for reason in Reason:
            self.verdicts.labels(VerdictKind.BURY, reason)
            if reason.failure_class is not FailureClass.PERMANENT:
                self.retries.labels(reason)
        for kind in (VerdictKind.PUBLISH, VerdictKind.RETRY, VerdictKind.ANSWER):  # the first sign of a defect
            self.verdicts.labels(kind, Reason.INTERNAL_ERROR)
        self.verdicts.labels(VerdictKind.PUBLISH, Outcome.PROCESSED)
        for role in SessionRole:
            for cause in SessionLoss:
                self.session_losses.labels(role, cause)
        for why in DisabledCause:
            self.webhooks_disabled.labels(why)
        for outcome in DeliveryOutcome:
            self.webhook_attempts.labels(outcome)
            self.callback_attempts.labels(outcome)


def _listed(values: type[StrEnum]) -> str:
    return ", ".join(values)
