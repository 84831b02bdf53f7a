"""Standard output and standard error of a command: its data go to the one, words for a person to the other."""

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
    """Whoever read standard output has gone: the command ends, and says nothing."""


class OutputLost(Exception):
    """Standard output cannot be written; the message says why."""


class _Data(io.FileIO):
    """Standard output. Not an OSError: libraries take one for trouble of their own, with a connection or a file."""

    def write(self, data: "ReadableBuffer", /) -> int | None:  # type: ignore[override] # FileIO's own signature
        try:
            return super().write(data)
        except BrokenPipeError:
            raise ClosedPipe from None
        except OSError as error:
            raise OutputLost(f"cannot write to standard output: {error.strerror}") from None


class _Words(io.FileIO):
    """Standard error. Words that nobody can hear any more are no reason to stop."""

    def write(self, data: "ReadableBuffer", /) -> int | None:  # type: ignore[override] # FileIO's own signature
        try:
            return super().write(data)
        except OSError:
            return len(memoryview(data).cast("B"))


def guard() -> None:
    """Makes both streams of this process end as a command promises, whoever writes to them."""
    sys.stdout = _text(_Data(_open(1), "w", closefd=False), errors="surrogateescape")
    sys.stderr = _text(_Words(_open(2), "w", closefd=False), errors="backslashreplace")


@asynccontextmanager
async def read_by_somebody() -> AsyncGenerator[None, None]:
    """Ends what waits for something to write as soon as the reader of a pipe has gone, not at the next write.

    Raises:
        ClosedPipe: the reader has gone.
    """
    if not stat.S_ISFIFO(os.fstat(1).st_mode):
        yield
        return
    loop, gone = asyncio.get_running_loop(), asyncio.timeout(None)
    loop.add_reader(1, lambda: gone.reschedule(loop.time()))  # poll(2): the writing end tells of nothing but this
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
    """Writes what is buffered.

    Raises:
        ClosedPipe: nobody reads it.
        OutputLost: it cannot be written.
    """
    sys.stdout.flush()


def abandon() -> None:
    """Drops what could not be written, so that Python does not try again at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def tell(message: str) -> None:
    """Says a line to a person."""
    print(message, file=sys.stderr, flush=True)  # noqa: T201 - the place where commands speak


def put(line: str) -> None:
    """Writes a line of data, at once."""
    print(line, flush=True)  # noqa: T201 - the place where commands write


def put_bytes(data: bytes) -> None:
    """Writes data as they are, at once."""
    sys.stdout.flush()
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def _open(descriptor: int) -> int:
    """Returns `descriptor`, opened on nothing where whoever started the command had closed it."""
    try:
        os.fstat(descriptor)
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), descriptor)
    return descriptor


def _text(raw: io.FileIO, errors: str) -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BufferedWriter(raw), encoding="utf-8", errors=errors, line_buffering=raw.isatty())
