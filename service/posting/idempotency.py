"""Refuses an idempotency key that comes with another body than the first time."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from aiohttp import web
from cachetools import TTLCache

from contract.idempotency import Idempotency, body_digest
from contract.job import Job
from contract.ledger import Ledger
from contract.submission import Fault, Submission
from service import problems
from service.api.posting import IDEMPOTENCY_KEY
from service.posting.brief_ledger import BriefLedger
from service.problems import Problem, ProblemError

_REMEMBER_S: Final = 120.0  # chosen: a recorder that is up is a second behind the posts, and restarts in less
_REMEMBERED: Final = 50_000  # posts; chosen: about 15 MB, and 10 s of 5,000 posts a second


@dataclass(frozen=True, slots=True)
class Compared:
    """The result of `FirstBodies.compare`.

    `others` are the documents that were posted with another body before. `checked` is False if the ledger could not be
    asked, so that there may be more.
    """

    others: frozenset[str]
    checked: bool


class FirstBodies:
    """Knows the body that came first with each key: the latest of this process itself, all others from the ledger."""

    def __init__(self, ledger: Ledger | None) -> None:
        self._ledger = BriefLedger(ledger)
        self._latest: TTLCache[str, str] = TTLCache(_REMEMBERED, _REMEMBER_S)

    async def compare(self, digests: Mapping[str, str]) -> Compared:
        """Compares the bodies of documents, as digests by id, with the first ones. Remembers those that are first.

        Of several requests that come at once, the one that calls first is first.
        """
        known = {id_: self._latest.setdefault(id_, digest) for id_, digest in digests.items()}
        recorded = await self._ledger.ask(lambda ledger: ledger.body_digests(list(digests)))
        self._latest.update(recorded or {})
        known |= recorded or {}
        others = frozenset(id_ for id_, digest in digests.items() if known[id_] != digest)
        return Compared(others, checked=recorded is not None)


FIRST_BODIES = web.AppKey("FIRST_BODIES", FirstBodies)


async def with_first_body(request: web.Request, job: Job, submission: Submission) -> Job:
    """Returns `job` with what is known of its idempotency key, or unchanged if the request has none.

    Raises:
        ProblemError: the key came with another body before.
    """
    if IDEMPOTENCY_KEY.name not in request.headers:
        return job
    digest = body_digest(submission)
    compared = await request.app[FIRST_BODIES].compare({job.id: digest})
    if compared.others:
        raise ProblemError(reused())
    return replace(job, idempotency=Idempotency(body_digest=digest, checked=compared.checked))


def reused() -> Problem:
    """Returns the problem of a key that came with another body before."""
    kind = problems.IDEMPOTENCY_KEY_REUSED
    return Problem(kind, kind.meaning, [Fault(IDEMPOTENCY_KEY.name, "other_body", "came with another body before")])
