"""Cancels, repeats and erases documents that were accepted, on request of their owners."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Final

import orjson
import structlog
from aiohttp import hdrs, web

from contract.accepted import Input
from contract.broker import BrokerError
from contract.events import erased
from contract.job import Job, Kind, Lane
from contract.labels import DeadAction
from contract.ledger import Erased, Ledger, Run
from contract.requests import Action, OwnerRequest
from contract.timestamps import rfc3339
from service import problems
from service.access.quotas import admitted
from service.api.acts import CANCEL_DOCUMENT
from service.api.document_answers import CancelRequested, Erasing, PutRun
from service.api.operation import JSON
from service.api.posting import IDEMPOTENCY_KEY
from service.context import BROKER, CLOCK, KEEPING, METRICS
from service.dead_ids import has_id
from service.http.middlewares import OWNER
from service.http.parameters import check_parameters
from service.lookups.document_view import erased_for, may_come, may_see, wait_s, with_next
from service.lookups.ledger import asked, ledger_of, shown
from service.posting.admission import put_run
from service.posting.documents import key_faults
from service.refusals import Problem, ProblemError, broker_refusal

log = structlog.get_logger(__name__)

_SOON_S: Final = "1"  # seconds; chosen: a recorder that is up is at most that far behind
_NOT_DONE: Final = (
    "The message broker is away or did not answer in time, so what was asked may be done in part. "
    "Ask again after Retry-After seconds: that is safe."
)


async def cancel_document(request: web.Request) -> web.Response:
    """Answers 202 with the state when the request to cancel the document's latest run is durable.

    The worker that takes the document next decides it as cancelled. A worker that has it in hand may be faster.

    Raises:
        ProblemError: it is decided already, or erased, or nothing is known of it, or not yet; or broker or ledger are
            away.
    """
    asking = await _Asking.of(request)
    if not asking.runs:  # workers remember a number of requests: none of them may be about an invented id
        raise _not_recorded() if asking.may_come else _not_found()
    latest = (await with_next(request, asking.ledger, asking.runs))[-1]
    if latest.state.decided:
        raise ProblemError(Problem(problems.ALREADY_DECIDED, problems.ALREADY_DECIDED.meaning))
    await asking.put_on_record(Action.CANCEL, latest.run, rfc3339(request.app[CLOCK]()))
    answer = CancelRequested(**asdict(shown(latest)), cancel="requested")
    headers: dict[str, str] = {hdrs.RETRY_AFTER: str(wait_s(latest, request.app[CLOCK]()))}
    return _answered(answer, status=202, headers=headers)


async def erase_document(request: web.Request) -> web.Response:
    """Answers 200 if the ledger holds nothing of the document any more, else 202; in both cases with what is left.

    The steps are in an order in which each may be repeated: first the request becomes durable, from which workers and
    the recorder learn of the erasure, then subscribers are told, then dead letters are dropped.

    Raises:
        ProblemError: nothing is known of the document, or not yet; or broker or ledger are away.
    """
    asking = await _Asking.of(request, erased_is_fine=True)
    if not asking.runs and asking.erased is None:
        raise _not_recorded() if asking.may_come else _not_found()
    at = rfc3339(request.app[CLOCK]() if asking.erased is None else asking.erased.at)
    await asking.put_on_record(Action.ERASE, None, at)
    broker = request.app[BROKER]
    try:
        await broker.announce(erased(asking.document_id, at))
        letters = await broker.drop_dead(has_id(asking.document_id))
    except BrokerError as error:
        raise broker_refusal(error, _NOT_DONE) from error
    request.app[METRICS].dead_letters.labels(DeadAction.DROP).inc(letters.done)
    log.info("document_erased", by=request[OWNER], id=asking.document_id, dead_letters=letters.done)
    is_done = asking.erased is not None and letters.complete
    answer = Erasing(
        id=asking.document_id,
        state="erasing" if asking.erased is None else "erased",
        erased_at=at,
        dead_letters=letters.done,
        more_dead_letters=not letters.complete,
        log_keeps=request.app[KEEPING].log,
    )
    headers: dict[str, str] = {} if is_done else {hdrs.RETRY_AFTER: _SOON_S}
    return _answered(answer, status=200 if is_done else 202, headers=headers)


async def rerun_document(request: web.Request) -> web.Response:
    """Answers 202 with `{"id", "run", "lane"}` when the document's next run is in its queue.

    A repeated `Idempotency-Key` gives the run that it gave the first time.

    Raises:
        ProblemError: a run is under way, nothing is kept to run again, the document is erased, or nothing is known of
            it; or broker or ledger are away.
    """
    key = _key(request)
    asking = await _Asking.of(request)
    if not asking.runs:
        raise _not_recorded() if asking.may_come else _not_found()
    latest = asking.runs[-1]
    known = None if key is None else await asked(asking.ledger.claimed(asking.document_id, key))
    if known is not None and known <= latest.run:
        return _put_on_queue(asking.document_id, known, latest.lane or Lane.INTERACTIVE)
    if not latest.state.decided:
        raise _under_way()
    job = await _further_run(request, asking)
    async with admitted(request):
        await _put_once(request, asking.ledger, job, key, known)
    request.app[METRICS].accepted.labels(job.kind, job.lane).inc()
    return _put_on_queue(job.id, job.run, job.lane)


@dataclass(frozen=True, slots=True)
class _Asking:
    """An HTTP request about a document, and what the caller may know of that document."""

    request: web.Request
    ledger: Ledger
    document_id: str
    runs: Sequence[Run]
    erased: Erased | None
    may_come: bool

    @classmethod
    async def of(cls, request: web.Request, *, erased_is_fine: bool = False) -> "_Asking":
        check_parameters(request, CANCEL_DOCUMENT.parameters)  # the three of this module have none in the query
        ledger = ledger_of(request)
        document_id = request.match_info["id"].lower()
        runs = [run for run in await asked(ledger.runs(document_id)) if may_see(request, run)]
        gone = None if runs else await erased_for(request, ledger, document_id)
        if gone is not None and not erased_is_fine:
            raise ProblemError(Problem(problems.ERASED, problems.ERASED.meaning))
        until = None if runs or gone else await asked(ledger.recorded_until())
        is_new = not runs and gone is None and may_come(document_id, until, request.app[CLOCK]())
        return cls(request, ledger, document_id, runs, gone, is_new)

    async def put_on_record(self, action: Action, run: int | None, at: str) -> None:
        """Writes the request to the record of requests. It names the document's owner, so it affects no other."""
        wanted = OwnerRequest(action=action, id=self.document_id, at=at, run=run, owner=self._owner())
        try:
            await self.request.app[BROKER].request(wanted)
        except BrokerError as error:
            raise broker_refusal(error, _NOT_DONE) from error

    def _owner(self) -> str | None:
        if self.runs:
            return self.runs[-1].owner
        return None if self.erased is None else self.erased.owner


