"""GET /v1/documents/{id}: the state of a document, its event, or its article in one of several forms."""

import asyncio
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from uuid import UUID

import orjson
from aiohttp import hdrs, web

from contract.ids import time_of
from contract.labels import WaitFor
from contract.ledger import RECORDING_MARGIN_S, Erased, Ledger, Run, State
from service import problems
from service.access.known_keys import owner_seen
from service.api.document_answers import DocumentState, RunBrief, UnknownDocument
from service.api.forms import body_of, content_type, is_article, policy
from service.api.lookups import FORMATS, SHOW_DOCUMENT
from service.context import CLOCK
from service.http.accept import preferred
from service.http.parameters import check_parameters
from service.lookups.decided import with_event
from service.lookups.ledger import asked, ledger_of, rfc3339_or_none, shown, tagged
from service.posting.waits import DocumentWait, run_of, waiting
from service.refusals import Problem, ProblemError, invalid_parameter

_RUN = re.compile(r"[1-9][0-9]{0,8}")
_LEAST_WAIT_S = 1  # of Retry-After, in whole seconds (RFC 9110, section 10.2.3); chosen: most documents take less
_CLOCKS_DIFFER_S = 60.0  # between this machine and the one that made an id; chosen: NTP keeps them within a second
_BEHIND_S = 10.0  # chosen: a recorder records within a second, and takes over from another within 5 s
_FIRST_PAUSE_S = 0.1  # chosen: a recorder reads ten times a second


async def show_document(request: web.Request) -> web.Response:
    """Answers with the form of the document that `format` or else `Accept` asks for. The default is its state.

    The answer is 200 with the form; 304 if the client already has it; or 202 with the state if the form does not exist
    yet or the document may not be recorded yet. Until a verdict, `Retry-After` says when to ask again. With `Prefer:
    wait` the answer comes when there is a verdict, or the time is over.

    Raises:
        ProblemError: the query breaks a rule, the document is unknown, it has no such form, or the ledger is away.
    """
    wanted = _Wanted.of(request)
    ledger = ledger_of(request)
    document_id = request.match_info["id"].lower()  # RFC 9562, section 4: a UUID is taken in either case
    async with waiting(request, document_id, WaitFor.LOOKUP) as wait:
        recorded = _Recorded(request, ledger, document_id, ahead=wait is not None or wanted.run is not None)
        runs = await recorded.runs()
        undecided = None if runs else await _nothing_recorded(request, ledger, document_id)
        event = None
        waited = wait is not None and (undecided is not None or _is_open(runs, wanted))
        if wait is not None and waited:
            runs, event = await recorded.awaited(wait, runs, wanted.run)
    if waited and event is None:  # its place is free by now, however slow the ledger is
        runs, undecided = await recorded.runs(), None
    if runs:
        answer = await _form(request, ledger, _chosen(runs, wanted), wanted, event)
    else:
        answer = undecided or await _nothing_recorded(request, ledger, document_id)
    return answer if wait is None else wait.applied_to(answer)


def _chosen(runs: Sequence[Run], wanted: "_Wanted") -> Sequence[Run]:
    if wanted.run is None:
        return runs
    chosen = [run for run in runs if run.run <= wanted.run]
    if not chosen or chosen[-1].run != wanted.run:
        raise ProblemError(Problem(problems.NOT_FOUND, "This document has no such run."))
    return chosen


def _is_open(runs: Sequence[Run], wanted: "_Wanted") -> bool:
    """Returns True if the requested run is not decided. The next run counts: it is recorded a moment after its put."""
    return wanted.run == runs[-1].run + 1 or not _chosen(runs, wanted)[-1].state.decided


