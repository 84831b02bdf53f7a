"""Many documents in one request: read as a stream, stored in chunks, answered as a stream with a receipt for each.

    pieces of the body -> entries -> chunks, several at once -> receipts, in the order of the entries

Reading waits while as much waits for its confirms as `IntakeLimits.bulk_bytes` allows, so the client sends no faster
than the broker confirms. A broker that is away or full is waited for. If that takes too long, the answer ends with the
documents that were refused. Those that come after them are not read.
"""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing, closing
from dataclasses import replace
from functools import partial
from time import perf_counter
from typing import Any, Final

import orjson
from aiohttp import hdrs, web

from contract.faults import Fault
from contract.idempotency import Idempotency
from contract.ids import batch_id
from contract.job import Job
from contract.tracing import current, exemplar_of
from service import problems
from service.access.quotas import admit_each, give_back
from service.api.answers import BatchEnd, present
from service.api.posting import NDJSON
from service.context import LIMITS, METRICS
from service.posting.admission import admit
from service.posting.batches import CLOSED_BATCHES, Membership, batch_of, put_end, too_late
from service.posting.chunks import Chunks, ConfirmWindow
from service.posting.entries import Entry
from service.posting.idempotency import FIRST_BODIES, Compared, is_refused, reused
from service.posting.reading import READING
from service.refusals import Problem, ProblemError

_SHORT: Final = "Not all documents are stored: send those again that were refused for now, or did not arrive."
_NOT_CLOSED: Final = "The broker did not confirm the end of the batch: close it with POST /v1/batches/{id}/close."
_PAUSE_S: Final = 1.0  # chosen: a queue that is full, or a broker that is away, is asked again as often


async def answer(request: web.Request, entries: AsyncGenerator[Sequence[Entry], None]) -> web.StreamResponse:
    """Stores the documents of `entries` as they come, and answers 200 with a receipt or a problem for each."""
    response = web.StreamResponse(headers={hdrs.CONTENT_TYPE: NDJSON})
    await response.prepare(request)
    window = ConfirmWindow(request.app[LIMITS], request.app[READING])
    with closing(window):
        await _answer(request, entries, response, window)
    batch = batch_of(request)
    if batch is not None and batch.closes:
        await response.write(_line(await _closed(request.app, batch, window)))
    if not request.content.is_eof():
        response.force_close()
    await response.write_eof()
    return response


async def _answer(
    request: web.Request,
    entries: AsyncGenerator[Sequence[Entry], None],
    response: web.StreamResponse,
    window: ConfirmWindow,
) -> None:
    async with aclosing(entries), asyncio.TaskGroup() as group:
        chunks = Chunks(partial(_receipts, request), window, group)
        group.create_task(chunks.write(response))
        async for found in entries:
            for entry in found:
                await chunks.add(entry)
            chunks.begin()
            if window.is_shut:
                break
        await chunks.end()


async def _receipts(request: web.Request, chunk: Sequence[Entry], window: ConfirmWindow, since: float) -> bytes:
    """Returns the lines of the answer that tell what became of `chunk`, whose first was read at `since`."""
    lines, outcomes = [], await _outcomes(request, chunk, window)
    request.app[METRICS].receipt_seconds.observe(perf_counter() - since, exemplar_of(current()))
    for entry, problem in zip(chunk, outcomes, strict=True):
        if problem is None:
            lines.append(_receipt(entry))
            continue
        window.is_short |= entry.breaks_off or hdrs.RETRY_AFTER in problem.headers
        request.app[METRICS].refused.labels(problem.type.name).inc()
        lines.append(_refusal(entry, problem))
    return b"".join(lines)


async def _outcomes(request: web.Request, chunk: Sequence[Entry], window: ConfirmWindow) -> Sequence[Problem | None]:
    """Stores `chunk`, and returns the problem of each that is refused.

    That is one whose key came with another body, and one that comes too late for the batch of the request.
    """
    chunk = await _in_time(request, chunk)
    async with request.app[FIRST_BODIES].compare(_digests(chunk)) as compared:
        outcomes = await _stored(request, [_with_key(entry, compared) for entry in chunk], window)
        ids = [entry.outcome.id if isinstance(entry.outcome, Job) else "" for entry in chunk]
        refused = {id_ for id_, problem in zip(ids, outcomes, strict=True) if problem and is_refused(problem)}
        compared.refused.update(refused - {id_ for id_, problem in zip(ids, outcomes, strict=True) if problem is None})
    return outcomes


def _digests(chunk: Sequence[Entry]) -> Mapping[str, str]:
    """Returns the digests of the bodies that came with a key, by id: of several with one id that of the first."""
    digests: dict[str, str] = {}
    for entry in chunk:
        if isinstance(entry.outcome, Job) and entry.digest is not None:
            digests.setdefault(entry.outcome.id, entry.digest)
    return digests


