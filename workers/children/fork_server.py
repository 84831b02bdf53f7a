"""The process that parser children are forked from: loading parsers and models once takes seconds, forking some ms.

multiprocessing has a fork server, too. This one has no tracker of resources beside it (a process of 6 MB), no socket
in the file system, does not run the parent's main module again in each child, and starts a child without blocking.
"""

import atexit
import json
import os
import socket
import sys
from collections.abc import Sequence
from functools import cache

_CODE = (
    "import json, socket, sys; sys.path[:], modules, orders = json.loads(sys.argv[1]); "
    "from workers.children.serving import serve; serve(socket.socket(fileno=orders), modules)"
)
_STDIN, _ORDERS = 0, 3  # file descriptors in the server; chosen: the first one after the standard ones
_ENVIRONMENT = {"OPENBLAS_NUM_THREADS": "1"}  # otherwise numpy reserves memory for a thread on each core


class ForkServer:
    """A fork server that has loaded `modules`. It is started when it is needed, and ends with this process."""

    def __init__(self, modules: Sequence[str]) -> None:
        self._modules = tuple(modules)
        self._orders: socket.socket | None = None
        self._pid = 0

    def start(self) -> None:
        """Starts the server if it was never started. Returns while it still loads its modules."""
        if self._orders is None:
            self._start()

    def fork(self, order: bytes, files: Sequence[int]) -> None:
        """Has a child forked for `order`, with `files`; see `workers.children.serving`. A server that died is replaced.

        It does not wait for the child. If there is none in the end, the other ends of `files` say so: they are closed.
        """
        orders = self._orders or self._start()
        try:
            socket.send_fds(orders, [order], files)
        except (BrokenPipeError, ConnectionResetError):
            self.stop()
            socket.send_fds(self._start(), [order], files)

    def stop(self) -> None:
        """Ends the server, and with it all of its children. Waits for its end."""
        if self._orders is not None:
            self.release()
            os.waitpid(self._pid, 0)

    def release(self) -> None:
        """Has the server end soon."""
        if self._orders is not None:
            self._orders.close()
            self._orders = None

    def _start(self) -> socket.socket:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            arguments = json.dumps([sys.path, self._modules, _ORDERS])
            self._pid = os.posix_spawn(
                sys.executable,
                [sys.executable, "-c", _CODE, arguments],
                os.environ | _ENVIRONMENT,
                file_actions=[
                    (os.POSIX_SPAWN_DUP2, theirs.fileno(), _ORDERS),
                    (os.POSIX_SPAWN_OPEN, _STDIN, os.devnull, os.O_RDONLY, 0),
                ],
            )
        self._orders = ours
        return ours


@cache
def server_of(modules: tuple[str, ...]) -> ForkServer:
    """Returns the one server of this process that loads `modules`. It ends with this process."""
    server = ForkServer(modules)
    atexit.register(server.release)
    return server
