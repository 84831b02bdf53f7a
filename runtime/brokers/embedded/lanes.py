"""The lanes of the embedded broker. Claims are kept in memory only: after a crash all messages wait again."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from sqlite3 import Connection

from contract.accepted import acceptance
from contract.broker import BrokerFull, NotPut
from contract.codec import MAX_JOB_BYTES, MessageTooLarge, encode, encode_within
from contract.job import Job, Lane
from contract.labels import Destination
from contract.metrics import Metrics
from contract.verdicts import Verdict
from runtime.brokers.embedded import tables
from runtime.brokers.embedded.limits import EmbeddedLimits
from runtime.brokers.embedded.settle import count, decided_by, settlement
from runtime.brokers.embedded.store import Store
from runtime.brokers.embedded.tables import Claimed, Message
from runtime.brokers.notifier import Notifier
from runtime.brokers.watches import Watches


@dataclass(frozen=True, slots=True)
class Room:
    """How much may be taken: `free` messages, of which `for_bulk` may be bulk, of `size_bytes` together.

    A message that is larger than all that may be held is taken when nothing else is.
    """

    free: int
    for_bulk: int
    size_bytes: int


class Lanes:
    """Hands each message to one consumer at a time.

    `changed` tells when there may be a message to take, `logged` when there may be a new event or attempt, `recorded`
    when there may be a new acceptance. `watches` are told of each event that is on the disk. Every call raises
    `BrokerUnavailable` if the database fails or is closed.
    """

    def __init__(self, store: Store, *, metrics: Metrics, limits: EmbeddedLimits) -> None:
        self.changed = Notifier()
        self.logged = Notifier()
        self.recorded = Notifier()
        self.watches = Watches()
        self._store = store
        self._metrics = metrics
        self._limits = limits
        self._claimed: set[int] = set()
        self._claiming = asyncio.Lock()  # a claim must know what the claim before it took

    async def put(self, job: Job) -> None:
        """Stores `job`; on the disk when this returns.

        Raises:
            BrokerFull: its lane is at its limit.
            MessageTooLarge: the job is over `MAX_JOB_BYTES`.
        """
        message = new_message(job)
        await self._store.run(partial(insert_within, message=message, limits=self._limits), committed=self.accepted)

    async def put_many(self, jobs: Sequence[Job]) -> Sequence[NotPut]:
        """Stores `jobs` in one step of the store, and returns why any of them is not stored."""
        made = [_made(job) for job in jobs]
        messages = [each for each in made if isinstance(each, Message)]
        refusals: list[BrokerFull | None] = []
        insert = partial(_insert_many, messages=messages, limits=self._limits, refusals=refusals)
        await self._store.run(insert, committed=lambda: self.accepted(refusals.count(None)))
        of_messages = iter(refusals)
        return [next(of_messages) if isinstance(each, Message) else each for each in made]

    def accepted(self, count: int = 1) -> None:
        """Counts messages that are on the disk, and wakes the consumers."""
        self._metrics.published.labels(Destination.INTAKE).inc(count)
        self.changed.notify_all()
        self.recorded.notify_all()

    async def claim(self, room: Room, *, delivery_limit: int) -> tuple[list[Claimed], float | None]:
        """Takes due messages, interactive ones first, and records their deliveries on the disk.

        A due suspect (see `contract.broker.Delivery`) goes first and runs alone: it is taken when no message is
        claimed, and nothing else is taken until it is released.

        Args:
            room: how much to take at most; at least one message.
            delivery_limit: how many deliveries a job gets beyond the first before it counts as lost.

        Returns:
            The messages, and the Unix seconds at which the next is due that there is room for.
        """
        async with self._claiming:
            before = frozenset(self._claimed)
            claimed, due = await self._store.run(lambda db: _claim(db, room, before, delivery_limit))
            self._claimed.update(message.seq for message in claimed)
            return claimed, due

    def release(self, messages: Iterable[Claimed]) -> None:
        """Makes these available to the next claim, unless they are settled."""
        self._claimed.difference_update(message.seq for message in messages)
        self.changed.notify_all()

    async def give_back(self, message: Claimed) -> None:
        """Makes a message wait before it is due again."""
        due = time.time() + self._limits.give_back_delay_s
        await self._store.run(lambda db: tables.postpone(db, message.seq, due))

    def settling(self, message: Claimed, verdict: Verdict) -> Callable[[], Awaitable[None]]:
        """Returns the call that executes `verdict`. A verdict that cannot be encoded raises in this call."""
        operation = settlement(message, verdict, now=time.time(), keep_events=self._limits.max_log_events)
        return partial(self._store.run, operation, committed=partial(self._settled, verdict))

    def _settled(self, verdict: Verdict) -> None:
        count(verdict, self._metrics)
        self.logged.notify_all()
        event = decided_by(verdict)
        if event is not None and event.subject in self.watches:
            self.watches.tell(event.subject, encode(event))


def new_message(job: Job) -> Message:
    """Returns `job` as a message that is due now and is recorded as accepted."""
    now = datetime.now(UTC)
    body = encode_within(MAX_JOB_BYTES, job)
    return Message(message_id=job.id, lane=job.lane, due=now.timestamp(), body=body, accepted=acceptance(job, now))


def _made(job: Job) -> Message | MessageTooLarge:
    try:
        return new_message(job)
    except MessageTooLarge as error:
        return error


def _insert_many(
    db: Connection, messages: Sequence[Message], limits: EmbeddedLimits, refusals: list[BrokerFull | None]
) -> None:
    """Adds each of `messages` that its lane has room for. `refusals` become those of all of them, in their order."""
    refusals[:] = [_refusal(db, message, limits) for message in messages]


def _refusal(db: Connection, message: Message, limits: EmbeddedLimits) -> BrokerFull | None:
    try:
        insert_within(db, message, limits)
    except BrokerFull as error:
        return error
    return None


def insert_within(db: Connection, message: Message, limits: EmbeddedLimits) -> None:
    """Adds `message` to its lane.

    Raises:
        BrokerFull: the lane is at its limit.
    """
    jobs, size = tables.waiting(db, message.lane)
    if jobs >= limits.max_jobs or size + len(message.body) > limits.max_bytes:
        raise BrokerFull(f"the {message.lane} lane is at its limit: {jobs} jobs of {size} bytes")
    tables.insert(db, message)
    if message.accepted is not None:
        tables.record(db, message.accepted, keep=limits.max_acceptances)


def _claim(
    db: Connection, room: Room, before: frozenset[int], delivery_limit: int
) -> tuple[list[Claimed], float | None]:
    """Claims due messages. `before` are the rows of those that are claimed already."""
    now = time.time()
    if tables.holds_suspect(db, delivery_limit=delivery_limit, claimed=before):
        return [], None
    suspect_due = tables.suspect_due(db, delivery_limit=delivery_limit, claimed=before)
    if suspect_due is not None and suspect_due <= now:
        return [] if before else [tables.claim_suspect(db, now=now, delivery_limit=delivery_limit)], None
    claimed: list[Claimed] = []
    dues = []
    for lane, most in ((Lane.INTERACTIVE, room.free), (Lane.BULK, room.for_bulk)):
        limit, taken = min(most, room.free - len(claimed)), before.union(message.seq for message in claimed)
        left_bytes = room.size_bytes - sum(len(message.body) for message in claimed)
        if limit > 0:
            claimed += tables.claim(db, lane, limit, max_bytes=left_bytes, now=now, claimed=taken)
            dues.append(tables.next_due(db, lane, claimed=before.union(message.seq for message in claimed)))
    return claimed, min((due for due in dues if due is not None and due > now), default=None)
