"""The output events: CloudEvents 1.0 in structured JSON, and the routing keys that subscribers bind to."""

import re
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final, Literal

from yarl import URL

from contract.article import Article, Failure
from contract.batches import CompletedBatch
from contract.tracing import TRACEPARENT, TRACESTATE, TraceContext
from contract.webhooks import DisabledCause

PROCESSED: Final = "copydesk.document.processed.v1"
FAILED: Final = "copydesk.document.failed.v1"
ERASED: Final = "copydesk.document.erased.v1"
BATCH_COMPLETED: Final = "copydesk.batch.completed.v1"
WEBHOOK_DISABLED: Final = "copydesk.webhook.disabled.v1"
WEBHOOK_TEST: Final = "copydesk.webhook.test.v1"
SHORT_TYPES: Final = {
    PROCESSED: "processed",
    FAILED: "failed",
    ERASED: "erased",
    BATCH_COMPLETED: "batch_completed",
    WEBHOOK_DISABLED: "webhook_disabled",
}
"""The types of the events of the log, as filters and AMQP headers name them."""

MEDIA_TYPE = "application/cloudevents+json"
SOURCE = "/copydesk"

_MAX_ROUTING_KEY_BYTES = 255  # AMQP 0-9-1: a short string


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessedEvent:
    """A document became an article. `id` is `<document id>.<run>`, `subject` the document's id, `time` RFC 3339.

    `traceparent` and `tracestate` are those of CloudEvents' distributed tracing extension: where the event was made.
    They are absent without a trace.
    """

    specversion: Literal["1.0"] = "1.0"
    id: str
    source: str = SOURCE
    type: Literal["copydesk.document.processed.v1"] = PROCESSED
    subject: str
    time: str
    datacontenttype: Literal["application/json"] = "application/json"
    traceparent: str | None = None
    tracestate: str | None = None
    data: Article

    @property
    def routing_key(self) -> str:
        """`processed.<language>.<host reversed>`."""
        return _routing_key("processed", self.data.language or "und", self.data.host)

    @property
    def trace(self) -> TraceContext | None:
        """Where the event was made, None without a trace."""
        return None if self.traceparent is None else TraceContext(self.traceparent, self.tracestate)

    @property
    def reason(self) -> str:
        """The name of this outcome in metrics and logs."""
        return "processed"


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedEvent:
    """A document failed; its data says why. The envelope is that of `ProcessedEvent`."""

    specversion: Literal["1.0"] = "1.0"
    id: str
    source: str = SOURCE
    type: Literal["copydesk.document.failed.v1"] = FAILED
    subject: str
    time: str
    datacontenttype: Literal["application/json"] = "application/json"
    traceparent: str | None = None
    tracestate: str | None = None
    data: Failure

    @property
    def routing_key(self) -> str:
        """`failed.<reason>.<host reversed>`."""
        return _routing_key("failed", self.data.reason, host_of(self.data.url))

    @property
    def trace(self) -> TraceContext | None:
        """Where the event was made, None without a trace."""
        return None if self.traceparent is None else TraceContext(self.traceparent, self.tracestate)

    @property
    def reason(self) -> str:
        """The name of this outcome in metrics and logs."""
        return self.data.reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """The data of an erased document: only its id."""

    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasedEvent:
    """A document is erased, and subscribers must delete what they keep of it. `id` is `<document id>.erased`.

    The envelope is that of `ProcessedEvent`. It decides no run.
    """

    specversion: Literal["1.0"] = "1.0"
    id: str
    source: str = SOURCE
    type: Literal["copydesk.document.erased.v1"] = ERASED
    subject: str
    time: str
    datacontenttype: Literal["application/json"] = "application/json"
    data: Erasure

    @property
    def routing_key(self) -> str:
        """`erased`: host and language would be something of the document."""
        return "erased"


