"""Processes leave no temporary files."""

import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.system.processes import Process, copydesk

pytestmark = pytest.mark.system


def up(folder: Path, name: str) -> Process:
    """Starts a worker whose temporary files go to `folder`, and waits until its parser children stand."""
    data = folder.with_name(f"data-{name}")
    arguments = ("up", "--port", "0", "--ops-port", "0", "--slots", "1", "--data", str(data))
    process = Process(*arguments, settings={"TMPDIR": str(folder)})
    ops = process.wait_for_urls("api", "ops")["ops"]
    until(lambda: is_ready(ops))
    return process


def is_ready(ops: str) -> bool:
    try:
        with urllib.request.urlopen(f"{ops}/readyz", timeout=60):  # noqa: S310 - the process under test
            return True
    except urllib.error.HTTPError:
        return False


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline
        threading.Event().wait(0.05)


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="copydesk-test-") as name:
        folder = Path(name) / "t"
        folder.mkdir()
        yield folder


@pytest.mark.parametrize("end", [Process.stop, Process.kill])
def test_a_process_leaves_nothing_however_it_ends(folder: Path, end: Callable[[Process], object]) -> None:
    end(up(folder, "a"))
    assert list(folder.iterdir()) == []


def test_extract_leaves_nothing(folder: Path) -> None:
    done = copydesk("extract", "--jsonl", "-", stdin=b'{"text": "A line."}\n', settings={"TMPDIR": str(folder)})
    assert done.returncode in {0, 1}
    assert list(folder.iterdir()) == []
