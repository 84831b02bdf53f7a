"""The dead letters on RabbitMQ: a scan takes the messages of a queue, and returns them in order.

A queue has no random access. Nobody else sees the messages that a scan holds. After a scan that does not reach all
messages, RabbitMQ chooses where it returns them to: before or behind the rest.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from typing import TYPE_CHECKING, Any, TypeVar

from contract.broker import BrokerError, BrokerUnavailable
from contract.dead import Burial, DeadLetter, read_letter
from contract.job import Job
from contract.labels import SessionLoss, SessionRole
from contract.reasons import Reason
from contract.topology import DEAD, Topology
from runtime.brokers.rabbit.declare import prepare
from runtime.brokers.rabbit.limits import RabbitLimits
from runtime.brokers.rabbit.messages import BURIED_AT, CAUSE, EVENT_ID, MESSAGE_ID, REASON
from runtime.brokers.rabbit.session import Session, SessionLost, translated

if TYPE_CHECKING:
    from aio_pika.abc import AbstractChannel, AbstractIncomingMessage

_FIRST_PREFETCH = 8  # chosen: at most 96 MiB (8 jobs of 12 MiB), while the size of the letters is unknown
_MAX_PREFETCH = 256  # chosen: batches of small letters stay far below `scan_batch_bytes`

# RabbitMQ 3.10 loses the order when one command returns more than 32 messages, or those of several consumers. While 32
# commands are under way, a channel keeps those that follow to itself, merges them, and drops them if it is closed
# meanwhile: acked letters are in the queue again (measured, for acks and returns). So we stay at half of that.
_GIVEN_BACK_AT_ONCE = 32  # messages in one command
_COMMANDS_UNDER_WAY = 16  # commands

_EPOCH = datetime.fromtimestamp(0, UTC)

Put = Callable[[Job], Awaitable[None]]
T = TypeVar("T")


@asynccontextmanager
async def open_dead_letters(url: str, topology: Topology, limits: RabbitLimits, put: Put) -> AsyncIterator["DeadQueue"]:
    """Opens the dead letters for one scan, on a separate connection; returns to the queue what is left at the end.

    Args:
        url: of the broker.
        topology: declared first.
        limits: bounds of the scan.
        put: stores a job, durable when it returns.

    Raises:
        BrokerUnavailable: the broker cannot be reached, or was lost during the scan.
    """
    session = Session(url, SessionRole.READER, limits)
    try:
        async with asyncio.timeout(2 * limits.scan_timeout_s + limits.connect_timeout_s), aclosing(session):
            await session.open()
            await prepare(session, topology, limits)
            queue = DeadQueue(session, await session.channel(), limits, put)
            try:
                yield queue
            except BrokerError:
                await queue.give_back()
                raise
            await queue.give_back()
    except (SessionLost, TimeoutError) as error:
        raise BrokerUnavailable(f"the dead letters cannot be reached: {type(error).__name__}") from None


class DeadQueue:
    """Implements `runtime.brokers.dead.DeadLetterStore`."""

    def __init__(self, session: Session, channel: "AbstractChannel", limits: RabbitLimits, put: Put) -> None:
        self.complete = False
        self._session = session
        self._channel = channel
        self._limits = limits
        self._put = put
        self._held: dict[int, str] = {}  # delivery tags in the order of arrival, each with its consumer
        self._taken = 0
        self._taken_bytes = 0
        self._acking = asyncio.Lock()
        self._acks_under_way = 0

    async def batches(self) -> "AsyncGenerator[Sequence[HeldMessage], None]":
        """Yields the letters that exist at the start and that no other process holds, in the order of the queue.

        Raises:
            SessionLost: the session ended.
        """
        limits, loop = self._limits, asyncio.get_running_loop()
        end = loop.time() + limits.scan_timeout_s
        there = await self._ready()
        most = min(there, limits.scan_letters)
        while self._taken < most and self._taken_bytes < limits.scan_bytes and loop.time() < end:
            messages = await self._take(min(self._prefetch(), most - self._taken))
            if not messages:
                break
            yield [HeldMessage(self, message.delivery_tag or 0, letter_of(message)) for message in messages]
        self.complete = self._taken >= there

    async def put(self, job: Job) -> None:
        """Stores a job; durable when this returns."""
        await self._put(job)

    async def ack(self, tag: int) -> None:
        """Removes a letter from the queue.

        Raises:
            BrokerUnavailable: the session ended: the letter is in the queue again.
        """
        try:
            async with self._acking:
                with translated(SessionLoss.CHANNEL_CLOSED):
                    await (await self._channel.get_underlay_channel()).basic_ack(tag)
                del self._held[tag]
                self._acks_under_way += 1
                if self._acks_under_way == _COMMANDS_UNDER_WAY:
                    await self._until_acked()
        except SessionLost as loss:
            raise BrokerUnavailable(f"the session was lost: {loss.cause}") from None

    async def _until_acked(self) -> None:
        """Returns when the queue has carried out all acks: it answers a get only after the commands before it."""
        with translated(SessionLoss.CHANNEL_CLOSED):
            queue = await self._channel.get_queue(DEAD, ensure=False)
            message = await queue.get(fail=False)
            if message is not None:
                await message.nack()
        self._acks_under_way = 0

    async def give_back(self) -> None:
        """Returns what is still held to the queue, in the order of arrival, and waits until it is there again.

        Raises:
            SessionLost: the session ended: RabbitMQ returns it, in any order.
        """
        if self._acks_under_way:
            await self._until_acked()
        stand, back = await self._ready(), 0
        with suppress(TimeoutError):  # another process took some: they are back already
            for commands in _parts(self._commands(), _COMMANDS_UNDER_WAY):
                for tags in commands:
                    await self._nack_up_to(tags[-1])
                    back += len(tags)
                await self._until_ready(stand + back)

    async def _take(self, count: int) -> "list[AbstractIncomingMessage]":
        """Returns up to `count` more messages, fewer where others took them."""
        inbox: asyncio.Queue[AbstractIncomingMessage] = asyncio.Queue()
        messages: list[AbstractIncomingMessage] = []
        with translated(SessionLoss.CHANNEL_CLOSED):
            await self._channel.set_qos(prefetch_count=count)
            queue = await self._channel.get_queue(DEAD, ensure=False)
            consumer = await queue.consume(inbox.put)
            with suppress(TimeoutError):
                while len(messages) < count:
                    async with asyncio.timeout(self._limits.scan_idle_s):
                        messages.append(await inbox.get())
            await queue.cancel(consumer)
        self._session.check()
        self._held.update((message.delivery_tag or 0, consumer) for message in messages)
        self._taken += len(messages)
        self._taken_bytes += sum(len(message.body) for message in messages)
        return messages

    def _prefetch(self) -> int:
        """Returns how many letters are likely to fill a batch. RabbitMQ sends as many ahead, into memory."""
        if not self._taken:
            return _FIRST_PREFETCH
        mean_bytes = max(1, self._taken_bytes // self._taken)
        return max(1, min(_MAX_PREFETCH, self._limits.scan_batch_bytes // mean_bytes))

    def _commands(self) -> list[Sequence[int]]:
        consumers = groupby(self._held, self._held.__getitem__)
        return [part for _, tags in consumers for part in _parts([*tags], _GIVEN_BACK_AT_ONCE)]

    async def _nack_up_to(self, tag: int) -> None:
        with translated(SessionLoss.CHANNEL_CLOSED):
            await (await self._channel.get_underlay_channel()).basic_nack(tag, multiple=True, requeue=True)

    async def _until_ready(self, count: int) -> None:
        async with asyncio.timeout(self._limits.scan_idle_s):
            while await self._ready() < count:  # noqa: ASYNC110 - RabbitMQ sends no signal when a message is back
                await asyncio.sleep(0.005)

    async def _ready(self) -> int:
        """Returns how many messages wait in the queue and are held by no process."""
        with translated(SessionLoss.CHANNEL_CLOSED):
            queue = await self._channel.declare_queue(DEAD, passive=True)
        return queue.declaration_result.message_count or 0


@dataclass(frozen=True, slots=True)
class HeldMessage:
    """A dead letter and its delivery."""

    queue: DeadQueue
    tag: int
    letter: DeadLetter

    async def revive(self, job: Job) -> bool:
        """Puts `job`; when that is confirmed, removes the letter from the queue.

        Raises:
            BrokerError: not put, or not known to be put, or the session was lost: the letter stays.
        """
        await self.queue.put(job)
        return await self.remove()

    async def remove(self) -> bool:
        """Removes the letter from the queue.

        Raises:
            BrokerUnavailable: the session was lost: the letter stays.
        """
        await self.queue.ack(self.tag)
        return True


def letter_of(message: "AbstractIncomingMessage") -> DeadLetter:
    """Returns the dead letter that `message` is: buried by a worker, or moved by RabbitMQ itself."""
    noted = message.headers
    if CAUSE not in noted:
        return read_letter(message.body, _moved(message))
    burial = Burial(
        message_id=_text(noted.get(MESSAGE_ID)),
        event_id=_text(noted.get(EVENT_ID)),
        reason=_text(noted.get(REASON)),
        cause=str(noted[CAUSE]),
        at=_time(noted.get(BURIED_AT)),
    )
    return read_letter(message.body, burial)


def _moved(message: "AbstractIncomingMessage") -> Burial:
    """Returns what is known of a message whose deliveries ran out in `copydesk.lost`: it has no event."""
    noted = message.headers
    deaths: Any = noted.get("x-death")
    moves = [death for death in deaths if isinstance(death, dict)] if isinstance(deaths, list) else []
    last = max(moves, key=lambda death: _time(death.get("time")), default={})
    return Burial(
        message_id=message.message_id,
        event_id=None,
        reason=Reason.WORKER_LOST if moves else None,
        cause=f"moved here by RabbitMQ from {last.get('queue', 'an unknown queue')}: {last.get('reason', 'unknown')}",
        at=_time(last.get("time")),
    )


def _parts(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    return (items[start : start + size] for start in range(0, len(items), size))


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _time(value: object) -> datetime:
    try:
        time = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    except ValueError:
        return _EPOCH
    return time if time.tzinfo else time.replace(tzinfo=UTC)