def erased(document_id: str, at: str) -> ErasedEvent:
    """Returns the event of a document that is erased at `at`, RFC 3339: its id is always the same."""
    return ErasedEvent(id=f"{document_id}.erased", subject=document_id, time=at, data=Erasure(id=document_id))


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchCompletedEvent:
    """All documents of a closed batch are decided. `id` is `<batch id>.completed`, `subject` the batch's id.

    The envelope is that of `ProcessedEvent`. It decides no run.
    """

    specversion: Literal["1.0"] = "1.0"
    id: str
    source: str = SOURCE
    type: Literal["copydesk.batch.completed.v1"] = BATCH_COMPLETED
    subject: str
    time: str
    datacontenttype: Literal["application/json"] = "application/json"
    data: CompletedBatch

    @property
    def routing_key(self) -> str:
        """`batch.completed`: two words, so that no pattern for documents matches it."""
        return "batch.completed"


def batch_completed(batch: CompletedBatch) -> BatchCompletedEvent:
    """Returns the event of a batch: its id is always the same, and its time is that of the completion."""
    return BatchCompletedEvent(id=f"{batch.id}.completed", subject=batch.id, time=batch.completed, data=batch)


@dataclass(frozen=True, slots=True, kw_only=True)
class DisabledWebhook:
    """The data of a webhook that Copydesk disabled: `cause` says why, `failing_since` since when nothing got through.

    Its URL is not here, because it may hold a secret.
    """

    id: str
    cause: DisabledCause
    failing_since: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookDisabledEvent:
    """Copydesk disabled a webhook, which is the subject. `id` is `<webhook id>.disabled.<time in milliseconds>`.

    The envelope is that of `ProcessedEvent`. It is about no document.
    """

    specversion: Literal["1.0"] = "1.0"
    id: str
    source: str = SOURCE
    type: Literal["copydesk.webhook.disabled.v1"] = WEBHOOK_DISABLED
    subject: str
    time: str
    datacontenttype: Literal["application/json"] = "application/json"
    data: DisabledWebhook

    @property
    def routing_key(self) -> str:
        """`webhook.disabled.<cause>`."""
        return f"webhook.disabled.{self.data.cause}"


@dataclass(frozen=True, slots=True, kw_only=True)
class TestedWebhook:
    """The data of a test: the webhook's id."""

    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookTestEvent:
    """A test of a webhook, which is the subject. It is sent to that webhook alone, and is not in the log."""

    specversion: Literal["1.0"] = "1.0"
    id: str
    source: str = SOURCE
    type: Literal["copydesk.webhook.test.v1"] = WEBHOOK_TEST
    subject: str
    time: str
    datacontenttype: Literal["application/json"] = "application/json"
    data: TestedWebhook


Event = ProcessedEvent | FailedEvent
"""The events that decide a run."""

TRACE_ATTRIBUTES: Final = (TRACEPARENT, TRACESTATE)
"""The attributes of an `Event` that are left out of its JSON where it has none."""

Announcement = ErasedEvent | BatchCompletedEvent | WebhookDisabledEvent
"""The other events: no worker publishes them."""

AnyEvent = Event | Announcement
"""The events in the log."""


def host_of(url: str | None) -> str | None:
    """Returns the lower-case ASCII host of `url`, None if it has none."""
    if not url:
        return None
    try:
        return URL(url).raw_host
    except (ValueError, IndexError):  # yarl raises IndexError on a host of empty brackets
        return None


def _routing_key(outcome: str, word: str, host: str | None) -> str:
    key = f"{outcome}.{word}.{_reversed(host)}"
    while len(key.encode()) > _MAX_ROUTING_KEY_BYTES:
        key = key.rpartition(".")[0]
    return key


def _reversed(host: str | None) -> str:
    if not host:
        return "_"
    try:
        ip_address(host)
    except ValueError:
        return ".".join(reversed(host.strip(".").split(".")))
    return host  # an address already starts with its largest part


def matches(pattern: str, routing_key: str) -> bool:
    """Returns True if `routing_key` matches the topic `pattern` as AMQP 0-9-1 defines it.

    `*` matches exactly one word, `#` any number of words, also none.
    """
    return _compiled(pattern).fullmatch("." + routing_key) is not None


def _compiled(pattern: str) -> re.Pattern[str]:
    words = {"*": r"\.[^.]*", "#": r"(?:\.[^.]*)*"}
    return re.compile("".join(words.get(word, re.escape("." + word)) for word in pattern.split(".")))
