"""What keys may post: counts each document against the limits of its key, and says in headers what is left.

The headers and the problem are those of draft-ietf-httpapi-ratelimit-headers-11. Each document counts as one request.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from time import monotonic
from typing import Final

import structlog
from aiohttp import hdrs, web

from contract.keys import Limits
from contract.ledger import LedgerUnavailable
from contract.quotas import Charge, Counter, QuotaPolicy, Remaining, Standing, Usage, settle
from service import problems
from service.access.callers import check_still_known
from service.access.known_keys import CALLER
from service.api.headers import RATE_LIMIT, RATE_LIMIT_POLICY
from service.context import CLOCK
from service.refusals import Problem, ProblemError

log = structlog.get_logger(__name__)

_TIMEOUT_S: Final = 1.0  # chosen: a database that works answers in milliseconds, and a client waits for its receipt
_ALONE_S: Final = 5.0  # chosen: for so long a database that failed is not asked again

STANDING = web.RequestKey("STANDING", Standing)
"""What is left of the limits of the caller's key, once something was charged."""


class MemoryCounter:
    """Implements `contract.quotas.Counter` for one process, from its start."""

    def __init__(self) -> None:
        self._usage: dict[str, Usage] = {}

    async def settle(self, key_id: str, limits: Limits, charge: Charge, now_s: float) -> Standing:
        """Counts the charge; see `contract.quotas.Counter`."""
        settled = settle(limits, self._usage.get(key_id, {}), charge, now_s)
        self._usage[key_id] = settled.usage
        return settled.standing


class Quotas:
    """Counts in the database that all replicas share, if there is one, and alone while that is away."""

    def __init__(self, shared: Counter | None = None, elapsed: Callable[[], float] = monotonic) -> None:
        self._shared = shared
        self._own = MemoryCounter()
        self._elapsed = elapsed
        self._alone_until = 0.0

    async def settle(self, key_id: str, limits: Limits, charge: Charge, now_s: float) -> Standing:
        """Counts the charge against all limits, or against none if it exceeds one. `now_s` is POSIX time."""
        if self._shared is not None and self._elapsed() >= self._alone_until:
            try:
                async with asyncio.timeout(_TIMEOUT_S):
                    return await self._shared.settle(key_id, limits, charge, now_s)
            except (LedgerUnavailable, TimeoutError) as error:
                log.warning("quotas_counted_alone", error=type(error).__name__, for_s=_ALONE_S)
                self._alone_until = self._elapsed() + _ALONE_S
        return await self._own.settle(key_id, limits, charge, now_s)


QUOTAS = web.AppKey("QUOTAS", Quotas)


async def admit(request: web.Request, *, documents: int = 1, size: int = 0) -> None:
    """Counts documents of `size` bytes together against the limits of the caller's key. Call it before they are stored.

    It also checks that the key is still in use: the request may have come long ago.

    Raises:
        ProblemError: a limit is exceeded, and nothing is counted; or the key was revoked meanwhile.
    """
    check_still_known(request)
    standing = await _settled(request, Charge(documents=documents, size=size))
    if standing is not None and standing.violated:
        raise _exceeded(standing.violated)


async def admit_each(request: web.Request, sizes: Sequence[int]) -> Sequence[Problem | None]:
    """Counts documents of these sizes, each for itself. Returns the problem of each refused one."""
    return await asyncio.gather(*(_refusal(request, size) for size in sizes))


async def _refusal(request: web.Request, size: int) -> Problem | None:
    try:
        await admit(request, size=size)
    except ProblemError as error:
        return error.problem
    return None


async def give_back(request: web.Request, *, documents: int = 1, size: int = 0) -> None:
    """Takes back what `admit` counted: the documents were not stored."""
    await _settled(request, Charge(documents=documents, size=size).back())


@asynccontextmanager
async def admitted(request: web.Request, *, size: int = 0) -> AsyncIterator[None]:
    """Counts one document of `size` bytes, and takes that back if it is refused in the body of the statement.

    Raises:
        ProblemError: as `admit`.
    """
    await admit(request, size=size)
    try:
        yield
    except ProblemError:
        await give_back(request, size=size)
        raise


async def tell_standing(request: web.Request, response: web.StreamResponse) -> None:
    """Says in an answer that is about to be sent what is left of the limits, if something was charged."""
    standing = request.get(STANDING)
    if standing is not None and standing.remaining:
        response.headers[RATE_LIMIT_POLICY.name] = ", ".join(_policy(it) for it in standing.remaining)
        response.headers[RATE_LIMIT.name] = ", ".join(
            f'"{it.policy}";r={it.left};t={it.ends_in_s}' for it in standing.remaining
        )


async def _settled(request: web.Request, charge: Charge) -> Standing | None:
    """Returns what is left; None for a caller without limits."""
    caller = request[CALLER]
    if caller.key_id is None or not caller.limits.any:
        return None
    now_s = request.app[CLOCK]().timestamp()
    request[STANDING] = await request.app[QUOTAS].settle(caller.key_id, caller.limits, charge, now_s)
    return request[STANDING]


def _policy(it: Remaining) -> str:
    unit = ';qu="content-bytes"' if it.policy is QuotaPolicy.DAILY_BYTES else ""
    return f'"{it.policy}";q={it.quota};w={it.policy.window_s}{unit}'


def _exceeded(violated: Sequence[Remaining]) -> ProblemError:
    later: dict[str, str] = {hdrs.RETRY_AFTER: str(max(it.ends_in_s for it in violated))}
    names = tuple(str(it.policy) for it in violated)
    detail = f"{problems.QUOTA_EXCEEDED.meaning} Exceeded: {', '.join(names)}."
    return ProblemError(Problem(problems.QUOTA_EXCEEDED, detail, headers=later, violated_policies=names))
