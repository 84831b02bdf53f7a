"""The replies that this process waits for: events of documents that it watches, and the outcomes of its previews.

Both come to one queue that dies with the connection. An event bears its document's id as a second routing key, in the
header `BCC`, which RabbitMQ takes out again; while a document is watched, its id is bound to the queue. A preview has
the queue's name as its routing key, which a worker answers to, and to which the broker itself returns what nobody took.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from uuid import uuid4

from contract.broker import BrokerUnavailable, NotTaken
from contract.job import Job
from contract.labels import Destination, SessionLoss
from contract.topology import DOCUMENTS, PREVIEWS, REPLIES, exchange_to
from runtime.brokers.rabbit.limits import RabbitLimits
from runtime.brokers.rabbit.messages import preview_message
from runtime.brokers.rabbit.outgoing import Outgoing
from runtime.brokers.rabbit.publisher import Publisher
from runtime.brokers.rabbit.session import Session, SessionLost, translated
from runtime.brokers.watches import Watch, Watches

if TYPE_CHECKING:
    from aio_pika.abc import AbstractIncomingMessage, AbstractQueue

_PREFIX: Final = f"{REPLIES}."
_DEATH: Final = "x-first-death-queue"  # set by the broker where it returns a preview

# What a process does not read for a moment: its event loop is busy. Beyond that the oldest replies go, and those who
# wait for them are told in time that there are none.
_ARGUMENTS: Final[dict[str, str | int]] = {
    "x-queue-type": "classic",
    "x-max-length": 1_000,
    "x-max-length-bytes": 64 * 1024 * 1024,
}


@dataclass(frozen=True, slots=True)
class _Live:
    """The session that replies come in on, and their queue."""

    session: Session
    queue: "AbstractQueue"


class Replies:
    """Watches documents on the live session, if there is one. The supervisor calls `run` for each session."""

    def __init__(self, publisher: Publisher, limits: RabbitLimits) -> None:
        self._publisher = publisher
        self._limits = limits
        self._watches = Watches()
        self._live: _Live | None = None
        self._up = asyncio.Event()
        self._tasks = asyncio.TaskGroup()

    async def run(self, session: Session) -> None:
        """Takes replies in until `session` is lost. All watches are lost with it.

        Raises:
            BaseExceptionGroup: of `SessionLost`, or of a defect.
        """
        channel = await session.channel()
        with translated(SessionLoss.CHANNEL_CLOSED):
            queue = await channel.declare_queue(f"{_PREFIX}{uuid4()}", exclusive=True, arguments={**_ARGUMENTS})
            await queue.bind(REPLIES, queue.name)
            await queue.consume(self._arrive, no_ack=True)
        try:
            async with asyncio.TaskGroup() as self._tasks:
                self._live = _Live(session, queue)
                self._up.set()
                await session.until_lost()
        finally:
            self._up.clear()
            self._live = None
            self._watches.lose("the session is lost that replies come in on")

    @asynccontextmanager
    async def watch(self, document_id: str) -> AsyncIterator[Watch]:
        """See `contract.broker.Decisions.watch`."""
        live = await self._ready()
        with self._watches.watch(document_id) as watch:
            try:
                await self._bind(live, document_id)
                yield watch
            finally:
                if not live.session.is_over:
                    self._tasks.create_task(self._unbind(live, document_id))

    async def preview(self, job: Job) -> bytes:
        """See `contract.broker.Previews.preview`."""
        live = await self._ready()
        message = preview_message(job, live.queue.name, self._limits.preview_wait_s)
        outgoing = Outgoing(
            message=message, exchange=exchange_to(PREVIEWS), key=live.queue.name, to=Destination.PREVIEWS
        )
        with self._watches.watch(job.id) as watch:
            await self._publisher.publish(outgoing, timeout_s=self._limits.publish_timeout_s)
            return await watch.next()

    async def _ready(self) -> _Live:
        try:
            async with asyncio.timeout(self._limits.watch_timeout_s):
                await self._up.wait()
        except TimeoutError:
            raise BrokerUnavailable(f"no session within {self._limits.watch_timeout_s:g} s") from None
        if self._live is None:
            raise BrokerUnavailable("the session was just lost")
        return self._live

    async def _bind(self, live: _Live, document_id: str) -> None:
        # Shielded: aiormq closes the channel of a call that is cancelled, and with it all watches would be lost.
        if live.session.is_over:
            raise BrokerUnavailable("the session was just lost")
        bound = self._tasks.create_task(self._bound(live, document_id))
        try:
            async with asyncio.timeout(self._limits.watch_timeout_s):
                await asyncio.shield(bound)
        except TimeoutError:
            raise BrokerUnavailable(f"not bound within {self._limits.watch_timeout_s:g} s") from None
        except SessionLost as loss:
            raise BrokerUnavailable(loss.detail) from loss

    async def _bound(self, live: _Live, document_id: str) -> None:
        with translated(SessionLoss.CHANNEL_CLOSED):
            await live.queue.bind(DOCUMENTS, document_id)

    async def _unbind(self, live: _Live, document_id: str) -> None:
        if document_id in self._watches:  # somebody else watches it meanwhile
            return
        with translated(SessionLoss.CHANNEL_CLOSED):
            await live.queue.unbind(DOCUMENTS, document_id)

    async def _arrive(self, message: "AbstractIncomingMessage") -> None:
        if _DEATH in message.headers:
            self._watches.tell(
                message.message_id or "", NotTaken(f"not taken within {self._limits.preview_wait_s:g} s")
            )
        else:
            document_id, _, _ = (message.message_id or "").rpartition(".")
            self._watches.tell(document_id, message.body)
