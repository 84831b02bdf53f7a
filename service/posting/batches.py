"""The batch that posted documents belong to, as the query names it."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final
from weakref import WeakValueDictionary

from aiohttp import web
from cachetools import TTLCache

from contract.batches import MAX_NAME_CHARS, NAME, BatchClosed
from contract.broker import BrokerError
from contract.faults import Fault
from contract.ids import batch_id
from contract.ledger import Ledger
from contract.timestamps import rfc3339
from service import problems
from service.api.posting import BATCH, CLOSE_BATCH
from service.context import BROKER, CLOCK
from service.http.middlewares import OWNER
from service.posting.brief_ledger import BriefLedger
from service.refusals import Problem, invalid_parameter

_NAME_RULE: Final = f"must have 1 to {MAX_NAME_CHARS} characters, none of them a control character"
_TRUTH: Final = {"true", "false"}
_REMEMBER_S: Final = 0.2  # chosen: a small part of the second that the recorder may be behind
_REMEMBERED: Final = 10_000  # batches; chosen: about 2 MB, and far more than are posted to within that time


@dataclass(frozen=True, slots=True)
class Membership:
    """The batch `name` of `owner`, to which the documents of a request belong. `closes`: no documents follow."""

    owner: str
    name: str
    closes: bool

    @property
    def id(self) -> str:
        """The id of the batch."""
        return batch_id(self.owner, self.name)


def batch_of(request: web.Request) -> Membership | None:
    """Returns the batch that the query names, None if it names none. Call it when `batch_faults` found nothing."""
    name = request.query.get(BATCH.name)
    return None if name is None else Membership(request[OWNER], name, request.query.get(CLOSE_BATCH.name) == "true")


def batch_faults(request: web.Request) -> Iterator[Fault]:
    """Yields what is wrong with the values of the query's parameters about a batch."""
    name, closes = request.query.get(BATCH.name), request.query.get(CLOSE_BATCH.name)
    if name is not None and not NAME.fullmatch(name):
        yield Fault(BATCH.name, "name", _NAME_RULE)
    if closes is not None and closes not in _TRUTH:
        yield Fault(CLOSE_BATCH.name, "wrong_type", "must be true or false")
    if closes is not None and name is None:
        yield Fault(CLOSE_BATCH.name, "needs_batch", "goes with batch, which names it")


def check_name(parameter: str, name: str) -> None:
    """Refuses a `name` that no batch can have.

    Raises:
        ProblemError: it may not.
    """
    if not NAME.fullmatch(name):
        raise invalid_parameter(parameter, "name", _NAME_RULE)


class ClosedBatches:
    """Knows which documents come too late for their batch. While the ledger is away, none does.

    That a batch is open is remembered for a moment: to ask the ledger for each post alone takes longer than the post.
    """

    def __init__(self, ledger: Ledger | None) -> None:
        self._ledger = BriefLedger(ledger)
        self._open: TTLCache[str, bool] = TTLCache(_REMEMBERED, _REMEMBER_S)
        self._asking: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def outsiders(self, batch: Membership, document_ids: Sequence[str]) -> frozenset[str]:
        """Returns those of the documents that cannot be in the batch: it is closed. Repeats of its own can."""
        batch_id = batch.id
        if await self._is_open(batch_id):
            return frozenset()
        found = await self._ledger.ask(lambda ledger: ledger.outsiders(batch_id, document_ids))
        return found or frozenset()

    async def _is_open(self, batch_id: str) -> bool:
        """Of posts that come together, one asks."""
        async with self._asking.setdefault(batch_id, asyncio.Lock()):
            if batch_id in self._open:
                return True
            known = await self._ledger.ask(lambda ledger: ledger.batch(batch_id))
            if known is not None and known.closed_at is not None:
                return False
            self._open[batch_id] = True
            return True

    def forget(self, batch_id: str) -> None:
        """Asks the ledger again about this batch, because it was just closed."""
        self._open.pop(batch_id, None)


CLOSED_BATCHES = web.AppKey("CLOSED_BATCHES", ClosedBatches)


def too_late() -> Problem:
    """Returns the problem of a document that comes when its batch is closed."""
    kind = problems.BATCH_CLOSED
    return Problem(kind, kind.meaning, [Fault(BATCH.name, "closed", "is closed")])


async def put_end(app: web.Application, batch: Membership) -> BrokerError | None:
    """Puts the end of a batch on record. Returns why it may not be there, None where it is durable."""
    closed = BatchClosed(closed_batch=batch.id, at=rfc3339(app[CLOCK]()), owner=batch.owner, name=batch.name)
    try:
        await app[BROKER].close_batch(closed)
    except BrokerError as error:
        return error
    app[CLOSED_BATCHES].forget(batch.id)
    return None
