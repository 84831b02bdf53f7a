"""GET /v1/capacity: how much waits in each lane, and how long a document that is posted now will wait."""

import asyncio
from collections.abc import Awaitable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final, TypeVar

import orjson
from aiohttp import web

from contract.broker import BrokerError, BrokerUnavailable, QueueDepth
from contract.job import Lane
from contract.ledger import Ledger, LedgerUnavailable
from contract.timestamps import rfc3339
from contract.topology import DELAYED, INTAKE_RETRY, lane_queue
from service.api.answers import Capacity, LaneLoad, LaneLoads
from service.api.capacity import GET_CAPACITY, WINDOW_S
from service.api.operation import JSON
from service.context import BROKER, CLOCK, LEDGER
from service.http.parameters import check_parameters
from service.refusals import broker_refusal

_KEPT_S: Final = 1.0  # chosen: clients may ask as often as they like
_BROKER_TIMEOUT_S: Final = 2.0  # chosen, as for the gauges
_LEDGER_TIMEOUT_S: Final = 1.0  # chosen: without it the answer has fewer figures, and comes all the same

T = TypeVar("T")


class Load:
    """The answer of a moment ago. Those who ask at one moment share one look."""

    def __init__(self) -> None:
        self._looking = asyncio.Lock()
        self._found: Capacity | BrokerError | None = None
        self._until = 0.0

    async def of(self, app: web.Application) -> Capacity:
        """Returns what waits, at most `_KEPT_S` old.

        Raises:
            BrokerError: the broker cannot be asked, or could not a moment ago.
        """
        async with self._looking:
            if self._found is None or _now() >= self._until:
                self._found = await _outcome(app)
                self._until = _now() + _KEPT_S
        if isinstance(self._found, BrokerError):
            raise self._found
        return self._found


def _now() -> float:
    return asyncio.get_running_loop().time()


async def _outcome(app: web.Application) -> Capacity | BrokerError:
    try:
        return await _look(app)
    except BrokerError as error:
        return error


LOAD = web.AppKey("LOAD", Load)


async def get_capacity(request: web.Request) -> web.Response:
    """Answers 200 with what waits in each lane.

    Raises:
        ProblemError: there is a query parameter, or the broker is away.
    """
    check_parameters(request, GET_CAPACITY.parameters)
    try:
        capacity = await request.app[LOAD].of(request.app)
    except BrokerError as error:
        raise broker_refusal(error) from error
    return web.Response(body=orjson.dumps(capacity), content_type=JSON, headers={"Cache-Control": "no-store"})


async def _look(app: web.Application) -> Capacity:
    depths = await _depths(app)
    at = app[CLOCK]()
    waiting = {lane: depths[lane_queue(lane)] for lane in Lane}
    ages = {lane: await _oldest_s(app[LEDGER], lane, depth, at) for lane, depth in waiting.items()}
    paces = await _paces(app[LEDGER], at)
    waits = _expected_waits_s({lane: depth.messages for lane, depth in waiting.items()}, paces)
    lanes = {
        lane.value: LaneLoad(
            depth=waiting[lane].messages,
            oldest_s=ages[lane],
            decided_per_s=None if paces is None else paces[lane],
            expected_wait_s=waits[lane],
        )
        for lane in Lane
    }
    return Capacity(at=rfc3339(at), window_s=WINDOW_S, lanes=LaneLoads(**lanes), retrying=_retrying(depths))


async def _depths(app: web.Application) -> Mapping[str, QueueDepth]:
    try:
        async with asyncio.timeout(_BROKER_TIMEOUT_S):
            return await app[BROKER].depths()
    except TimeoutError:
        raise BrokerUnavailable from None


async def _oldest_s(ledger: Ledger | None, lane: Lane, depth: QueueDepth, at: datetime) -> float | None:
    """Returns the age of the first in a lane.

    AMQP does not tell it, and to take a message out for a look counts as an attempt at it. So on RabbitMQ the ledger
    tells, which knows when what is not decided was accepted.
    """
    if not depth.messages:
        return 0.0
    if depth.oldest_s is not None:
        return round(depth.oldest_s, 3)
    since = None if ledger is None else await _known_in_time(ledger.waiting_since(lane))
    return None if since is None else round(max(0.0, (at - since).total_seconds()), 3)


async def _paces(ledger: Ledger | None, at: datetime) -> Mapping[Lane, float] | None:
    """Returns how many documents were decided in a second, None where nobody tells."""
    decided = None if ledger is None else await _known_in_time(ledger.decided_since(at - timedelta(seconds=WINDOW_S)))
    return None if decided is None else {lane: round(decided.get(lane, 0) / WINDOW_S, 3) for lane in Lane}


def _expected_waits_s(depths: Mapping[Lane, int], paces: Mapping[Lane, float] | None) -> Mapping[Lane, float | None]:
    """Returns how long a new document waits at the pace of all lanes together: interactive ones go before all bulk."""
    pace = sum(paces.values()) if paces is not None else 0.0
    ahead = {Lane.INTERACTIVE: depths[Lane.INTERACTIVE], Lane.BULK: sum(depths.values())}
    return {lane: round(count / pace, 3) if pace else None if count else 0.0 for lane, count in ahead.items()}


def _retrying(depths: Mapping[str, QueueDepth]) -> int:
    """Counts what is delayed, in one queue for each delay or in one place, and what has come back from there."""
    return sum(depth.messages for name, depth in depths.items() if name == INTAKE_RETRY or name.startswith(DELAYED))


async def _known_in_time(answer: Awaitable[T]) -> T | None:
    with suppress(LedgerUnavailable, TimeoutError):
        async with asyncio.timeout(_LEDGER_TIMEOUT_S):
            return await answer
    return None
