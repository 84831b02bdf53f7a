"""Copydesk's processes on one RabbitMQ, as an operator runs them, to be killed one by one."""

import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path

from tests.forking.command import COPYDESK
from tests.system.processes import Process

WITHIN_S = 120.0
LAST_LINES = 40
FETCHING = {  # from a site on loopback, as fast as it answers
    "COPYDESK_FETCH_ALLOW_NETWORKS": "127.0.0.0/8",
    "COPYDESK_FETCH_INTERVAL_S": "0.001",
    "COPYDESK_FETCH_ROBOTS": "false",
}
ROUTINE = {"verdict", "parser_child_replaced"}


class Deployment:
    """One `serve` and some `work` processes, with the same settings."""

    def __init__(self, url: str, *, workers: int = 2, slots: int = 2, **settings: str) -> None:
        """Starts them. `settings` are COPYDESK_ variables without their prefix, in lower case."""
        self.url = url
        self._settings = {"COPYDESK_AMQP_URL": url} | FETCHING
        self._settings |= {f"COPYDESK_{name.upper()}": value for name, value in settings.items()}
        self._slots = slots
        self.serve = self.start_serve()
        self.workers = [self.start_worker() for _ in range(workers)]

    def start_serve(self, program: Sequence[str] = (COPYDESK,), port: int = 0) -> Process:
        """Starts an API process; `program` instead of the plain `copydesk`."""
        arguments = ("serve", "--port", str(port), "--ops-port", "0")
        return Process(*arguments, settings=self._settings, program=program)

    def start_worker(self, program: Sequence[str] = (COPYDESK,)) -> Process:
        """Starts a worker; `program` instead of the plain `copydesk`."""
        arguments = ("work", "--slots", str(self._slots), "--ops-port", "0")
        return Process(*arguments, settings=self._settings, program=program)

    @property
    def api(self) -> str:
        return self.serve.wait_for_urls("api")["api"]

    def wait_until_ready(self) -> None:
        """Waits until every process takes part."""
        for process in (self.serve, *self.workers):
            wait_until_ready(process)

    def close(self) -> None:
        """Ends the processes, and prints their last output, which pytest shows if a test failed."""
        for process in (self.serve, *self.workers):
            process.close()
            entries = [entry for entry in process.log if entry["event"] not in ROUTINE]
            print(f"-- {process.pid}", *entries[-LAST_LINES:], sep="\n")  # noqa: T201 - pytest captures it


def wait_until_ready(process: Process, *, ready: bool = True, within_s: float = WITHIN_S) -> None:
    """Polls a process's /readyz, as an orchestrator does."""
    url = process.wait_for_urls("ops")["ops"] + "/readyz"
    deadline = time.monotonic() + within_s
    while answers_200(url) is not ready:
        assert process.returncode is None, f"ended: {process.log[-10:]}"
        assert time.monotonic() < deadline, f"never ready={ready}: {process.log[-10:]}"
        time.sleep(0.05)


def answers_200(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=60) as response:  # noqa: S310 - http to ourselves
            return bool(json.loads(response.read())["ready"])
    except urllib.error.HTTPError as error:
        error.close()
        return False


def failpoint(point: str, marker: Path | str, *options: str) -> tuple[str, ...]:
    """Returns the command of a Copydesk that dies at `point`; see `tests.faults.with_failpoint`."""
    return (sys.executable, "-m", "tests.faults.with_failpoint", point, str(marker), *options)


def children_of(pid: int) -> set[int]:
    """Returns the processes whose parent is `pid`."""
    done = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False)
    return {int(word) for word in done.stdout.split()}
