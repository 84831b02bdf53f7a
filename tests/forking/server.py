"""The interpreter that commands are forked from. It loads the code of all commands, and starts no thread.

An order is one message on the socket that the server shares with the tests: JSON, and the file descriptors of the
command's standard streams and of a pipe. Into the pipe the server writes the process id, later the wait status.
"""

import atexit
import gc
import importlib
import io
import json
import os
import pkgutil
import runpy
import select
import signal
import socket
import struct
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, NoReturn

import typer

from tests.forking import parsers

NUMBER = struct.Struct("!i")
"""A process id or a wait status, in the pipe of an order."""

ORDER_BYTES = 200_000  # at most: Linux takes messages of 208 KiB (net.core.wmem_default); an environment has some KB
_FILES = 4  # file descriptors of an order
_STDERR = 2  # the file descriptor (POSIX)
_MANY_FILES = 4096  # more descriptors than this process ever has open
_NOT_FLUSHED = 120  # Python's exit code when its output cannot be written at the end
_INTERRUPTED = -signal.SIGINT  # not a code: such a process ends by the signal
_PACKAGES = ("contract", "service", "runtime")
_OTHERS = ("workers.children.pool", "workers.parse_task", "workers.worker", "rich.live", "rich.progress", "rich.table")
_PROGRAMS = ("runtime.ledger.migrations",)  # Alembic runs them, in its own context


@dataclass(frozen=True)
class Order:
    """A command: what stands behind `python` on its command line, its environment and its folder."""

    arguments: list[str]
    environment: dict[str, str]
    folder: str


def main() -> None:
    """Forks a command for each order until the tests end. Each command runs from here, too, in its process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # an interrupt from the keyboard is for pytest and the commands
    gc.disable()
    for name in _modules():
        importlib.import_module(name)
    _build_command_line()
    gc.freeze()  # what is loaded stays shared: a collection would write to it
    gc.enable()
    order = _serve(socket.socket(fileno=int(sys.argv[1])))
    if order is not None:
        if parsers.parses(order.arguments):
            parsers.keep_ready()
        _end(_run(order))


def _modules() -> Iterator[str]:
    """Yields the modules that processes load which read no pages."""
    yield from _OTHERS
    for package in _PACKAGES:
        for module in pkgutil.walk_packages([package], f"{package}."):
            if not module.name.startswith(_PROGRAMS):
                yield module.name


def _build_command_line() -> None:
    """Builds the commands once. Typer builds all of them at each start: most of the time that a short command takes."""
    from runtime.cli.app import app  # noqa: PLC0415 - `main` loads it among the others, when nothing is collected

    typer.main.get_command = cache(typer.main.get_command)
    typer.main.get_command(app)


def _serve(orders: socket.socket) -> Order | None:
    """Returns None when the tests have ended; in each process that it forks, the order of that process."""
    running: dict[int, tuple[int, int]] = {}  # by pidfd_open(2): the process id, and the pipe for its wait status
    events = select.poll()
    events.register(orders, select.POLLIN)
    while True:
        for descriptor, _ in events.poll():
            if descriptor != orders.fileno():
                events.unregister(descriptor)
                _tell_end(descriptor, *running.pop(descriptor))
                continue
            message, files, _, _ = socket.recv_fds(orders, ORDER_BYTES, _FILES)
            if not message:
                return None
            order = Order(**json.loads(message))
            if parsers.parses(order.arguments):
                parsers.load()
            pid = _fork()
            if pid == 0:
                _become(order, files)
                return order
            *streams, pipe = files
            for stream in streams:
                os.close(stream)
            os.write(pipe, NUMBER.pack(pid))
            process = os.pidfd_open(pid)
            running[process] = (pid, pipe)
            events.register(process, select.POLLIN)


def _fork() -> int:
    """Forks. In the child SIGINT is blocked until the program runs: hooks that Python calls at a fork would lose it."""
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    pid = os.fork()
    if pid:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])
    else:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    return pid


def _tell_end(process: int, pid: int, pipe: int) -> None:
    _, status = os.waitpid(pid, 0)
    try:
        os.write(pipe, NUMBER.pack(status))
    except BrokenPipeError:
        pass  # the test asks no more
    finally:
        os.close(pipe)
        os.close(process)


def _become(order: Order, files: list[int]) -> None:
    """Makes this process what it is at the start of a new interpreter."""
    for stream, descriptor in enumerate(files[:3]):
        os.dup2(descriptor, stream)
    os.closerange(3, _MANY_FILES)
    os.chdir(order.folder)
    os.environ.clear()
    os.environ.update(order.environment)
    time.tzset()
    tempfile.tempdir = None  # it depends on TMPDIR
    sys.stdin = sys.__stdin__ = _text(0, sys.stdin)  # type: ignore[misc] # not final in fact
    sys.stdout = sys.__stdout__ = _text(1, sys.stdout)  # type: ignore[misc]
    sys.stderr = sys.__stderr__ = _text(_STDERR, sys.stderr)  # type: ignore[misc]


def _text(descriptor: int, like: Any) -> Any:  # noqa: ANN401 - sys.stdin is declared as TextIO
    """Returns a standard stream as this interpreter would have opened it (create_stdio in CPython's pylifecycle.c)."""
    unbuffered = like.write_through
    binary = open(descriptor, "wb" if descriptor else "rb", buffering=0 if unbuffered else -1, closefd=False)  # noqa: SIM115
    lines = not unbuffered and (descriptor == _STDERR or os.isatty(descriptor))
    return io.TextIOWrapper(binary, like.encoding, like.errors, line_buffering=lines, write_through=unbuffered)


def _run(order: Order) -> int:
    try:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])
        _run_main(order.arguments, order.folder)
    except SystemExit as end:
        if end.code is None or isinstance(end.code, int):
            return end.code or 0
        sys.stderr.write(f"{end.code}\n")
        return 1
    except BaseException as error:  # noqa: BLE001 - what else a program may raise
        sys.excepthook(type(error), error, error.__traceback__)
        return _INTERRUPTED if isinstance(error, KeyboardInterrupt) else 1
    return 0


def _end(code: int) -> NoReturn:
    """Ends this process as an interpreter does, but frees nothing.

    To free objects would copy all memory that is shared, which takes longer than most commands.
    """
    threading._shutdown()  # type: ignore[attr-defined] # the three steps of Py_FinalizeEx before it frees objects
    atexit._run_exitfuncs()
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:
        code = code or _NOT_FLUSHED
    if code == _INTERRUPTED:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)
    os._exit(code)


def _run_main(arguments: list[str], folder: str) -> None:
    """Runs the program as `python` does, in a main module of its own."""
    first, *rest = arguments
    if first == "-m":
        name, *rest = rest
        sys.argv = [name, *rest]
        sys.path[0] = folder
        runpy.run_module(name, run_name="__main__", alter_sys=True)
    else:
        sys.argv = [first, *rest]
        sys.path[0] = os.path.dirname(first)  # noqa: PTH120 - as Python has it
        runpy.run_path(first, run_name="__main__")


if __name__ == "__main__":
    main()
