"""Finds the caller of a request, and refuses one that may not do what it asks for (RFC 6750)."""

from typing import Final

from aiohttp import hdrs, web

from contract.keys import Scope
from service import problems
from service.access.known_keys import ACCESS, CALLER, Caller
from service.access.stored_keys import KeysUnknown
from service.refusals import Problem, ProblemError

_REALM: Final = 'Bearer realm="copydesk"'


def caller_of(request: web.Request) -> Caller:
    """Returns the caller, by the key that the request has.

    Raises:
        ProblemError: there is no key, it is not known, or the ledger was away for too long to tell.
    """
    try:
        caller = request.app[ACCESS].caller(_bearer_token(request))
    except KeysUnknown as error:
        raise keys_unknown(error) from None
    if caller is None:
        raise ProblemError(_unauthorized(request))
    return caller


def check_scope(caller: Caller, scope: Scope) -> None:
    """Checks that the caller's key has a scope.

    Raises:
        ProblemError: it has not.
    """
    if not caller.may(scope):
        challenge: dict[str, str] = {
            hdrs.WWW_AUTHENTICATE: f'{_REALM}, error="insufficient_scope", scope="{scope}"'  # RFC 6750, section 3.1
        }
        detail = f"This needs a key with the scope {scope}."
        raise ProblemError(Problem(problems.INSUFFICIENT_SCOPE, detail, headers=challenge))


def check_still_known(request: web.Request) -> None:
    """Checks that the caller's key has not been revoked since the request came.

    Raises:
        ProblemError: it has been, or the ledger was away for too long to tell.
    """
    try:
        if not request.app[ACCESS].still_has(request[CALLER]):
            raise ProblemError(_unauthorized(request))
    except KeysUnknown as error:
        raise keys_unknown(error) from None


def _bearer_token(request: web.Request) -> str:
    scheme, _, token = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def invalid_token(detail: str) -> ProblemError:
    """Returns the error for a token that nobody may use."""
    challenge: dict[str, str] = {hdrs.WWW_AUTHENTICATE: f'{_REALM}, error="invalid_token"'}
    return ProblemError(Problem(problems.UNAUTHORIZED, detail, headers=challenge))


def _unauthorized(request: web.Request) -> Problem:
    presented = hdrs.AUTHORIZATION in request.headers
    challenge = _REALM + (', error="invalid_token"' if presented else "")
    detail = "This API key is not known." if presented else problems.UNAUTHORIZED.meaning
    return Problem(problems.UNAUTHORIZED, detail, headers={hdrs.WWW_AUTHENTICATE: challenge})


def keys_unknown(error: KeysUnknown) -> ProblemError:
    """Returns the error for a key of which the ledger cannot tell now."""
    later: dict[str, str] = {hdrs.RETRY_AFTER: str(error.retry_after_s)}
    return ProblemError(Problem(problems.KEYS_UNAVAILABLE, problems.KEYS_UNAVAILABLE.meaning, headers=later))
