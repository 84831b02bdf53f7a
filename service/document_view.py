"""GET /v1/documents/{id}: the state of a document, its event, or its article in one of several forms."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import orjson
from aiohttp import hdrs, web

from contract.events import MEDIA_TYPE as EVENT_TYPE
from contract.events import PROCESSED
from contract.ids import time_of
from contract.ledger import RECORDING_MARGIN_S, Erased, Ledger, Run
from service import problems
from service.accept import preferred
from service.context import CLOCK, KEYS
from service.dead_list import parameters
from service.ledger import asked, json_body, ledger_of, shown, stated, tagged
from service.middlewares import OWNER
from service.problems import Problem, ProblemError, invalid_parameter

ARTICLE_TYPE: Final = "application/vnd.copydesk.article+json"

# In order of preference if the client accepts several equally.
FORMATS: Final = {
    "status": "application/json",
    "event": EVENT_TYPE,
    "article": ARTICLE_TYPE,
    "text": "text/plain",
    "markdown": "text/markdown",
    "html": "text/html",
}
_RUN = re.compile(r"[1-9][0-9]{0,8}")
_LEAST_WAIT_S = 1  # of Retry-After, in whole seconds (RFC 9110, section 10.2.3); chosen: most documents take less
_CLOCKS_DIFFER_S = 60.0  # between this machine and the one that made an id; chosen: NTP keeps them within a second
_BEHIND_S = 10.0  # chosen: a recorder records within a second, and takes over from another within 5 s

# An article's HTML is sanitised, but still foreign. The policy allows it no script, no origin and no request.
_HTML_POLICY = {"Content-Security-Policy": "default-src 'none'; sandbox", "X-Content-Type-Options": "nosniff"}
_PLAIN_POLICY = {"X-Content-Type-Options": "nosniff"}


async def show_document(request: web.Request) -> web.Response:
    """Answers with the form of the document that `format` or else `Accept` asks for. The default is its state.

    The answer is 200 with the form; 304 if the client already has it; or 202 with the state if the form does not exist
    yet or the document may not be recorded yet. Until a verdict, `Retry-After` says when to ask again.

    Raises:
        ProblemError: the query breaks a rule, the document is unknown, it has no such form, or the ledger is away.
    """
    wanted = _Wanted.of(request)
    ledger = ledger_of(request)
    document_id = request.match_info["id"].lower()  # RFC 9562, section 4: a UUID is taken in either case
    runs = [run for run in await asked(ledger.runs(document_id)) if may_see(request, run)]
    if not runs:
        return await _nothing_recorded(request, ledger, document_id)
    if wanted.run is not None:
        runs = [run for run in runs if run.run <= wanted.run]
        if not runs or runs[-1].run != wanted.run:
            raise ProblemError(Problem(problems.NOT_FOUND, "This document has no such run."))
    return await _form(request, ledger, runs, wanted)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """The requested run, None for the latest, and the acceptable formats, the preferred one first."""

    run: int | None
    formats: Sequence[str]

    @classmethod
    def of(cls, request: web.Request) -> "_Wanted":
        given = parameters(request, {"run", "format"})
        run, name = given.get("run"), given.get("format")
        if run is not None and not _RUN.fullmatch(run):
            raise invalid_parameter("run", "count", "must be a whole number from 1 on")
        if name is not None and name not in FORMATS:
            raise invalid_parameter("format", "not_allowed", f"must be one of {', '.join(FORMATS)}")
        formats = [name] if name else preferred(request.headers.getall(hdrs.ACCEPT, []), FORMATS)
        return cls(None if run is None else int(run), formats)


def may_see(request: web.Request, run: Run) -> bool:
    """Tells whether who asks may see this run: with API keys, its owner alone."""
    return not request.app[KEYS].required or run.owner == request[OWNER]


async def _form(request: web.Request, ledger: Ledger, runs: Sequence[Run], wanted: _Wanted) -> web.Response:
    decided = next((run for run in reversed(runs) if run.state.decided), None)
    event: bytes | None = None
    for name in wanted.formats:
        if name == "status":
            return _status(request, runs)
        if decided is None:
            return _status(request, runs, code=202)
        event = event or await asked(ledger.event(decided.document_id, decided.run))
        body = None if event is None else _body(name, event)
        if body is not None:
            return _answer(request, name, body)
    if event is None and decided is not None:
        event = await asked(ledger.event(decided.document_id, decided.run))
    if event is not None and wanted.formats and _event_type(event) != PROCESSED:
        raise ProblemError(Problem(problems.NO_ARTICLE, problems.NO_ARTICLE.meaning))
    raise ProblemError(Problem(problems.NOT_ACCEPTABLE, f"{problems.NOT_ACCEPTABLE.meaning} {_formats_of(event)}"))


def _status(request: web.Request, runs: Sequence[Run], *, code: int = 200) -> web.Response:
    latest = runs[-1]
    fields = {**shown(latest), "runs": [_brief(run) for run in runs]}
    headers: dict[str, str] = {}
    if not latest.state.decided:
        headers[hdrs.RETRY_AFTER] = str(wait_s(latest, request.app[CLOCK]()))
    return tagged(request, json_body(fields), FORMATS["status"], status=code, headers=headers)


def _brief(run: Run) -> dict[str, Any]:
    names = ("run", "state", "accepted_at", "decided_at", "attempts", "reason", "event")
    return {name: value for name, value in shown(run).items() if name in names}


def wait_s(run: Run, now: datetime) -> int:
    """Returns in how many seconds there may be something new of a run that is not decided."""
    if run.next_at is None:
        return _LEAST_WAIT_S
    return max(_LEAST_WAIT_S, round((run.next_at - now).total_seconds()))


def _body(name: str, event: bytes) -> bytes | None:
    """Returns the event in this form, None if the form does not exist."""
    if name == "event":
        return event
    fields = orjson.loads(event)
    if fields["type"] != PROCESSED:
        return None
    if name == "article":
        return orjson.dumps(fields["data"])
    text = fields["data"].get(name)
    return None if text is None else str(text).encode()


def _formats_of(event: bytes | None) -> str:
    there = [name for name in FORMATS if name == "status" or (event is not None and _body(name, event) is not None)]
    return f"There are: {', '.join(FORMATS[name] for name in there)}."


def _event_type(event: bytes) -> object:
    return orjson.loads(event)["type"]


def _answer(request: web.Request, name: str, body: bytes) -> web.Response:
    charset = "; charset=utf-8" if name in {"text", "markdown", "html"} else ""
    policy = _HTML_POLICY if name == "html" else _PLAIN_POLICY
    return tagged(request, body, FORMATS[name] + charset, headers=policy)


async def _nothing_recorded(request: web.Request, ledger: Ledger, document_id: str) -> web.Response:
    """Answers for an id without records: 202 if its acceptance may not be recorded yet, else 404 or 410."""
    if await erased_for(request, ledger, document_id) is not None:
        raise ProblemError(Problem(problems.ERASED, problems.ERASED.meaning))
    now = request.app[CLOCK]()
    until = await asked(ledger.recorded_until())
    if not may_come(document_id, until, now):
        detail = "No document with this id was accepted, or it is kept no more."
        raise ProblemError(Problem(problems.NOT_FOUND, detail))
    fields = {"id": document_id, "state": "unknown", "recorded_until": stated(until)}
    headers: dict[str, str] = {hdrs.RETRY_AFTER: str(_LEAST_WAIT_S)}
    return tagged(request, json_body(fields), FORMATS["status"], status=202, headers=headers)


async def erased_for(request: web.Request, ledger: Ledger, document_id: str) -> Erased | None:
    """Returns when the document was erased, None where it was not, or is none of who asks."""
    found = await asked(ledger.erased(document_id))
    is_own = found is not None and (not request.app[KEYS].required or found.owner == request[OWNER])
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
