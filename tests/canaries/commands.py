"""A process and its whole output: what it prints, in each log format, and its metrics."""

import os
import pty
import re
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.forking.command import start
from tests.rabbit_node import free_ports

ROOT = Path(__file__).parents[2]
LAST_CHARACTERS = 4000
PATIENCE_S = 120.0  # chosen for machines under load
FORMATS = ("json", "console", "terminal")
"""`terminal`: no log format is set, and both streams are a terminal."""


class RunningCommand:
    """A running command, and its output so far. It listens on `ports`: those of the API and for operators."""

    def __init__(self, role: str, log_format: str, settings: Mapping[str, str], ports: tuple[int, int]) -> None:
        self.port, self.ops_port = ports
        clean = {name: value for name, value in os.environ.items() if not name.startswith("COPYDESK_")}
        listening = {"COPYDESK_PORT": str(self.port), "COPYDESK_OPS_PORT": str(self.ops_port), "TERM": "xterm-256color"}
        chosen = {} if log_format == "terminal" else {"COPYDESK_LOG_FORMAT": log_format}
        ours, theirs = pty.openpty() if log_format == "terminal" else os.pipe()
        self._process = start(
            [sys.executable, "-m", "tests.canaries.with_defects", role],
            env={**clean, **listening, **chosen, **settings},
            cwd=ROOT,
            stdout=theirs,
            stderr=theirs,
        )
        os.close(theirs)
        self._printed = bytearray()
        self._reader = threading.Thread(target=self._read, args=[ours])
        self._reader.start()

    @property
    def text(self) -> str:
        """The output so far."""
        return self._printed.decode()

    def metrics(self) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.ops_port}/metrics", timeout=PATIENCE_S) as answer:
            return str(answer.read().decode())

    def wait_until_ready(self) -> None:
        self._wait(self._is_ready)

    def wait_for(self, *words: str) -> None:
        """Waits until all the words were printed."""
        self._wait(lambda: all(word in self.text for word in words))

    def wait_for_metric(self, series: str) -> None:
        """Waits until a series exists with a value other than 0."""
        found = re.compile(rf"^{re.escape(series)} (?!0\.0$)", re.MULTILINE)
        self._wait(lambda: found.search(self.metrics()) is not None)

    def wait_for_end(self) -> int:
        code = self._process.wait(timeout=PATIENCE_S)
        self._reader.join()
        return code

    def terminate(self) -> None:
        if self._process.poll() is None:
            self._process.terminate()

    def close(self) -> None:
        """Ends the process, and prints its last output, which pytest shows if a test failed."""
        self.terminate()
        code = self.wait_for_end()
        print(f"-- ended with {code}:", self.text[-LAST_CHARACTERS:], sep="\n")  # noqa: T201 - pytest captures it

    def _is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.ops_port}/readyz", timeout=PATIENCE_S):
                return True
        except (urllib.error.URLError, ConnectionError):
            return False

    def _wait(self, holds: object) -> None:
        end = time.monotonic() + PATIENCE_S
        assert callable(holds)
        while not holds():
            assert time.monotonic() < end, self.text
            time.sleep(0.1)

    def _read(self, ours: int) -> None:
        try:
            while chunk := os.read(ours, 65536):
                self._printed += chunk
        except OSError:  # a terminal's other side is closed
            pass
        finally:
            os.close(ours)


@contextmanager
def running(role: str, log_format: str, settings: Mapping[str, str]) -> Iterator[RunningCommand]:
    """Runs a role while the context is open."""
    with running_each(role, [log_format], settings) as (command,):
        yield command


@contextmanager
def running_each(role: str, log_formats: Sequence[str], settings: Mapping[str, str]) -> Iterator[list[RunningCommand]]:
    """Runs a role once in each log format while the context is open. They start, wait and stop side by side."""
    ports = free_ports(2 * len(log_formats))  # concurrent commands, so each has its own
    with ExitStack() as stack:
        started: list[RunningCommand] = []
        for log_format in log_formats:
            started.append(RunningCommand(role, log_format, settings, (ports.pop(), ports.pop())))
            stack.callback(started[-1].close)
        try:
            yield started
        finally:
            for command in started:
                command.terminate()
