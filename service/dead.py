"""The dead letters over HTTP: looked through, shown, retried and dropped."""

from base64 import b64encode
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog
from aiohttp import hdrs, web

from contract.broker import BrokerError, BrokerFull
from contract.dead import Handled, Wanted
from service import problems
from service.context import BROKER, METRICS
from service.dead_ids import has_id, may_be, named_by, not_found
from service.dead_list import DeadQuery, cursor_of, flag_of, listed, parameters, place_of, reason_of, shown
from service.middlewares import OWNER
from service.problems import Problem, ProblemError, invalid_parameter

log = structlog.get_logger(__name__)

_AWAY = "The dead letters cannot be reached now. What was asked may have been done in part: ask again."

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

    A letter is named by its id, or by the beginning of one, of `dead_ids.MIN_PREFIX_CHARS` or more.

    Where several share the id, it is the one of the latest run that was buried last, and `copies` counts them.

    Raises:
        ProblemError: the query breaks a rule, there is no such letter in reach or several, or the broker is away.
    """
    bodies = flag_of("body", parameters(request, {"body"}).get("body", "false"))
    wanted = request.match_info["id"]
    letters = named_by(wanted, await _asked(request.app[BROKER].dead(may_be(wanted), bodies=bodies)))
    letter = max(letters, key=lambda letter: (letter.job.run if letter.job else 0, letter.buried_at))
    body = {} if letter.body is None else {"body": b64encode(letter.body).decode()}
    return web.json_response({**shown(letter), "copies": len(letters), **body})


async def retry_dead(request: web.Request) -> web.Response:
    """Answers 202 with `{"id", "retried", "kept", "more"}` when the next run of the document is on its queue.

    Raises:
        ProblemError: there is no such letter in reach or several, it holds no job, the queue is full, or the broker
            is away.
    """
    parameters(request, set())
    letter_id, handled = await _to_one(request, request.app[BROKER].retry_dead)
    if not handled.done:
        raise ProblemError(Problem(problems.NOT_RETRYABLE, problems.NOT_RETRYABLE.meaning))
    return _retried(request, handled, letter_id)


async def retry_many(request: web.Request) -> web.Response:
    """Answers 202 with `{"retried", "kept", "more"}`: those for a `reason`, or with `all=true` all.

    `kept` could not be retried; with `more`, the same request again goes on.

    Raises:
        ProblemError: the query breaks a rule, nothing could be put, or the broker is away.
    """
    return _retried(request, await _asked(request.app[BROKER].retry_dead(_many(request))))


async def drop_dead(request: web.Request) -> web.Response:
    """Answers 200 with `{"id", "dropped", "more"}` when the letter is gone.

    Raises:
        ProblemError: there is no such letter in reach or several, or the broker is away.
    """
    parameters(request, set())
    letter_id, handled = await _to_one(request, request.app[BROKER].drop_dead)
    return _dropped(request, handled, letter_id)


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


async def _to_one(request: web.Request, handle: Callable[[Wanted], Awaitable[Handled]]) -> tuple[str, Handled]:
    """Handles the letter that the path names; a look for ids that begin like that comes only where none is that id."""
    wanted = request.match_info["id"]
    handled = await _asked(handle(has_id(wanted)))
    if _touched(handled):
        return wanted, handled
    found = named_by(wanted, await _asked(request.app[BROKER].dead(may_be(wanted))))[0].id
    handled = await _asked(handle(has_id(found)))
    if not _touched(handled):
        raise not_found(found, complete=handled.complete)
    return found, handled


def _touched(handled: Handled) -> bool:
    return bool(handled.done or handled.kept)


def _retried(request: web.Request, handled: Handled, letter_id: str | None = None) -> web.Response:
    request.app[METRICS].dead_letters.labels("retry").inc(handled.done)
    _log("dead_letters_retried", request, handled, letter_id)
    answer = {**_named(letter_id), "retried": handled.done, "kept": handled.kept, "more": not handled.complete}
    return web.json_response(answer, status=202)


def _dropped(request: web.Request, handled: Handled, letter_id: str | None = None) -> web.Response:
    request.app[METRICS].dead_letters.labels("drop").inc(handled.done)
    _log("dead_letters_dropped", request, handled, letter_id)
    return web.json_response({**_named(letter_id), "dropped": handled.done, "more": not handled.complete})


def _named(letter_id: str | None) -> dict[str, str]:
    return {} if letter_id is None else {"id": letter_id}


def _log(event: str, request: web.Request, handled: Handled, letter_id: str | None) -> None:
    chosen = letter_id or request.query_string
    log.info(event, by=request[OWNER], chosen=chosen, done=handled.done, kept=handled.kept)


def _many(request: web.Request) -> Wanted:
    given = parameters(request, {"reason", "all"})
    reason, everything = reason_of(given.get("reason")), flag_of("all", given.get("all", "false"))
    if everything == (reason is not None):
        raise invalid_parameter("reason", "exactly_one", "or all=true must be given, and not both")
    return lambda letter: everything or letter.reason is reason
