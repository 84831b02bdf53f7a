"""Who calls, and what the caller may do: the API keys of the settings and those of the ledger together."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from aiohttp import web

from contract.keys import ANONYMOUS, UNLIMITED, Key, Limits, Scope
from service.access.keys import ApiKeys
from service.access.stored_keys import StoredKeys

_ALL: Final = frozenset(Scope)
_OF_SETTINGS: Final = frozenset({Scope.SUBMIT, Scope.READ})


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who sent a request.

    Attributes:
        owner: whose documents it posts and reaches.
        key_id, digest: of a key in the ledger and of the token that was sent, None for others.
    """

    owner: str
    scopes: frozenset[Scope]
    limits: Limits = UNLIMITED
    key_id: str | None = None
    digest: bytes | None = field(default=None, repr=False)

    def may(self, scope: Scope) -> bool:
        """Returns True if the caller has this scope."""
        return scope in self.scopes or Scope.ADMIN in self.scopes


NOBODY: Final = Caller(owner=ANONYMOUS, scopes=_ALL)
"""The caller of a server without API keys."""


@dataclass(frozen=True, slots=True)
class Access:
    """Finds the caller of a token.

    Attributes:
        keys: those of the settings. They may submit and read; `operators` are the names that have `admin`, too. A name
            that is alone has it: there are no documents of others.
        stored: those of the ledger, None if they are not used.
    """

    keys: ApiKeys
    operators: frozenset[str] = frozenset()
    stored: StoredKeys | None = None

    @property
    def required(self) -> bool:
        """True if callers need a key. With keys of the ledger that is so before the first is made, too."""
        return self.keys.required or self.stored is not None

    def caller(self, token: str) -> Caller | None:
        """Returns who has this token, None if nobody has.

        Raises:
            KeysUnknown: the ledger has been away for too long to tell.
        """
        owner = self.keys.owner(token)
        if owner is not None:
            return self._of_settings(owner)
        key = None if self.stored is None else self.stored.find(token)
        if key is None or self.stored is None:
            return None
        return _stored(key, self.stored.digest(token))

    def caller_of(self, owner: str, key_id: str | None) -> Caller | None:
        """Returns the caller that an event token stands for, with what its key may do now; None if it has no key now.

        Raises:
            KeysUnknown: the ledger has been away for too long to tell.
        """
        if not self.required:
            return NOBODY
        if key_id is None:
            return self._of_settings(owner) if owner in self.keys.owners else None
        key = None if self.stored is None else self.stored.current(key_id)
        return None if key is None else _stored(key, key.digest)

    def still_has(self, caller: Caller) -> bool:
        """Returns False if the caller's key was revoked, or its token replaced, since the request came.

        Raises:
            KeysUnknown: the ledger has been away for too long to tell.
        """
        if self.stored is None or caller.key_id is None or caller.digest is None:
            return True
        return self.stored.opened(caller.key_id, caller.digest) is not None

    def _of_settings(self, owner: str) -> Caller:
        is_operator = owner in self.operators or self._is_alone
        return Caller(owner=owner, scopes=_ALL if is_operator else _OF_SETTINGS)

    @property
    def _is_alone(self) -> bool:
        return self.stored is None and len(self.keys.owners) == 1


def _stored(key: Key, digest: bytes) -> Caller:
    return Caller(owner=key.owner, scopes=key.scopes, limits=key.limits, key_id=key.id, digest=digest)


ACCESS = web.AppKey("ACCESS", Access)
SCOPES: web.AppKey[Mapping[tuple[str, str], Scope]] = web.AppKey("SCOPES")
"""The scope of each operation, by method and path."""

CALLER = web.RequestKey("CALLER", Caller)


def owner_seen(request: web.Request) -> str | None:
    """Returns the owner whose documents the caller sees, None if it sees those of all."""
    caller = request[CALLER]
    return None if caller.may(Scope.ADMIN) else caller.owner
