"""The four records that a broker keeps. Each is a stream that can be read from any offset."""

from collections.abc import AsyncGenerator, Sequence
from enum import StrEnum
from typing import Final, Protocol

from contract.broker import LogEntry
from contract.topology import ACCEPTED, ATTEMPTS, LOG, REQUESTS

_SKIPPED: Final = 1  # RabbitMQ takes an offset for itself at the beginning of each segment (seen on 3.10)
_FIRST: Final = 1  # offset: RabbitMQ counts entries from 0, the embedded broker from 1


def has_begun_to_remove(oldest: int) -> bool:
    """Returns True if retention has removed entries before the one at the offset `oldest`."""
    return oldest > _FIRST


def is_next(offset: int, after: int) -> bool:
    """Returns True if no entry is missing between the one at `after` and the one at `offset`."""
    return after < offset <= after + 1 + _SKIPPED


class Stream(StrEnum):
    """An append-only record. Retention removes its oldest entries."""

    ACCEPTED = ACCEPTED  # an entry holds a JSON array of `contract.accepted.AcceptedEntry`
    ATTEMPTS = ATTEMPTS  # an entry holds a JSON array of `contract.attempts.FailedAttempt`
    LOG = LOG  # an entry holds one output event
    REQUESTS = REQUESTS  # an entry holds a JSON array of `contract.requests.OwnerRequest`


class Streams(Protocol):
    """Lets a consumer follow the records of a broker."""

    def follow(self, stream: Stream, after: int) -> AsyncGenerator[Sequence[LogEntry], None]:
        """Yields the entries of `stream` with an offset above `after`, then new entries as they are written.

        Entries come in batches. -1 starts with the oldest entry that is kept. An empty batch means that all entries
        up to this moment have been yielded; it comes every few seconds while there are no new entries.

        Raises:
            UnknownOffset: the entries after `after` are gone: retention removed them, or the stream was deleted and
                declared again and is shorter.
            BrokerUnavailable: the broker failed permanently, or was closed.
        """
