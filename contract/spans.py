"""The spans of a document's way, and the names of their attributes.

| span | kind | made by | parent |
| --- | --- | --- | --- |
| `POST /v1/documents`, and so each request | server | the API | the caller's span |
| `send copydesk.intake` | producer | the API | the request; that of many documents is linked instead |
| `process copydesk.intake` | consumer | the worker, once for each attempt | `send copydesk.intake` |
| `fetch`, `extract`, `normalise`, `compare` | internal | the worker | `process copydesk.intake` |
| `send copydesk.log`, `send copydesk.documents` | producer | the worker's broker | `process copydesk.intake` |
| `process copydesk.log` | consumer | the recorder | `process copydesk.intake` |
| `POST` | client | the role deliver, once for each attempt | `process copydesk.intake` |

An event states the span that made it, which is that of the attempt: all who read the event continue from there.

Attributes have the names of OpenTelemetry's semantic conventions (https://opentelemetry.io/docs/specs/semconv/, 1.45);
those that begin with `copydesk.` are our own. None holds a part of a document, a URL's path or query, or a secret.
"""

from collections.abc import Mapping
from typing import Final

from yarl import URL

from contract.events import Event
from contract.job import Job
from contract.tracing import SpanKind, Tracer, Value, Within

ERROR_TYPE: Final = "error.type"

HTTP_METHOD: Final = "http.request.method"
HTTP_ROUTE: Final = "http.route"
HTTP_STATUS: Final = "http.response.status_code"
URL_SCHEME: Final = "url.scheme"
SERVER_ADDRESS: Final = "server.address"
SERVER_PORT: Final = "server.port"
RESENT: Final = "http.request.resend_count"

MESSAGING_SYSTEM: Final = "messaging.system"
"""The broker. Whoever makes the tracer knows it."""
OPERATION: Final = "messaging.operation.name"
OPERATION_TYPE: Final = "messaging.operation.type"
DESTINATION: Final = "messaging.destination.name"
ROUTING_KEY: Final = "messaging.rabbitmq.destination.routing_key"
MESSAGE_ID: Final = "messaging.message.id"

DOCUMENT_ID: Final = "copydesk.document.id"
KIND: Final = "copydesk.document.kind"
RUN: Final = "copydesk.run"
ATTEMPT: Final = "copydesk.attempt"
DELIVERIES: Final = "copydesk.deliveries"
VERDICT: Final = "copydesk.verdict"
REASON: Final = "copydesk.reason"
EVENT_ID: Final = "copydesk.event.id"
WEBHOOK_ID: Final = "copydesk.webhook.id"

REFUSED: Final = "refused"
"""The error of a span in which a subscriber's queue refused an event."""

_SEND: Final = {OPERATION: "send", OPERATION_TYPE: "send"}
_PROCESS: Final = {OPERATION: "process", OPERATION_TYPE: "process"}


def sending(exchange: str, key: str, message_id: str) -> Mapping[str, Value]:
    """Returns the attributes of a span that sends a message to an exchange with a routing key."""
    return {**_SEND, DESTINATION: exchange, ROUTING_KEY: key, MESSAGE_ID: message_id}


def processing(source: str, message_id: str) -> Mapping[str, Value]:
    """Returns the attributes of a span that works on a message from an exchange or stream."""
    return {**_PROCESS, DESTINATION: source, MESSAGE_ID: message_id}


def send_span(tracer: Tracer, event: Event, destination: str) -> Within:
    """Returns the span in which `event` goes to an exchange or stream."""
    if not tracer.is_on:
        return Within(tracer.start("", parent=event.trace))
    attributes = sending(destination, event.routing_key, event.id)
    return Within(
        tracer.start(f"send {destination}", SpanKind.PRODUCER, parent=event.trace, attributes=attributes),
    )


def about(job: Job) -> Mapping[str, Value]:
    """Returns the attributes that say which document, run and attempt a job is."""
    return {DOCUMENT_ID: job.id, KIND: str(job.kind), RUN: job.run, ATTEMPT: job.attempt}


def place_of(url: str) -> Mapping[str, Value]:
    """Returns the attributes of where a URL leads, without its path and query. None of a URL that is invalid."""
    try:
        place = URL(url)
    except (ValueError, IndexError):  # yarl raises IndexError on a host of empty brackets
        return {}
    found = {SERVER_ADDRESS: place.raw_host, SERVER_PORT: place.port, URL_SCHEME: place.scheme}
    return {name: value for name, value in found.items() if value is not None}
