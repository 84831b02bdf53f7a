"""Looks at the processes that a parser starts."""

import multiprocessing
import time
from collections.abc import Callable
from pathlib import Path


def children() -> set[int]:
    return {child.pid for child in multiprocessing.active_children() if child.pid}


def is_running(pid: int) -> bool:
    """Returns True if a process lives; one that is dead but not yet reaped does not."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
    return stat.rpartition(")")[2].split()[0] not in "ZX"


def wait_until(true: Callable[[], object], within_s: float = 10.0) -> None:
    deadline = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < deadline, "never came true"
        time.sleep(0.01)


def descendants(pid: int) -> set[int]:
    tasks = Path(f"/proc/{pid}/task")
    found = {int(word) for task in tasks.iterdir() for word in (task / "children").read_text().split()}
    return found.union(*map(descendants, found))
