"""A process that starts removes the temporary files of a killed one."""

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
        with urllib.request.urlopen(f"{ops}/readyz", timeout=5):  # noqa: S310 - the process under test
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
    """Not in pytest's own folder: the path of a socket has at most 108 bytes."""
    with tempfile.TemporaryDirectory(prefix="copydesk-test-") as name:
        folder = Path(name) / "t"
        folder.mkdir()
        yield folder


def test_a_process_that_ends_in_order_leaves_nothing(folder: Path) -> None:
    process = up(folder, "a")
    assert list(folder.iterdir())
    assert process.stop() == 0
    assert list(folder.iterdir()) == []


def test_the_next_life_takes_away_what_a_killed_one_left_and_nothing_else(folder: Path) -> None:
    (folder / "pymp-stranger").mkdir()  # of another program
    elsewhere = folder.with_name("elsewhere")
    elsewhere.mkdir()
    (elsewhere / "copydesk.lock").touch()
    (folder / "pymp-link").symlink_to(elsewhere)
    before = set(folder.iterdir())

    killed = up(folder, "killed")
    killed.kill()
    left = set(folder.iterdir()) - before
    assert left

    living = up(folder, "living")
    try:
        assert not any(path.exists() for path in left)
        own = set(folder.iterdir()) - before
        assert own
        later = up(folder, "later")
        try:
            assert all(path.exists() for path in own), "a living process lost its folder"
        finally:
            later.stop()
        assert all(path.exists() for path in own)
    finally:
        living.stop()
    assert set(folder.iterdir()) == before
    assert (elsewhere / "copydesk.lock").exists()


def test_extract_cleans_up_too(folder: Path) -> None:
    up(folder, "killed").kill()
    assert list(folder.iterdir())
    done = copydesk("extract", "--jsonl", "-", stdin=b'{"text": "A line."}\n', settings={"TMPDIR": str(folder)})
    assert done.returncode in {0, 1}
    assert list(folder.iterdir()) == []
