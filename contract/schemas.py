"""JSON Schemas (2020-12) of requests and messages, generated from the types."""

from collections.abc import Mapping
from typing import Any, Final, Literal

from contract.attempts import FailedAttempt
from contract.codec import ACCEPTANCES, adapter
from contract.events import (
    BatchCompletedEvent,
    ErasedEvent,
    FailedEvent,
    ProcessedEvent,
    WebhookDisabledEvent,
    WebhookTestEvent,
)
from contract.job import Job
from contract.requests import OwnerRequest
from contract.submission import Submission

_TYPES: Mapping[str, Any] = {
    "submission": Submission,
    "job.v1": Job,
    "document.processed.v1": ProcessedEvent,
    "document.failed.v1": FailedEvent,
    "document.erased.v1": ErasedEvent,
    "batch.completed.v1": BatchCompletedEvent,
    "webhook.disabled.v1": WebhookDisabledEvent,
    "webhook.test.v1": WebhookTestEvent,
    "accepted.v1": ACCEPTANCES,
    "attempts.v1": list[FailedAttempt],
    "requests.v1": list[OwnerRequest],
}
FILES: Final = {f"{name}.json": name for name in _TYPES}
"""The names of the schemas, by that of their file."""


def schemas() -> dict[str, dict[str, Any]]:
    """Returns each message's schema by file name, as `job.v1.json`."""
    return {file: schema(name) for file, name in FILES.items()}


def schema(name: str) -> dict[str, Any]:
    """Returns the schema with this name, as `job.v1`."""
    kind = _TYPES[name]
    mode: Literal["validation", "serialization"] = "validation" if kind is Submission else "serialization"
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": f"urn:copydesk:schema:{name}"}
    return head | adapter(kind).json_schema(mode=mode)
