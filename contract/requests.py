"""The record of requests: owners cancel or erase documents that were accepted. Workers and the recorder read it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from contract.events import Announcement


class Action(StrEnum):
    """The action that a request asks for."""

    CANCEL = "cancel"  # decide the runs up to `run` as cancelled if they are not decided yet
    ERASE = "erase"  # the same for all runs, and delete everything that is kept of the document


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnerRequest:
    """One request about the document `id`. `at` is RFC 3339, UTC.

    `run` is the last run that the request applies to, None for all, future ones included. `owner` is the name of the
    API key whose documents it may affect, None for any.
    """

    action: Action
    id: str
    at: str
    run: int | None = None
    owner: str | None = None


class RequestSink(Protocol):
    """Stores requests, and tells subscribers what no worker tells them: erasures, and batches that are completed."""

    async def request(self, request: OwnerRequest) -> None:
        """Writes `request` to the record. It is durable when this returns.

        Raises:
            BrokerUnavailable: not written, or not known to be written, within the publish timeout.
        """

    async def announce(self, event: Announcement) -> None:
        """Writes `event` to the log, then offers it to all subscribers. Called again, it does both again.

        Raises:
            BrokerUnavailable: not written, or not known to be written, within the publish timeout.
        """
