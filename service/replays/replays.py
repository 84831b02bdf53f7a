"""Makes, lists, shows, cancels and resumes replays."""

import asyncio
from typing import Final

import orjson
import structlog
from aiohttp import hdrs, web

from contract.broker import BrokerError, BrokerUnavailable, NoQueues, QueueExclusive, UnknownOffset
from contract.faults import Fault
from contract.keys import Scope
from contract.replay_request import ReplayError, ReplayRequest, ReplaySpan, made, parse_replay
from contract.webhooks import Documents
from service import problems
from service.access.callers import check_scope
from service.access.known_keys import CALLER, owner_seen
from service.api.answers import ReplayList
from service.api.operation import JSON
from service.api.replays import CANCEL_REPLAY, LIST_REPLAYS, MAKE_REPLAY, RESUME_REPLAY, SHOW_REPLAY
from service.context import BROKER, CLOCK, WEBHOOKS
from service.http.bodies import read_body
from service.http.middlewares import OWNER
from service.http.parameters import check_parameters
from service.lookups.ledger import asked, tagged
from service.lookups.pages import before_id, limit_of
from service.refusals import Problem, ProblemError, broker_refusal
from service.replays.lookup import replay_of, replays_of
from service.replays.span import span_of
from service.replays.views import shown_replay

log = structlog.get_logger(__name__)

_AT_MOST: Final = 10  # replays of an owner that run; chosen: each reads the log by itself
_TIMEOUT_S: Final = 4.5  # to find the part of the log; chosen: less than the 5 s in which the API answers
_UNREADABLE: Final = "The event log cannot be read now. Nothing is stored: ask again."


async def make_replay(request: web.Request) -> web.Response:
    """Answers 201 with the replay, which is on record.

    Raises:
        ProblemError: the request breaks a rule, the owner has too many replays, the log no longer has the events, or
            broker or ledger are away.
    """
    check_parameters(request, MAKE_REPLAY.parameters)
    book, wanted = replays_of(request), await _asked_for(request)
    await _check_target(request, wanted)
    span = await _span(request, wanted)
    documents = Documents.ALL if request[CALLER].may(Scope.ADMIN) else Documents.OWN
    at = request.app[CLOCK]()
    replay = made(wanted, span, owner=request[OWNER], documents=documents, at=at)
    if not await asked(book.add(replay, at_most=_AT_MOST)):
        raise ProblemError(Problem(problems.TOO_MANY_REPLAYS, problems.TOO_MANY_REPLAYS.meaning))
    log.info("replay_made", by=request[OWNER], id=replay.id, target=replay.target)
    location: dict[str, str] = {hdrs.LOCATION: f"/v1/replays/{replay.id}"}
    body = orjson.dumps(shown_replay(replay))
    return web.Response(body=body, content_type=JSON, status=201, headers=location)


async def list_replays(request: web.Request) -> web.Response:
    """Answers 200 with `{"replays": [..], "next"}`, newest first: those of the caller's owner, with `admin` of all.

    Raises:
        ProblemError: the query breaks a rule, or the ledger is away.
    """
    given = check_parameters(request, LIST_REPLAYS.parameters)
    limit, before = limit_of(given), before_id(given)
    found = await asked(replays_of(request).replays(owner_seen(request), limit=limit + 1, before=before))
    page = found[:limit]
    answer = ReplayList(replays=[*map(shown_replay, page)], next=page[-1].id if len(found) > limit else None)
    return tagged(request, orjson.dumps(answer), JSON)


async def show_replay(request: web.Request) -> web.Response:
    """Answers 200 with a replay: its state, and how far it has come.

    Raises:
        ProblemError: there is none that the caller sees, or the ledger is away.
    """
    check_parameters(request, SHOW_REPLAY.parameters)
    return tagged(request, orjson.dumps(shown_replay(await replay_of(request))), JSON)


