"""A private Alertmanager with the configuration that we deploy, on loopback alone, and who hears what from it."""

import asyncio
import json
import re
import shlex
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import aiohttp
import yaml

from tests.rabbit_node import free_ports
from tests.system.prometheus_server import DEPLOYED, program

CONFIGURATION = DEPLOYED / "alertmanager.yml"
_RUNBOOK = DEPLOYED.parents[1] / "docs" / "runbook.md"
Labels = Mapping[str, str]
_UNITS_S = {"s": 1, "m": 60, "h": 3600}


@dataclass(frozen=True, slots=True)
class Told:
    """One alert in a message to a receiver."""

    receiver: str
    status: str  # firing, resolved
    labels: Labels


@dataclass(slots=True)
class Alertmanager:
    """`url` is that of its API, `told` what its receivers heard, in order."""

    url: str
    told: list[Told] = field(default_factory=list)

    @property
    def address(self) -> str:
        return self.url.removeprefix("http://")

    async def hears(self, receiver: str, status: str, labels: Labels, *, within_s: float = 60) -> None:
        """Waits until a receiver has been told of an alert with these labels."""
        try:
            async with asyncio.timeout(within_s):
                while not self.heard(status, labels, receiver=receiver):  # noqa: ASYNC110 - a thread of its own notes it
                    await asyncio.sleep(0.1)
        except TimeoutError:
            raise AssertionError(f"{receiver} did not hear that {labels} is {status}: {self.told}") from None

    def heard(self, status: str, labels: Labels, *, receiver: str = "") -> bool:
        """Returns whether a receiver, or any, was told of an alert with these labels."""
        return any(
            one.status == status and receiver in {"", one.receiver} and labels.items() <= one.labels.items()
            for one in self.told
        )

    async def suppresses(self, why: str, labels: Labels, *, within_s: float = 60) -> None:
        """Waits until it keeps an alert with these labels to itself. `why` is silencedBy or inhibitedBy."""
        found: list[dict[str, Any]] = []
        try:
            async with aiohttp.ClientSession(self.url) as http, asyncio.timeout(within_s):
                while not any(one["status"][why] for one in found if labels.items() <= one["labels"].items()):
                    await asyncio.sleep(0.1)
                    async with http.get("/api/v2/alerts") as response:
                        found = await response.json()
        except TimeoutError:
            raise AssertionError(f"{labels} is not {why}: {found}") from None

    async def amtool(self, command: str, *words: str, **matchers: str) -> str:
        """Runs a command on silences as the runbook has it, for other alerts or another id, and returns its output."""
        (line,) = re.findall(rf"^amtool .* silence {command}\b.*$", _RUNBOOK.read_text(), re.MULTILINE)
        parts = shlex.split(line.replace("http://127.0.0.1:9093", self.url))
        end = parts.index(command) + 1
        wanted = [f"{label}={value}" for label, value in matchers.items()]
        options = [part for part in parts[end:] if part.startswith("--")]
        called = [*parts[:end], *wanted, *options, *words]
        process = await asyncio.create_subprocess_exec(*called, stdout=asyncio.subprocess.PIPE)
        out, _ = await process.communicate()
        assert process.returncode == 0
        return out.decode().strip()


@contextmanager
def alertmanager(folder: Path, *, factor: int) -> Iterator[Alertmanager]:
    """Runs Alertmanager with all its times divided by `factor`, and the receivers, which answer 200."""
    (port,) = free_ports(1)
    manager = Alertmanager(f"http://127.0.0.1:{port}")
    folder.mkdir()
    with _receivers(manager.told) as url:
        file = folder / "alertmanager.yml"
        file.write_text(_hurried(CONFIGURATION.read_text(), factor).replace("http://127.0.0.1:9099", url))
        command = [
            program("prometheus-alertmanager"),
            f"--config.file={file}",
            f"--storage.path={folder}",
            f"--web.listen-address=127.0.0.1:{port}",
            "--cluster.listen-address=",  # it is alone
        ]
        with (folder / "console.log").open("wb") as console:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=console, stderr=console)
        try:
            yield manager
        finally:
            process.terminate()
            process.wait(timeout=60)


def _hurried(text: str, factor: int) -> str:
    return re.sub(r"(?<=: )(\d+)([smh])\b", lambda found: _divided(found[1], found[2], factor), text)


def _divided(number: str, unit: str, factor: int) -> str:
    return f"{int(number) * _UNITS_S[unit] * 1000 // factor}ms"


@contextmanager
def _receivers(told: list[Told]) -> Iterator[str]:
    """Notes what is posted. A thread of its own: the tests of a module run on several event loops."""

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            message = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            told.extend(Told(message["receiver"], one["status"], one["labels"]) for one in message["alerts"])
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Prints nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def named_alerts() -> set[str]:
    """Returns the names of alerts that the configuration has."""
    rules = yaml.safe_load(CONFIGURATION.read_text())["inhibit_rules"]
    matchers = [one for rule in rules for one in (*rule["source_matchers"], *rule["target_matchers"])]
    return {name for one in matchers for name in re.findall(r"Copydesk\w+", one)}
