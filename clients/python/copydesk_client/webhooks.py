"""Webhooks: whether a request is from Copydesk (Standard Webhooks 1.0), and its event."""

import base64
import binascii
import hashlib
import hmac
import json
import time
from collections.abc import Iterable, Mapping
from typing import Any

from copydesk_client.events import Event
from copydesk_client.problems import CopydeskError

TOLERANCE_S = 300.0  # Standard Webhooks: how old a request may be, so that nobody can send it again later
_PREFIX = "whsec_"


class BadSignature(CopydeskError):
    """The request is not genuine, too old, or incomplete. Answer it with 401."""


def verified(
    secret: str | Iterable[str], headers: Mapping[str, str], body: bytes, *, tolerance_s: float = TOLERANCE_S
) -> Event:
    """Returns the event of a webhook.

    Args:
        secret: `whsec_…`, or several, one of which must have signed.
        headers: of the request; the case of their names does not matter.
        body: of the request, as it came.
        tolerance_s: how far its time may be from now.

    Raises:
        BadSignature: do not trust it.
    """
    found = {name.lower(): value for name, value in headers.items()}
    try:
        id_, timestamp, signatures = (found[f"webhook-{name}"] for name in ("id", "timestamp", "signature"))
        age_s = abs(time.time() - int(timestamp))
    except (KeyError, ValueError):
        raise BadSignature("the headers of a webhook are missing, or no such headers") from None
    if age_s > tolerance_s:
        raise BadSignature(f"it was sent {age_s:.0f} s before or after now")
    secrets = [secret] if isinstance(secret, str) else list(secret)
    signed = f"{id_}.{timestamp}.".encode() + body
    expected = [_signature(one, signed) for one in secrets]
    given = [one.encode() for one in signatures.split(" ")]
    if not any(hmac.compare_digest(one, other) for one in expected for other in given):
        raise BadSignature("none of the signatures is that of the secret")
    event: Any = json.loads(body)
    return event  # type: ignore[no-any-return] # it is genuine


def _signature(secret: str, signed: bytes) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except binascii.Error:
        raise ValueError("a webhook's secret is whsec_ and bytes in base64") from None
    return b"v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256))
