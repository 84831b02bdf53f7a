"""The dead letters over HTTP: looked through, shown, retried and dropped."""

from base64 import b64encode
from collections.abc import Awaitable
from typing import TypeVar

import structlog
from aiohttp import hdrs, web

from contract.broker import BrokerError, BrokerFull
from contract.dead import Handled, Wanted
from contract.labels import DeadAction
from service import problems
from service.context import BROKER, METRICS
from service.dead_list import DeadQuery, cursor_of, flag_of, listed, parameters, place_of, reason_of, shown
from service.middlewares import OWNER
from service.problems import Problem, ProblemError, invalid_parameter

log = structlog.get_logger(__name__)

_AWAY = "The dead letters cannot be reached now. What was asked may have been done in part: ask again."
_BEYOND = "There are more than one look reaches: retry or drop others first."

T = TypeVar("T")


async def list_dead(request: web.Request) -> web.Response:
    """Answers 200 with `{"letters": [..], "count", "next", "complete"}`.

    `count` is of all that the filter lets through; `next` is the `after` of the next page, null on the last; not
    `complete` says that there are more letters than one look reaches.

    Raises:
        ProblemError: the query breaks a rule, or the broker is away.
    """
    query = DeadQuery.of(request)
    look = await _asked(request.app[BROKER].dead(query.wants))
    ahead = sorted(filter(query.is_ahead, look.letters), key=place_of, reverse=query.newest_first)
    page = ahead[: query.limit]
    return web.json_response(
        {
            "letters": [listed(letter) for letter in page],
            "count": len(look.letters),
            "next": cursor_of(page[-1]) if len(ahead) > len(page) else None,
            "complete": look.complete,
        }
    )


async def show_dead(request: web.Request) -> web.Response:
    """Answers 200 with all that is known of a letter; with `body=true` its bytes too, in base64.

    Where several share the id, it is the one of the latest run that was buried last, and `copies` counts them.

    Raises:
        ProblemError: the query breaks a rule, there is no such letter in reach, or the broker is away.
    """
    bodies = flag_of("body", parameters(request, {"body"}).get("body", "false"))
    look = await _asked(request.app[BROKER].dead(_with_id(request), bodies=bodies))
    if not look.letters:
        raise _nothing(complete=look.complete)
    letter = max(look.letters, key=lambda letter: (letter.job.run if letter.job else 0, letter.buried_at))
    body = {} if letter.body is None else {"body": b64encode(letter.body).decode()}
    return web.json_response({**shown(letter), "copies": len(look.letters), **body})


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
    """Answers 202 with `{"retried", "kept", "more"}`: those for a `reason`, or with `all=true` all.

    `kept` could not be retried; with `more`, the same request again goes on.

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
    """Answers 200 with `{"dropped", "more"}`: those for a `reason`, or with `all=true` all.

    Raises:
        ProblemError: the query breaks a rule, or the broker is away.
    """
    return _dropped(request, await _asked(request.app[BROKER].drop_dead(_many(request))))


async def _asked(answer: Awaitable[T]) -> T:
    try:
        return await answer
    except BrokerError as error:
        kind = problems.INTAKE_FULL if isinstance(error, BrokerFull) else problems.BROKER_UNAVAILABLE
        detail = kind.meaning if kind is problems.INTAKE_FULL else _AWAY
        raise ProblemError(Problem(kind, detail, headers={hdrs.RETRY_AFTER: str(error.retry_after_s)})) from error


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
    detail = "There is no dead letter with this id, or somebody else looks at it in this moment."
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
