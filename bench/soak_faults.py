"""The faults of the soak: what may happen to the broker, the workers and their children."""

import asyncio
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress

from tests.faults.deployment import Deployment, children_of, wait_until_ready
from tests.rabbit_node import RabbitNode
from tests.system.processes import Process

Fault = Callable[[], Awaitable[None]]

BETWEEN_S = (15.0, 35.0)  # between two faults, at random; chosen: most recover within the shorter time
BROKER_STANDS_S = 8.0  # four heartbeats
WORKER_STANDS_S = 10.0  # how long a worker is stopped; chosen


class Breaker:
    """Causes one fault after another, and waits until each is over. `done` has their times in Unix seconds."""

    def __init__(self, deployment: Deployment, node: RabbitNode, rng: random.Random) -> None:
        self._deployment = deployment
        self._node = node
        self._rng = rng
        self.done: list[tuple[float, str]] = []

    @property
    def counts(self) -> Counter[str]:
        return Counter(name for _, name in self.done)

    async def run(self, seconds: float) -> None:
        """Causes faults for so many seconds."""
        end = time.monotonic() + seconds
        faults: list[Fault] = [
            self.broker_killed,
            self.broker_restarted,
            self.broker_stopped,
            self.worker_killed,
            self.worker_stopped,
            self.workers_restarted,
            self.children_killed,
        ]
        while time.monotonic() < end:
            for fault in self._rng.sample(faults, len(faults)):
                await asyncio.sleep(self._rng.uniform(*BETWEEN_S))
                if time.monotonic() >= end:
                    break
                name = fault.__name__.replace("_", " ")
                print(f"{time.strftime('%T')} {name}", flush=True)
                self.done.append((time.time(), name))
                await fault()

    async def broker_killed(self) -> None:
        await asyncio.to_thread(self._node.settle)
        await asyncio.to_thread(self._node.kill)
        await asyncio.sleep(self._rng.uniform(0, 3))
        await asyncio.to_thread(self._node.start)

    async def broker_restarted(self) -> None:
        await asyncio.to_thread(self._node.stop)
        await asyncio.to_thread(self._node.start)

    async def broker_stopped(self) -> None:
        await asyncio.to_thread(self._node.pause)
        await asyncio.sleep(BROKER_STANDS_S)
        self._node.resume()

    async def worker_killed(self) -> None:
        number = self._rng.randrange(len(self._deployment.workers))
        await asyncio.to_thread(self._deployment.workers[number].kill)
        await self._start(number)

    async def worker_stopped(self) -> None:
        worker = self._rng.choice(self._deployment.workers)
        worker.signal(signal.SIGSTOP)
        await asyncio.sleep(WORKER_STANDS_S)
        worker.signal(signal.SIGCONT)

    async def workers_restarted(self) -> None:
        for number, worker in enumerate(list(self._deployment.workers)):
            code = await asyncio.to_thread(worker.stop)
            assert code == 0, f"a worker's clean stop ended with {code}"
            await self._start(number)

    async def children_killed(self) -> None:
        for worker in self._deployment.workers:
            for pid in parsers_of(worker):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    async def _start(self, number: int) -> None:
        self._deployment.workers[number] = self._deployment.start_worker()
        await asyncio.to_thread(wait_until_ready, self._deployment.workers[number])


def parsers_of(worker: Process) -> set[int]:
    """Returns a worker's parser children: those that its fork server started."""
    return {parser for child in children_of(worker.pid) for parser in children_of(child)}
