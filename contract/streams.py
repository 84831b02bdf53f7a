"""The four records that a broker keeps, as streams that are read from any place on."""

from collections.abc import AsyncGenerator, Sequence
from enum import StrEnum
from typing import Final, Protocol

from contract.broker import LogEntry
from contract.topology import ACCEPTED, ATTEMPTS, LOG, REQUESTS

_SKIPPED: Final = 1  # RabbitMQ takes an offset for itself at the beginning of each segment (seen on 3.10)


def is_next(offset: int, after: int) -> bool:
    """Tells whether an entry at `offset` may follow the one at `after`: nothing was taken from between them."""
    return after < offset <= after + 1 + _SKIPPED


class Stream(StrEnum):
    """A record that only grows, until retention takes its oldest entries."""

    ACCEPTED = ACCEPTED  # an entry holds a JSON array of `contract.accepted.Accepted`
    ATTEMPTS = ATTEMPTS  # an entry holds a JSON array of `contract.attempts.FailedAttempt`
    LOG = LOG  # an entry holds one output event
    REQUESTS = REQUESTS  # an entry holds a JSON array of `contract.requests.OwnerRequest`


class Streams(Protocol):
    """What a broker offers to those that follow its records."""

    def follow(self, stream: Stream, after: int) -> AsyncGenerator[Sequence[LogEntry], None]:
        """Yields the entries of `stream` with an offset above `after`, and goes on with new ones as they come.

        What is there comes in batches. -1 starts with the oldest entry that is kept. An empty batch says that all
        entries up to this moment have been yielded; it comes at least every few seconds while nothing else does.

        Raises:
            UnknownOffset: what follows `after` is not there: retention took it, or the stream was made anew and is
                shorter.
            BrokerUnavailable: the broker failed for good, or was closed.
        """
