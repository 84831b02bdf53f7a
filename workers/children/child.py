"""What runs inside a parser child: it limits itself, then works on one document at a time."""

import ctypes
import gc
import importlib
import os
import pickle
import resource
import signal
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing import forkserver
from pathlib import Path
from typing import Any, TypeVar

from contract.reasons import Reason
from workers.failures import DocumentFailure, Failed

T = TypeVar("T")
R = TypeVar("R")

_PR_SET_PDEATHSIG = 1  # prctl(2)
_STDOUT, _STDERR = 1, 2  # file descriptors (POSIX)
_EXHAUSTED = 0.9  # share of the memory limit: chosen, so that one allocation that failed is seen from the peak


@dataclass(frozen=True, slots=True)
class Returned:
    """The task's result, pickled: what cannot be pickled must fail in the task's own frame, not in Pebble's."""

    pickled: bytes


@dataclass(frozen=True, slots=True)
class Raised:
    """The task raised an unexpected exception: its class name and frames, without its message, which may quote text."""

    error: str
    traceback: str


@dataclass(frozen=True, slots=True)
class TaskResult:
    """The result of a document as a value, because exceptions with keyword arguments cannot be pickled.

    `outcome` is a DocumentFailure if the task raised `Failed` or ran out of memory. `exhausted` is true if the child
    came near its memory limit. It must not get another document, since its peak never sinks.
    """

    outcome: Returned | DocumentFailure | Raised
    exhausted: bool = False


def confine(memory_bytes: int, modules: Sequence[str]) -> None:
    """Ends this process with its parent, and limits its memory to `memory_bytes` beyond what `modules` take.

    SIGTERM gets its default action back, since a handler in Python does not run while C code hangs. The pipe by which
    the fork server knows that it has clients is closed here. Otherwise a child that hangs keeps the server alive, and
    the signal at the death of the parent, which is the server, never comes.
    """
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    _close_alive_pipe()
    for module in modules:
        importlib.import_module(module)
    gc.freeze()  # loaded modules stay in memory; collecting them again and again took a twentieth of a child's time
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (_address_space_bytes("VmSize") + memory_bytes, hard))


def ready(_task: Callable[[T], R]) -> None:
    """Closes the output. When it returns, the child has limited itself and loaded the task.

    From now on the child works on documents, and libraries or C code may print parts of them. Results are passed as
    an `Outcome` instead.
    """
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for descriptor in (_STDOUT, _STDERR):
        os.dup2(nowhere, descriptor)
    os.close(nowhere)


def perform(task: Callable[[T], R], document: T, memory_bytes: int) -> TaskResult:
    """Returns the result of `task` on `document`. It never raises, whatever the task does."""
    limit, hard = resource.getrlimit(resource.RLIMIT_AS)
    try:
        returned = Returned(pickle.dumps(task(document), protocol=pickle.HIGHEST_PROTOCOL))
        return TaskResult(returned, _is_exhausted(limit, memory_bytes))
    except BaseException as error:  # noqa: BLE001 - SystemExit, too, would otherwise end the worker, not the child
        resource.setrlimit(resource.RLIMIT_AS, (hard, hard))  # reporting exhausted memory needs memory
        result = _result_of(error, _is_exhausted(limit, memory_bytes))
        resource.setrlimit(resource.RLIMIT_AS, (limit, hard))
        return result


def _result_of(error: BaseException, exhausted: bool) -> TaskResult:
    """Returns the result for `error`. Near the memory limit every error counts as exhausted memory.

    libxml2 answers a failed allocation with a parse error, and trafilatura with None.
    """
    if exhausted or isinstance(error, MemoryError):
        return TaskResult(DocumentFailure(Reason.MEMORY, "the parser reached its memory limit"), exhausted=True)
    if isinstance(error, Failed):
        return TaskResult(error.failure)
    frames = "".join(traceback.format_tb(error.__traceback__))
    return TaskResult(Raised(type(error).__name__, frames + type(error).__name__))


def _is_exhausted(limit_bytes: int, memory_bytes: int) -> bool:
    return limit_bytes - _address_space_bytes("VmPeak") <= (1 - _EXHAUSTED) * memory_bytes


def _address_space_bytes(field: str) -> int:
    """Returns a size from proc_pid_status(5), which gives it in KiB."""
    for line in Path("/proc/self/status").read_bytes().splitlines():
        name, _, value = line.partition(b":")
        if name == field.encode():
            return int(value.split()[0]) * 1024
    raise LookupError(field)


def _close_alive_pipe() -> None:
    # Python 3.11 to 3.14 have no public way to do this.
    server: Any = forkserver._forkserver  # noqa: SLF001
    if server._forkserver_alive_fd is not None:  # noqa: SLF001
        os.close(server._forkserver_alive_fd)  # noqa: SLF001
        server._forkserver_alive_fd = None  # noqa: SLF001
