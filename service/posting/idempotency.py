"""Refuses an idempotency key that comes with another body than the first time."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Final

from aiohttp import web
from cachetools import TTLCache

from contract.faults import Fault
from contract.idempotency import Idempotency, body_digest
from contract.job import Job
from contract.ledger import Ledger
from contract.submission import Submission
from service import problems
from service.api.posting import IDEMPOTENCY_KEY
from service.posting.brief_ledger import BriefLedger
from service.refusals import Problem, ProblemError

_REMEMBER_S: Final = 120.0  # chosen: a recorder that is up is a second behind the posts, and restarts in less
_REMEMBERED: Final = 50_000  # posts; chosen: about 15 MB, and 10 s of 5,000 posts a second


@dataclass(frozen=True, slots=True)
class Compared:
    """The result of `FirstBodies.compare`.

    `first` are the digests of the bodies that came first, by id. `checked` is False if the ledger could not be asked,
    so that others may have come before. Whoever compares adds to `refused` which documents are not stored.
    """

    first: Mapping[str, str]
    checked: bool
    refused: set[str] = field(default_factory=set)


@dataclass(slots=True)
class _UnderWay:
    """The body of a document that is being stored, and how many posts try to."""

    digest: str
    posts: int = 0


class FirstBodies:
    """Knows the body that came first with each key: the latest of this process itself, all others from the ledger."""

    def __init__(self, ledger: Ledger | None) -> None:
        self._ledger = BriefLedger(ledger)
        self._latest: TTLCache[str, str] = TTLCache(_REMEMBERED, _REMEMBER_S)
        self._under_way: dict[str, _UnderWay] = {}

    @asynccontextmanager
    async def compare(self, digests: Mapping[str, str]) -> AsyncIterator[Compared]:
        """Compares the bodies of documents, as digests by id, with the first ones, while they are stored.

        Of several requests that come at once, the one that calls first is first. A body is remembered when the context
        ends, unless it is in `Compared.refused`: what was not stored does not bind its key.
        """
        for id_, digest in digests.items():
            self._under_way.setdefault(id_, _UnderWay(self._latest.get(id_, digest))).posts += 1
        compared = None
        try:
            compared = await self._compared(digests)
            yield compared
        finally:
            for id_, digest in digests.items():
                self._end(id_, digest, compared)

    async def _compared(self, digests: Mapping[str, str]) -> Compared:
        known = {id_: self._under_way[id_].digest for id_ in digests}
        recorded = await self._ledger.ask(lambda ledger: ledger.body_digests(list(digests))) if digests else {}
        self._latest.update(recorded or {})
        return Compared({**known, **(recorded or {})}, checked=recorded is not None)

    def _end(self, id_: str, digest: str, compared: Compared | None) -> None:
        post = self._under_way[id_]
        post.posts -= 1
        if not post.posts:
            del self._under_way[id_]
        if compared is not None and compared.first[id_] == digest and id_ not in compared.refused:
            self._latest.setdefault(id_, digest)


FIRST_BODIES = web.AppKey("FIRST_BODIES", FirstBodies)


@asynccontextmanager
async def with_first_body(request: web.Request, job: Job, submission: Submission) -> AsyncIterator[Job]:
    """The context's value is `job` with what is known of its idempotency key, or unchanged if the request has none.

    The job is stored in the context.

    Raises:
        ProblemError: the key came with another body before.
    """
    if IDEMPOTENCY_KEY.name not in request.headers:
        yield job
        return
    digest = body_digest(submission)
    async with request.app[FIRST_BODIES].compare({job.id: digest}) as compared:
        if compared.first[job.id] != digest:
            raise ProblemError(reused())
        try:
            yield replace(job, idempotency=Idempotency(body_digest=digest, checked=compared.checked))
        except ProblemError as error:
            if is_refused(error.problem):
                compared.refused.add(job.id)
            raise


def is_refused(problem: Problem) -> bool:
    """Tells whether a document with this problem is certainly not stored. A broker that is lost may have stored it."""
    return problem.type is not problems.BROKER_UNAVAILABLE


def reused() -> Problem:
    """Returns the problem of a key that came with another body before."""
    kind = problems.IDEMPOTENCY_KEY_REUSED
    return Problem(kind, kind.meaning, [Fault(IDEMPOTENCY_KEY.name, "other_body", "came with another body before")])
