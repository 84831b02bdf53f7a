"""Updates the audit's books from RabbitMQ: first the record of acceptances, then the log, then the queues."""

from collections.abc import Mapping
from contextlib import aclosing

import structlog

from contract.accepted import Accepted
from contract.broker import BrokerUnavailable, LogEntry
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


class RabbitAudit:
    """Implements `runtime.auditor.AuditSource`. Each update opens its own connection. It declares nothing."""

    def __init__(self, url: str, topology: Topology, limits: RabbitLimits) -> None:
        self._url = url
        self._topology = topology
        self._limits = limits
        self._accepted = -1
        self._logged = -1

    async def update(self, books: Books) -> QueueSnapshot:
        """Reads what is new into `books` and returns what waits.

        In this order, no run in the books has a verdict that is not read.

        Raises:
            UnknownOffset: retention removed entries that were not read yet: start with empty books.
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
        async with aclosing(standing(session, ACCEPTED, self._accepted)) as entries:
            async for entry in entries:
                for record in _records(entry):
                    books.accept(record)
                self._accepted = entry.offset

    async def _read_log(self, session: Session, books: Books) -> None:
        async with aclosing(standing(session, LOG, self._logged)) as entries:
            async for entry in entries:
                if self._logged < 0 < entry.offset:
                    books.begin_log(entry.body)
                books.decide(entry.body)
                self._logged = entry.offset


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
