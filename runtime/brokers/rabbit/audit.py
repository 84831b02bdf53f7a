"""Updates the audit's books from RabbitMQ: first the record of acceptances, then the log, then the queues."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from hashlib import blake2b

import structlog

from contract.accepted import Accepted
from contract.broker import BrokerUnavailable, LogEntry, UnknownOffset
from contract.codec import UndecodableError, decode_acceptances
from contract.job import Lane
from contract.labels import SessionRole
from contract.topology import ACCEPTED, ATTEMPTS, DEAD, LOG, PREVIEWS, Topology, lane_queue
from runtime.audit import Books, QueueSnapshot
from runtime.brokers.rabbit.gauges import depths
from runtime.brokers.rabbit.limits import RabbitLimits
from runtime.brokers.rabbit.log import standing
from runtime.brokers.rabbit.session import Session, SessionLost

log = structlog.get_logger(__name__)

_DIGEST_BYTES = 16  # chosen: two entries collide with probability 2**-128


@dataclass(frozen=True, slots=True)
class _Place:
    """The entry of a stream that was read last."""

    offset: int
    digest: bytes

    @classmethod
    def of(cls, entry: LogEntry) -> "_Place":
        return cls(entry.offset, blake2b(entry.body, digest_size=_DIGEST_BYTES).digest())


class RabbitAudit:
    """Implements `runtime.auditor.AuditSource`. Each update opens its own connection. It declares nothing."""

    def __init__(self, url: str, topology: Topology, limits: RabbitLimits) -> None:
        self._url = url
        self._topology = topology
        self._limits = limits
        self._accepted: _Place | None = None
        self._logged: _Place | None = None

    async def update(self, books: Books) -> QueueSnapshot:
        """Reads what is new into `books` and returns what waits.

        In this order, no run in the books has a verdict that is not read.

        Raises:
            UnknownOffset: retention removed entries that were not read yet, or a stream was deleted and declared again:
                start with empty books.
            BrokerUnavailable: the broker cannot be reached, was lost, or lacks a queue.
        """
        session = Session(self._url, SessionRole.READER, self._limits)
        try:
            async with aclosing(session):
                await session.open()
                await self._read_accepted(session, books)
                await self._read_log(session, books)
                return _snapshot(await depths(session, self._topology))
        except SessionLost as loss:
            raise BrokerUnavailable(f"{loss.cause}: {loss.detail}") from None

    async def _read_accepted(self, session: Session, books: Books) -> None:
        async with aclosing(_after(self._accepted, session, ACCEPTED)) as entries:
            async for entry in entries:
                for record in _records(entry):
                    books.accept(record)
                self._accepted = _Place.of(entry)

    async def _read_log(self, session: Session, books: Books) -> None:
        async with aclosing(_after(self._logged, session, LOG)) as entries:
            async for entry in entries:
                if self._logged is None and entry.offset > 0:
                    books.begin_log()
                books.decide(entry.body)
                self._logged = _Place.of(entry)


async def _after(place: _Place | None, session: Session, stream: str) -> AsyncGenerator[LogEntry, None]:
    """Yields the entries of `stream` after `place`, which must still be there: a stream made again begins with 0."""
    unseen = place
    async with aclosing(standing(session, stream, -1 if place is None else place.offset - 1)) as entries:
        async for entry in entries:
            if unseen is None:
                yield entry
            elif _Place.of(entry) != unseen:
                break
            else:
                unseen = None
    if unseen is not None:
        raise UnknownOffset(f"{stream} has no longer the entry at {unseen.offset} that was read last")


def _records(entry: LogEntry) -> list[Accepted]:
    try:
        return [record for record in decode_acceptances(entry.body) if isinstance(record, Accepted)]
    except UndecodableError as error:
        log.warning("acceptances_undecodable", offset=entry.offset, detail=str(error))
        return []


def _snapshot(queues: Mapping[str, int]) -> QueueSnapshot:
    lanes = {lane: queues[lane_queue(lane)] for lane in Lane}
    no_jobs = {DEAD, ATTEMPTS, PREVIEWS}  # none of these holds an accepted document that has no verdict
    elsewhere = sum(count for name, count in queues.items() if name not in no_jobs) - sum(lanes.values())
    return QueueSnapshot(queues=queues, lanes=lanes, elsewhere=elsewhere)