async def _in_time(request: web.Request, entries: Sequence[Entry]) -> Sequence[Entry]:
    """Returns `entries`. Documents that come when the batch of the request is closed become problems."""
    batch, ids = batch_of(request), [entry.outcome.id for entry in entries if isinstance(entry.outcome, Job)]
    late = await request.app[CLOSED_BATCHES].outsiders(batch, ids) if batch is not None and ids else ()
    return [
        replace(entry, outcome=too_late()) if isinstance(entry.outcome, Job) and entry.outcome.id in late else entry
        for entry in entries
    ]


def _with_key(entry: Entry, compared: Compared) -> Entry:
    job, digest = entry.outcome, entry.digest
    if not isinstance(job, Job) or digest is None:
        return entry
    if compared.first[job.id] != digest:
        return replace(entry, outcome=reused())
    return replace(entry, outcome=replace(job, idempotency=Idempotency(body_digest=digest, checked=compared.checked)))


async def _stored(request: web.Request, chunk: Sequence[Entry], window: ConfirmWindow) -> Sequence[Problem | None]:
    """Counts each document against the limits of the caller's key, and puts those that exceed none."""
    places = [place for place, entry in enumerate(chunk) if isinstance(entry.outcome, Job)]
    outcomes = [None if isinstance(entry.outcome, Job) else entry.outcome for entry in chunk]
    for place, problem in zip(places, await admit_each(request, [chunk[it].size for it in places]), strict=True):
        outcomes[place] = problem
    charged = {
        place: job for place in places if outcomes[place] is None and isinstance(job := chunk[place].outcome, Job)
    }
    refusals = await _admitted(request, list(charged.values()), window) if charged else []
    for place, refusal in zip(charged, refusals, strict=True):
        outcomes[place] = refusal
        if refusal is not None:
            await give_back(request, size=chunk[place].size)
    return outcomes


async def _admitted(request: web.Request, jobs: Sequence[Job], window: ConfirmWindow) -> Sequence[Problem | None]:
    """Puts `jobs`, again and again where the broker is away or full. Shuts the window if that does not help in time."""
    end = _now() + request.app[LIMITS].bulk_max_wait_s
    outcomes = list(await admit(request.app, jobs, apart=True))
    while left := [place for place, problem in enumerate(outcomes) if problem and hdrs.RETRY_AFTER in problem.headers]:
        if _now() >= end or request.app[READING].stopping:
            window.shut()
            break
        await asyncio.sleep(_PAUSE_S)
        again = await admit(request.app, [jobs[place] for place in left], apart=True)
        for place, problem in zip(left, again, strict=True):
            outcomes[place] = problem
    return outcomes


def _receipt(entry: Entry) -> bytes:
    job = entry.outcome
    assert isinstance(job, Job)  # noqa: S101 - its caller sees to it
    receipt = {**entry.place, "id": job.id, "lane": job.lane, "status": 202}
    if job.batch is not None:
        receipt["batch"] = batch_id(job.owner or "", job.batch)
    if entry.warnings:
        receipt["warnings"] = entry.warnings
    return _line(receipt)


def _refusal(entry: Entry, problem: Problem) -> bytes:
    refusal = {**entry.place, **present(problem.details())}
    if hdrs.RETRY_AFTER in problem.headers:
        refusal["retry_after"] = int(problem.headers[hdrs.RETRY_AFTER])
    return _line(refusal)


async def _closed(app: web.Application, batch: Membership, window: ConfirmWindow) -> dict[str, Any]:
    """Closes the batch of a request, and returns the line that says so, or why not."""
    if window.is_short:
        return present(BatchEnd(batch=batch.id, closed=False, status=409, detail=_SHORT))
    end = _now() + app[LIMITS].bulk_max_wait_s
    while (error := await put_end(app, batch)) is not None:
        if _now() >= end or app[READING].stopping:
            return present(BatchEnd(batch=batch.id, closed=False, status=503, detail=_NOT_CLOSED))
        await asyncio.sleep(min(_PAUSE_S, error.retry_after_s))
    return present(BatchEnd(batch=batch.id, closed=True, status=202))


def _line(answer: Mapping[str, Any]) -> bytes:
    return orjson.dumps(answer, option=orjson.OPT_APPEND_NEWLINE)


def _now() -> float:
    return asyncio.get_running_loop().time()


def check(faults: Sequence[Fault]) -> None:
    """Refuses a request whose header or query has a fault.

    Raises:
        ProblemError: they have.
    """
    if faults:
        detail = "; ".join(f"{fault.field} {fault.message}" for fault in faults) + "."
        raise ProblemError(Problem(problems.INVALID_PARAMETER, detail, faults))
