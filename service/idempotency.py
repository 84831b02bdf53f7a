"""Refuses an idempotency key that comes with another body than the first time."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from aiohttp import web
from cachetools import TTLCache

from contract.idempotency import Idempotency, body_digest
from contract.job import Job
from contract.ledger import Ledger, LedgerUnavailable
from contract.submission import Fault, Submission
from service import problems
from service.api.posting import IDEMPOTENCY_KEY
from service.problems import Problem, ProblemError

_LEDGER_TIMEOUT_S: Final = 1.0  # chosen: a look-up takes milliseconds, and who posts waits no longer than this
_PAUSE_S: Final = 5.0  # chosen: a ledger that did not answer is asked again after this time, so few posts wait for it
_REMEMBER_S: Final = 120.0  # chosen: a recorder that is up is a second behind the posts, and restarts in less
_REMEMBERED: Final = 50_000  # posts; chosen: about 15 MB, and 10 s of 5,000 posts a second


class FirstBodies:
    """Knows the body that came first with each key: the latest of this process itself, all others from the ledger."""

    def __init__(self, ledger: Ledger | None) -> None:
        self._ledger = ledger
        self._latest: TTLCache[str, str] = TTLCache(_REMEMBERED, _REMEMBER_S)
        self._ask_after = 0.0

    async def check(self, jobs: Sequence[Job]) -> Sequence[Job | Problem]:
        """Returns each of `jobs` with what was checked, or the problem that its key came with another body before.

        Jobs without a key stay as they are. Of several that come at once, the one that is given here first is first.
        """
        digests = [(job.id, job.idempotency.body_digest) for job in jobs if job.idempotency is not None]
        known = {id_: self._latest.setdefault(id_, digest) for id_, digest in digests}
        recorded = await self._recorded(list(known)) if known else {}
        self._latest.update(recorded or {})
        known |= recorded or {}
        return [_checked(job, known, checked=recorded is not None) for job in jobs]

    async def _recorded(self, ids: list[str]) -> Mapping[str, str] | None:
        """Returns what the ledger knows, None if it cannot be asked."""
        if self._ledger is None or time.monotonic() < self._ask_after:
            return None
        try:
            async with asyncio.timeout(_LEDGER_TIMEOUT_S):
                return await self._ledger.body_digests(ids)
        except (LedgerUnavailable, TimeoutError):
            self._ask_after = time.monotonic() + _PAUSE_S
            return None


FIRST_BODIES = web.AppKey("FIRST_BODIES", FirstBodies)


def keyed(job: Job, submission: Submission) -> Job:
    """Returns the job of a submission that came with an idempotency key, with the digest of that body."""
    return replace(job, idempotency=Idempotency(body_digest=body_digest(submission), checked=False))


async def with_first_body(request: web.Request, job: Job, submission: Submission) -> Job:
    """Returns `job` with what is known of its idempotency key, or unchanged if the request has none.

    Raises:
        ProblemError: the key came with another body before.
    """
    if IDEMPOTENCY_KEY.name not in request.headers:
        return job
    (outcome,) = await request.app[FIRST_BODIES].check([keyed(job, submission)])
    if isinstance(outcome, Problem):
        raise ProblemError(outcome)
    return outcome


def _checked(job: Job, known: Mapping[str, str], *, checked: bool) -> Job | Problem:
    its = job.idempotency
    if its is None:
        return job
    if known[job.id] == its.body_digest:
        return replace(job, idempotency=replace(its, checked=checked))
    kind = problems.IDEMPOTENCY_KEY_REUSED
    return Problem(kind, kind.meaning, [Fault(IDEMPOTENCY_KEY.name, "other_body", "came with another body before")])
