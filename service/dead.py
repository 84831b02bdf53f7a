"""The dead letters over HTTP: list, show, retry, drop."""

from base64 import b64encode
from collections.abc import Awaitable
from typing import TypeVar

import structlog
from aiohttp import web

from contract.broker import BrokerError
from contract.dead import Handled, Wanted
from contract.labels import DeadAction
from service import problems
from service.broker_errors import broker_refusal
from service.context import BROKER, METRICS
from service.dead_list import DeadQuery, cursor_of, flag_of, listed, parameters, place_of, reason_of, shown
from service.middlewares import OWNER
from service.problems import Problem, ProblemError, invalid_parameter

log = structlog.get_logger(__name__)

_UNREACHABLE = "The dead letters cannot be reached now. What was asked may have been done in part: ask again."
_BEYOND = "There are more letters than one scan reaches: retry or drop others first."

T = TypeVar("T")


async def list_dead(request: web.Request) -> web.Response:
    """Answers 200 with `{"letters": [..], "count", "next", "complete"}`.

    `count` is the number of letters that pass the filter. `next` is the `after` of the next page, null on the last.
    `complete` is false if there are more letters than one scan reaches.

    Raises:
        ProblemError: the query breaks a rule, or the broker is away.
    """
    query = DeadQuery.of(request)
    found = await _asked(request.app[BROKER].dead(query.wants))
    ahead = sorted(filter(query.is_ahead, found.letters), key=place_of, reverse=query.newest_first)
    page = ahead[: query.limit]
    return web.json_response(
        {
            "letters": [listed(letter) for letter in page],
            "count": len(found.letters),
            "next": cursor_of(page[-1]) if len(ahead) > len(page) else None,
            "complete": found.complete,
        }
    )


async def show_dead(request: web.Request) -> web.Response:
    """Answers 200 with everything known about a letter; with `body=true` also its bytes, in base64.

    If several letters share the id, it shows the latest run, and of that the last buried. `copies` counts them.

    Raises:
        ProblemError: the query breaks a rule, there is no such letter in reach, or the broker is away.
    """
    bodies = flag_of("body", parameters(request, {"body"}).get("body", "false"))
    found = await _asked(request.app[BROKER].dead(_with_id(request), bodies=bodies))
    if not found.letters:
        raise _nothing(complete=found.complete)
    letter = max(found.letters, key=lambda letter: (letter.job.run if letter.job else 0, letter.buried_at))
    body = {} if letter.body is None else {"body": b64encode(letter.body).decode()}
    return web.json_response({**shown(letter), "copies": len(found.letters), **body})


async def retry_dead(request: web.Request) -> web.Response:
    """Answers 202 when the next run of the document is on its queue.

    Raises:
        ProblemError: there is no such letter in reach, it holds no job, the queue is full, or the broker is away.
    """
    parameters(request, set())
    handled = await _asked(request.app[BROKER].retry_dead(_with_id(request)))
    if not handled.done and handled.kept:
        raise ProblemError(Problem(problems.NOT_RETRYABLE, problems.NOT_RETRYABLE.meaning))
    if not handled.done:
        raise _nothing(complete=handled.complete)
    return _retried(request, handled)


async def retry_many(request: web.Request) -> web.Response:
    """Answers 202 with `{"retried", "kept", "more"}`: for those with a `reason`, or with `all=true` for all.

    `kept` letters cannot be retried. If `more` is true, send the same request again.

    Raises:
        ProblemError: the query breaks a rule, nothing could be put, or the broker is away.
    """
    return _retried(request, await _asked(request.app[BROKER].retry_dead(_many(request))))


async def drop_dead(request: web.Request) -> web.Response:
    """Answers 200 when the letter is gone.

    Raises:
        ProblemError: there is no such letter in reach, or the broker is away.
    """
    parameters(request, set())
    handled = await _asked(request.app[BROKER].drop_dead(_with_id(request)))
    if not handled.done:
        raise _nothing(complete=handled.complete)
    return _dropped(request, handled)


async def drop_many(request: web.Request) -> web.Response:
    """Answers 200 with `{"dropped", "more"}`: for those with a `reason`, or with `all=true` for all.

    Raises:
        ProblemError: the query breaks a rule, or the broker is away.
    """
    return _dropped(request, await _asked(request.app[BROKER].drop_dead(_many(request))))


async def _asked(answer: Awaitable[T]) -> T:
    try:
        return await answer
    except BrokerError as error:
        raise broker_refusal(error, _UNREACHABLE) from error


def _retried(request: web.Request, handled: Handled) -> web.Response:
    request.app[METRICS].dead_letters.labels(DeadAction.RETRY).inc(handled.done)
    _log("dead_letters_retried", request, handled)
    answer = {"retried": handled.done, "kept": handled.kept, "more": not handled.complete}
    return web.json_response(answer, status=202)


def _dropped(request: web.Request, handled: Handled) -> web.Response:
    request.app[METRICS].dead_letters.labels(DeadAction.DROP).inc(handled.done)
    _log("dead_letters_dropped", request, handled)
    return web.json_response({"dropped": handled.done, "more": not handled.complete})


def _log(event: str, request: web.Request, handled: Handled) -> None:
    chosen = request.match_info.get("id") or request.query_string
    log.info(event, by=request[OWNER], chosen=chosen, done=handled.done, kept=handled.kept)


def _nothing(*, complete: bool) -> ProblemError:
    detail = "There is no dead letter with this id, or another process is scanning it now."
    return ProblemError(Problem(problems.NOT_FOUND, detail if complete else f"{detail} {_BEYOND}"))


def _many(request: web.Request) -> Wanted:
    given = parameters(request, {"reason", "all"})
    reason, everything = reason_of(given.get("reason")), flag_of("all", given.get("all", "false"))
    if everything == (reason is not None):
        raise invalid_parameter("reason", "exactly_one", "or all=true must be given, and not both")
    return lambda letter: everything or letter.reason is reason


def _with_id(request: web.Request) -> Wanted:
    wanted = request.match_info["id"]
    return lambda letter: letter.id == wanted
