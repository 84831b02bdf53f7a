"""What runs inside a parser child: it limits itself, then works on one document after the other.

Child and parent are connected by a stream socket. The parent writes documents, each after its length; the child
writes an answer to each, in order. They also share a counter in the kernel, eventfd(2), of documents that were given
and not begun: the child counts one down before it begins, the parent to take the last one back. So each document is
begun by one child at most, and the parent knows which documents a child that died had begun.
"""

import ctypes
import enum
import gc
import os
import pickle
import resource
import signal
import socket
import struct
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, BinaryIO

from contract.reasons import Reason
from workers.failures import DocumentFailure, Failed

DOCUMENT = struct.Struct("!Q")
"""What precedes a document: its length in bytes."""

ANSWER = struct.Struct("!B?Q")
"""What precedes an answer's payload: its kind, whether the child is exhausted, and the payload's length in bytes."""

_PR_SET_PDEATHSIG = 1  # prctl(2)
_STDOUT, _STDERR = 1, 2  # file descriptors (POSIX)
_EXHAUSTED = 0.9  # share of the memory limit: chosen, so that one allocation that failed is seen from the peak
_STATUS_BYTES = 4096  # of /proc/self/status, of which sizes are in the first half


class AnswerKind(enum.IntEnum):
    """What an answer says, and what its payload is."""

    FORKED = 0  # the child exists; its process id, as decimal digits
    READY = 1  # it has limited itself and loaded the task; nothing
    RETURNED = 2  # the task's result, pickled
    FAILED = 3  # the task raised `Failed`, or ran out of memory; the DocumentFailure, pickled
    RAISED = 4  # it raised anything else; the exception's class name and frames, pickled
    WITHDRAWN = 5  # the parent has taken the document back; nothing


@dataclass(frozen=True, slots=True)
class ChildAnswer:
    """What became of a document.

    `exhausted` is true if the child came near its memory limit. It ends then, since its peak never sinks, and the next
    document's plain failure would look like one of memory.
    """

    kind: AnswerKind
    payload: bytes = b""
    exhausted: bool = False


def run(order: bytes, connection: socket.socket, given: int) -> None:
    """Works on the documents that come over `connection`, until the parent closes it or memory is exhausted.

    Args:
        order: the task and its memory limit in bytes, pickled.
        connection: the child's end.
        given: the file descriptor of the counter of documents that are not begun.
    """
    _end_with_parent()
    _send(connection, ChildAnswer(AnswerKind.FORKED, str(os.getpid()).encode()))
    task, memory_bytes = pickle.loads(order)  # noqa: S301 - our own parent wrote it
    _silence()
    confine(memory_bytes)
    _send(connection, ChildAnswer(AnswerKind.READY))
    documents = connection.makefile("rb")
    while len(length := documents.read(DOCUMENT.size)) == DOCUMENT.size:
        (size,) = DOCUMENT.unpack(length)
        answer = _answer(task, documents, size, memory_bytes) if _is_given(given) else _skip(documents, size)
        _send(connection, answer)
        if answer.exhausted:
            return


def _answer(task: Callable[[Any], Any], documents: BinaryIO, size: int, memory_bytes: int) -> ChildAnswer:
    return perform(lambda: task(pickle.loads(documents.read(size))), memory_bytes)  # noqa: S301 - as above


def _skip(documents: BinaryIO, size: int) -> ChildAnswer:
    documents.read(size)
    return ChildAnswer(AnswerKind.WITHDRAWN)


def _is_given(counter: int) -> bool:
    """Counts a document down and returns True, or False where the parent was faster."""
    try:
        return os.eventfd_read(counter) == 1
    except BlockingIOError:
        return False


def _send(connection: socket.socket, answer: ChildAnswer) -> None:
    connection.sendall(ANSWER.pack(answer.kind, answer.exhausted, len(answer.payload)))
    if answer.payload:
        connection.sendall(answer.payload)


def _end_with_parent() -> None:
    """Ends this process when its parent, the fork server, ends; and leaves SIGINT and SIGTERM to the kernel.

    A handler in Python does not run while C code hangs. An interrupt from the keyboard is the parent's affair.
    """
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _silence() -> None:
    """Closes the output: libraries and C code may print parts of documents."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for descriptor in (_STDOUT, _STDERR):
        os.dup2(nowhere, descriptor)
    os.close(nowhere)


def confine(memory_bytes: int) -> None:
    """Limits the memory of this process to `memory_bytes` beyond what it holds now."""
    gc.freeze()  # loaded modules stay in memory; collecting them again and again took a twentieth of a child's time
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (_address_space_bytes(b"VmSize:") + memory_bytes, hard))


def perform(work: Callable[[], Any], memory_bytes: int) -> ChildAnswer:
    """Returns what became of `work`. It never raises, whatever the task does."""
    limit, hard = resource.getrlimit(resource.RLIMIT_AS)
    try:
        # Pickled here: what cannot be pickled is the task's failure.
        pickled = pickle.dumps(work(), protocol=pickle.HIGHEST_PROTOCOL)
        return ChildAnswer(AnswerKind.RETURNED, pickled, _is_exhausted(limit, memory_bytes))
    except BaseException as error:  # noqa: BLE001 - SystemExit, too, would otherwise end the child
        resource.setrlimit(resource.RLIMIT_AS, (hard, hard))  # reporting exhausted memory needs memory
        answer = _answer_to(error, _is_exhausted(limit, memory_bytes))
        resource.setrlimit(resource.RLIMIT_AS, (limit, hard))
        return answer


def _answer_to(error: BaseException, exhausted: bool) -> ChildAnswer:
    """Returns the answer for `error`. Near the memory limit every error counts as exhausted memory.

    libxml2 answers a failed allocation with a parse error, and trafilatura with None.
    """
    if exhausted or isinstance(error, MemoryError):
        failure = DocumentFailure(Reason.MEMORY, "the parser reached its memory limit")
        return ChildAnswer(AnswerKind.FAILED, pickle.dumps(failure), exhausted=True)
    if isinstance(error, Failed):
        return ChildAnswer(AnswerKind.FAILED, pickle.dumps(error.failure))
    name = type(error).__name__  # without the message, which may quote the document
    return ChildAnswer(
        AnswerKind.RAISED, pickle.dumps((name, "".join(traceback.format_tb(error.__traceback__)) + name))
    )


def _is_exhausted(limit_bytes: int, memory_bytes: int) -> bool:
    return limit_bytes - _address_space_bytes(b"VmPeak:") <= (1 - _EXHAUSTED) * memory_bytes


def _address_space_bytes(field: bytes) -> int:
    """Returns a size from proc_pid_status(5), which gives it in KiB."""
    status = os.open("/proc/self/status", os.O_RDONLY)
    try:
        _, _, value = os.read(status, _STATUS_BYTES).partition(field)
    finally:
        os.close(status)
    return int(value.split(maxsplit=1)[0]) * 1024
