"""API keys: bearer tokens (RFC 6750), stored only as hashes."""

import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import sha256
from ipaddress import ip_address

from contract.keys import NAME

_SECRET = re.compile(r"[A-Za-z0-9._~+/-]+=*")  # RFC 6750, section 2.1: the characters of a bearer token


class InvalidApiKeyError(ValueError):
    """A configured API key is not `secret` or `name:secret`, or occurs twice. The message contains no secret."""


class OpenListenerError(ValueError):
    """Listening beyond loopback needs API keys."""


@dataclass(frozen=True, slots=True)
class _ApiKey:
    owner: str
    digest: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class ApiKeys:
    """The known API keys. Without any, every caller is allowed."""

    _keys: tuple[_ApiKey, ...] = ()

    @classmethod
    def from_plain(cls, keys: Iterable[str]) -> "ApiKeys":
        """Returns the keys given as `secret` or `name:secret`. Two keys may share a name, so that keys can be rotated.

        Raises:
            InvalidApiKeyError: no caller could send such a key, or a secret occurs twice.
        """
        parsed = tuple(_parsed(place, key) for place, key in enumerate(keys, start=1))
        if len({key.digest for key in parsed}) != len(parsed):
            raise InvalidApiKeyError("one API key is configured twice")
        return cls(parsed)

    @property
    def required(self) -> bool:
        """True if callers need a key."""
        return bool(self._keys)

    @property
    def owners(self) -> frozenset[str]:
        """The names of all keys."""
        return frozenset(key.owner for key in self._keys)

    def owner(self, token: str) -> str | None:
        """Returns the name of the key `token`, None if it is unknown. It takes the same time for every token."""
        digest = _digest(token)
        found = None
        for key in self._keys:
            if hmac.compare_digest(key.digest, digest):
                found = key.owner
        return found


def refuse_open_listener(host: str, *, required: bool) -> None:
    """Checks that a listener requires keys or can be reached only from this machine.

    Raises:
        OpenListenerError: `host` is not loopback (127.0.0.0/8, ::1, localhost) and no key is required.
    """
    if not required and not is_loopback(host):
        raise OpenListenerError(
            f"refusing to listen on {host or 'all addresses'} without API keys: "
            "set COPYDESK_KEYS_SECRET or COPYDESK_API_KEYS, or listen on 127.0.0.1"
        )


def is_loopback(host: str) -> bool:
    """Returns True if `host`, a name or an address, is only this machine."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _parsed(place: int, key: str) -> _ApiKey:
    name, named, secret = key.strip().rpartition(":")
    if not _SECRET.fullmatch(secret) or (named and not NAME.fullmatch(name)):
        raise InvalidApiKeyError(
            f"API key {place} is neither SECRET nor NAME:SECRET: a name has 1 to 64 of A-Z a-z 0-9 . _ -, "
            "a secret is made of A-Z a-z 0-9 - . _ ~ + /"
        )
    digest = _digest(secret)
    return _ApiKey(name or f"key-{digest.hex()[:8]}", digest)


def _digest(token: str) -> bytes:
    return sha256(token.encode(errors="surrogateescape")).digest()
