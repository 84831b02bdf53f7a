"""The dead letters over HTTP: list, show, retry, drop."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import orjson
import structlog
from aiohttp import web

from contract.broker import BrokerError
from contract.dead import Handled, Wanted
from contract.labels import DeadAction
from service import problems
from service.access.known_keys import owner_seen
from service.api.answers import present
from service.api.dead import DROP_DEAD, MANY, RETRY_DEAD, SHOW_DEAD
from service.api.dead_answers import Dropped, LetterList, Retried
from service.api.operation import JSON
from service.context import BROKER, METRICS
from service.dead_ids import has_id, may_be, named_by, not_found
from service.dead_list import DeadQuery, cursor_of, flag_of, listed, place_of, reason_of, shown
from service.http.middlewares import OWNER
from service.http.parameters import check_parameters
from service.refusals import Problem, ProblemError, broker_refusal, invalid_parameter

log = structlog.get_logger(__name__)

_UNREACHABLE = "The dead letters cannot be reached now. The request may have been carried out in part: send it again."

T = TypeVar("T")


async def list_dead(request: web.Request) -> web.Response:
    """Answers 200 with `{"letters": [..], "count", "next", "complete"}`.

    `count` is the number of letters that match the filter. `next` is the `after` of the next page, null on the last.
    `complete` is false if there are more letters than one scan reaches.

    Raises:
        ProblemError: the query breaks a rule, or the broker is away.
    """
    query = DeadQuery.of(request)
    found = await _asked(request.app[BROKER].dead(_within_reach(request, query.wants)))
    ahead = sorted(filter(query.is_ahead, found.letters), key=place_of, reverse=query.newest_first)
    page = ahead[: query.limit]
    answer = LetterList(
        letters=[listed(letter) for letter in page],
        count=len(found.letters),
        next=cursor_of(page[-1]) if len(ahead) > len(page) else None,
        complete=found.complete,
    )
    return _answered(answer)


async def show_dead(request: web.Request) -> web.Response:
    """Answers 200 with everything known about a letter; with `body=true` also its bytes, in base64.

    A letter is named by its id, or by at least the first `dead_ids.MIN_PREFIX_CHARS` characters of it.

    If several letters share the id, it shows the latest run, and of that the last buried. `copies` counts them.

    Raises:
        ProblemError: the query breaks a rule, there is no such letter in reach or several, or the broker is away.
    """
    bodies = flag_of("body", check_parameters(request, SHOW_DEAD.parameters).get("body", "false"))
    wanted = request.match_info["id"]
    found = await _asked(request.app[BROKER].dead(_within_reach(request, may_be(wanted)), bodies=bodies))
    letters = named_by(wanted, found)
    letter = max(letters, key=lambda letter: (letter.job.run if letter.job else 0, letter.buried_at))
    return _answered(shown(letter, copies=len(letters)))


async def retry_dead(request: web.Request) -> web.Response:
    """Answers 202 with `{"id", "retried", "kept", "more"}` when the next run of the document is stored in its queue.

    Raises:
        ProblemError: there is no such letter in reach or several, it holds no job, the queue is full, or the broker
            is away.
    """
    check_parameters(request, RETRY_DEAD.parameters)
    letter_id, handled = await _to_one(request, request.app[BROKER].retry_dead)
    if not handled.done:
        raise ProblemError(Problem(problems.NOT_RETRYABLE, problems.NOT_RETRYABLE.meaning))
    return _retried(request, handled, letter_id)


async def retry_many(request: web.Request) -> web.Response:
    """Retries the letters with a `reason`, or all with `all=true`. Answers 202 with `{"retried", "kept", "more"}`.

    `kept` letters cannot be retried. If `more` is true, send the same request again.

    Raises:
        ProblemError: the query breaks a rule, nothing could be put, or the broker is away.
    """
    return _retried(request, await _asked(request.app[BROKER].retry_dead(_many(request))))


async def drop_dead(request: web.Request) -> web.Response:
    """Answers 200 with `{"id", "dropped", "more"}` when the letter is removed.

    Raises:
        ProblemError: there is no such letter in reach or several, or the broker is away.
    """
    check_parameters(request, DROP_DEAD.parameters)
    letter_id, handled = await _to_one(request, request.app[BROKER].drop_dead)
    return _dropped(request, handled, letter_id)


async def drop_many(request: web.Request) -> web.Response:
    """Drops the letters with a `reason`, or all with `all=true`. Answers 200 with `{"dropped", "more"}`.

    Raises:
        ProblemError: the query breaks a rule, or the broker is away.
    """
    return _dropped(request, await _asked(request.app[BROKER].drop_dead(_many(request))))


async def _asked(answer: Awaitable[T]) -> T:
    try:
        return await answer
    except BrokerError as error:
        raise broker_refusal(error, _UNREACHABLE) from error


async def _to_one(request: web.Request, handle: Callable[[Wanted], Awaitable[Handled]]) -> tuple[str, Handled]:
    """Handles the letter that the path names. It looks for ids with that prefix only if no letter has this exact id."""
    wanted = request.match_info["id"]
    handled = await _asked(handle(_within_reach(request, has_id(wanted))))
    if _touched(handled):
        return wanted, handled
    page = await _asked(request.app[BROKER].dead(_within_reach(request, may_be(wanted))))
    found = named_by(wanted, page)[0].id
    handled = await _asked(handle(_within_reach(request, has_id(found))))
    if not _touched(handled):
        raise not_found(found, complete=handled.complete)
    return found, handled


def _within_reach(request: web.Request, wanted: Wanted) -> Wanted:
    """Narrows `wanted` to letters of documents that the caller may see.

    What cannot be decoded has no owner: it takes the scope `admin` to see that.
    """
    owner = owner_seen(request)
    if owner is None:
        return wanted
    return lambda letter: letter.job is not None and letter.job.owner == owner and wanted(letter)


def _touched(handled: Handled) -> bool:
    return bool(handled.done or handled.kept)


def _retried(request: web.Request, handled: Handled, letter_id: str | None = None) -> web.Response:
    request.app[METRICS].dead_letters.labels(DeadAction.RETRY).inc(handled.done)
    _log("dead_letters_retried", request, handled, letter_id)
    return _answered(
        Retried(id=letter_id, retried=handled.done, kept=handled.kept, more=not handled.complete), status=202
    )


def _dropped(request: web.Request, handled: Handled, letter_id: str | None = None) -> web.Response:
    request.app[METRICS].dead_letters.labels(DeadAction.DROP).inc(handled.done)
    _log("dead_letters_dropped", request, handled, letter_id)
    return _answered(Dropped(id=letter_id, dropped=handled.done, more=not handled.complete))


def _answered(answer: object, *, status: int = 200) -> web.Response:
    return web.Response(body=orjson.dumps(present(answer)), content_type=JSON, status=status)


def _log(event: str, request: web.Request, handled: Handled, letter_id: str | None) -> None:
    chosen = letter_id or request.query_string
    log.info(event, by=request[OWNER], chosen=chosen, done=handled.done, kept=handled.kept)


def _many(request: web.Request) -> Wanted:
    given = check_parameters(request, MANY)
    reason, everything = reason_of(given.get("reason")), flag_of("all", given.get("all", "false"))
    if everything == (reason is not None):
        raise invalid_parameter("reason", "exactly_one", "must be given, or all=true, and not both")
    return _within_reach(request, lambda letter: everything or letter.reason is reason)
