"""Event tokens: made for a caller, and accepted in place of its API key where an operation takes them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from aiohttp import hdrs, web

from contract.event_tokens import EventToken, opened, sealed
from service.access.callers import invalid_token, keys_unknown
from service.access.known_keys import ACCESS, Caller
from service.access.stored_keys import KeysUnknown
from service.refusals import invalid_parameter

TOKEN: Final = "token"  # noqa: S105 - the name of the query parameter


@dataclass(frozen=True, slots=True)
class EventTokens:
    """Makes and checks tokens. Servers that share `key` take each other's. `clock` returns the current time, aware."""

    key: bytes = field(repr=False)
    clock: Callable[[], datetime]

    def make(self, caller: Caller, seconds: int) -> tuple[str, datetime]:
        """Returns a token for the caller, and when it expires."""
        expires_at = (self.clock() + timedelta(seconds=seconds)).replace(microsecond=0)
        return sealed(EventToken(caller.owner, caller.key_id, int(expires_at.timestamp())), self.key), expires_at

    def valid(self, text: str) -> EventToken | None:
        """Returns the token in `text`, None if it is none, not from here, or has expired."""
        token = opened(text, self.key)
        return token if token is not None and token.is_valid_at(self.clock()) else None


EVENT_TOKENS: web.AppKey[EventTokens | None] = web.AppKey("EVENT_TOKENS")
TAKE_TOKENS: web.AppKey[frozenset[tuple[str, str]]] = web.AppKey("TAKE_TOKENS")
"""Method and path of the operations that take a token."""


def caller_by_token(request: web.Request) -> Caller:
    """Returns the caller whom the token in the query stands for, with what its API key may do now.

    Raises:
        ProblemError: the token is not valid, its key is not in use any more, or there is an API key as well.
    """
    if hdrs.AUTHORIZATION in request.headers:
        raise invalid_parameter(TOKEN, "exclusive", "does not go with an API key")
    tokens = request.app[EVENT_TOKENS]
    token = None if tokens is None else tokens.valid(request.query[TOKEN])
    try:
        caller = None if token is None else request.app[ACCESS].caller_of(token.owner, token.key_id)
    except KeysUnknown as error:
        raise keys_unknown(error) from None
    if caller is None:
        raise invalid_token("This event token is not valid, or not any more.")
    return caller
