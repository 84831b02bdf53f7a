"""Tokens for `GET /v1/events` in the query: an EventSource of a browser can send no header. They live for minutes.

A token looks like `cdt_<payload>.<signature>`: a mark that scanners for leaked secrets can look for, whom it stands for
and until when (JSON in base64url), and an HMAC-SHA-256 of that (RFC 2104). Nothing is stored.
"""

import hmac
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Final

import orjson

MAX_TOKEN_CHARS: Final = 512  # chosen: twice the longest one, with a name of 64 characters
_MARK: Final = "cdt_"
_PURPOSE: Final = b"copydesk event token, version 1"
_FORM = re.compile(rf"{_MARK}([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]{{43}})")


@dataclass(frozen=True, slots=True)
class EventToken:
    """Whom a token stands for: the owner of an API key. `key_id` is that of a key in the ledger, None for others."""

    owner: str
    key_id: str | None
    expires_s: int  # POSIX time

    def is_valid_at(self, at: datetime) -> bool:
        """Returns True if it has not expired at the aware time `at`."""
        return at.timestamp() < self.expires_s


def signing_key(secret: str) -> bytes:
    """Returns the key that tokens are signed with, which is of no use for anything else that `secret` is used for."""
    return hmac.digest(secret.encode(), _PURPOSE, sha256)


def sealed(token: EventToken, key: bytes) -> str:
    """Returns a token as text, signed with `key`."""
    payload = _text(orjson.dumps([token.owner, token.key_id, token.expires_s]))
    return f"{_MARK}{payload}.{_signature(payload, key)}"


def opened(text: str, key: bytes) -> EventToken | None:
    """Returns the token in `text`, None if it was not signed with `key`. It may have expired."""
    found = _FORM.fullmatch(text) if len(text) <= MAX_TOKEN_CHARS else None
    if found is None or not hmac.compare_digest(found[2], _signature(found[1], key)):
        return None
    try:
        owner, key_id, expires_s = orjson.loads(urlsafe_b64decode(found[1] + "=" * (-len(found[1]) % 4)))
    except (NotBase64, ValueError, TypeError):  # signed by another version
        return None
    return EventToken(owner, key_id, expires_s)


def _signature(payload: str, key: bytes) -> str:
    return _text(hmac.digest(key, payload.encode(), sha256))


def _text(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()
