"""Starts commands of Copydesk as forks of a server, with the interface of `subprocess.Popen`."""

import atexit
import json
import os
import select
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, AnyStr

from tests.forking.server import NUMBER

COPYDESK = str(Path(sys.executable).with_name("copydesk"))
ROOT = Path(__file__).parents[2]


def start(command: Sequence[str], *, env: Mapping[str, str], **options: Any) -> subprocess.Popen[Any]:  # noqa: ANN401 - as Popen has them
    """Starts a program as `Popen` does: in tests as a fork, if it is a Python program of this checkout.

    Benchmarks measure new interpreters. An environment that configures the interpreter needs one, too.
    """
    in_tests = "PYTEST_VERSION" in os.environ  # pytest sets it while it runs
    can_fork = in_tests and _is_ours(command) and _python(env) == _python(os.environ)
    return (ForkedCommand if can_fork else subprocess.Popen)(command, env=env, **options)


def run(
    command: Sequence[str], *, env: Mapping[str, str], stdin: bytes = b"", timeout_s: float = 60
) -> subprocess.CompletedProcess[bytes]:
    """Runs a program to its end, as `subprocess.run` does, and returns its exit code and output.

    Raises:
        subprocess.TimeoutExpired: it was killed after `timeout_s` seconds.
    """
    pipe = subprocess.PIPE
    with start(command, env=env, stdin=pipe, stdout=pipe, stderr=pipe) as process:
        try:
            out, err = process.communicate(stdin, timeout=timeout_s)
        except BaseException:
            process.kill()
            raise
    return subprocess.CompletedProcess(command, process.returncode, out, err)


def _is_ours(command: Sequence[str]) -> bool:
    return command[0] == COPYDESK or list(command[:2]) == [sys.executable, "-m"]


def _python(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if name.startswith("PYTHON")}


class ForkedCommand(subprocess.Popen[AnyStr]):
    """A command that the fork server forked: it starts at once. Its parent is the server, which knows how it ended.

    Popen's methods for the start and the end of a child are replaced; the rest of it is used as it is. They have the
    names and parameters of CPython 3.11 to 3.14.
    """

    _pipe: int
    _close_pipe_fds: Any  # these three are Popen's
    _handle_exitstatus: Any
    _waitpid_lock: Any

    def _execute_child(self, args: Any, *rest: Any) -> None:  # noqa: ANN401 - Popen's own
        _, _, _, _, folder, environment, _, _, _, *pipes = rest[:15]
        stdin, _, _, stdout, _, stderr = pipes  # each pipe's end for the command, or the file in its place; -1 for none
        self._pipe, theirs = os.pipe()
        order = {
            "arguments": list(args) if args[0] == COPYDESK else list(args[1:]),
            "environment": dict(environment),
            "folder": str(folder or Path.cwd()),
        }
        streams: list[int] = [own if own != -1 else inherited for inherited, own in enumerate((stdin, stdout, stderr))]
        try:
            socket.send_fds(_server(), [json.dumps(order).encode()], [*streams, theirs])
        finally:
            os.close(theirs)
            self._close_pipe_fds(*pipes)
        self.pid = self._number()
        self._child_created = True

    def _number(self) -> int:
        got = os.read(self._pipe, NUMBER.size)
        if not got:
            raise RuntimeError("the server that forks commands has ended")
        return int(NUMBER.unpack(got)[0])

    def _try_wait(self, wait_flags: int) -> tuple[int, int]:
        if wait_flags & os.WNOHANG and not select.select([self._pipe], [], [], 0)[0]:
            return 0, 0
        status = self._number()
        os.close(self._pipe)
        return self.pid, status

    def _internal_poll(self, _deadstate: int | None = None) -> int | None:
        with self._waitpid_lock:
            if self.returncode is None:
                pid, status = self._try_wait(os.WNOHANG)
                if pid:
                    self._handle_exitstatus(status)
        return self.returncode


@cache
def _server() -> socket.socket:
    """Returns the socket for orders of this process's fork server, which ends with this process."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    clean = {name: value for name, value in os.environ.items() if not name.startswith("COPYDESK_")}
    with theirs:
        descriptor = theirs.fileno()
        command = [sys.executable, "-m", "tests.forking.server", str(descriptor)]
        server = subprocess.Popen(command, cwd=ROOT, env=clean, stdin=subprocess.DEVNULL, pass_fds=[descriptor])

    def end() -> None:
        ours.close()
        server.wait()

    atexit.register(end)
    return ours
