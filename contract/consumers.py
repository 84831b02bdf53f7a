"""Named consumers of the event log: the ledger keeps how far each has come, so that a client needs no state."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from contract.keys import NAME as NAME_OF_OWNER

NAME: Final = NAME_OF_OWNER
"""A consumer's name: the same characters as an owner's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Consumer:
    """A consumer, which belongs to an owner. Times are aware.

    Attributes:
        offset: all events of the log up to this one are done; -1 before the oldest.
        committed_at: when the offset was last set by its client, None if it never was.
    """

    owner: str
    name: str
    offset: int
    created_at: datetime
    committed_at: datetime | None = None


class ConsumerBook(Protocol):
    """Where consumers are kept. Every call may raise `contract.ledger.LedgerUnavailable`."""

    async def consumers(self, owner: str) -> Sequence[Consumer]:
        """Returns the consumers of an owner, by name."""

    async def consumer(self, owner: str, name: str) -> Consumer | None:
        """Returns a consumer, None if there is none."""

    async def add(self, consumer: Consumer, *, at_most: int) -> bool:
        """Stores a new consumer. If there is one of this name, that one stays.

        Returns False, and stores nothing, if the owner would have more than `at_most`.
        """

    async def commit(self, owner: str, name: str, offset: int, at: datetime) -> Consumer | None:
        """Moves the consumer's offset forward, never back, and returns the consumer; None if there is none."""

    async def remove(self, owner: str, name: str) -> bool:
        """Removes a consumer. Returns False if there is none."""

    async def take(self, owner: str, name: str, holder: str) -> bool:
        """Notes which connection reads for the consumer: the latest does. Returns False if there is no consumer."""

    async def holder(self, owner: str, name: str) -> str | None:
        """Returns what `take` was last given, None if there is no consumer."""
