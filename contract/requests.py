"""The record of requests: what owners ask for after their documents were accepted. Workers and the ledger read it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from contract.events import ErasedEvent


class Action(StrEnum):
    """What is to become of a document."""

    CANCEL = "cancel"  # its runs up to `run` are decided as cancelled, unless they are decided before
    ERASE = "erase"  # all its runs, and nothing of it is kept


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnerRequest:
    """One request about the document `id`. `at` is RFC 3339, UTC.

    `run` is the last one that is meant, None for all, those to come included. `owner` is the name of the API key whose
    documents it may touch, None for anybody's.
    """

    action: Action
    id: str
    at: str
    run: int | None = None
    owner: str | None = None


class RequestSink(Protocol):
    """Takes requests, and tells subscribers that a document is erased."""

    async def request(self, request: OwnerRequest) -> None:
        """Puts `request` on record. It is durable when this returns.

        Raises:
            BrokerUnavailable: not written, or not known to be written, within the publish timeout.
        """

    async def announce(self, event: ErasedEvent) -> None:
        """Writes `event` to the log, then offers it to all subscribers. Called again, it does both again.

        Raises:
            BrokerUnavailable: not written, or not known to be written, within the publish timeout.
        """
