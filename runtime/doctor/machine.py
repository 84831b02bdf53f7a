"""Examines this machine: the data folder and its disk, open files, and the memory for the settings."""

import os
import resource
import shutil
from pathlib import Path

from runtime.doctor.finding import Finding, doubtful, well, wrong
from runtime.process import descriptors_for
from runtime.settings import Settings

CGROUP = Path("/sys/fs/cgroup")

_FREE_BYTES = 2_000_000_000  # the limit that deploy/ gives RabbitMQ
_WORKER_BYTES = 120_000_000  # measured: a worker without documents (docs/operating.md)
_PARSER_BYTES = 110_000_000  # measured: a parser child at its start (docs/operating.md)


def examine(settings: Settings, cgroup: Path = CGROUP) -> list[Finding]:
    """Returns what is found on this machine. `cgroup` is where the limits of a container are (cgroups, version 2)."""
    folder = [] if settings.amqp_url is not None else [_folder(settings.data)]
    return [*folder, _files(settings), _memory(settings, cgroup)]


def _folder(folder: Path) -> Finding:
    at = folder
    while not at.exists():
        at = at.parent
    if not at.is_dir() or not os.access(at, os.W_OK | os.X_OK):
        why = "the embedded broker keeps everything there"
        return wrong(
            "data", f"{at} is no folder that this user may write to", why, "correct COPYDESK_DATA, or its rights"
        )
    free = shutil.disk_usage(at).free
    if free < _FREE_BYTES:
        why = "when it is full, the API answers 503 and documents in progress wait"
        return doubtful("disk", f"{free / 1e9:.1f} GB are free at {at}", why, "free some, or move COPYDESK_DATA")
    return well("disk", f"{free / 1e9:.0f} GB are free at {at}")


def _files(settings: Settings) -> Finding:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = descriptors_for(settings.max_ops_connections + settings.max_connections + settings.max_waiting)
    if hard < wanted:
        why = "beyond it connections fail, of clients and to sites"
        remedy = (
            "raise it (`ulimit -Hn`, systemd: LimitNOFILE), or lower COPYDESK_MAX_CONNECTIONS and COPYDESK_MAX_WAITING"
        )
        return doubtful("files", f"a process may open {hard:,} files, of up to {wanted:,}", why, remedy)
    return well("files", f"a process may open {hard:,} files")


def _memory(settings: Settings, cgroup: Path) -> Finding:
    needed = settings.max_in_flight_bytes + _WORKER_BYTES
    needed += settings.parsers * (_PARSER_BYTES + settings.parse_memory_bytes)
    there = min(_limit(cgroup), os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    if there < needed:
        why = "when it is used up, the kernel kills a parser child or the worker, and its documents are delivered again"
        remedy = "give it more, or lower COPYDESK_PARSERS, COPYDESK_PARSE_MEMORY_BYTES or COPYDESK_MAX_IN_FLIGHT_BYTES"
        return doubtful("memory", f"{there / 1e9:.1f} GB for a worker that may take {needed / 1e9:.1f} GB", why, remedy)
    return well("memory", f"{there / 1e9:.1f} GB, of which a worker may take {needed / 1e9:.1f} GB")


def _limit(cgroup: Path) -> float:
    """Returns the limit of this process' memory in bytes; infinite if there is none."""
    file = cgroup / "memory.max"
    text = file.read_text().strip() if file.exists() else "max"
    return float("inf") if text == "max" else int(text)
