"""The request of a delivery: Standard Webhooks 1.0, over the bytes of the event."""

import hmac
from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

import orjson

from contract.events import MEDIA_TYPE
from contract.webhooks import SECRET_PREFIX, Payload, Webhook

_IDENTIFIES: Final = ("id", "kind", "labels", "url", "reason", "cause")
"""The fields of an event's data that a thin delivery has: they name the document, and say why it failed."""


def body_of(event: bytes, payload: Payload) -> bytes:
    """Returns the body of a delivery: the event as it is, or its envelope with what names the document."""
    return event if payload is Payload.FULL else thin(orjson.loads(event))


def thin(event: Mapping[str, Any]) -> bytes:
    """Returns the body of a thin delivery of an event."""
    data = event.get("data") or {}
    return orjson.dumps({**event, "data": {name: data[name] for name in _IDENTIFIES if name in data}})


def key_of(secret: str) -> bytes:
    """Returns the key in a secret of the form `whsec_` and base64."""
    return b64decode(secret.removeprefix(SECRET_PREFIX))


class Signers:
    """Signs the deliveries of a webhook with its secrets."""

    def __init__(self, webhook: Webhook) -> None:
        self._webhook = webhook
        self._keys = {secret: key_of(secret) for secret in (webhook.secret, webhook.former) if secret is not None}

    def headers(self, event_id: str, body: bytes, at: datetime) -> dict[str, str]:
        """Returns the headers of an attempt at the aware time `at`, with a signature for each secret."""
        return signed_headers([self._keys[it] for it in self._webhook.secrets_at(at)], event_id, body, at)


def signed_headers(keys: Iterable[bytes], event_id: str, body: bytes, at: datetime) -> dict[str, str]:
    """Returns the headers of an attempt at the aware time `at`, with a signature by each key.

    The signature is computed here, from the bytes: the package `standardwebhooks` takes a text, which it encodes again.
    """
    seconds = str(int(at.timestamp()))
    signed = b"%b.%b.%b" % (event_id.encode(), seconds.encode(), body)
    return {
        "Content-Type": MEDIA_TYPE,
        "webhook-id": event_id,
        "webhook-timestamp": seconds,
        "webhook-signature": " ".join(f"v1,{b64encode(hmac.digest(it, signed, 'sha256')).decode()}" for it in keys),
    }
