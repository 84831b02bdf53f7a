"""The three records that a broker keeps. Each is a stream that can be read from any offset."""

from collections.abc import AsyncGenerator, Sequence
from enum import StrEnum
from typing import Protocol

from contract.broker import LogEntry
from contract.topology import ACCEPTED, ATTEMPTS, LOG


class Stream(StrEnum):
    """An append-only record. Retention removes its oldest entries."""

    ACCEPTED = ACCEPTED  # an entry holds a JSON array of `contract.accepted.Accepted`
    ATTEMPTS = ATTEMPTS  # an entry holds a JSON array of `contract.attempts.FailedAttempt`
    LOG = LOG  # an entry holds one output event


class Streams(Protocol):
    """Lets a consumer follow the records of a broker."""

    def follow(self, stream: Stream, after: int) -> AsyncGenerator[Sequence[LogEntry], None]:
        """Yields the entries of `stream` with an offset above `after`, then new entries as they are written.

        Entries come in batches. -1 starts with the oldest entry that is kept. An empty batch means that all entries
        up to this moment have been yielded; it comes every few seconds while there are no new entries.

        Raises:
            UnknownOffset: there is no entry `after` + 1: retention took it, or the stream was made anew and is shorter.
            BrokerUnavailable: the broker failed for good, or was closed.
        """
