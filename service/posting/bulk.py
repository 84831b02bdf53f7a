"""Many documents in one request: read as a stream, stored in batches, answered as a stream with a receipt for each.

    pieces of the body -> entries -> batches, several at once -> receipts, in the order of the entries

Reading waits while as much waits for its confirms as `IntakeLimits.bulk_bytes` allows, so the client sends no faster
than the broker confirms. A broker that is away or full is waited for. If that takes too long, the answer ends with the
documents that were refused. Those that come after them are not read.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping, Sequence
from contextlib import aclosing, closing
from dataclasses import dataclass, replace
from functools import partial
from time import perf_counter
from typing import Any, Final

import orjson
from aiohttp import hdrs, web

from contract.idempotency import Idempotency, body_digest
from contract.ids import batch_id, document_id_for_key, line_id, new_document_id
from contract.job import Job, Lane
from contract.submission import Checked, Fault, to_job
from service import problems
from service.access.quotas import admit_each, give_back
from service.api.answers import BatchEnd, present
from service.api.posting import IDEMPOTENCY_KEY, NDJSON
from service.context import CLOCK, KEEPING, LIMITS, METRICS, IntakeLimits
from service.http.middlewares import OWNER
from service.posting.admission import admit
from service.posting.batches import CLOSED_BATCHES, Membership, batch_of, put_end, too_late
from service.posting.idempotency import FIRST_BODIES, Compared, is_refused, reused
from service.posting.reading import READING, Reading
from service.problems import Problem, ProblemError

BATCH: Final = 64  # documents that are put together; chosen: they share costs, and their receipts come soon
_BATCHES: Final = 4  # of one request at once; chosen: as many documents as a RabbitMQ broker has unconfirmed
_SHORT: Final = "Not all documents are stored: send those again that were refused for now, or did not arrive."
_NOT_CLOSED: Final = "The broker did not confirm the end of the batch: close it with POST /v1/batches/{id}/close."
_PAUSE_S: Final = 1.0  # chosen: a queue that is full, or a broker that is away, is asked again as often


@dataclass(frozen=True, slots=True)
class Entry:
    """One document of many: where it stands in the request, its size, and its job, or the problem that refuses it.

    `digest` is that of its body, if the document has an idempotency key: see `contract.idempotency`. `breaks_off`: the
    request cannot be read from here on.
    """

    place: Mapping[str, Any]
    size: int
    outcome: Job | Problem
    warnings: tuple[Fault, ...] = ()
    digest: str | None = None
    breaks_off: bool = False


class Documents:
    """Makes the entries of one request. Each id follows from the `Idempotency-Key`, if there is one, and the number."""

    def __init__(self, request: web.Request) -> None:
        self._request = request
        self._key = request.headers.get(IDEMPOTENCY_KEY.name)
        batch = batch_of(request)
        self._batch = None if batch is None else batch.name

    def entry(self, place: Mapping[str, Any], number: int, size: int, checked: Checked) -> Entry:
        """Returns the entry of the document `number`, which is `size` bytes large."""
        app, submission = self._request.app, checked.submission
        job = to_job(
            submission,
            id=self._id(number, checked.key),
            lane=submission.options.lane or Lane.BULK,
            accepted_at=app[CLOCK](),
            decoded=checked.decoded,
            owner=self._request[OWNER],
            keep_input=app[KEEPING].input,
            batch=self._batch,
        )
        has_key = self._key is not None or checked.key is not None
        return Entry(place, size, job, checked.warnings, body_digest(submission) if has_key else None)

    def _id(self, number: int, own_key: str | None) -> str:
        if own_key is not None:
            return document_id_for_key(self._request[OWNER], own_key)
        if self._key is not None:
            return line_id(self._request[OWNER], self._key, number)
        return new_document_id()


async def answer(request: web.Request, entries: AsyncGenerator[Sequence[Entry], None]) -> web.StreamResponse:
    """Stores the documents of `entries` as they come, and answers 200 with a receipt or a problem for each."""
    response = web.StreamResponse(headers={hdrs.CONTENT_TYPE: NDJSON})
    await response.prepare(request)
    window = _Window(request.app[LIMITS], request.app[READING])
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
    window: "_Window",
) -> None:
    async with aclosing(entries), asyncio.TaskGroup() as group:
        batches = _Batches(partial(_receipts, request), window, group)
        group.create_task(batches.write(response))
        async for found in entries:
            for entry in found:
                await batches.add(entry)
            batches.begin()
            if window.is_shut:
                break
        await batches.end()


class _Batches:
    """The batches of one request. What comes while others wait for their confirms is put together with the next one.

    `receipts` puts a batch whose first entry has waited since a time of `perf_counter`, and returns its lines of the
    answer. `tasks` holds the batches that are under way.
    """

    def __init__(
        self,
        receipts: Callable[[Sequence[Entry], "_Window", float], Coroutine[Any, Any, bytes]],
        window: "_Window",
        tasks: asyncio.TaskGroup,
    ) -> None:
        self._receipts = receipts
        self._window = window
        self._tasks = tasks
        self._gathered: list[Entry] = []
        self._since = 0.0
        self._begun: asyncio.Queue[tuple[int, asyncio.Task[bytes]] | None] = asyncio.Queue()
        self._under_way = 0

    async def add(self, entry: Entry) -> None:
        """Takes the next entry. Waits for room for it."""
        while not self._window.is_shut and not self._has_room(entry):
            if not self.begin():
                await self._window.until_given_back()
        self._window.take(entry.size)
        self._since = self._since if self._gathered else perf_counter()
        self._gathered.append(entry)

    def _has_room(self, entry: Entry) -> bool:
        return len(self._gathered) < BATCH and self._window.has_room(entry.size)

    def begin(self) -> bool:
        """Puts what is gathered, and returns True, unless there is nothing, or as much as may be is under way."""
        if not self._gathered or self._under_way == _BATCHES or self._window.is_shut:
            return False
        batch, self._gathered = self._gathered, []
        self._under_way += 1
        size = sum(entry.size for entry in batch)
        self._begun.put_nowait((size, self._tasks.create_task(self._receipts(batch, self._window, self._since))))
        return True

    async def end(self) -> None:
        """Puts what is left, once there is room. Nothing is added any more."""
        while self._gathered and not self._window.is_shut:
            if not self.begin():
                await self._window.until_given_back()
        self._begun.put_nowait(None)

    async def write(self, response: web.StreamResponse) -> None:
        """Answers with the lines of each batch, in their order, until the end."""
        while (batch := await self._begun.get()) is not None:
            size, receipts = batch
            await response.write(await receipts)
            self._under_way -= 1
            self._window.give_back(size)
            self.begin()


class _Window:
    """Limits the bytes of one request that wait for their confirms.

    It is shut when the broker takes no more. It is short if documents are not stored that may be sent again.
    """

    def __init__(self, limits: IntakeLimits, reading: Reading) -> None:
        self._limits = limits
        self._reading = reading
        self._held = 0
        self._given_back = asyncio.Event()
        self.is_shut = False
        self.is_short = False

    def has_room(self, size: int) -> bool:
        """Tells whether `size` bytes more may wait. There is always room where nothing else waits."""
        return not self._held or (
            self._held + size <= self._limits.bulk_bytes and self._reading.held + size <= self._limits.all_bulk_bytes
        )

    async def until_given_back(self) -> None:
        """Returns when fewer bytes wait."""
        self._given_back.clear()
        await self._given_back.wait()

    def take(self, size: int) -> None:
        """Counts `size` bytes that wait."""
        self._held += size
        self._reading.held += size

    def give_back(self, size: int) -> None:
        """Counts `size` bytes no more."""
        self.take(-size)
        self._given_back.set()

    def close(self) -> None:
        """Counts nothing any more."""
        self.take(-self._held)

    def shut(self) -> None:
        """Says that nothing more is to be stored."""
        self.is_shut = True
        self._given_back.set()


async def _receipts(request: web.Request, batch: Sequence[Entry], window: _Window, since: float) -> bytes:
    """Returns the lines of the answer that tell what became of `batch`, whose first was read at `since`."""
    lines, outcomes = [], await _outcomes(request, batch, window)
    request.app[METRICS].receipt_seconds.observe(perf_counter() - since)
    for entry, problem in zip(batch, outcomes, strict=True):
        if problem is None:
            lines.append(_receipt(entry))
            continue
        window.is_short |= entry.breaks_off or hdrs.RETRY_AFTER in problem.headers
        request.app[METRICS].refused.labels(problem.type.name).inc()
        lines.append(_refusal(entry, problem))
    return b"".join(lines)


async def _outcomes(request: web.Request, batch: Sequence[Entry], window: _Window) -> Sequence[Problem | None]:
    """Stores `batch`, and returns the problem of each that is refused.

    That is one whose key came with another body, and one that comes too late for the batch of the request.
    """
    batch = await _in_time(request, batch)
    async with request.app[FIRST_BODIES].compare(_digests(batch)) as compared:
        outcomes = await _stored(request, [_with_key(entry, compared) for entry in batch], window)
        ids = [entry.outcome.id if isinstance(entry.outcome, Job) else "" for entry in batch]
        refused = {id_ for id_, problem in zip(ids, outcomes, strict=True) if problem and is_refused(problem)}
        compared.refused.update(refused - {id_ for id_, problem in zip(ids, outcomes, strict=True) if problem is None})
    return outcomes


def _digests(batch: Sequence[Entry]) -> Mapping[str, str]:
    """Returns the digests of the bodies that came with a key, by id: of several with one id that of the first."""
    digests: dict[str, str] = {}
    for entry in batch:
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


async def _stored(request: web.Request, batch: Sequence[Entry], window: _Window) -> Sequence[Problem | None]:
    """Counts each document against the limits of the caller's key, and puts those that exceed none."""
    places = [place for place, entry in enumerate(batch) if isinstance(entry.outcome, Job)]
    outcomes = [None if isinstance(entry.outcome, Job) else entry.outcome for entry in batch]
    for place, problem in zip(places, await admit_each(request, [batch[it].size for it in places]), strict=True):
        outcomes[place] = problem
    charged = {
        place: job for place in places if outcomes[place] is None and isinstance(job := batch[place].outcome, Job)
    }
    refusals = await _admitted(request, list(charged.values()), window) if charged else []
    for place, refusal in zip(charged, refusals, strict=True):
        outcomes[place] = refusal
        if refusal is not None:
            await give_back(request, size=batch[place].size)
    return outcomes


async def _admitted(request: web.Request, jobs: Sequence[Job], window: _Window) -> Sequence[Problem | None]:
    """Puts `jobs`, again and again where the broker is away or full. Shuts the window if that does not help in time."""
    end = _now() + request.app[LIMITS].bulk_max_wait_s
    outcomes = list(await admit(request.app, jobs))
    while left := [place for place, problem in enumerate(outcomes) if problem and hdrs.RETRY_AFTER in problem.headers]:
        if _now() >= end or request.app[READING].stopping:
            window.shut()
            break
        await asyncio.sleep(_PAUSE_S)
        again = await admit(request.app, [jobs[place] for place in left])
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


async def _closed(app: web.Application, batch: Membership, window: _Window) -> dict[str, Any]:
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
    """Returns where header and query have no faults.

    Raises:
        ProblemError: they have.
    """
    if faults:
        detail = "; ".join(f"{fault.field} {fault.message}" for fault in faults) + "."
        raise ProblemError(Problem(problems.INVALID_PARAMETER, detail, faults))
