"""What runs inside the fork server: it loads the modules that all children need, then forks a child for each order.

An order is one message on the socket that the server shares with its parent: the bytes for the child, and three file
descriptors: the child's end of its connection, its counter, and a pipe into which the server writes the child's exit
code.
"""

import gc
import importlib
import os
import signal
import socket
import struct
import traceback
from collections.abc import Sequence

from workers.children import child

EXIT_CODE = struct.Struct("!i")
"""A child's exit code in the pipe of its order: negative for the signal that ended it."""

ORDER_BYTES = 65_536  # at most; chosen: a task is the name of a function
_FILES = 3  # file descriptors of an order


def serve(orders: socket.socket, modules: Sequence[str]) -> None:
    """Forks a child for each order. Returns when the parent has ended, or no longer wants the server."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # an interrupt from the keyboard is the parent's affair
    gc.disable()  # nothing that loads is garbage
    for module in modules:
        importlib.import_module(module)
    gc.freeze()  # a collection writes to each object that it looks at, and a page that is written is no longer shared
    gc.enable()
    exits: dict[int, int] = {}
    signal.signal(signal.SIGCHLD, lambda *_: _reap(exits))
    while True:
        order, files, _, _ = socket.recv_fds(orders, ORDER_BYTES, _FILES)
        if not order:
            return
        _fork(order, files, orders, exits)


def _fork(order: bytes, files: list[int], orders: socket.socket, exits: dict[int, int]) -> None:
    connection, counter, exit_code = files
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})  # until the child is known
    pid = os.fork()
    if pid == 0:
        _become_child(order, connection, counter, [orders.fileno(), exit_code, *exits.values()])
    exits[pid] = exit_code
    os.close(connection)
    os.close(counter)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})


def _become_child(order: bytes, connection: int, counter: int, not_ours: Sequence[int]) -> None:
    code = 1
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})
        for descriptor in not_ours:
            os.close(descriptor)
        child.run(order, socket.socket(fileno=connection), counter)
        code = 0
    except OSError:
        pass  # the parent has gone
    except BaseException:  # noqa: BLE001 - nothing above may run in the child
        traceback.print_exc()  # the task cannot be loaded; later the output is closed
    finally:
        os._exit(code)


def _reap(exits: dict[int, int]) -> None:
    """Tells the exit codes of the children that have ended."""
    while exits:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            return
        exit_code = exits.pop(pid)
        try:
            os.write(exit_code, EXIT_CODE.pack(os.waitstatus_to_exitcode(status)))
        except BrokenPipeError:
            pass  # nobody asks any more
        finally:
            os.close(exit_code)