async def cancel_replay(request: web.Request) -> web.Response:
    """Answers 200 with the replay, which has ended.

    Raises:
        ProblemError: there is no such replay, it does not run, or the ledger is away.
    """
    check_parameters(request, CANCEL_REPLAY.parameters)
    replay = await replay_of(request)
    if not await asked(replays_of(request).cancel(replay.id, request.app[CLOCK]())):
        raise ProblemError(Problem(problems.REPLAY_NOT_RUNNING, problems.REPLAY_NOT_RUNNING.meaning))
    log.info("replay_cancelled", by=request[OWNER], id=replay.id)
    return await _answer(request)


async def resume_replay(request: web.Request) -> web.Response:
    """Answers 200 with the replay, which goes on where it ended.

    Raises:
        ProblemError: there is no such replay, it has not failed and was not cancelled, or the ledger is away.
    """
    check_parameters(request, RESUME_REPLAY.parameters)
    replay = await replay_of(request)
    if not await asked(replays_of(request).resume(replay.id, request.app[CLOCK]())):
        raise ProblemError(Problem(problems.REPLAY_NOT_STOPPED, problems.REPLAY_NOT_STOPPED.meaning))
    log.info("replay_resumed", by=request[OWNER], id=replay.id)
    return await _answer(request)


async def _answer(request: web.Request) -> web.Response:
    return web.Response(body=orjson.dumps(shown_replay(await replay_of(request))), content_type=JSON)


async def _asked_for(request: web.Request) -> ReplayRequest:
    try:
        wanted = parse_replay(await read_body(request))
    except ReplayError as error:
        raise _invalid(error) from None
    if wanted.documents is Documents.ALL or wanted.queue is not None:
        check_scope(request[CALLER], Scope.ADMIN)
    return wanted


async def _check_target(request: web.Request, wanted: ReplayRequest) -> None:
    """Checks that there is somewhere to send to: a webhook that is enabled, and the caller's; or a queue."""
    if wanted.webhook is not None:
        book = request.app[WEBHOOKS]
        webhook = None if book is None else await asked(book.webhook(wanted.webhook.replace("\0", "")))
        if webhook is None or owner_seen(request) not in {None, webhook.owner}:
            raise _invalid(ReplayError(Fault("webhook", "missing", "is the id of no webhook")))
        if not webhook.enabled:
            raise _invalid(ReplayError(Fault("webhook", "disabled", "is disabled: enable it first")))
    if wanted.queue is not None and not await _has_queue(request, wanted.queue):
        raise _invalid(ReplayError(Fault("queue", "missing", "is no queue: declare it first")))


async def _has_queue(request: web.Request, name: str) -> bool:
    try:
        return await request.app[BROKER].has_queue(name)
    except QueueExclusive:
        message = "is exclusive to one connection: declare one that is durable and not exclusive"
        raise _invalid(ReplayError(Fault("queue", "exclusive", message))) from None
    except NoQueues:
        message = "cannot be: this server runs on the embedded broker, which has no queues for subscribers"
        raise _invalid(ReplayError(Fault("queue", "no_queues", message))) from None
    except BrokerError as error:
        raise broker_refusal(error, "The queue cannot be looked up now. Nothing is stored: ask again.") from None


async def _span(request: web.Request, wanted: ReplayRequest) -> ReplaySpan:
    try:
        async with asyncio.timeout(_TIMEOUT_S):
            return await span_of(wanted, request.app[BROKER])
    except UnknownOffset:
        raise ProblemError(Problem(problems.POSITION_GONE, problems.POSITION_GONE.meaning)) from None
    except (BrokerError, TimeoutError) as error:
        lost = error if isinstance(error, BrokerError) else BrokerUnavailable()
        raise broker_refusal(lost, _UNREADABLE) from None


def _invalid(error: ReplayError) -> ProblemError:
    return ProblemError(Problem(problems.INVALID_REPLAY, f"{error}.", error.faults))
