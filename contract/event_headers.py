"""The AMQP headers of an event, for queues that are bound to the headers exchange."""

from collections.abc import Mapping
from typing import Final

from contract.article import Failure
from contract.events import SHORT_TYPES, AnyEvent, FailedEvent, ProcessedEvent, host_of

LABEL: Final = "label."
"""A label's header is this and its name."""

HEADERS: Final = {
    "type": "`processed`, `failed`, `erased` or `batch_completed`.",
    "kind": "What was submitted: `url`, `text` or `html`.",
    "language": "As in the event.",
    "host": "As in the event; that of the URL if it failed.",
    "page_kind": "The kind of page of an article.",
    "reason": "Why it failed.",
}
"""All headers but those of labels, and what they hold."""

_MAX_NAME_BYTES: Final = 255  # of a header: AMQP 0-9-1, a short string


def headers_of(event: AnyEvent) -> Mapping[str, str]:
    """Returns the `HEADERS` of `event`, which filters call the same, and its labels.

    What the event lacks is left out; so is a label whose name is too long for a header.
    """
    name = SHORT_TYPES[event.type]
    if not isinstance(event, ProcessedEvent | FailedEvent):
        return {"type": name}
    data = event.data
    host = data.host or host_of(data.url)
    found = {"type": name, "kind": data.kind, "language": data.language, "host": host}
    if isinstance(data, Failure):
        found["reason"] = data.reason
    else:
        found["page_kind"] = data.page_kind
    labels = {f"{LABEL}{name}": value for name, value in data.labels.items()}
    fitting = {name: value for name, value in labels.items() if len(name.encode()) <= _MAX_NAME_BYTES}
    return {name: str(value) for name, value in found.items() if value is not None} | fitting
