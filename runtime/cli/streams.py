"""Standard output, which carries a command's data, and standard error, which carries its messages."""

import asyncio
import io
import os
import stat
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer  # what FileIO.write takes


class ClosedPipe(Exception):
    """The reader of standard output has closed the pipe. The command ends without a message."""


class OutputLost(Exception):
    """Standard output cannot be written; the message says why."""


class _Data(io.FileIO):
    """Standard output. It raises no OSError: libraries would treat that as a fault of a connection or file they use."""

    def write(self, data: "ReadableBuffer", /) -> int | None:  # type: ignore[override] # FileIO's own signature
        try:
            return super().write(data)
        except BrokenPipeError:
            raise ClosedPipe from None
        except OSError as error:
            raise OutputLost(f"cannot write to standard output: {error.strerror}") from None


class _Words(io.FileIO):
    """Standard error. Messages that cannot be written are dropped: the command continues."""

    def write(self, data: "ReadableBuffer", /) -> int | None:  # type: ignore[override] # FileIO's own signature
        try:
            return super().write(data)
        except OSError:
            return len(memoryview(data).cast("B"))


def guard() -> None:
    """Replaces both streams, so that failed writes lead to the documented exit codes, whichever code writes."""
    sys.stdout = _text(_Data(_open(1), "w", closefd=False), errors="surrogateescape")
    sys.stderr = _text(_Words(_open(2), "w", closefd=False), errors="backslashreplace")


@asynccontextmanager
async def stopped_by_closed_pipe() -> AsyncGenerator[None, None]:
    """Ends the context as soon as the reader of a pipe has closed it, instead of at the next write.

    Raises:
        ClosedPipe: the reader has closed the pipe.
    """
    if not stat.S_ISFIFO(os.fstat(1).st_mode):
        yield
        return
    loop, gone = asyncio.get_running_loop(), asyncio.timeout(None)
    loop.add_reader(1, lambda: gone.reschedule(loop.time()))  # poll(2): the writing end reports only a closed reader
    try:
        async with gone:
            yield
    except TimeoutError:
        if gone.expired():
            raise ClosedPipe from None
        raise
    finally:
        loop.remove_reader(1)


def finish() -> None:
    """Writes out the buffer.

    Raises:
        ClosedPipe: the reader has closed the pipe.
        OutputLost: standard output cannot be written.
    """
    sys.stdout.flush()


def abandon() -> None:
    """Discards output that could not be written, so that Python does not try again at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def tell(message: str) -> None:
    """Prints a message to standard error."""
    print(message, file=sys.stderr, flush=True)  # noqa: T201 - the place where commands speak


def put(line: str) -> None:
    """Writes a line of data to standard output without delay."""
    print(line, flush=True)  # noqa: T201 - the place where commands write


def put_bytes(data: bytes) -> None:
    """Writes unchanged bytes to standard output without delay."""
    sys.stdout.flush()
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def _open(descriptor: int) -> int:
    """Returns `descriptor`. If the parent process had closed it, it is opened on /dev/null."""
    try:
        os.fstat(descriptor)
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), descriptor)
    return descriptor


def _text(raw: io.FileIO, errors: str) -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BufferedWriter(raw), encoding="utf-8", errors=errors, line_buffering=raw.isatty())
