"""`contract.broker.Broker` on RabbitMQ: one publishing session, one consuming, and one for each reader."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Coroutine, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from contract.accepted import acceptance
from contract.batches import BatchClosed
from contract.broker import BrokerUnavailable, Handler, LogEntry, NotPut, QueueDepth, Stop, Watch
from contract.capacity import Capacity
from contract.codec import MessageTooLarge
from contract.dead import DeadLetterPage, Handled, Wanted
from contract.events import Announcement
from contract.job import Job, Lane
from contract.labels import Destination, SessionRole
from contract.metrics import Metrics
from contract.requests import OwnerRequest
from contract.streams import Stream
from contract.topology import INTAKE, Topology, design
from contract.tracing import OFF, Tracer, outside
from runtime.brokers import dead
from runtime.brokers.rabbit import queues
from runtime.brokers.rabbit.attempts import AttemptRecord
from runtime.brokers.rabbit.consumer import Consumer
from runtime.brokers.rabbit.dead import DeadQueue, open_dead_letters
from runtime.brokers.rabbit.declare import prepare
from runtime.brokers.rabbit.executor import VerdictExecutor
from runtime.brokers.rabbit.gauges import RabbitQueues
from runtime.brokers.rabbit.leases import Leases
from runtime.brokers.rabbit.limits import RabbitLimits
from runtime.brokers.rabbit.log import LogReader, log_bounds
from runtime.brokers.rabbit.messages import job_message
from runtime.brokers.rabbit.outgoing import Outgoing
from runtime.brokers.rabbit.publisher import Publisher
from runtime.brokers.rabbit.puts import Puts
from runtime.brokers.rabbit.record import Record
from runtime.brokers.rabbit.replies import Replies
from runtime.brokers.rabbit.requests import RequestPublisher
from runtime.brokers.rabbit.session import Session, SessionLost
from runtime.brokers.rabbit.streams import StreamFollower
from runtime.brokers.rabbit.supervisor import SessionReporter, Supervisor


class RabbitBroker:
    """Queues and the log on RabbitMQ 3.10 or later. Each connection is opened when it is needed for the first time.

    Args:
        url: `amqp://user:password@host:port/vhost`, or `amqps`.
        metrics: counts confirms, refusals and lost sessions.
        topology: declared at the start of every session.
        limits: timeouts and bounds.
        tracer: makes the spans of events that are sent.
    """

    def __init__(
        self,
        url: str,
        *,
        metrics: Metrics,
        topology: Topology | None = None,
        limits: RabbitLimits | None = None,
        tracer: Tracer = OFF,
    ) -> None:
        self._url = url
        self._metrics = metrics
        self._tracer = tracer
        self._topology = topology or design()
        self._limits = limits or RabbitLimits()
        self._publisher = Publisher(self._limits, metrics)
        self._record = Record(self._publisher)
        self._requests = RequestPublisher(self._publisher, self._limits, metrics)
        self._attempts = AttemptRecord(self._publisher, self._limits)
        self._leases = Leases(self._limits)
        self._replies = Replies(self._publisher, self._limits)
        self._queues = RabbitQueues(url, self._topology, self._limits)
        self._reporter = SessionReporter(metrics)
        self._consumer: Consumer | None = None
        self._group = asyncio.TaskGroup()
        self._puts = {lane: Puts(self.put_many, self._group) for lane in Lane}
        self._publishing: asyncio.Task[None] | None = None
        self._leasing: asyncio.Task[None] | None = None
        self._noting: asyncio.Task[None] | None = None
        self._replying: asyncio.Task[None] | None = None
        self._scanning = asyncio.Lock()  # a scan hides the letters that it holds from the next

    async def __aenter__(self) -> Self:
        await self._group.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._queues.aclose()
        for task in (self._noting, self._replying, self._publishing, self._leasing):
            if task is not None:
                task.cancel()
        if isinstance(error, asyncio.CancelledError):
            await self._group.__aexit__(kind, error, trace)
        else:  # the group must not wrap what the body raised
            await self._group.__aexit__(None, None, None)

    async def put(self, job: Job) -> None:
        """See `contract.broker.JobSink.put`.

        Raises:
            BrokerUnavailable: not stored, or not known to be stored, within the publish timeout.
            BrokerFull: the queue is at its limit.
            MessageTooLarge: the job is over `contract.codec.MAX_JOB_BYTES`.
        """
        await self._puts[job.lane].put(job)

    async def put_many(self, jobs: Sequence[Job]) -> Sequence[NotPut]:
        """See `contract.broker.JobSink.put_many`. The jobs share a timeout, and a message in the record."""
        self._start_publishing()
        end = asyncio.get_running_loop().time() + self._limits.publish_timeout_s
        made = [_outgoing(job) for job in jobs]
        outgoings = [each for each in made if isinstance(each, Outgoing)]
        failures = iter(await self._publisher.publish_many(outgoings, timeout_s=self._limits.publish_timeout_s))
        outcomes: list[NotPut] = [next(failures) if isinstance(each, Outgoing) else each for each in made]
        now = datetime.now(UTC)
        records = [acceptance(job, now) for job, outcome in zip(jobs, outcomes, strict=True) if outcome is None]
        try:
            await self._record.add(records, timeout_s=max(0.0, end - asyncio.get_running_loop().time()))
        except BrokerUnavailable as error:
            return [outcome or error for outcome in outcomes]
        return outcomes

    async def request(self, request: OwnerRequest) -> None:
        """See `contract.requests.RequestSink.request`."""
        self._start_publishing()
        await self._requests.request(request)

    async def close_batch(self, closed: BatchClosed) -> None:
        """See `contract.batches.BatchSink.close_batch`."""
        self._start_publishing()
        await self._requests.close_batch(closed)

    async def announce(self, event: Announcement) -> None:
        """See `contract.requests.RequestSink.announce`."""
        self._start_publishing()
        await self._requests.announce(event)

    async def consume(self, handle: Handler, *, capacity: Capacity, stop: Stop) -> None:
        """See `contract.broker.JobSource.consume`. It replaces lost sessions and ends only by `stop`."""
        if stop.is_set():
            return
        self._start_publishing()
        if self._noting is None:
            self._noting = self._group.create_task(self._attempts.run())
        executor = VerdictExecutor(
            self._publisher, self._attempts, self._topology, self._limits, self._metrics, self._tracer
        )
        consumer = self._consumer = Consumer(
            handle, executor, capacity=capacity, stop=stop, limits=self._limits, metrics=self._metrics
        )
        try:
            async with asyncio.TaskGroup() as group:
                consuming = group.create_task(self._supervisor(SessionRole.CONSUMER).run(consumer.run, stop))
                watch = group.create_task(_give_up(consumer, consuming, stop))
                consuming.add_done_callback(lambda _: watch.cancel())
        finally:
            self._consumer = None

    def read(self, after: int | None = None) -> AsyncGenerator[LogEntry, None]:
        """See `contract.broker.EventLog.read`. It replaces lost sessions.

        Raises:
            UnknownOffset: raised by the generator if the next entries are no longer kept.
        """
        return LogReader(self._supervisor(SessionRole.READER), self._limits, after).entries()

    def follow(self, stream: Stream, after: int) -> AsyncGenerator[Sequence[LogEntry], None]:
        """See `contract.streams.Streams.follow`. Lost sessions are made good inside."""
        return StreamFollower(self._supervisor(SessionRole.READER), self._limits, stream, after).batches()

    async def log_bounds(self) -> tuple[int, int]:
        """See `contract.broker.EventLog.log_bounds`.

        Raises:
            BrokerUnavailable: not answered within the publish timeout.
        """
        session = Session(self._url, SessionRole.READER, self._limits)
        try:
            async with asyncio.timeout(self._limits.publish_timeout_s), aclosing(session):
                await session.open()
                await prepare(session, self._topology, self._limits)
                return await log_bounds(session)
        except (SessionLost, TimeoutError) as error:
            raise BrokerUnavailable(f"the log cannot be asked: {type(error).__name__}") from None

    async def dead(self, wanted: Wanted, *, bodies: bool = False) -> DeadLetterPage:
        """See `contract.broker.DeadLetters.dead`. Letters that another process holds are not found."""
        async with self._dead_letters() as letters:
            return await dead.find(letters, wanted, bodies=bodies)

    async def retry_dead(self, wanted: Wanted) -> Handled:
        """See `contract.broker.DeadLetters.retry_dead`. Letters that another process holds are not found."""
        async with self._dead_letters() as letters:
            return await dead.retry(letters, wanted)

    async def drop_dead(self, wanted: Wanted) -> Handled:
        """See `contract.broker.DeadLetters.drop_dead`. Letters that another process holds are not found."""
        async with self._dead_letters() as letters:
            return await dead.drop(letters, wanted)

    def lease(self, name: str) -> AbstractAsyncContextManager[bool]:
        """See `contract.broker.Leases.lease`. An exclusive queue on a separate connection is the lease."""
        if self._leasing is None:
            self._leasing = self._begin(self._supervisor(SessionRole.LEASES).run(self._leases.run))
        return self._leases.hold(name)

    def watch(self, document_id: str) -> AbstractAsyncContextManager[Watch]:
        """See `contract.broker.Decisions.watch`. The document's id is bound to a queue of this process."""
        self._start_replying()
        return self._replies.watch(document_id)

    async def preview(self, job: Job) -> bytes:
        """See `contract.broker.Previews.preview`.

        Raises:
            MessageTooLarge: the job is over `contract.codec.MAX_PREVIEW_BYTES`.
        """
        self._start_publishing()
        self._start_replying()
        return await self._replies.preview(job)

    async def depths(self) -> Mapping[str, QueueDepth]:
        """See `contract.broker.QueueDepths.depths`. Ages are unknown: AMQP does not report them."""
        return await self._queues.depths()

    async def has_queue(self, name: str) -> bool:
        """See `contract.broker.SubscriberQueues.has_queue`."""
        return await queues.has_queue(self._url, name, self._limits)

    async def send_again(self, queue: str, entries: Sequence[LogEntry], replay_id: str) -> Sequence[LogEntry]:
        """See `contract.broker.SubscriberQueues.send_again`."""
        self._start_publishing()
        return await queues.send_again(self._publisher, queue, entries, replay_id, self._limits)

    async def ready(self) -> bool:
        """Returns True if publishing works and, while consuming, the consumer's connection works, too."""
        self._start_publishing()
        consuming = self._consumer is None or self._consumer.is_answered
        return consuming and await self._publisher.ready()

    @asynccontextmanager
    async def _dead_letters(self) -> AsyncIterator[DeadQueue]:
        async with self._scanning, open_dead_letters(self._url, self._topology, self._limits, self.put) as letters:
            yield letters

    def _start_publishing(self) -> None:
        if self._publishing is None:
            self._publishing = self._begin(self._supervisor(SessionRole.PUBLISHER).run(self._publisher.run))

    def _start_replying(self) -> None:
        if self._replying is None:
            self._replying = self._begin(self._supervisor(SessionRole.REPLIES).run(self._replies.run))

    def _begin(self, session: Coroutine[None, None, None]) -> asyncio.Task[None]:
        """Runs a session outside of the trace of whoever needs it first: all others share it."""
        return self._group.create_task(session, context=outside())

    def _supervisor(self, role: SessionRole) -> Supervisor:
        return Supervisor(self._url, role, self._topology, self._limits, self._reporter)


def _to_lane(job: Job) -> Outgoing:
    return Outgoing(message=job_message(job), exchange=INTAKE, key=job.lane, to=Destination.INTAKE)


def _outgoing(job: Job) -> Outgoing | MessageTooLarge:
    try:
        return _to_lane(job)
    except MessageTooLarge as error:
        return error


async def _give_up(consumer: Consumer, consuming: asyncio.Task[None], stop: Stop) -> None:
    """Ends a consumer that must stop while it has no session: it has nothing in progress."""
    await stop.wait()
    if not consumer.is_live:
        consuming.cancel()
