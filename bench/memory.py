"""What an idle `copydesk up` takes of memory, process by process.

    python -m bench.memory

Prints the proportional set size of each process (Pss of /proc/PID/smaps_rollup, proc(5)): pages that processes share
count in each by its share, so that the sum is what all of them take together.
"""

import re
import tempfile
import time
from pathlib import Path

from tests.faults.deployment import wait_until_ready
from tests.system.processes import Process
from tests.workers.processes import descendants, parent_of

_SETTLED_S = 5.0  # after it is ready; chosen: the recorder has begun
_PSS = re.compile(r"^Pss:\s+(\d+) kB", re.MULTILINE)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        process = Process("up", "--port", "0", "--ops-port", "0", "--data", folder)
        try:
            wait_until_ready(process)
            time.sleep(_SETTLED_S)
            print(table(process.pid))
        finally:
            process.stop()


def table(pid: int) -> str:
    below = sorted(descendants(pid), key=lambda child: parent_of(child) != pid)
    names = {pid: "API, worker, recorder"}
    names |= {child: "fork server" if parent_of(child) == pid else "parser child" for child in below}
    sizes = {pid: pss_mb(pid) for pid in names}
    rows = [f"| {name} | {sizes[pid]:.1f} |" for pid, name in names.items()]
    return "\n".join(("| process | MB |", "| --- | --- |", *rows, f"| all | {sum(sizes.values()):.1f} |"))


def pss_mb(pid: int) -> float:
    """Returns a process's proportional set size in MB."""
    found = _PSS.search(Path(f"/proc/{pid}/smaps_rollup").read_text())
    if found is None:
        raise OSError("no Pss in smaps_rollup")
    return int(found.group(1)) / 1024


if __name__ == "__main__":
    main()
