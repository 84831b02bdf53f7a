"""API keys that the ledger keeps: their form, what they allow, and what remembers them.

A key looks like `cdk_1f8a3c5e7b9d2046_<43 characters>`: a mark that scanners for leaked secrets can look for, the key's
public id, and the secret, 256 random bits in base64url. The ledger has an HMAC of all that (RFC 2104). The HMAC's own
key is a setting, so that who can only write into the database cannot make an API key.
"""

import hmac
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import Final, Protocol

NAME: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
"""The name of an owner."""

ANONYMOUS: Final = "anonymous"
"""The owner of documents that are posted without a key, where the server has none."""

MIN_SECRET_CHARS: Final = 32  # of the setting; 256 bits in base64url are 43, in hexadecimal 64; chosen: no pass phrase
_SECRET_BYTES: Final = 32  # 256 bits: it cannot be guessed, so that a fast hash is enough
_ID_BYTES: Final = 8  # chosen: two of a million keys have the same id with a probability of 3 in 10**8
_TOKEN = re.compile(r"cdk_([0-9a-f]{16})_([A-Za-z0-9_-]{43})")
_ID = re.compile(r"[0-9a-f]{16}")


class Scope(StrEnum):
    """What a caller may do. `admin` allows all, on the documents of every owner."""

    SUBMIT = "submit"
    READ = "read"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much a key may post; None: as much as there is room for.

    Attributes:
        per_minute: documents in a minute of the clock.
        documents_a_day, bytes_a_day: in a day in UTC. Bytes are those of the documents as they were posted, unpacked.
    """

    per_minute: int | None = None
    documents_a_day: int | None = None
    bytes_a_day: int | None = None

    @property
    def any(self) -> bool:
        """True if there is a limit."""
        return self != UNLIMITED


UNLIMITED: Final = Limits()


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A key as the ledger has it. Times are aware.

    Attributes:
        id: public; the secret is not here.
        owner: whose documents it reaches. Several keys may have the same owner.
        digest: of the token; `former` that of the token before the last rotation, which is taken until `former_until`.
        revoked_at: since when nobody may use it; None while it is in use.
    """

    id: str
    owner: str
    digest: bytes = field(repr=False)
    scopes: frozenset[Scope]
    limits: Limits = UNLIMITED
    created_at: datetime
    former: bytes | None = field(default=None, repr=False)
    former_until: datetime | None = None
    revoked_at: datetime | None = None

    def is_opened_by(self, digest: bytes, at: datetime) -> bool:
        """Returns True if the token with this digest may be used at the aware time `at`.

        The time that it takes says nothing of the digests.
        """
        is_current = hmac.compare_digest(self.digest, digest)
        is_former = hmac.compare_digest(self.former or bytes(len(digest)), digest)
        in_time = self.former is not None and self.former_until is not None and at < self.former_until
        return self.revoked_at is None and (is_current or (is_former and in_time))


class KeyBook(Protocol):
    """Where the keys are kept. Every call may raise `contract.ledger.LedgerUnavailable`."""

    async def usable_keys(self) -> Sequence[Key]:
        """Returns all keys that are not revoked."""


def new_id() -> str:
    """Returns the id of a new key."""
    return secrets.token_hex(_ID_BYTES)


def is_id(text: str) -> bool:
    """Returns True if a key may have this id."""
    return _ID.fullmatch(text) is not None


def new_token(key_id: str) -> str:
    """Returns a token for the key: its id and 256 random bits. Nothing else knows it."""
    return f"cdk_{key_id}_{secrets.token_urlsafe(_SECRET_BYTES)}"


def id_of(token: str) -> str | None:
    """Returns the id in a token, None for what is no token of the ledger's."""
    found = _TOKEN.fullmatch(token)
    return None if found is None else found[1]


def digest_of(token: str, secret: str) -> bytes:
    """Returns the HMAC-SHA-256 of a token, with the setting `secret` as its key."""
    return hmac.digest(secret.encode(), token.encode(), sha256)
