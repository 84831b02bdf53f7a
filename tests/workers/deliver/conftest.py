"""A log in memory, real receivers, and the role `deliver` on a real database in a file."""

import asyncio
import shutil
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

import pytest
from aiohttp import web
from prometheus_client import CollectorRegistry

from contract.broker import LogEntry, QueueMissing, UnknownOffset
from contract.codec import encode
from contract.events import Announcement, AnyEvent
from contract.metrics import Metrics
from contract.replays import Replay, ReplayState, ReplayTarget
from contract.requests import OwnerRequest
from contract.streams import Stream
from contract.timestamps import now
from contract.tracing import OFF
from contract.webhooks import Delivery, Documents, Webhook, new_id, new_secret
from runtime.ledger import schema
from runtime.ledger.callbacks import SqlCallbacks
from runtime.ledger.database import ledger_url, open_engine
from runtime.ledger.deliveries import SqlDeliveries
from runtime.ledger.replays import SqlReplays
from runtime.ledger.webhooks import SqlWebhookBook
from workers.deliver.callbacks import CallbackContext, Callbacks
from workers.deliver.deliverer import Deliverer
from workers.deliver.limits import DeliveryLimits
from workers.deliver.receiver import ReceiverReach, Receivers
from workers.deliver.traces import Posting

QUICK = DeliveryLimits(
    timeout_s=2.0,
    delays_s=(0.05, 0.1, 0.2),
    settle_s=0.01,
    poll_s=0.02,
    pause_s=0.02,
    heartbeat_timeout_s=1.0,
    measure_s=0.05,
    sweep_s=0.2,
)
IN_TIME_S = 15.0  # chosen: far more than any of these tests takes on a busy machine


