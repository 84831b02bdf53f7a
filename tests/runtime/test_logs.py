import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable

import pytest

from tests.forking.command import run, start
from tests.runtime.failing import WAYS, caused

pytestmark = pytest.mark.processes

CANARY = "canary-5d1e"

FULL = """
import structlog
from runtime import logs, settings
logs.configure(settings.load({"log_format": "json"}, {}))
for _ in range(3):
    structlog.get_logger().warning("handler_failed", detail="x" * 10_000)
print("still there")
"""

Way = Callable[[str], object]


def printed(stderr: str) -> str:
    """Returns what a process prints that logs to `stderr`."""
    with open(stderr, "w") as log:  # noqa: PTH123 - a device
        return subprocess.run(
            [sys.executable, "-c", FULL], stdout=subprocess.PIPE, stderr=log, text=True, check=False
        ).stdout


def test_a_full_log_device_does_not_end_the_process() -> None:
    assert printed("/dev/full") == printed("/dev/null") == "still there\n"


def command(way: Way, log_format: str, *options: str) -> list[str]:
    return [sys.executable, "-m", "tests.runtime.failing", way.__name__, log_format, CANARY, *options]


@pytest.mark.parametrize("log_format", ["json", "console"])
@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_exceptions_are_logged_without_messages_and_values(way: Way, log_format: str) -> None:
    done = run(command(way, log_format), env=os.environ)
    log = done.stderr.decode()
    assert CANARY not in done.stdout.decode() + log
    assert "20" in log, "it must be told, with its time"
    assert "File" in log or "at=" in log or '"at"' in log


@pytest.mark.parametrize("options", [(), ("no-rich",)], ids=["rich", "no rich"])
@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_exceptions_are_shown_without_messages_and_values_on_a_terminal(way: Way, options: tuple[str, ...]) -> None:
    output = on_terminal(command(way, "auto", *options))
    assert CANARY not in output
    assert "\x1b[" in output, "it must be told, in colours"


def on_terminal(arguments: list[str]) -> str:
    """Returns what a command prints to a terminal."""
    ours, theirs = pty.openpty()
    with start(arguments, env=os.environ, stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        output = b""
        while chunk := _read(ours):
            output += chunk
        process.wait()
    os.close(ours)
    return output.decode()


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # the other side is closed
        return b""


def test_class_names_and_frames_are_logged() -> None:  # by a new interpreter, not a fork
    output = subprocess.run(command(caused, "json"), capture_output=True, text=True, check=False).stderr
    assert "builtins.ValueError" in output
    assert "which led to" in output
    assert "builtins.RuntimeError" in output
    assert "in fail" in output


TRACED = """
import structlog
from contract.tracing import OFF, TraceContext, Within
from runtime import logs, settings
logs.configure(settings.load({"log_format": "json"}, {}))
log = structlog.get_logger()
log.info("outside")
trace = TraceContext("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
with Within(OFF.start("attempt", parent=trace), "d-1"):
    log.info("inside")
    log.info("of its own", id="w-1")
with Within(OFF.start("attempt", parent=None), "d-2"):
    log.info("untraced")
"""


def test_lines_name_the_document_and_the_trace_that_they_belong_to() -> None:
    done = subprocess.run([sys.executable, "-c", TRACED], check=True, capture_output=True, text=True)
    entries = [json.loads(line) for line in done.stderr.splitlines()]
    trace = {"trace_id": "4bf92f3577b34da6a3ce929d0e0e4736", "span_id": "00f067aa0ba902b7"}
    names = ("id", "trace_id", "span_id")
    assert {entry["event"]: {name: entry[name] for name in names if name in entry} for entry in entries} == {
        "outside": {},
        "inside": {"id": "d-1", **trace},
        "of its own": {"id": "w-1", **trace},
        "untraced": {"id": "d-2"},
    }
