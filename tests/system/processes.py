"""Copydesk's processes as an operator starts them. This module imports nothing of Copydesk.

To save time they are forks of one interpreter (`tests.forking`). The program `INSTALLED` is a new interpreter, as
users have it: some test of each command runs that.
"""

import json
import os
import signal
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from queue import Queue

from tests.forking.command import COPYDESK, run, start

INSTALLED = ("/usr/bin/env", COPYDESK)
START_TIMEOUT_S = 120
ROOT = Path(__file__).parents[2]


class Process:
    """One running `copydesk` command, with the addresses that it logged.

    `program` is run in place of the plain `copydesk`, in the checkout's folder.
    """

    def __init__(
        self, *arguments: str, settings: dict[str, str] | None = None, program: Sequence[str] = (COPYDESK,)
    ) -> None:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("COPYDESK_")}
        env = clean | {"COPYDESK_LOG_FORMAT": "json"} | (settings or {})
        command = [*program, *arguments]
        self._process = start(command, env=env, cwd=ROOT, stderr=subprocess.PIPE, text=True)
        self._urls: Queue[tuple[str, str] | None] = Queue()
        self._known: dict[str, str] = {}
        self.log: list[dict[str, object]] = []
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            try:
                entry = json.loads(line)
            except json.JSONDecodeError:
                entry = {"event": line.rstrip("\n")}
            self.log.append(entry)
            if entry["event"] == "listening":
                self._urls.put((entry["what"], entry["url"]))
        self._urls.put(None)

    def wait_for_urls(self, *names: str) -> dict[str, str]:
        """Returns the addresses of `names` once the process listens on all of them."""
        while not set(names) <= set(self._known):
            listening = self._urls.get(timeout=START_TIMEOUT_S)
            assert listening is not None, f"ended before it listened: {self.log}"
            self._known[listening[0]] = listening[1]
        return self._known

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        """The exit code, None while the process runs."""
        return self._process.poll()

    def kill(self) -> None:
        """Ends the process with SIGKILL: it gets no chance to tidy up."""
        self._process.kill()
        self._end()

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Ends the process with a signal and returns its exit code."""
        self.signal(number)
        return self.wait()

    def signal(self, number: int) -> None:
        self._process.send_signal(number)

    def wait(self) -> int:
        """Waits for the process to end by itself, and returns its exit code."""
        return self._end()

    def _end(self) -> int:
        code = self._process.wait(timeout=START_TIMEOUT_S)
        self._reader.join()
        assert self._process.stderr is not None
        self._process.stderr.close()
        return code

    def close(self) -> None:
        if self._process.poll() is None:
            self.kill()
        elif self._reader.is_alive() or (self._process.stderr and not self._process.stderr.closed):
            self._end()


@contextmanager
def running(
    *arguments: str, settings: dict[str, str] | None = None, program: Sequence[str] = (COPYDESK,)
) -> Iterator[Process]:
    """Runs a command for as long as the context is open."""
    process = Process(*arguments, settings=settings, program=program)
    try:
        yield process
    finally:
        process.close()


def copydesk(
    *arguments: str,
    settings: dict[str, str] | None = None,
    stdin: bytes = b"",
    timeout_s: float = 60,
    program: Sequence[str] = (COPYDESK,),
) -> subprocess.CompletedProcess[bytes]:
    """Runs a command to its end."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("COPYDESK_")}
    return run([*program, *arguments], env=clean | (settings or {}), stdin=stdin, timeout_s=timeout_s)
