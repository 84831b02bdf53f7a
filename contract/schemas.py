"""JSON Schemas (2020-12) of requests and messages, generated from the types."""

from collections.abc import Mapping
from typing import Any, Literal

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


def schemas() -> dict[str, dict[str, Any]]:
    """Returns each message's schema by file name, as `job.v1.json`."""
    return {f"{name}.json": _schema(name, kind) for name, kind in _TYPES.items()}


def _schema(name: str, kind: Any) -> dict[str, Any]:  # noqa: ANN401 - a type, or an expression of types
    mode: Literal["validation", "serialization"] = "validation" if kind is Submission else "serialization"
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": f"urn:copydesk:schema:{name}"}
    return head | adapter(kind).json_schema(mode=mode)
