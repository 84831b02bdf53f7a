"""The batch that posted documents belong to, as the query names it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from contract.batches import MAX_NAME_CHARS, NAME, BatchClosed
from contract.broker import BrokerError
from contract.ids import batch_id
from contract.submission import Fault
from contract.timestamps import rfc3339
from service.api.posting import BATCH, CLOSE_BATCH
from service.context import BROKER, CLOCK
from service.http.middlewares import OWNER
from service.problems import invalid_parameter

_NAME_RULE: Final = f"must have 1 to {MAX_NAME_CHARS} characters, none of them a control character"
_TRUTH: Final = {"true", "false"}


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
    """Returns if `name` may be that of a batch.

    Raises:
        ProblemError: it may not.
    """
    if not NAME.fullmatch(name):
        raise invalid_parameter(parameter, "name", _NAME_RULE)


async def put_end(app: web.Application, batch: Membership) -> BrokerError | None:
    """Puts the end of a batch on record. Returns why it may not be there, None where it is durable."""
    closed = BatchClosed(closed_batch=batch.id, at=rfc3339(app[CLOCK]()), owner=batch.owner, name=batch.name)
    try:
        await app[BROKER].close_batch(closed)
    except BrokerError as error:
        return error
    return None
