"""Runs a function on documents in child processes, because a document can make it hang, crash or exhaust memory."""

import asyncio
import pickle
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from types import TracebackType
from typing import Generic, Self, TypeVar, cast

import structlog
from pebble import ProcessExpired

from contract.labels import ParserRestart
from contract.metrics import Metrics
from contract.reasons import Reason
from workers.children import fork_server
from workers.children.child import Raised, Returned, TaskResult
from workers.children.slot import ChildNotStarted, ParserLimits, Slot
from workers.failures import DocumentFailure, Failed

__all__ = ["ChildNotStarted", "ParserDefect", "ParserLimits", "ParserPool"]

log = structlog.get_logger(__name__)

T = TypeVar("T")
R = TypeVar("R")


class ParserDefect(Exception):
    """The task raised an unexpected exception. `str` is its class name, `traceback` its frames in the child.

    The message is left out of both: it may quote the document.
    """

    def __init__(self, error: str, traceback: str) -> None:
        super().__init__(error)
        self.traceback = traceback


class ParserPool(Generic[T, R]):
    """Runs `task` on one document at a time in each of `slots` killable child processes. Needs Linux.

    Args:
        task: a function of a module, so that a child can import it. It and its documents and results are pickled.
        slots: the number of children, and so of documents at once.
        limits: time and memory for one document.
        metrics: counts replaced children by cause.
        preload: modules that children load before their first document; their memory does not count against it.
    """

    def __init__(
        self, task: Callable[[T], R], *, slots: int, limits: ParserLimits, metrics: Metrics, preload: Sequence[str] = ()
    ) -> None:
        self._limits = limits
        self._metrics = metrics
        self._modules = tuple(preload)
        self._executor = ThreadPoolExecutor(slots, "parser")
        self._slots = [Slot(task, limits=limits, modules=self._modules, executor=self._executor) for _ in range(slots)]
        self._idle: asyncio.Queue[Slot[T, R]] = asyncio.Queue()

    async def __aenter__(self) -> Self:
        """Starts the children.

        Raises:
            ChildNotStarted: one of them could not load `preload` or the task.
        """
        fork_server.start(self._modules)
        for slot in self._slots:
            slot.replace()
        try:
            for slot in self._slots:
                await slot.is_alive()
                self._idle.put_nowait(slot)
        except BaseException:
            await self._close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, frames: TracebackType | None
    ) -> None:
        """Waits for the documents in hand, then kills the children."""
        try:
            for _ in self._slots:
                await self._idle.get()
        finally:
            await self._close()

    async def run(self, document: T, *, fresh: bool = False) -> R:
        """Returns the task's result on `document`; waits for a free child first. Cancelling it kills the child.

        Args:
            document: the argument of the task.
            fresh: use a child that has seen no other document.

        Raises:
            Failed: as the task raised it; or PARSE_TIMEOUT, MEMORY or PARSER_CRASH.
            ParserDefect: the task raised anything else.
            ChildNotStarted: there is no child to run it, and no new one could be started.
        """
        slot = await self._idle.get()
        try:
            if fresh and slot.documents:
                self._replace(slot, ParserRestart.SUSPECT)
            result = await self._result(slot, document)
        finally:
            self._idle.put_nowait(slot)
        match result.outcome:
            case Returned(pickled):
                return cast("R", pickle.loads(pickled))  # noqa: S301 - our own child wrote it
            case DocumentFailure() as failure:
                raise Failed.of(failure)
            case Raised(error, frames):
                raise ParserDefect(error, frames)

    async def _result(self, slot: Slot[T, R], document: T) -> TaskResult:
        """Returns the result on `document`. Raises Failed if the child died on it."""
        try:
            try:
                return await self._perform(slot, document)
            except BrokenProcessPool:  # the child died while it was idle, which is not this document's fault
                return await self._perform(slot, document)
        except TimeoutError:
            raise Failed(Reason.PARSE_TIMEOUT, f"not parsed within {self._limits.wall_clock_s:g} s") from None
        except ProcessExpired as expired:
            raise Failed(Reason.PARSER_CRASH, f"the parser died with exit code {expired.exitcode}") from None
        except BrokenProcessPool:
            raise Failed(Reason.PARSER_CRASH, "the parser died") from None

    async def _perform(self, slot: Slot[T, R], document: T) -> TaskResult:
        """Returns the result on `document`. Replaces a child that died, failed, or reached its number of documents."""
        if not await slot.is_alive():
            self._replace(slot, ParserRestart.PARSER_CRASH)
            await slot.is_alive()
        try:
            result = await slot.perform(document)
        except BaseException as error:
            self._replace(slot, _cause(error))
            raise
        if result.exhausted:
            self._replace(slot, ParserRestart.MEMORY)
        elif slot.documents >= self._limits.documents_per_child:
            self._replace(slot, ParserRestart.RECYCLED)
        return result

    def _replace(self, slot: Slot[T, R], cause: ParserRestart) -> None:
        self._metrics.parser_restarts.labels(cause).inc()
        log.info("parser_child_replaced", cause=str(cause), documents=slot.documents)
        slot.replace()

    async def _close(self) -> None:
        closing = [asyncio.wrap_future(slot.close()) for slot in self._slots]
        await asyncio.gather(*closing)
        self._executor.shutdown()


def _cause(error: BaseException) -> ParserRestart:
    if isinstance(error, TimeoutError):
        return ParserRestart.PARSE_TIMEOUT
    return ParserRestart.ABANDONED if isinstance(error, asyncio.CancelledError) else ParserRestart.PARSER_CRASH