class _Recorded:
    """What is recorded of a document, as far as whoever asks may see it, and what is heard before it is recorded."""

    def __init__(self, request: web.Request, ledger: Ledger, document_id: str, *, ahead: bool) -> None:
        """`ahead`: with a run whose job was put a moment ago."""
        self._request = request
        self._ledger = ledger
        self._document_id = document_id
        self._ahead = ahead

    async def runs(self) -> Sequence[Run]:
        runs = [run for run in await asked(self._ledger.runs(self._document_id)) if may_see(self._request, run)]
        return await with_next(self._request, self._ledger, runs) if self._ahead else runs

    async def awaited(
        self, wait: DocumentWait, runs: Sequence[Run], run: int | None
    ) -> tuple[Sequence[Run], bytes | None]:
        """Returns the runs and the event when `run`, by default the latest, is decided.

        The event is None, and the runs are out of date, if none is heard before it is recorded, or the wait is over.
        """
        run = run or (runs[-1].run if runs else None)
        async with asyncio.TaskGroup() as group:
            heard = group.create_task(wait.event(run))
            recorded = group.create_task(self._until_recorded(run))
            await asyncio.wait({heard, recorded}, return_when=asyncio.FIRST_COMPLETED)
            heard.cancel()
            recorded.cancel()
        event = None if heard.cancelled() else heard.result()
        if event is None or await self._is_erased():
            return runs, None
        if not runs and owner_seen(self._request) is not None:  # the event does not tell whose the document is
            runs = await wait.result(self._until_owned()) or ()
            if not runs:
                return runs, None
        return with_event(runs, event), event

    async def _is_erased(self) -> bool:
        """Tells whether the document was erased meanwhile. A ledger that is away does not hold the event back."""
        with suppress(ProblemError):
            return await erased_for(self._request, self._ledger, self._document_id) is not None
        return False

    async def _until_owned(self) -> Sequence[Run]:
        """Returns the runs when the acceptance is recorded: a moment after a document that is decided at once."""
        pause_s = _FIRST_PAUSE_S
        while not (runs := await self.runs()):
            await asyncio.sleep(pause_s)
            pause_s *= 2
        return runs

    async def _until_recorded(self, run: int | None) -> None:
        """Returns when the verdict on `run`, or on the latest, is recorded.

        What was published just before the document was watched is heard of here alone: the ledger is a moment behind.
        So it is asked again soon, and then ever more rarely: eight times within 30 s.
        """
        pause_s = _FIRST_PAUSE_S
        while True:
            await asyncio.sleep(pause_s)
            pause_s *= 2
            with suppress(ProblemError):  # the ledger is away: the event may come all the same
                runs = [one for one in await self.runs() if run in {None, one.run}]
                if runs and runs[-1].state.decided:
                    return


@dataclass(frozen=True, slots=True)
class _Wanted:
    """The requested run, None for the latest, and the acceptable formats, the preferred one first."""

    run: int | None
    formats: Sequence[str]

    @classmethod
    def of(cls, request: web.Request) -> "_Wanted":
        given = check_parameters(request, SHOW_DOCUMENT.parameters)
        run, name = given.get("run"), given.get("format")
        if run is not None and not _RUN.fullmatch(run):
            raise invalid_parameter("run", "count", "must be a whole number from 1 on")
        if name is not None and name not in FORMATS:
            raise invalid_parameter("format", "not_allowed", f"must be one of {', '.join(FORMATS)}")
        formats = [name] if name else preferred(request.headers.getall(hdrs.ACCEPT, []), FORMATS)
        return cls(None if run is None else int(run), formats)


async def with_next(request: web.Request, ledger: Ledger, runs: Sequence[Run]) -> Sequence[Run]:
    """Returns `runs`, and behind them the next run, if somebody asked for it and it is not recorded yet."""
    if not runs or not runs[-1].state.decided:
        return runs
    latest, number = runs[-1], runs[-1].run + 1
    if not await asked(ledger.is_claimed(latest.document_id, number, request.app[CLOCK]())):
        return runs
    following = Run(
        document_id=latest.document_id,
        run=number,
        state=State.ACCEPTED,
        lane=latest.lane,
        kind=latest.kind,
        url=latest.url,
        host=latest.host,
        labels=latest.labels,
        owner=latest.owner,
    )
    return [*runs, following]


def may_see(request: web.Request, run: Run) -> bool:
    """Tells whether who asks may see this run: its owner, and who sees the documents of all."""
    return owner_seen(request) in {None, run.owner}