async def _further_run(request: web.Request, asking: _Asking) -> Job:
    """Returns the job of the next run, made of the URL, or of the newest content that is kept.

    Raises:
        ProblemError: neither is there.
    """
    latest = asking.runs[-1]
    kept: Input | None = None
    for run in reversed(asking.runs):
        kept = await asked(asking.ledger.input(asking.document_id, run.run))
        if kept is not None:
            break
    is_there = latest.url is not None if latest.kind is Kind.URL else kept is not None and kept.content is not None
    if latest.kind is None or not is_there:
        raise ProblemError(Problem(problems.NOTHING_KEPT, problems.NOTHING_KEPT.meaning))
    kept = kept or Input()
    return Job(
        id=asking.document_id,
        kind=latest.kind,
        lane=latest.lane or Lane.INTERACTIVE,
        accepted_at=rfc3339(request.app[CLOCK]()),
        url=latest.url,
        content=kept.content,
        charset=kept.charset,
        charset_source=kept.charset_source,
        metadata=kept.metadata,
        labels=latest.labels,
        options=kept.options,
        run=latest.run + 1,
        owner=latest.owner or request[OWNER],
        keep_input=request.app[KEEPING].input,
        callback_url=latest.callback_url,
    )


async def _put_once(request: web.Request, ledger: Ledger, job: Job, key: str | None, known: int | None) -> None:
    """Puts `job` if nobody else does. `known` is the run of this key: its job may never have been stored."""
    if known != job.run and not await asked(ledger.claim(job.id, job.run, key, request.app[CLOCK]())):
        raise _under_way()
    try:
        await put_run(request.app, job)
    except ProblemError:
        await asked(ledger.release(job.id, job.run))
        raise


def _key(request: web.Request) -> str | None:
    faults = list(key_faults(request))
    if faults:
        detail = f"{faults[0].field} {faults[0].message}."
        raise ProblemError(Problem(problems.INVALID_PARAMETER, detail, faults))
    return request.headers.get(IDEMPOTENCY_KEY.name)


def _put_on_queue(document_id: str, run: int, lane: Lane) -> web.Response:
    location: dict[str, str] = {hdrs.LOCATION: f"/v1/documents/{document_id}"}
    return _answered(PutRun(id=document_id, run=run, lane=lane), status=202, headers=location)


def _answered(answer: object, *, status: int, headers: Mapping[str, str]) -> web.Response:
    return web.Response(body=orjson.dumps(answer), content_type=JSON, status=status, headers=headers)


def _under_way() -> ProblemError:
    later: dict[str, str] = {hdrs.RETRY_AFTER: _SOON_S}
    return ProblemError(Problem(problems.RUN_UNDER_WAY, problems.RUN_UNDER_WAY.meaning, headers=later))


def _not_recorded() -> ProblemError:
    later: dict[str, str] = {hdrs.RETRY_AFTER: _SOON_S}
    return ProblemError(Problem(problems.NOT_RECORDED, problems.NOT_RECORDED.meaning, headers=later))


def _not_found() -> ProblemError:
    detail = "No document with this id was accepted, or it is kept no more."
    return ProblemError(Problem(problems.NOT_FOUND, detail))
