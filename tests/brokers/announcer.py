"""Publishes events to the log as fast as they are confirmed, and looks for them there."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import aclosing
from uuid import uuid4

from contract.broker import Broker, BrokerUnavailable
from contract.codec import decode_event
from contract.events import ErasedEvent, erased
from tests.brokers import samples
from tests.brokers.suite.requests import sink

AT_ONCE = 32  # as many events wait for their confirm: some are on their way whenever a leader dies

PAUSE_S = 0.05  # after a failure; chosen: a session that is lost is noticed meanwhile


class Announcer:
    """Announces events without a pause, each until it is confirmed, and remembers the ids of their documents."""

    def __init__(self, broker: Broker) -> None:
        self._sink = sink(broker)
        self._is_stopping = False
        self._progress = asyncio.Condition()
        self.confirmed: set[str] = set()

    async def run(self) -> None:
        """Announces until `stop` is called, and returns when all that was begun is confirmed. It may run again."""
        self._is_stopping = False
        async with asyncio.TaskGroup() as group:
            for _ in range(AT_ONCE):
                group.create_task(self._announce_on())

    async def until_more(self, count: int) -> None:
        """Returns when `count` more events are confirmed than now."""
        async with self._progress:
            goal = len(self.confirmed) + count
            await self._progress.wait_for(lambda: len(self.confirmed) >= goal)

    def stop(self) -> None:
        self._is_stopping = True

    async def announce(self) -> str:
        """Returns the id of the document whose event is confirmed."""
        event = event_of(uuid4().hex)
        while not await self._is_confirmed(event):  # noqa: ASYNC110 - as a client does that is refused
            await asyncio.sleep(PAUSE_S)
        async with self._progress:
            self.confirmed.add(event.subject)
            self._progress.notify_all()
        return event.subject

    async def _announce_on(self) -> None:
        while not self._is_stopping:
            await self.announce()

    async def _is_confirmed(self, event: ErasedEvent) -> bool:
        try:
            await self._sink.announce(event)
        except BrokerUnavailable:
            return False
        return True


def event_of(document_id: str) -> ErasedEvent:
    return erased(document_id, samples.NOW)


async def missing_in_log(broker: Broker, subjects: set[str]) -> tuple[set[str], int]:
    """Returns those of `subjects` that the log does not hold, and how many events of the others it holds again."""
    last = event_of(uuid4().hex)
    await sink(broker).announce(last)
    found, entries = Counter[str](), broker.read(-1)
    assert isinstance(entries, AsyncGenerator)
    async with aclosing(entries):
        async for entry in entries:
            subject = decode_event(entry.body).subject
            if subject == last.subject:
                break
            found[subject] += subject in subjects
    return subjects - set(found), sum(found.values()) - len(+found)
