"""One parser child in a Pebble pool of its own, which is replaced as a whole."""

import asyncio
import contextlib
import multiprocessing
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from typing import Generic, TypeVar

from pebble import ProcessPool

from workers.children import child

T = TypeVar("T")
R = TypeVar("R")

_GRACE_S = 5.0  # beyond the limit of a document; chosen: Pebble checks it every 0.1 s and then kills the child
_START_TIMEOUT_S = 60.0  # chosen: a child starts within some seconds, more slowly on an overloaded machine
_START_ATTEMPTS = 3  # chosen: the kernel or an operator may kill a child while it starts


@dataclass(frozen=True, slots=True)
class ParserLimits:
    """Limits for one document, and the number of documents after which a child is replaced.

    `memory_bytes` is address space beyond what the child holds before its first document. A child is replaced after
    `documents_per_child`, for what C libraries may lose of memory (little: bench/extraction_memory.py).
    All three are chosen, not measured: far above what pages take, far below what harms the machine.
    """

    wall_clock_s: float = 20.0
    memory_bytes: int = 768 * 1024**2
    documents_per_child: int = 1000


class ChildNotStarted(Exception):
    """No parser child could be started: a module failed to load, or the machine lacks memory."""


class Slot(Generic[T, R]):
    """A child, for one document at a time. Blocking calls to Pebble run on `executor`."""

    def __init__(
        self, task: Callable[[T], R], *, limits: ParserLimits, modules: Sequence[str], executor: Executor
    ) -> None:
        self._task = task
        self._limits = limits
        self._modules = modules
        self._executor = executor
        self._pool: Future[ProcessPool] | None = None
        self.documents = 0

    def replace(self) -> None:
        """Kills the child, if there is one, and starts another. Does not wait for the start."""
        self._pool = self._executor.submit(self._succeed, self._pool)
        self.documents = 0

    def close(self) -> Future[None]:
        """Kills the child. The future is done when the child is gone."""
        return self._executor.submit(_stop, self._pool)

    async def is_alive(self) -> bool:
        """Waits until the child has started, and returns True if it can take a document.

        Raises:
            ChildNotStarted: it could not be started. The next call tries again.
        """
        return (await self._started()).active

    async def perform(self, document: T) -> child.TaskResult:
        """Returns the result on `document`.

        Raises:
            TimeoutError: not done in time. The child may still run: replace it.
            ProcessExpired: the child died while it worked on the document.
            BrokenProcessPool: the child died, most likely before it had the document.
        """
        pool = await self._started()
        self.documents += 1
        arguments = (self._task, document, self._limits.memory_bytes)
        async with asyncio.timeout(self._limits.wall_clock_s + _GRACE_S):
            job = pool.schedule(child.perform, args=arguments, timeout=self._limits.wall_clock_s)
            return await asyncio.wrap_future(job)

    async def _started(self) -> ProcessPool:
        if self._pool is None or (self._pool.done() and self._pool.exception()):
            self._pool = self._executor.submit(self._succeed, None)
        return await asyncio.shield(asyncio.wrap_future(self._pool))

    def _succeed(self, old: Future[ProcessPool] | None) -> ProcessPool:
        _stop(old)
        for _ in range(_START_ATTEMPTS - 1):
            with contextlib.suppress(ChildNotStarted):
                return self._start()
        return self._start()

    def _start(self) -> ProcessPool:
        pool = ProcessPool(
            max_workers=1,
            context=multiprocessing.get_context("forkserver"),
            initializer=child.confine,
            initargs=(self._limits.memory_bytes, self._modules),
        )
        try:
            pool.schedule(child.ready, args=(self._task,)).result(_START_TIMEOUT_S)
        except Exception as error:
            _stop_pool(pool)
            raise ChildNotStarted(type(error).__name__) from error
        return pool


def _stop(started: Future[ProcessPool] | None) -> None:
    if started is not None and started.exception() is None:
        _stop_pool(started.result())


def _stop_pool(pool: ProcessPool) -> None:
    pool.stop()  # type: ignore[no-untyped-call] # Pebble leaves it without annotations
    pool.join()
