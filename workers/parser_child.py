"""What runs inside a parser child: its confinement, and one document at a time."""

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
from workers.document import NOTHING_KNOWN, Metadata
from workers.failures import Failed

T = TypeVar("T")
R = TypeVar("R")

_PR_SET_PDEATHSIG = 1  # prctl(2)
_EXHAUSTED = 0.9  # share of the memory limit


@dataclass(frozen=True, slots=True)
class Returned:
    """The task's result, pickled: what cannot be pickled must fail in the task's own frame, not in Pebble's."""

    pickled: bytes


@dataclass(frozen=True, slots=True)
class Refused:
    """The task raised `Failed`, or ran out of memory."""

    reason: Reason
    detail: str
    retry_after_s: float | None = None
    metadata: Metadata = NOTHING_KNOWN


@dataclass(frozen=True, slots=True)
class Raised:
    """The task raised what it should not: the class' name, and the frames without the message, which may quote text."""

    error: str
    traceback: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a document ended, as a value: an exception with keyword arguments does not survive pickling.

    `exhausted` tells that the child has been near its memory limit and is not fit for another document: its peak
    never sinks.
    """

    result: Returned | Refused | Raised
    exhausted: bool = False


def confine(memory_bytes: int, modules: Sequence[str]) -> None:
    """Binds this process to its parent's life and to `memory_bytes` beyond what `modules` need once loaded.

    SIGTERM gets its default back, since a handler in Python never runs while C code hangs. The pipe that tells the
    fork server of living clients must be closed here: a child that hangs would keep the server alive by it, and the
    death signal, which follows the server's death, would never come.
    """
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    _close_alive_pipe()
    for module in modules:
        importlib.import_module(module)
    gc.freeze()  # what is loaded stays: to look through it again and again took a twentieth of a child's time
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (_address_space_bytes("VmSize") + memory_bytes, hard))


def ready(_task: Callable[[T], R]) -> None:
    """Does nothing: when this returns the child is confined and has been able to load the task."""


def perform(task: Callable[[T], R], document: T, memory_bytes: int) -> Outcome:
    """Returns how `task` ended on `document`. Raises nothing, whatever the task does."""
    limit, hard = resource.getrlimit(resource.RLIMIT_AS)
    try:
        returned = Returned(pickle.dumps(task(document), protocol=pickle.HIGHEST_PROTOCOL))
        return Outcome(returned, _is_exhausted(limit, memory_bytes))
    except BaseException as error:  # noqa: BLE001 - SystemExit, too, would otherwise end the worker, not the child
        resource.setrlimit(resource.RLIMIT_AS, (hard, hard))  # to speak of exhausted memory takes memory
        outcome = _outcome_of(error, _is_exhausted(limit, memory_bytes))
        resource.setrlimit(resource.RLIMIT_AS, (limit, hard))
        return outcome


def _outcome_of(error: BaseException, exhausted: bool) -> Outcome:
    """Returns what `error` stands for. Near the limit every error is one of memory.

    libxml2 answers a failed allocation with a parse error, and trafilatura with None.
    """
    if exhausted or isinstance(error, MemoryError):
        return Outcome(Refused(Reason.MEMORY, f"memory limit reached ({type(error).__name__})"), exhausted=True)
    if isinstance(error, Failed):
        return Outcome(Refused(error.reason, error.detail, error.retry_after_s, error.metadata))
    frames = "".join(traceback.format_tb(error.__traceback__))
    return Outcome(Raised(type(error).__name__, frames + type(error).__name__))


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
    # There is no public way to it, in Python 3.11 to 3.14.
    server: Any = forkserver._forkserver  # noqa: SLF001
    if server._forkserver_alive_fd is not None:  # noqa: SLF001
        os.close(server._forkserver_alive_fd)  # noqa: SLF001
        server._forkserver_alive_fd = None  # noqa: SLF001
