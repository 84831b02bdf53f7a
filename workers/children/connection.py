"""The parent's end of the connection to a parser child: gives documents, takes answers, knows how the child ended."""

import asyncio
import os
import signal
import socket
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from io import FileIO
from typing import Protocol, Self, cast

from contract.labels import ParserRestart
from workers.children.child import ANSWER, DOCUMENT, AnswerKind, ChildAnswer
from workers.children.fork_server import ForkServer
from workers.children.serving import EXIT_CODE

_START_TIMEOUT_S = 60.0  # chosen: a child starts within some seconds, more slowly on an overloaded machine
_DOCUMENTS_AT_MOST = 2  # of a child: the one that it works on, and the next, so that it never waits for the parent


@dataclass(frozen=True, slots=True)
class ParserLimits:
    """Limits for one document, and the number of documents after which a child is replaced.

    `memory_bytes` is address space beyond what the child holds before its first document. A child is replaced after
    `documents_per_child`, or some more while its successor starts, for what C libraries may lose of memory (little:
    bench/extraction_memory.py). All three are chosen, not measured: far above what pages take, far below what harms
    the machine.
    """

    wall_clock_s: float = 20.0
    memory_bytes: int = 768 * 1024**2
    documents_per_child: int = 1000


class ChildNotStarted(Exception):
    """No parser child could be started: a module failed to load, or the machine lacks memory."""


@dataclass(slots=True, eq=False)
class Work:
    """A document on its way: its bytes, what became of it, and whether it asks for a child that has seen no other."""

    document: bytes
    answer: asyncio.Future[ChildAnswer]
    fresh: bool


@dataclass(frozen=True, slots=True)
class ChildEnd:
    """How a child ended: its exit code, if that is known, the document that it had begun, and those that it had not."""

    exit_code: int | None
    begun: Work | None
    not_begun: Sequence[Work]


class Owner(Protocol):
    """The owner of a child, which calls it when something happens."""

    def freed(self, child: "Child") -> None:
        """The child has answered, and may take another document."""

    def ended(self, child: "Child", how: "ChildEnd") -> None:
        """The child is dead."""


