"""Copydesk's processes on one RabbitMQ, as an operator runs them, to be killed one by one."""

import json
import os
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path
from queue import Queue

from tests.system.processes import COPYDESK, Process

WITHIN_S = 60.0
LAST_LINES = 40
ROUTINE = {"verdict", "parser_child_replaced"}
ROOT = Path(__file__).parents[2]


class Program(Process):
    """A `copydesk` command, run by `program` where that is not empty."""

    def __init__(self, program: tuple[str, ...], *arguments: str, settings: dict[str, str]) -> None:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("COPYDESK_")}
        env = clean | {"COPYDESK_LOG_FORMAT": "json"} | settings
        command = [*(program or (COPYDESK,)), *arguments]
        self._process = subprocess.Popen(command, env=env, cwd=ROOT, stderr=subprocess.PIPE, text=True)
        self._urls: Queue[tuple[str, str] | None] = Queue()
        self._known: dict[str, str] = {}
        self.log: list[dict[str, object]] = []
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def signal(self, number: int) -> None:
        self._process.send_signal(number)

    def wait(self) -> int:
        """Waits for the process to end by itself, and returns its exit code."""
        return self._end()


class Desk:
    """One `serve` and some `work` processes, with the same settings."""

    def __init__(self, url: str, *, workers: int = 2, slots: int = 2, **settings: str) -> None:
        """Starts them. `settings` are COPYDESK_ variables without their prefix, in lower case."""
        self.url = url
        self._settings = {"COPYDESK_AMQP_URL": url, "COPYDESK_FETCH_ALLOW_NETWORKS": "127.0.0.0/8"}
        self._settings |= {f"COPYDESK_{name.upper()}": value for name, value in settings.items()}
        self._slots = slots
        self.serve = self.start_serve()
        self.workers = [self.start_worker() for _ in range(workers)]

    def start_serve(self, program: tuple[str, ...] = (), port: int = 0) -> Program:
        """Starts an API process; `program` instead of the plain `copydesk`."""
        return Program(program, "serve", "--port", str(port), "--ops-port", "0", settings=self._settings)

    def start_worker(self, program: tuple[str, ...] = ()) -> Program:
        """Starts a worker; `program` instead of the plain `copydesk`."""
        return Program(program, "work", "--slots", str(self._slots), "--ops-port", "0", settings=self._settings)

    @property
    def api(self) -> str:
        return self.serve.wait_for_urls("api")["api"]

    def wait_until_ready(self) -> None:
        """Waits until every process takes part."""
        for process in (self.serve, *self.workers):
            wait_until_ready(process)

    def stop_workers(self) -> list[int]:
        """Stops the workers in order and returns their exit codes."""
        codes = [worker.stop() for worker in self.workers if worker.returncode is None]
        self.workers.clear()
        return codes

    def close(self) -> None:
        """Ends the processes, and prints what they had to say last: pytest shows it where a test failed."""
        for process in (self.serve, *self.workers):
            process.close()
            told = [entry for entry in process.log if entry["event"] not in ROUTINE]
            print(f"-- {process.pid}", *told[-LAST_LINES:], sep="\n")  # noqa: T201 - pytest captures it


def wait_until_ready(process: Process, *, ready: bool = True, within_s: float = WITHIN_S) -> None:
    """Polls a process's /readyz: there is nothing else that an orchestrator has, either."""
    url = process.wait_for_urls("ops")["ops"] + "/readyz"
    deadline = time.monotonic() + within_s
    while answers_200(url) is not ready:
        assert process.returncode is None, f"ended: {process.log[-10:]}"
        assert time.monotonic() < deadline, f"never ready={ready}: {process.log[-10:]}"
        time.sleep(0.05)


def answers_200(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=10) as response:  # noqa: S310 - http to ourselves
            return bool(json.loads(response.read())["ready"])
    except urllib.error.HTTPError as error:
        error.close()
        return False


def failpoint(point: str, marker: Path | str, *options: str) -> tuple[str, ...]:
    """Returns the program that is Copydesk, but dies at `point`; see `tests.faults.with_failpoint`."""
    return (sys.executable, "-m", "tests.faults.with_failpoint", point, str(marker), *options)


def children_of(pid: int) -> set[int]:
    """Returns the processes whose parent is `pid`."""
    done = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False)
    return {int(word) for word in done.stdout.split()}
