"""Batches: how far they are, and their end on request of their owners."""

import asyncio
from contextlib import suppress
from typing import Final
from uuid import UUID

import orjson
from aiohttp import hdrs, web

from contract.batches import Batch, BatchClosed, BatchPlace
from contract.broker import BrokerError
from contract.ledger import LedgerUnavailable
from contract.timestamps import rfc3339
from service import problems
from service.access.known_keys import owner_seen
from service.api.answers import known
from service.api.batches import CLOSE_BATCH, LIST_BATCHES, SHOW_BATCH
from service.api.document_answers import BatchBrief, BatchClosing, BatchDocuments, BatchList, BatchProgress, BatchState
from service.api.operation import JSON
from service.context import BROKER, CLOCK, LEDGER
from service.http.parameters import check_parameters
from service.lookups.ledger import asked, ledger_of, rfc3339_or_none, tagged
from service.lookups.pages import cursor_to, limit_of, place_of
from service.posting.batches import CLOSED_BATCHES, check_name
from service.refusals import Problem, ProblemError, broker_refusal

_SOON_S: Final = "1"  # seconds; chosen: a recorder that is up is at most that far behind
_LEDGER_TIMEOUT_S: Final = 1.0  # chosen: without the ledger, an end is put on record all the same
_NAMED: Final = 5  # UUIDs made of names: RFC 9562, section 5.5
_FIRST: Final = 0  # the number in cursors of lists that are sorted by id alone


async def list_batches(request: web.Request) -> web.Response:
    """Answers 200 with `{"batches": [..], "next"}`; `next` is the `cursor` of the next page, null on the last.

    Raises:
        ProblemError: the query breaks a rule, or the ledger is away.
    """
    given = check_parameters(request, LIST_BATCHES.parameters)
    if "name" in given:
        check_name("name", given["name"])
    place = place_of(given)
    after = None if place is None else BatchPlace(*place)
    found = ledger_of(request).batches(
        owner=owner_seen(request), name=given.get("name"), limit=limit_of(given), after=after
    )
    page = await asked(found)
    following = None if page.next is None else cursor_to(page.next.at_ms, page.next.batch_id)
    answer = BatchList(batches=[_brief(batch) for batch in page.batches], next=following)
    return tagged(request, orjson.dumps(answer), JSON)


async def show_batch(request: web.Request) -> web.Response:
    """Answers 200 with the state of a batch and a page of its documents that failed.

    Raises:
        ProblemError: the query breaks a rule, nothing is recorded of the batch, or the ledger is away.
    """
    given = check_parameters(request, SHOW_BATCH.parameters)
    limit, place = limit_of(given), place_of(given)
    ledger, batch_id = ledger_of(request), request.match_info["id"].lower()
    batch = await asked(ledger.batch(batch_id))
    if batch is None or not _may_see(request, batch):
        raise _not_found()
    page = await asked(ledger.batch_failures(batch_id, limit=limit, after=None if place is None else place[1]))
    following = None if page.next is None else cursor_to(_FIRST, page.next)
    answer = BatchState(**known(_brief(batch)), failures=page.failures, next=following)
    return tagged(request, orjson.dumps(answer), JSON)


async def close_batch(request: web.Request) -> web.Response:
    """Answers 202 when the end of a batch is durable. The ledger need not know the batch yet.

    Raises:
        ProblemError: it is no batch, or that of another owner, or the broker is away.
    """
    check_parameters(request, CLOSE_BATCH.parameters)
    batch_id = request.match_info["id"].lower()
    if not _is_batch_id(batch_id) or await _is_foreign(request, batch_id):
        raise _not_found()
    closed = BatchClosed(closed_batch=batch_id, at=rfc3339(request.app[CLOCK]()), owner=owner_seen(request))
    try:
        await request.app[BROKER].close_batch(closed)
    except BrokerError as error:
        raise broker_refusal(error) from error
    request.app[CLOSED_BATCHES].forget(batch_id)
    answer = BatchClosing(id=batch_id, close="requested")
    headers: dict[str, str] = {hdrs.RETRY_AFTER: _SOON_S}
    return web.Response(body=orjson.dumps(answer), content_type=JSON, status=202, headers=headers)


def _is_batch_id(batch_id: str) -> bool:
    try:
        return UUID(batch_id).version == _NAMED
    except ValueError:
        return False


async def _is_foreign(request: web.Request, batch_id: str) -> bool:
    """Returns True if the ledger knows the batch as one of another owner. Its recorder checks that, too."""
    ledger = request.app[LEDGER]
    if ledger is None:
        return False
    with suppress(LedgerUnavailable, TimeoutError):
        async with asyncio.timeout(_LEDGER_TIMEOUT_S):
            batch = await ledger.batch(batch_id)
            return batch is not None and not _may_see(request, batch)
    return False


def _may_see(request: web.Request, batch: Batch) -> bool:
    return owner_seen(request) in {None, batch.owner}


def _brief(batch: Batch) -> BatchBrief:
    counts = batch.counts
    return BatchBrief(
        id=batch.id,
        name=batch.name,
        state=_state(batch),
        documents=BatchDocuments(
            accepted=counts.accepted,
            waiting=counts.waiting,
            processed=counts.processed,
            failed=counts.failed,
            erased=counts.erased,
        ),
        late=batch.late,
        begun_at=rfc3339(batch.begun_at),
        closed_at=rfc3339_or_none(batch.closed_at),
        completed_at=rfc3339_or_none(batch.completed_at),
    )


def _state(batch: Batch) -> BatchProgress:
    if batch.completed_at is not None:
        return "completed"
    return "open" if batch.closed_at is None else "closed"


def _not_found() -> ProblemError:
    detail = "No batch with this id has documents on record yet, or it is kept no more."
    return ProblemError(Problem(problems.NOT_FOUND, detail))
