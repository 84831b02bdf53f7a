"""Functions that all look-ups use: they query the ledger and format its answers."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from hashlib import blake2b
from typing import Protocol, TypeVar

from aiohttp import hdrs, web

from contract.ledger import Ledger, LedgerUnavailable, Run
from contract.timestamps import rfc3339
from service import problems
from service.access.known_keys import owner_seen
from service.api.document_answers import RunState
from service.context import LEDGER
from service.refusals import Problem, ProblemError

T = TypeVar("T")


class Owned(Protocol):
    """Something in the ledger that belongs to an owner."""

    @property
    def owner(self) -> str | None: ...


OwnedT = TypeVar("OwnedT", bound=Owned)

_TIMEOUT_S = 5.0  # for a query; chosen: the time within which the API answers every request
_ETAG_BYTES = 16  # chosen: two bodies collide with probability 2**-128


def part_of_ledger(request: web.Request, key: web.AppKey[T | None]) -> T:
    """Returns the part of this server's ledger that the application has under `key`.

    Raises:
        ProblemError: the server has no ledger.
    """
    part = request.app[key]
    if part is None:
        raise ProblemError(Problem(problems.LEDGER_NOT_CONFIGURED, problems.LEDGER_NOT_CONFIGURED.meaning))
    return part


def ledger_of(request: web.Request) -> Ledger:
    """Returns the ledger of this server.

    Raises:
        ProblemError: it has none.
    """
    return part_of_ledger(request, LEDGER)


async def owned(request: web.Request, find: Callable[[str], Awaitable[OwnedT | None]], what: str) -> OwnedT:
    """Returns what the path names by its id. A caller without `admin` sees what its own owner has alone.

    Raises:
        ProblemError: there is none that the caller sees, or the ledger is away.
    """
    found = await asked(find(request.match_info["id"].replace("\0", "")))
    if found is None or owner_seen(request) not in {None, found.owner}:
        raise missing(what)
    return found


def missing(what: str) -> ProblemError:
    """Returns the problem of something that is not there, or not for the caller to see."""
    return ProblemError(Problem(problems.NOT_FOUND, f"There is no such {what}."))


async def asked(answer: Awaitable[T]) -> T:
    """Returns the answer of the ledger.

    Raises:
        ProblemError: the ledger is away or does not answer in time.
    """
    try:
        async with asyncio.timeout(_TIMEOUT_S):
            return await answer
    except (LedgerUnavailable, TimeoutError):
        retry_after: dict[str, str] = {hdrs.RETRY_AFTER: str(LedgerUnavailable.retry_after_s)}
        problem = Problem(problems.LEDGER_UNAVAILABLE, problems.LEDGER_UNAVAILABLE.meaning, headers=retry_after)
        raise ProblemError(problem) from None


def shown(run: Run) -> RunState:
    """Returns a run as JSON shows it."""
    return RunState(
        id=run.document_id,
        run=run.run,
        state=run.state,
        lane=run.lane,
        kind=run.kind,
        url=run.url,
        host=run.host,
        labels=run.labels,
        accepted_at=rfc3339_or_none(run.accepted_at),
        decided_at=rfc3339_or_none(run.decided_at),
        attempts=run.attempts,
        reason=run.reason,
        detail=run.detail,
        next_at=rfc3339_or_none(run.next_at),
        title=run.title,
        language=run.language,
        published=run.published,
        repeats=run.repeats,
        event=f"/v1/documents/{run.document_id}?run={run.run}&format=event" if run.state.decided else None,
    )


def rfc3339_or_none(at: datetime | None) -> str | None:
    """Returns an aware time as RFC 3339 in UTC, None for None."""
    return None if at is None else rfc3339(at)


def tagged(
    request: web.Request, body: bytes, content_type: str, *, status: int = 200, headers: Mapping[str, str] | None = None
) -> web.Response:
    """Returns the answer with an `ETag` of its body, or 304 if the client has that body (RFC 9110, section 13.1.2)."""
    etag = blake2b(body + content_type.encode(), digest_size=_ETAG_BYTES).hexdigest()
    answer = web.Response(body=body, status=status, headers={hdrs.CONTENT_TYPE: content_type})
    if status == web.HTTPOk.status_code and any(known.value in {etag, "*"} for known in request.if_none_match or ()):
        answer = web.Response(status=web.HTTPNotModified.status_code)
    answer.etag = etag
    answer.headers.update({hdrs.VARY: "Accept, Authorization", hdrs.CACHE_CONTROL: "private, no-cache"})
    answer.headers.update(headers or {})
    return answer
