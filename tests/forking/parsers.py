"""A fork server of parsers that waits for its order: it is a fork, too, and so has parsers and models loaded.

Each command that parses has one from its start, as a child process; `workers.children.fork_server` would start it anew.
A second one, after the first has died, is new.
"""

import os
import signal
import socket
from collections.abc import Sequence

_MODULES_BYTES = 4096  # at most; chosen: it is one name
_COMMANDS = {"up", "work", "extract"}


def parses(arguments: Sequence[str]) -> bool:
    """Tells whether a command starts parsers."""
    return not _COMMANDS.isdisjoint(arguments)


def load() -> None:
    """Loads parsers and models, once."""
    os.environ["OPENBLAS_NUM_THREADS"] = "1"  # else numpy starts threads, which forks do not have
    import workers.preloaded  # noqa: F401, PLC0415 - it takes two seconds, and most commands need none


def keep_ready() -> None:
    """Starts the fork server that this process will take, at its first order."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    pid = os.fork()
    if pid == 0:
        ours.close()
        _wait(theirs)
    theirs.close()
    _take_first(ours, pid)


def _wait(calls: socket.socket) -> None:
    """Becomes the fork server when it is called. Ends when the process that could call has ended."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    code = 1
    try:
        from workers.children.serving import serve  # noqa: PLC0415 - only here

        message, files, _, _ = socket.recv_fds(calls, _MODULES_BYTES, 1)
        calls.close()
        if message:
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            serve(socket.socket(fileno=files[0]), message.decode().split())
        code = 0
    finally:
        os._exit(code)


def _take_first(calls: socket.socket, pid: int) -> None:
    """Has the first fork server that this process starts be the one that waits in process `pid`."""
    from workers.children.fork_server import ForkServer  # noqa: PLC0415 - the server loads it

    start_new = ForkServer._start

    def start(self: ForkServer) -> socket.socket:
        ForkServer._start = start_new  # type: ignore[method-assign]
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs, calls:
            socket.send_fds(calls, [" ".join(self._modules).encode()], [theirs.fileno()])
        self._orders, self._pid = ours, pid
        return ours

    ForkServer._start = start  # type: ignore[method-assign]
