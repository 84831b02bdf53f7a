"""Looks at the processes that a parser starts."""

import os
import time
from collections.abc import Callable
from pathlib import Path

from workers.children import serving


def children() -> set[int]:
    """Returns the parser children that live: the children of the fork servers of this process."""
    servers = filter(_is_fork_server, _children_of(os.getpid()))
    return {pid for server in servers for pid in _children_of(server) if is_running(pid)}


def is_running(pid: int) -> bool:
    """Returns True if a process lives; one that is dead but not yet reaped does not."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(")")[2].split()[0] not in "ZX"


def zombies() -> set[int]:
    """Returns the parser children that have ended and are not reaped."""
    servers = filter(_is_fork_server, _children_of(os.getpid()))
    return {pid for server in servers for pid in _children_of(server) if not is_running(pid)}


def parent_of(pid: int) -> int:
    """Returns the parent of a process: of a parser child, it is the fork server."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def open_files() -> int:
    """Returns how many files this process has open."""
    return len(list(Path("/proc/self/fd").iterdir()))


def wait_until(true: Callable[[], object], within_s: float = 10.0) -> None:
    deadline = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < deadline, "never came true"
        time.sleep(0.01)


def descendants(pid: int) -> set[int]:
    found = _children_of(pid)
    return found.union(*map(descendants, found))


def _is_fork_server(pid: int) -> bool:
    """Returns True for a fork server of parsers. Other tests of the same run start brokers and databases."""
    try:
        return serving.__name__.encode() in Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return False


def _children_of(pid: int) -> set[int]:
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        return {int(word) for task in tasks for word in (task / "children").read_text().split()}
    except (FileNotFoundError, ProcessLookupError):
        return set()
