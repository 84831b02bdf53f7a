"""Makes the AsyncAPI 3.0 document of the events, on exchange, log and webhooks. Their schemas are in docs/schemas."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, Final, Literal

from pydantic import TypeAdapter

from contract.codec import adapter
from contract.event_headers import HEADERS, LABEL
from contract.events import (
    MEDIA_TYPE,
    BatchCompletedEvent,
    ErasedEvent,
    FailedEvent,
    ProcessedEvent,
    WebhookDisabledEvent,
    WebhookTestEvent,
)
from contract.replays import REPLAY_HEADER
from contract.topology import DOCUMENTS, DOCUMENTS_HEADERS, LOG
from contract.tracing import TRACEPARENT, TRACESTATE
from service.api.document import VERSION

_REF: Final = "#/components/schemas/{model}"
_EVENTS: Final[Mapping[str, type]] = {
    "processed": ProcessedEvent,
    "failed": FailedEvent,
    "erased": ErasedEvent,
    "batch_completed": BatchCompletedEvent,
    "webhook_disabled": WebhookDisabledEvent,
}
_DELIVERED: Final[Mapping[str, type]] = {**_EVENTS, "webhook_test": WebhookTestEvent}
_ABOUT: Final = """\
Every accepted document ends in an event, which is a CloudEvent in structured JSON; so does every batch that is closed.
Events are first written to the log, then published to the exchange: the same bytes. Webhooks get them, too. An event
may come twice: drop repeats by its `id`.
"""
_HOST: Final = {"description": "The host with its parts reversed, as `com.example.www`; `_` without one."}
_ADDRESSES: Final[Mapping[str, tuple[str, Mapping[str, Any]]]] = {
    "processed": (
        "processed.{language}.{host}",
        {"language": {"description": "ISO 639-1, as `en`; `und` if it is not known."}, "host": _HOST},
    ),
    "failed": ("failed.{reason}.{host}", {"reason": {"description": "Why, as in the event."}, "host": _HOST}),
    "erased": ("erased", {}),
    "batch_completed": ("batch.completed", {}),
    "webhook_disabled": ("webhook.disabled.{cause}", {"cause": {"description": "Why: `gone` or `failing`."}}),
}

_TRACE: Final = {
    TRACEPARENT: {"type": "string", "description": "Where in a trace it was made: W3C Trace Context."},
    TRACESTATE: {"type": "string", "description": "What vendors add to that."},
}
_HEADERS: Final[Mapping[str, Any]] = {
    "type": "object",
    "description": "On AMQP. What an event lacks is absent.",
    "properties": {name: {"type": "string", "description": about} for name, about in HEADERS.items()} | _TRACE,
    "patternProperties": {f"^{LABEL}".replace(".", "\\."): {"type": "string", "description": "A label, by its name."}},
    "required": ["type"],
}

_POST: Final[Mapping[str, Any]] = {"method": "POST", "bindingVersion": "0.3.0"}
_SIGNED: Final[Mapping[str, Any]] = {
    "type": "object",
    "description": "Standard Webhooks 1.0.",
    "properties": {
        "webhook-id": {"type": "string", "description": "The event's id: the same each time that it is delivered."},
        "webhook-timestamp": {"type": "string", "pattern": "^[0-9]+$", "description": "Seconds since 1970."},
        "webhook-signature": {"type": "string", "description": "One for each secret, with spaces between them."},
        REPLAY_HEADER: {
            "type": "string",
            "description": "The id of the replay that sends the event again, if one does.",
        },
        **_TRACE,
    },
    "required": ["webhook-id", "webhook-timestamp", "webhook-signature"],
}
_THIN: Final[Mapping[str, Any]] = {
    "type": "object",
    "description": "Of a webhook with `payload: thin`: the envelope of the event, and what names the document.",
    "properties": {name: {"type": "string"} for name in ("specversion", "id", "source", "type")} | {"data": {}},
    "required": ["specversion", "id", "source", "type", "data"],
}


def asyncapi() -> dict[str, Any]:
    """Returns the document."""
    inputs: list[tuple[type, Literal["serialization"], TypeAdapter[Any]]] = [
        (kind, "serialization", adapter(kind)) for kind in _DELIVERED.values()
    ]
    _, definitions = TypeAdapter.json_schemas(inputs, ref_template=_REF)
    channels = {name: _published(name) for name in _EVENTS} | {"by_headers": _published_by_headers(), "log": _logged()}
    sending = {f"send_{name}": _sending(name, channel) for name, channel in channels.items()}
    webhooks = _delivered()
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Copydesk", "version": VERSION, "description": _ABOUT},
        "defaultContentType": MEDIA_TYPE,
        "channels": {**channels, "webhooks": webhooks},
        "operations": {**sending, "send_webhooks": {**_sending("webhooks", webhooks), "bindings": {"http": _POST}}},
        "components": {
            "messages": {name: _message(kind) for name, kind in _EVENTS.items()}
            | {f"{name}_delivery": _delivery(kind) for name, kind in _DELIVERED.items()},
            "schemas": {**definitions["$defs"], "ThinEvent": dict(_THIN)},
        },
    }


def _published(name: str) -> dict[str, Any]:
    """Returns the channel of one kind of event on the exchange: its routing key is the address."""
    address, parameters = _ADDRESSES[name]
    exchange = {"name": DOCUMENTS, "type": "topic", "durable": True, "autoDelete": False}
    channel: dict[str, Any] = {
        "address": address,
        "summary": "Bind a queue of your own with this routing key, or a pattern.",
        "messages": _messages(name),
        "bindings": {"amqp": {"is": "routingKey", "exchange": exchange, "bindingVersion": "0.3.0"}},
    }
    return {**channel, "parameters": dict(parameters)} if parameters else channel


def _published_by_headers() -> dict[str, Any]:
    """Returns the channel of all events on the exchange that routes by headers."""
    exchange = {"name": DOCUMENTS_HEADERS, "type": "headers", "durable": True, "autoDelete": False}
    return {
        "address": DOCUMENTS_HEADERS,
        "summary": "Bind a queue of your own with the headers that you want, and `x-match`.",
        "messages": _messages(*_EVENTS),
        "bindings": {"amqp": {"is": "routingKey", "exchange": exchange, "bindingVersion": "0.3.0"}},
    }


def _logged() -> dict[str, Any]:
    queue = {"name": LOG, "durable": True, "exclusive": False, "autoDelete": False}
    return {
        "address": LOG,
        "summary": "A stream with all events, to read from any offset. `GET /v1/events` has them over HTTP.",
        "messages": _messages(*_EVENTS),
        "bindings": {"amqp": {"is": "queue", "queue": queue, "bindingVersion": "0.3.0"}},
    }


def _delivered() -> dict[str, Any]:
    """Returns the channel of webhooks, whose addresses their owners choose."""
    return {
        "address": None,
        "summary": "The URL of a webhook. Each event that it wants is a request, which is signed.",
        "messages": _messages(*(f"{name}_delivery" for name in _DELIVERED)),
    }


def _messages(*names: str) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/messages/{name}"} for name in names}


def _sending(name: str, channel: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the operation from the view of this server, as AsyncAPI 3.0 has it: it sends."""
    where = f"#/channels/{name}"
    messages = [{"$ref": f"{where}/messages/{message}"} for message in channel["messages"]]
    return {"action": "send", "channel": {"$ref": where}, "messages": messages}


def _message(kind: type) -> dict[str, Any]:
    (its_type,) = (field.default for field in fields(kind) if field.name == "type")
    return {
        "name": its_type,
        "title": kind.__name__,
        "contentType": MEDIA_TYPE,
        "headers": _HEADERS,
        "payload": {"$ref": _REF.format(model=kind.__name__)},
    }


def _delivery(kind: type) -> dict[str, Any]:
    """Returns the message that a webhook gets."""
    message = _message(kind)
    payload = {"anyOf": [message["payload"], {"$ref": _REF.format(model="ThinEvent")}]}
    return {**message, "title": f"{kind.__name__}Delivery", "headers": _SIGNED, "payload": payload}