class Child(asyncio.Protocol):
    """One parser child, as its parent knows it. `start` makes one.

    `given` is the number of documents that it was given, `works` are those that it has: the one that it works on, and
    the next; None for one that was taken back. `leaves` says why it is replaced, if it is, and takes no document then.
    """

    def __init__(self, owner: Owner, limits: ParserLimits, counter: int, exits: int) -> None:
        """`counter` and `exits` are the file descriptors that `workers.children.serving` explains."""
        self.given = 0
        self.works: deque[Work | None] = deque()
        self.leaves: ParserRestart | None = None
        self.gone = asyncio.Event()
        self._owner = owner
        self._limits = limits
        self._counter = counter
        self._exits = exits
        self._transport: asyncio.Transport
        self._ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._is_ready = False
        self._pid = 0
        self._received = bytearray()
        self._clock: asyncio.TimerHandle | None = None

    @classmethod
    async def start(cls, server: ForkServer, order: bytes, owner: Owner, limits: ParserLimits) -> Self:
        """Returns a child that can take documents.

        Raises:
            ChildNotStarted: it ended, or was not ready in time.
        """
        ours, theirs = socket.socketpair()
        exits, exit_code = os.pipe()
        child = cls(owner, limits, os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK | os.EFD_SEMAPHORE), exits)
        await asyncio.get_running_loop().connect_accepted_socket(lambda: child, ours)
        is_taken = False
        try:
            with theirs, FileIO(exit_code, "w"):
                server.fork(order, [theirs.fileno(), child._counter, exit_code])
            async with asyncio.timeout(_START_TIMEOUT_S):
                await child._ready
            is_taken = True
        except OSError as error:  # TimeoutError, too
            raise ChildNotStarted(type(error).__name__) from error
        finally:
            if not is_taken:  # a start that is cancelled at its end has a child that is ready, and nobody who ends it
                child.kill()
                await child.gone.wait()
        return child

    def room(self) -> int:
        """Returns how many documents the child can take.

        None while it has one to skip: it would skip the last that it has, whichever that is.
        """
        closed = self.leaves or self._transport.is_closing() or None in self.works
        return 0 if closed else _DOCUMENTS_AT_MOST - len(self.works)

    @property
    def is_idle(self) -> bool:
        return self.room() == _DOCUMENTS_AT_MOST

    def give(self, work: Work) -> None:
        """Hands `work` over. Its time begins when those before it are done."""
        self.given += 1
        self.works.append(work)
        os.eventfd_write(self._counter, 1)
        self._transport.writelines((DOCUMENT.pack(len(work.document)), work.document))
        if len(self.works) == 1:
            self._begin()

    def take_back(self, work: Work | None = None) -> Work | None:
        """Returns the last document, or `work` if that is the last, unless the child has begun it already."""
        last = self.works[-1] if self.works else None
        if last is None or (work or last) is not last or not self._count_down():
            return None
        self.works[-1] = None
        return last

    def leave(self, cause: ParserRestart) -> None:
        """Lets the child end when it has answered the documents that it has."""
        self.leaves = self.leaves or cause
        if not self.works:
            self.kill()

    def kill(self, cause: ParserRestart | None = None) -> None:
        """Ends the child at once. Its unanswered documents then stand in `works`."""
        self.leaves = self.leaves or cause
        self._kill()
        self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._received += data
        while len(self._received) >= ANSWER.size:
            kind, exhausted, size = ANSWER.unpack_from(self._received)
            end = ANSWER.size + size
            if len(self._received) < end:
                return
            with memoryview(self._received) as received:
                payload = bytes(received[ANSWER.size : end])
            del self._received[:end]
            self._take(ChildAnswer(AnswerKind(kind), payload, exhausted))

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio names it
        """The child is dead or dying. The fork server knows its exit code in a moment, if there is a child."""
        self._stop_clock()
        self._kill()
        if self._pid:
            asyncio.get_running_loop().add_reader(self._exits, self._end)
        else:
            self._end()

    def _take(self, answer: ChildAnswer) -> None:
        if answer.kind is AnswerKind.FORKED:
            self._pid = int(answer.payload)
        elif answer.kind is AnswerKind.READY:
            self._is_ready = True
            self._ready.set_result(None)
        else:
            self._stop_clock()
            self._answer(answer)

    def _answer(self, answer: ChildAnswer) -> None:
        work = self.works.popleft()
        if work and not work.answer.done():
            work.answer.set_result(answer)
        if answer.exhausted:
            self.leaves = self.leaves or ParserRestart.MEMORY  # it ends by itself
        elif self.works:
            self._begin()
        elif self.leaves:
            self.kill()
        self._owner.freed(self)

    def _begin(self) -> None:
        """Starts the clock of the document that the child begins now."""
        loop = asyncio.get_running_loop()
        self._clock = loop.call_later(self._limits.wall_clock_s, self.kill, ParserRestart.PARSE_TIMEOUT)

    def _stop_clock(self) -> None:
        if self._clock is not None:
            self._clock.cancel()

    def _kill(self) -> None:
        if self._pid:
            with suppress(ProcessLookupError):
                os.kill(self._pid, signal.SIGKILL)

    def _end(self) -> None:
        """The child is gone, and the fork server has sent its exit code, or is gone itself."""
        asyncio.get_running_loop().remove_reader(self._exits)
        packed = os.read(self._exits, EXIT_CODE.size) if self._pid else b""
        exit_code = EXIT_CODE.unpack(packed)[0] if packed else None
        begun, not_begun = self._settle()
        os.close(self._exits)
        os.close(self._counter)
        self.gone.set()
        if self._is_ready:
            self._owner.ended(self, ChildEnd(exit_code, begun, not_begun))
        elif not self._ready.done():
            self._ready.set_exception(ChildNotStarted(f"it ended with exit code {exit_code}"))

    def _settle(self) -> tuple[Work | None, list[Work]]:
        """Returns the document that the child had begun, and those that it had not."""
        not_begun = sum(iter(self._count_down, False))
        works = [work for work in self.works if work]
        begun = len(works) - not_begun
        return (works[0] if begun else None), works[begun:]

    def _count_down(self) -> bool:
        """Takes back the last document that is not begun. Returns whether there was one."""
        try:
            return os.eventfd_read(self._counter) == 1
        except BlockingIOError:
            return False
