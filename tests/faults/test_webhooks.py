"""Webhooks and callbacks under faults: every event reaches every receiver at least once."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
import pytest
from aiohttp import web

from tests.faults.conftest import DOCUMENTS, LOAD_S, WITHIN_S
from tests.faults.load import Client, tiny_ones, within
from tests.postgres_cluster import PostgresCluster
from tests.rabbit_node import RabbitNode
from tests.system.ledger_stacks import Stack, embedded, replicas
from tests.system.processes import Process

pytestmark = [pytest.mark.faults, pytest.mark.timeout(2 * WITHIN_S + 60)]

SETTINGS = {  # a receiver that is back is asked again within seconds, not hours
    "COPYDESK_WEBHOOK_ALLOW": "127.0.0.0/8",
    "COPYDESK_WEBHOOK_RETRY_DELAYS_S": ",".join(["0.5", "1", *["2"] * 200]),
    "COPYDESK_WEBHOOK_TIMEOUT_S": "2",
    "COPYDESK_CALLBACK_SECRET": "a setting of thirty-two characters",
}
KILLS = 8 if DOCUMENTS >= 1000 else 2  # of the older one of the two processes that deliver


@dataclass
class Delivering:
    """A Copydesk, and its processes that deliver."""

    stack: Stack
    processes: list[Process] = field(default_factory=list)

    def kill_one(self) -> None:
        """Kills the oldest process that delivers, and returns when another one listens in its place."""
        self.processes.pop(0).kill()
        self.processes.append(self.stack.start("deliver"))
        self.processes[-1].wait_for_urls("ops")


@pytest.fixture(scope="module")
def two_of_each(node: RabbitNode, cluster: PostgresCluster) -> Iterator[Delivering]:
    with replicas(node, cluster, SETTINGS) as stack:
        yield Delivering(stack, [stack.start("deliver") for _ in range(2)])


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Delivering]:
    with ExitStack() as opened:
        yield Delivering(opened.enter_context(embedded(tmp_path_factory.mktemp("up"), SETTINGS)))


class Receiver:
    """A subscriber's server. It can be closed and opened again on the same port, and its answers can hang."""

    def __init__(self) -> None:
        self.got: Counter[str] = Counter()
        self.order: list[str] = []
        self.hangs = False
        self._port = 0
        self._runner: web.AppRunner | None = None
        self._changed = asyncio.Condition()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}/hook"

    async def open(self) -> None:
        app = web.Application()
        app.add_routes([web.post("/hook", self._take)])
        self._runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port, reuse_address=True).start()
        self._port = self._runner.addresses[0][1]

    async def close(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def until(self, holds: Callable[[], bool]) -> None:
        async with self._changed:
            await self._changed.wait_for(holds)

    async def _take(self, request: web.Request) -> web.Response:
        await request.read()
        if self.hangs:
            await asyncio.Event().wait()
        async with self._changed:
            event_id = request.headers["webhook-id"]
            self.got[event_id] += 1
            self.order.append(event_id)
            self._changed.notify_all()
        return web.Response(status=204)


class Load:
    """Documents that are posted with a URL to call back, and two webhooks: one ordered, the other not."""

    def __init__(self, delivering: Delivering, documents: int) -> None:
        self.delivering = delivering
        self.documents = documents
        self.client = Client(lambda: delivering.stack.api)
        self.free, self.ordered, self.called_back = Receiver(), Receiver(), Receiver()

    @property
    def receivers(self) -> tuple[Receiver, Receiver, Receiver]:
        return self.free, self.ordered, self.called_back

    def is_level(self) -> bool:
        """Returns True if one of the receivers has everything that was accepted so far."""
        return len(self.free.got) >= len(self.client.accepted)

    def is_called_back(self) -> bool:
        """Returns True if the callbacks of everything that was accepted so far were posted."""
        return len(self.called_back.got) >= len(self.client.accepted)

    @asynccontextmanager
    async def runs(self, fault: str) -> AsyncIterator[None]:
        """Posts documents meanwhile; then compares what each receiver got with what was accepted."""
        async with AsyncExitStack() as stack, within(WITHIN_S, self.client):
            for receiver in self.receivers:
                await receiver.open()
                stack.push_async_callback(receiver.close)
            hooks = [await self._hook(receiver) for receiver in (self.free, self.ordered)]
            submissions = tiny_ones(self.documents)
            for submission in submissions:
                submission["options"]["callback_url"] = self.called_back.url
            async with asyncio.TaskGroup() as group:
                posting = group.create_task(self.client.post_all(submissions, over_s=LOAD_S))
                await self.client.until_accepted(self.documents // 8)
                yield
                await posting
            began = time.monotonic()
            wanted = {f"{document_id}.1" for document_id in self.client.accepted}
            for receiver in self.receivers:
                await receiver.until(lambda receiver=receiver: wanted <= receiver.got.keys())  # type: ignore[misc]
            for hook in hooks:
                await self._remove(hook)
        lost = sum(len(wanted - receiver.got.keys()) for receiver in self.receivers)
        repeated = [sum(receiver.got.values()) - len(receiver.got) for receiver in self.receivers]
        cells = (fault, len(wanted), lost, " / ".join(map(str, repeated)), f"{time.monotonic() - began:.1f}")
        print(f"\n{' | '.join(map(str, cells))}")  # noqa: T201 - the row of the table
        assert lost == 0

    async def _hook(self, receiver: Receiver) -> str:
        body = {"url": receiver.url, "ordered": receiver is self.ordered, "patterns": ["processed.#"]}
        async with aiohttp.ClientSession() as http:
            while True:
                async with http.post(f"{self.delivering.stack.api}/v1/webhooks", json=body) as response:
                    if response.status == 201:
                        return str((await response.json())["id"])
                    assert response.status == 503  # the broker is still starting
                await asyncio.sleep(0.2)

    async def _remove(self, hook: str) -> None:
        async with (
            aiohttp.ClientSession() as http,
            http.delete(f"{self.delivering.stack.api}/v1/webhooks/{hook}") as response,
        ):
            assert response.status == 204


async def kill_deliverers(load: Load) -> None:
    for _ in range(KILLS):
        await asyncio.to_thread(load.delivering.kill_one)
        before = len(load.free.order)
        await load.free.until(lambda before=before: load.is_level() or len(load.free.order) > before)  # type: ignore[misc]


async def kill_recorders(load: Load) -> None:
    for _ in range(KILLS):
        await asyncio.to_thread(load.delivering.stack.kill_recorder)
        before = len(load.called_back.order)
        await load.called_back.until(
            lambda before=before: load.is_called_back() or len(load.called_back.order) > before  # type: ignore[misc]
        )


async def close_receivers(load: Load) -> None:
    for receiver in load.receivers:
        await receiver.close()
    await load.client.until_more(load.documents // 4)
    for receiver in load.receivers:
        await receiver.open()


async def hang(load: Load) -> None:
    load.ordered.hangs = True
    before = len(load.free.order)
    await load.free.until(
        lambda: load.is_level() or len(load.free.order) >= before + load.documents // 4
    )  # the other is not held up
    load.ordered.hangs = False


FAULTS: dict[str, Callable[[Load], Awaitable[None]]] = {
    f"one of two `deliver` killed {KILLS} times": kill_deliverers,
    "receivers down": close_receivers,
    "a receiver that hangs": hang,
    f"one of two `record` killed {KILLS} times": kill_recorders,
}


@pytest.mark.rabbit
@pytest.mark.parametrize("fault", FAULTS)
async def test_webhooks(two_of_each: Delivering, documents: int, fault: str) -> None:
    load = Load(two_of_each, documents)
    async with load.runs(fault):
        await FAULTS[fault](load)


@pytest.mark.rabbit
async def test_webhooks_without_the_ledger(two_of_each: Delivering, cluster: PostgresCluster, documents: int) -> None:
    load = Load(two_of_each, documents)
    async with load.runs("ledger away: PostgreSQL killed, restarted"):
        await asyncio.to_thread(cluster.kill)
        await load.client.until_more(documents // 4)
        await asyncio.to_thread(cluster.start)


async def test_webhooks_of_up_that_is_killed(one: Delivering, documents: int) -> None:
    load = Load(one, documents)
    async with load.runs("`up` killed"):
        await asyncio.to_thread(one.stack.kill, "record")
