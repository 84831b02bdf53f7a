"""Runs a function on documents in child processes, because a document can make it hang, crash or exhaust memory."""

import asyncio
import pickle
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from types import TracebackType
from typing import Generic, Self, TypeVar, cast

import structlog

from contract.labels import ParserRestart, ParserState
from contract.metrics import Metrics
from contract.reasons import Reason
from contract.tracing import outside
from workers.children.child import AnswerKind, ChildAnswer
from workers.children.connection import Child, ChildEnd, ChildNotStarted, ParserLimits, Work
from workers.children.fork_server import server_of
from workers.failures import Failed

__all__ = ["ChildNotStarted", "ParserDefect", "ParserLimits", "ParserPool"]

log = structlog.get_logger(__name__)

T = TypeVar("T")
R = TypeVar("R")

_START_ATTEMPTS = 3  # chosen: the kernel or an operator may kill a child while it starts


class ParserDefect(Exception):
    """The task raised an unexpected exception. `str` is its class name, `traceback` its frames in the child.

    The message is left out of both: it may quote the document.
    """

    def __init__(self, error: str, traceback: str) -> None:
        super().__init__(error)
        self.traceback = traceback


class ParserPool(Generic[T, R]):
    """Runs `task` on one document at a time in each of `slots` killable child processes. Needs Linux.

    A child is given its next document while it works on one, so that it never waits for this process. A child without
    work takes over what another one has not begun.

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
        self._order = pickle.dumps((task, limits.memory_bytes))
        self._slots = slots
        self._limits = limits
        self._metrics = metrics
        self._server = server_of(tuple(preload))
        self._children: list[Child] = []
        self._leaving: set[Child] = set()  # dead in a moment, or when they have answered the documents that they have
        self._succeeded: set[Child] = set()  # those whose successors start
        self._starts: set[asyncio.Task[None]] = set()
        self._waiting: deque[Work] = deque()
        self._fresh: deque[Work] = deque()  # those of them that ask for a child that has seen no other document
        self._unanswered: set[asyncio.Future[ChildAnswer]] = set()
        self._group = asyncio.TaskGroup()
        self._closed = False
        for state in ParserState:  # counted when the metrics are read
            metrics.parsers.labels(state).set_function(partial(self._count, state))

    async def __aenter__(self) -> Self:
        """Starts the children.

        Raises:
            ChildNotStarted: one of them could not load `preload` or the task.
        """
        await self._group.__aenter__()
        try:
            self._children += await asyncio.gather(*(self._started() for _ in range(self._slots)))
        except BaseException:
            await self._close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, frames: TracebackType | None
    ) -> None:
        """Waits for the documents in progress, then kills the children."""
        try:
            if self._unanswered:
                await asyncio.wait(self._unanswered)
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
        answer = await self._answer(pickle.dumps(document, protocol=pickle.HIGHEST_PROTOCOL), fresh=fresh)
        value = pickle.loads(answer.payload)  # noqa: S301 - our own child wrote it
        match answer.kind:
            case AnswerKind.RETURNED:
                return cast("R", value)
            case AnswerKind.FAILED:
                raise Failed.of(value)
            case _:
                raise ParserDefect(*value)

    async def _answer(self, document: bytes, *, fresh: bool) -> ChildAnswer:
        work = Work(document, asyncio.get_running_loop().create_future(), fresh)
        self._unanswered.add(work.answer)
        self._queue_of(work).append(work)
        self._hand_out()
        try:
            return await work.answer
        except asyncio.CancelledError:
            self._abandon(work)
            raise
        finally:
            self._unanswered.discard(work.answer)

    def _count(self, state: ParserState) -> int:
        idle = sum(child.is_idle for child in self._children)
        return idle if state is ParserState.IDLE else len(self._children) - idle

    def freed(self, child: Child) -> None:
        """The child has answered, and may take another document."""
        if child.leaves:
            self._part_with(child, child.leaves)
        elif child.given >= self._limits.documents_per_child and child not in self._succeeded:
            self._replace(child, ParserRestart.RECYCLED)
        self._hand_out()

    def ended(self, child: Child, how: ChildEnd) -> None:
        """The child is dead. What it had not begun is not at fault, and goes to another child."""
        cause = child.leaves or ParserRestart.PARSER_CRASH
        self._part_with(child, cause)
        self._leaving.discard(child)
        if how.begun and not how.begun.answer.done():
            how.begun.answer.set_exception(self._failure(cause, how.exit_code))
        for work in reversed(how.not_begun):
            if not work.answer.done():
                self._queue_of(work).appendleft(work)
        self._hand_out()

    def _failure(self, cause: ParserRestart, exit_code: int | None) -> Failed:
        if cause is ParserRestart.PARSE_TIMEOUT:
            return Failed(Reason.PARSE_TIMEOUT, f"not parsed within {self._limits.wall_clock_s:g} s")
        how = "" if exit_code is None else f" with exit code {exit_code}"
        return Failed(Reason.PARSER_CRASH, f"the parser died{how}")

    def _queue_of(self, work: Work) -> deque[Work]:
        return self._fresh if work.fresh else self._waiting

    def _hand_out(self) -> None:
        """Gives documents to children that can take one: first to those without, then as the next one."""
        if self._closed:
            return
        self._refill()
        for child in self._children:
            if self._fresh and child.is_idle and child.given == 0:
                child.give(self._fresh.popleft())
        if self._fresh and self._children and not self._starts:
            self._replace(min(self._children, key=lambda child: len(child.works)), ParserRestart.SUSPECT)
        for room in (2, 1):
            for child in self._children:
                if self._waiting and child.room() == room:
                    child.give(self._waiting.popleft())
        if not self._waiting:
            self._balance()

    def _balance(self) -> None:
        """Gives children without work what others have not begun: a slow document holds up no other one."""
        idle = [child for child in self._children if child.is_idle]
        for child in self._children:
            if not idle:
                return
            if len(child.works) > 1 and (work := child.take_back()):
                idle.pop().give(work)

    def _abandon(self, work: Work) -> None:
        with suppress(ValueError):
            self._queue_of(work).remove(work)
        for child in self._children:
            if work in child.works and not child.take_back(work):
                child.kill(ParserRestart.ABANDONED)

    def _refill(self) -> None:
        """Starts children in the place of those that are gone."""
        missing = self._slots - len(self._children) + len(self._succeeded) - len(self._starts)
        for _ in range(missing):
            self._starts.add(self._group.create_task(self._fill(), context=outside()))

    def _replace(self, child: Child, cause: ParserRestart) -> None:
        """Starts a successor of `child`, which works until that is ready."""
        self._succeeded.add(child)
        self._starts.add(self._group.create_task(self._succeed(child, cause), context=outside()))

    async def _fill(self) -> None:
        if await self._add():
            self._hand_out()

    async def _succeed(self, old: Child, cause: ParserRestart) -> None:
        added = await self._add()
        self._succeeded.discard(old)
        if added:
            self._part_with(old, cause)
            old.leave(cause)
            self._hand_out()

    async def _add(self) -> bool:
        """Starts another child. Where that fails, there is no other try until there is another document."""
        try:
            self._children.append(await self._started())
        except ChildNotStarted as error:
            self._tell_not_started(error)
            return False
        finally:
            self._starts.discard(cast("asyncio.Task[None]", asyncio.current_task()))
        return True

    async def _started(self) -> Child:
        for _ in range(_START_ATTEMPTS - 1):
            with suppress(ChildNotStarted):
                return await Child.start(self._server, self._order, self, self._limits)
        return await Child.start(self._server, self._order, self, self._limits)

    def _tell_not_started(self, error: ChildNotStarted) -> None:
        """Fails the documents that wait for a child that there will not be."""
        log.warning("parser_child_not_started", cause=str(error))
        for queue in (self._fresh, *(() if self._children else (self._waiting,))):
            while queue:
                queue.popleft().answer.set_exception(ChildNotStarted(str(error)))

    def _part_with(self, child: Child, cause: ParserRestart) -> None:
        """Counts the child as one that is to be replaced. It may still have to die."""
        if child not in self._children:
            return
        self._children.remove(child)
        self._leaving.add(child)
        self._succeeded.discard(child)
        if not self._closed:
            self._metrics.parser_restarts.labels(cause).inc()
            log.info("parser_child_replaced", cause=str(cause), documents=child.given)

    async def _close(self) -> None:
        self._closed = True
        for start in self._starts:
            start.cancel()
        left = {*self._children, *self._leaving}
        for child in left:
            child.kill()
        for child in left:
            await child.gone.wait()
        await self._group.__aexit__(None, None, None)
