"""Lists, commits and removes the caller's named consumers."""

import orjson
from aiohttp import web

from contract.consumers import Consumer, ConsumerBook
from contract.timestamps import rfc3339
from service import problems
from service.access.known_keys import CALLER
from service.api.answers import CommitRequest, ConsumerList, ConsumerState
from service.api.consumers import COMMIT_OFFSET, LIST_CONSUMERS, REMOVE_CONSUMER
from service.api.operation import JSON
from service.context import CLOCK, CONSUMERS
from service.http.json_bodies import read_json
from service.http.parameters import check_parameters
from service.lookups.ledger import asked, part_of_ledger, rfc3339_or_none, tagged
from service.refusals import Problem, ProblemError


def book_of(request: web.Request) -> ConsumerBook:
    """Returns where this server keeps consumers.

    Raises:
        ProblemError: it has no ledger.
    """
    return part_of_ledger(request, CONSUMERS)


async def list_consumers(request: web.Request) -> web.Response:
    """Answers 200 with `{"consumers": [..]}`.

    Raises:
        ProblemError: the query breaks a rule, or the ledger is away.
    """
    check_parameters(request, LIST_CONSUMERS.parameters)
    found = await asked(book_of(request).consumers(request[CALLER].owner))
    return tagged(request, orjson.dumps(ConsumerList(consumers=tuple(map(_shown, found)))), JSON)


async def commit_offset(request: web.Request) -> web.Response:
    """Answers 200 with the consumer.

    Raises:
        ProblemError: the request breaks a rule, there is no such consumer, or the ledger is away.
    """
    check_parameters(request, COMMIT_OFFSET.parameters)
    offset = (await read_json(request, CommitRequest)).offset
    name, at = request.match_info["name"], request.app[CLOCK]()
    consumer = await asked(book_of(request).commit(request[CALLER].owner, name.replace("\0", ""), offset, at))
    if consumer is None:
        raise _missing()
    return web.Response(body=orjson.dumps(_shown(consumer)), content_type=JSON)


async def remove_consumer(request: web.Request) -> web.Response:
    """Answers 204 when the consumer is removed.

    Raises:
        ProblemError: there is no such consumer, or the ledger is away.
    """
    check_parameters(request, REMOVE_CONSUMER.parameters)
    name = request.match_info["name"].replace("\0", "")
    if not await asked(book_of(request).remove(request[CALLER].owner, name)):
        raise _missing()
    return web.Response(status=204)


def _shown(consumer: Consumer) -> ConsumerState:
    return ConsumerState(
        name=consumer.name,
        offset=consumer.offset,
        created_at=rfc3339(consumer.created_at),
        committed_at=rfc3339_or_none(consumer.committed_at),
    )


def _missing() -> ProblemError:
    return ProblemError(Problem(problems.NOT_FOUND, "There is no consumer of this name."))