class Log:
    """Implements what the role needs of a broker. `first` is the offset of the oldest entry; `reads` counts readers."""

    def __init__(self) -> None:
        self.entries: list[LogEntry] = []
        self.first = 0
        self.reads = 0
        self.batch = 3
        self.queues: dict[str, list[LogEntry]] = {}
        self.refuses: Callable[[LogEntry], bool] = lambda _: False  # a queue that is full
        self._changed = asyncio.Event()

    def write(self, event: AnyEvent) -> int:
        offset = self.first + len(self.entries)
        self.entries.append(LogEntry(offset, event.routing_key, encode(event)))
        self._tell()
        return offset

    def truncate(self, first: int) -> None:
        self.entries = [entry for entry in self.entries if entry.offset >= first]
        self.first = first

    async def announce(self, event: Announcement) -> None:
        self.write(event)

    async def request(self, request: OwnerRequest) -> None:
        raise NotImplementedError

    async def read(self, _after: int | None = None) -> AsyncGenerator[LogEntry, None]:
        raise NotImplementedError
        yield

    async def has_queue(self, name: str) -> bool:
        return name in self.queues

    async def send_again(self, queue: str, entries: Sequence[LogEntry], replay_id: str) -> Sequence[LogEntry]:
        assert replay_id
        if queue not in self.queues:
            raise QueueMissing(queue)
        refused = [entry for entry in entries if self.refuses(entry)]
        self.queues[queue] += [entry for entry in entries if entry not in refused]
        return refused

    async def log_bounds(self) -> tuple[int, int]:
        return self.first, self.first + len(self.entries) - 1

    async def follow(self, stream: Stream, after: int) -> AsyncGenerator[Sequence[LogEntry], None]:
        assert stream is Stream.LOG
        self.reads += 1
        if after >= 0 and after + 1 < self.first:
            raise UnknownOffset(after)
        while True:
            changed = self._changed
            ahead = [entry for entry in self.entries if entry.offset > after][: self.batch]
            yield ahead
            if ahead:
                after = ahead[-1].offset
            else:
                await changed.wait()

    def _tell(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()


@dataclass(slots=True)
class Posted:
    """A request that a receiver got."""

    headers: dict[str, str]
    body: bytes

    @property
    def event_id(self) -> str:
        return self.headers["webhook-id"]


@dataclass
class Receiver:
    """A server of a subscriber. `answer` answers a request; `at_once` is the most requests that it had at a time."""

    answer: Callable[[Posted], Awaitable[web.Response]]
    url: str = ""
    got: list[Posted] = field(default_factory=list)
    at_once: int = 0
    _under_way: int = 0
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def handle(self, request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        posted = Posted(headers, await request.read())
        self._under_way += 1
        self.at_once = max(self.at_once, self._under_way)
        try:
            async with self._changed:
                self.got.append(posted)
                self._changed.notify_all()
            return await self.answer(posted)
        finally:
            self._under_way -= 1

    async def until(self, count: int) -> list[str]:
        """Waits for so many requests. Returns the ids of their events."""
        async with asyncio.timeout(IN_TIME_S), self._changed:
            await self._changed.wait_for(lambda: len(self.got) >= count)
        return [posted.event_id for posted in self.got]


async def fine(_: Posted) -> web.Response:
    return web.Response(status=204)


OpenReceiver = Callable[..., Awaitable[Receiver]]


@pytest.fixture
async def open_receiver() -> AsyncIterator[OpenReceiver]:
    async with AsyncExitStack() as stack:

        async def start(answer: Callable[[Posted], Awaitable[web.Response]] = fine) -> Receiver:
            receiver = Receiver(answer)
            app = web.Application(client_max_size=20_000_000)
            app.add_routes([web.post("/hook", receiver.handle)])
            runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            host, port = runner.addresses[0][:2]
            receiver.url = f"http://{host}:{port}/hook"
            return receiver

        yield start


@dataclass
class DeliverSystem:
    """The role `deliver` with its log and its database."""

    log: Log
    book: SqlWebhookBook
    store: SqlDeliveries
    metrics: Metrics
    replays: SqlReplays

    async def replay(self, target: ReplayTarget, **fields: object) -> Replay:
        """Stores a replay of all events that are in the log."""
        at = now()
        made = Replay(
            id=new_id(),
            owner="ann",
            documents=Documents.ALL,
            target=target,
            until=self.log.first + len(self.log.entries) - 1,
            per_second=10_000,
            created_at=at,
            updated_at=at,
        )
        made = replace(made, **fields)  # type: ignore[arg-type] # the fields of a replay
        assert await self.replays.add(made, at_most=1000)
        return made

    async def replay_ended(self, replay: Replay) -> Replay:
        """Waits until the replay has ended, and returns it."""

        async def has_ended() -> bool:
            found = await self.replays.replay(replay.id)
            return found is not None and found.state is not ReplayState.RUNNING

        await self.until(has_ended)
        found = await self.replays.replay(replay.id)
        assert found is not None
        return found

    async def hook(self, receiver: Receiver, **fields: object) -> Webhook:
        """Stores a webhook that hears of all events from the end of the log on."""
        at = now()
        made = Webhook(
            id=new_id(),
            owner="ann",
            url=receiver.url,
            documents=Documents.ALL,
            secret=new_secret(),
            created_at=at,
            updated_at=at,
            place=self.log.first + len(self.log.entries) - 1,
        )
        made = replace(made, **fields)  # type: ignore[arg-type] # the fields of a webhook
        assert await self.book.add(made, at_most=1000)
        return made

    async def deliveries(self, webhook: Webhook) -> Sequence[Delivery]:
        return await self.book.deliveries(webhook.id, state=None, limit=1000, before=None)

    async def until(self, holds: Callable[[], Awaitable[bool]]) -> None:
        """Waits until something is stored, which nothing tells of."""
        async with asyncio.timeout(IN_TIME_S):
            while not await holds():  # noqa: ASYNC110 - the database tells nobody
                await asyncio.sleep(0.01)

    async def place(self, webhook: Webhook) -> int:
        found = await self.book.webhook(webhook.id)
        assert found is not None
        return found.place

    @asynccontextmanager
    async def delivering(
        self,
        limits: DeliveryLimits = QUICK,
        *,
        alone: bool = True,
        clock: Callable[[], datetime] = now,
        callback_secret: str | None = None,
    ) -> AsyncIterator[Deliverer]:
        """Runs a process of the role while the context lasts, and then stops it as a signal does."""
        stop = asyncio.Event()
        store = SqlDeliveries(self.store._reader, self.store._writer, alone=alone)
        reach = ReceiverReach(networks=("127.0.0.0/8",))
        async with Receivers(reach, timeout_s=limits.timeout_s, answer_bytes=limits.answer_bytes) as receivers:
            posting = Posting(receivers, OFF)
            kept = SqlCallbacks(self.store._reader, self.store._writer)
            context = CallbackContext(
                store=kept,
                posting=posting,
                secret=callback_secret or "",
                metrics=self.metrics,
                limits=limits,
                clock=clock,
            )
            callbacks = None if callback_secret is None else Callbacks(context)
            role = Deliverer(
                self.log,
                store,
                self.replays,
                posting,
                metrics=self.metrics,
                limits=limits,
                clock=clock,
                callbacks=callbacks,
            )
            task = asyncio.create_task(role.run(stop))
            try:
                yield role
            finally:
                stop.set()
                async with asyncio.timeout(IN_TIME_S):
                    await task


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("ledger") / "model.db"
    asyncio.run(schema.upgrade(ledger_url(f"sqlite:///{path}")))
    return path


@pytest.fixture
async def system(model: Path, tmp_path: Path) -> AsyncIterator[DeliverSystem]:
    url = ledger_url(f"sqlite:///{shutil.copy(model, tmp_path / 'ledger.db')}")
    reader, writer = open_engine(url), open_engine(url, writes=True)
    store = SqlDeliveries(reader, writer, alone=True)
    yield DeliverSystem(Log(), SqlWebhookBook(writer), store, Metrics(CollectorRegistry()), SqlReplays(reader, writer))
    await reader.dispose()
    await writer.dispose()
