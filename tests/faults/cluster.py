"""Three RabbitMQ nodes on loopback, and a relay in front of them: one address that leads to a running node."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from tests.rabbit_node import RabbitNode

COOKIE = "COPYDESKTESTCLUSTER"
QUORUM_TIMEOUT_MS = 60_000  # chosen for machines under load


class ClusterNode(RabbitNode):
    """A node that shares cookie and epmd with the other nodes of a cluster, and joins `first` when it starts."""

    def __init__(self, folder: Path, first: "ClusterNode | None" = None) -> None:
        super().__init__(folder)
        self._first = first
        if first is not None:
            self._epmd_port = first._epmd_port

    def await_quorum(self) -> None:
        """Waits as `rabbitmq-upgrade await_online_quorum_plus_one`: no queue would lose its majority with this node."""
        self.evaluate(f"true = rabbit_upgrade_preparation:await_online_quorum_plus_one({QUORUM_TIMEOUT_MS}).")

    def leaders(self) -> dict[str, str]:
        """Returns the node that leads each quorum queue."""
        return {queue["name"]: queue["leader"] for queue in self.queues("type", "leader") if queue["type"] == "quorum"}

    def leader_of(self, queue: str) -> str:
        """Returns the node that leads a queue or a stream."""
        return next(str(found["leader"]) for found in self.queues("leader") if found["name"] == queue)

    def _prepare(self) -> None:
        cookie = self._folder / ".erlang.cookie"
        cookie.write_text(COOKIE)
        cookie.chmod(0o400)
        super()._prepare()  # where the shared epmd's port is taken, this one ends at once: its group is what is used
        if self._first is not None:
            with (self._folder / "rabbitmq.conf").open("a") as conf:
                conf.write(f"cluster_formation.classic_config.nodes.1 = {self._first.name}\n")


class Cluster:
    """Three nodes, the first of which is where the others join."""

    def __init__(self, folder: Path) -> None:
        first = ClusterNode(_made(folder / "0"))
        self.nodes = [first, *(ClusterNode(_made(folder / str(number)), first) for number in (1, 2))]
        self.balancer = Balancer([node.port for node in self.nodes])

    @property
    def url(self) -> str:
        return f"amqp://guest:guest@127.0.0.1:{self.balancer.port}/"

    def start(self) -> None:
        """Starts the nodes, which join the first one as they start, and listens on `url`."""
        first, *others = self.nodes
        first.start()
        with ThreadPoolExecutor() as pool:
            list(pool.map(ClusterNode.start, others))
        self.balancer.start()

    def node_called(self, name: str) -> ClusterNode:
        return next(node for node in self.nodes if node.name == name)

    def settle(self) -> None:
        for node in self.nodes:
            node.settle()

    def close(self) -> None:
        self.balancer.close()
        for node in reversed(self.nodes):
            node.close()


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


class Balancer:
    """A TCP relay in a separate thread. Each connection goes to the next port in turn that accepts it."""

    def __init__(self, ports: list[int]) -> None:
        self._ports = ports
        self._next = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._pumps: set[asyncio.Task[None]] = set()
        self.port = 0

    def start(self) -> None:
        self._thread.start()
        self.port = asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result()

    def close(self) -> None:
        if self._thread.is_alive():
            asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result()
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
        self._loop.close()

    async def _listen(self) -> int:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        return int(self._server.sockets[0].getsockname()[1])

    async def _stop(self) -> None:
        self._server.close()
        for task in self._pumps:
            task.cancel()
        await asyncio.gather(*self._pumps, return_exceptions=True)

    async def _accept(self, near: asyncio.StreamReader, near_end: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._pumps.add(task)
        task.add_done_callback(self._pumps.discard)
        try:
            far, far_end = await self._connect()
        except OSError:
            near_end.transport.abort()
            return
        try:
            await asyncio.gather(_pump(near, far_end), _pump(far, near_end))
        finally:
            near_end.transport.abort()
            far_end.transport.abort()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        for _ in self._ports:
            self._next = (self._next + 1) % len(self._ports)
            with suppress(OSError):
                return await asyncio.open_connection("127.0.0.1", self._ports[self._next])
        raise OSError("no node takes connections")


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while chunk := await source.read(65536):
            sink.write(chunk)
            await sink.drain()
    sink.close()