async def _form(
    request: web.Request, ledger: Ledger, runs: Sequence[Run], wanted: _Wanted, heard: bytes | None
) -> web.Response:
    """Answers from what is recorded, and from the event that was `heard` before."""
    decided = next((run for run in reversed(runs) if run.state.decided), None)
    event = heard if heard is not None and decided is not None and run_of(heard) == decided.run else None
    for name in wanted.formats:
        if name == "status":
            return _status(request, runs)
        if decided is None:
            return _status(request, runs, code=202)
        event = event or await asked(ledger.event(decided.document_id, decided.run))
        body = None if event is None else body_of(name, event)
        if body is not None:
            return _answer(request, name, body)
    if event is None and decided is not None:
        event = await asked(ledger.event(decided.document_id, decided.run))
    if event is not None and wanted.formats and not is_article(event):
        raise ProblemError(Problem(problems.NO_ARTICLE, problems.NO_ARTICLE.meaning))
    raise ProblemError(Problem(problems.NOT_ACCEPTABLE, f"{problems.NOT_ACCEPTABLE.meaning} {_formats_of(event)}"))


def _status(request: web.Request, runs: Sequence[Run], *, code: int = 200) -> web.Response:
    latest = runs[-1]
    runs_in_brief = tuple(_brief(run) for run in runs)
    state = DocumentState(**asdict(shown(latest)), runs=runs_in_brief, callback=latest.callback)
    headers: dict[str, str] = {}
    if not latest.state.decided:
        headers[hdrs.RETRY_AFTER] = str(wait_s(latest, request.app[CLOCK]()))
    return tagged(request, orjson.dumps(state), FORMATS["status"], status=code, headers=headers)


def _brief(run: Run) -> RunBrief:
    known = shown(run)
    return RunBrief(**{name: getattr(known, name) for name in RunBrief.__dataclass_fields__})


def wait_s(run: Run, now: datetime) -> int:
    """Returns in how many seconds there may be something new of a run that is not decided."""
    if run.next_at is None:
        return _LEAST_WAIT_S
    return max(_LEAST_WAIT_S, round((run.next_at - now).total_seconds()))


def _formats_of(event: bytes | None) -> str:
    there = [name for name in FORMATS if name == "status" or (event is not None and body_of(name, event) is not None)]
    return f"There are: {', '.join(FORMATS[name] for name in there)}."


def _answer(request: web.Request, name: str, body: bytes) -> web.Response:
    return tagged(request, body, content_type(name, FORMATS[name]), headers=policy(name))


async def _nothing_recorded(request: web.Request, ledger: Ledger, document_id: str) -> web.Response:
    """Answers for an id without records: 202 if its acceptance may not be recorded yet, else 404 or 410."""
    if await erased_for(request, ledger, document_id) is not None:
        raise ProblemError(Problem(problems.ERASED, problems.ERASED.meaning))
    now = request.app[CLOCK]()
    until = await asked(ledger.recorded_until())
    if not may_come(document_id, until, now):
        detail = "No document with this id was accepted, or it is kept no more."
        raise ProblemError(Problem(problems.NOT_FOUND, detail))
    unknown = UnknownDocument(id=document_id, state="unknown", recorded_until=rfc3339_or_none(until))
    headers: dict[str, str] = {hdrs.RETRY_AFTER: str(_LEAST_WAIT_S)}
    return tagged(request, orjson.dumps(unknown), FORMATS["status"], status=202, headers=headers)


async def erased_for(request: web.Request, ledger: Ledger, document_id: str) -> Erased | None:
    """Returns when the document was erased, None if it was not, or is not the document of the caller."""
    found = await asked(ledger.erased(document_id))
    is_own = found is not None and owner_seen(request) in {None, found.owner}
    return found if is_own else None


def may_come(document_id: str, until: datetime | None, now: datetime) -> bool:
    """Tells whether a document of which nothing is recorded may have been accepted all the same.

    Args:
        document_id: any text.
        until: up to when acceptances are recorded, aware; None where none ever was.
        now: aware.
    """
    try:
        parsed = UUID(document_id)
    except ValueError:
        return False
    if str(parsed) != document_id:  # a UUID in braces, as a URN or without hyphens is not an id of ours
        return False
    made = time_of(parsed)
    if made is None:  # an id that was made from an Idempotency-Key contains no time
        return until is None or now - until > timedelta(seconds=RECORDING_MARGIN_S + _BEHIND_S)
    return made < now + timedelta(seconds=_CLOCKS_DIFFER_S) and (until is None or made > until)
