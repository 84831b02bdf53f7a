"""The requests to cancel or erase documents that a worker knows: it follows their record and keeps the newest."""

import asyncio
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final

import structlog

from contract.broker import LogEntry, UnknownOffset
from contract.codec import UndecodableError, decode_requests
from contract.job import Job
from contract.requests import Action, OwnerRequest
from contract.streams import Stream, Streams

log = structlog.get_logger(__name__)

MOST_REQUESTS: Final = (
    100_000  # chosen: 28 MB (measured); a document may wait for days while so many others are cancelled
)


@dataclass(frozen=True, slots=True)
class _Meant:
    """The runs that a request applies to: up to `run`, None for all. `erased` if the document is to be erased."""

    run: int | None
    erased: bool


class OwnerRequests:
    """The newest requests, for up to `most` documents. Older ones are forgotten, as if nobody had asked."""

    def __init__(self, most: int = MOST_REQUESTS) -> None:
        self._most = most
        self._meant: dict[tuple[str, str | None], _Meant] = {}

    def take(self, request: OwnerRequest) -> None:
        """Adds `request` to earlier ones about the same document."""
        key = (request.id, request.owner)
        before = self._meant.pop(key, None)
        self._meant[key] = _joined(before, _Meant(request.run, request.action is Action.ERASE))
        if len(self._meant) > self._most:
            del self._meant[next(iter(self._meant))]  # the longest there

    def about(self, job: Job) -> Action | None:
        """Returns the action that is requested for this run of `job`, None if there is no request."""
        found = [self._meant.get((job.id, owner)) for owner in {job.owner, None}]
        meant = [it for it in found if it is not None and (it.run is None or job.run <= it.run)]
        if any(it.erased for it in meant):
            return Action.ERASE
        return Action.CANCEL if meant else None

    def is_erased(self, document_id: str, owner: str | None) -> bool:
        """Returns True if the owner asked to erase this document."""
        meant = (self._meant.get((document_id, name)) for name in {owner, None})
        return any(it is not None and it.erased for it in meant)

    async def follow(self, streams: Streams, caught_up: asyncio.Event) -> None:
        """Reads the record and then follows it until it is cancelled. Sets `caught_up` when it has read all entries.

        Raises:
            BrokerUnavailable: the broker failed permanently, or was closed.
        """
        while True:
            try:
                await self._follow_from_the_oldest(streams, caught_up)
            except UnknownOffset as error:  # retention removed some, or the stream was deleted and declared again
                log.info("record_read_from_oldest", record=Stream.REQUESTS, detail=str(error))

    async def _follow_from_the_oldest(self, streams: Streams, caught_up: asyncio.Event) -> None:
        async with aclosing(streams.follow(Stream.REQUESTS, -1)) as batches:
            async for batch in batches:
                for entry in batch:
                    self._read(entry)
                if not batch:
                    caught_up.set()

    def _read(self, entry: LogEntry) -> None:
        try:
            requests = decode_requests(entry.body)
        except UndecodableError as error:  # somebody else may write to the broker
            log.warning("requests_undecodable", offset=entry.offset, detail=str(error))
            return
        for request in requests:
            self.take(request)


def _joined(before: _Meant | None, new: _Meant) -> _Meant:
    if before is None:
        return new
    run = None if before.run is None or new.run is None else max(before.run, new.run)
    return _Meant(run, before.erased or new.erased)
