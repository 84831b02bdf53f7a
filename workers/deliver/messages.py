"""The request of a delivery: Standard Webhooks 1.0, over the bytes of the event."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

import orjson
from standardwebhooks import Webhook as Signer

from contract.events import MEDIA_TYPE
from contract.webhooks import Payload, Webhook

_IDENTIFIES: Final = ("id", "kind", "labels", "url", "reason", "cause")
"""The fields of an event's data that a thin delivery has: they name the document, and say why it failed."""


def body_of(event: bytes, payload: Payload) -> bytes:
    """Returns the body of a delivery: the event as it is, or its envelope with what names the document."""
    if payload is Payload.FULL:
        return event
    fields: dict[str, Any] = orjson.loads(event)
    data = fields.get("data") or {}
    return orjson.dumps({**fields, "data": {name: data[name] for name in _IDENTIFIES if name in data}})


class Signers:
    """Signs the deliveries of a webhook with its secrets."""

    def __init__(self, webhook: Webhook) -> None:
        self._webhook = webhook
        self._signers = {secret: Signer(secret) for secret in (webhook.secret, webhook.former) if secret is not None}

    def headers(self, event_id: str, body: bytes, at: datetime) -> Mapping[str, str]:
        """Returns the headers of an attempt at the aware time `at`, with a signature for each secret."""
        return signed_headers([self._signers[it] for it in self._webhook.secrets_at(at)], event_id, body, at)


def signed_headers(signers: Iterable[Signer], event_id: str, body: bytes, at: datetime) -> Mapping[str, str]:
    """Returns the headers of an attempt at the aware time `at`, with a signature of each signer."""
    text = body.decode()
    return {
        "Content-Type": MEDIA_TYPE,
        "webhook-id": event_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(it.sign(event_id, at, text) for it in signers),
    }
