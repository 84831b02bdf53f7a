"""The dead letters of the embedded broker: rows of a table."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from functools import partial
from sqlite3 import Connection

from contract.dead import DeadLetter, read_letter
from contract.job import Job
from runtime.brokers.embedded import dead_rows
from runtime.brokers.embedded.dead_rows import Buried
from runtime.brokers.embedded.lanes import Lanes, insert_within, new_message
from runtime.brokers.embedded.limits import EmbeddedLimits
from runtime.brokers.embedded.store import Store
from runtime.brokers.embedded.tables import Message

_BATCH_LETTERS = (
    100  # letters read from the table at once; chosen: small ones take little memory, and few reads suffice
)


class DeadTable:
    """Implements `runtime.brokers.dead.DeadLetterStore`. Rows are not locked: a row that another call took is gone."""

    def __init__(self, store: Store, lanes: Lanes, limits: EmbeddedLimits) -> None:
        self.complete = False
        self._store = store
        self._lanes = lanes
        self._limits = limits

    async def batches(self) -> AsyncGenerator[Sequence["HeldRow"], None]:
        """Yields the rows that exist at the start, oldest first."""
        last = await self._store.read(dead_rows.last_buried)
        seq, left = 0, self._limits.scan_letters
        while left and (rows := await self._page(seq, last, min(left, _BATCH_LETTERS))):
            yield [self._held(row) for row in rows]
            seq, left = rows[-1].seq, left - len(rows)
        self.complete = not await self._page(seq, last, 1)

    def _held(self, row: Buried) -> "HeldRow":
        return HeldRow(row.seq, read_letter(row.body, row.burial), self._store, self._lanes, self._limits)

    async def _page(self, after: int, until: int, count: int) -> list[Buried]:
        return await self._store.read(partial(dead_rows.page, after=after, until=until, max_letters=count))


@dataclass(frozen=True, slots=True)
class HeldRow:
    """A dead letter and its row."""

    seq: int
    letter: DeadLetter
    store: Store
    lanes: Lanes
    limits: EmbeddedLimits

    async def revive(self, job: Job) -> bool:
        """Puts `job` and removes the letter, both or neither.

        Raises:
            BrokerFull: the job's lane is at its limit.
            BrokerUnavailable: the database failed, or was closed.
        """
        message = new_message(job)
        revived = await self.store.run(partial(_revive, seq=self.seq, message=message, limits=self.limits))
        if revived:
            self.lanes.accepted()
        return revived

    async def remove(self) -> bool:
        """Removes the letter.

        Raises:
            BrokerUnavailable: the database failed, or was closed.
        """
        return await self.store.run(partial(dead_rows.exhume, seq=self.seq))


def _revive(db: Connection, seq: int, message: Message, limits: EmbeddedLimits) -> bool:
    if not dead_rows.exhume(db, seq):
        return False
    insert_within(db, message, limits)
    return True
