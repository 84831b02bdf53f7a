"""What it takes to start: CPU seconds of short commands, and the memory of an idle `copydesk serve`.

    python -m bench.start [--rounds 5]

CPU is user and system time of the process and its children, the median of the rounds. Memory is the resident set size,
shared pages included, once the server is ready. Needs Debian's rabbitmq-server: `serve` without a broker is not ready.
"""

import argparse
import os
import re
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.pipeline import text
from tests.faults.deployment import wait_until_ready
from tests.rabbit_node import running_node
from tests.system.processes import Process

PROGRAM = Path(sys.executable).with_name("copydesk")
_RSS = re.compile(r"^VmRSS:\s+(\d+) kB", re.MULTILINE)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder:
        small = Path(folder) / "small.txt"
        small.write_text(text(0)["text"])
        print("| command | CPU |\n| --- | --- |")
        for arguments in (["--help"], ["dead", "--help"], ["extract", str(small)]):
            seconds = statistics.median(cpu_s(arguments) for _ in range(rounds))
            print(f"| copydesk {' '.join(arguments).replace(folder + '/', '')} | {seconds:.2f} s |", flush=True)
        with running_node(Path(folder)) as node:
            print(f"\n`serve`, idle: {idle_mb(node.url):.0f} MB resident")


def cpu_s(arguments: list[str]) -> float:
    """Returns the CPU seconds of `copydesk` with `arguments`."""
    process = subprocess.Popen([PROGRAM, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"copydesk {arguments} ended with {process.returncode}")
    return used.ru_utime + used.ru_stime


def idle_mb(url: str) -> float:
    """Returns the resident megabytes of a server that is ready and has nothing to do."""
    process = Process("serve", "--port", "0", "--ops-port", "0", settings={"COPYDESK_AMQP_URL": url})
    try:
        wait_until_ready(process)
        found = _RSS.search(Path(f"/proc/{process.pid}/status").read_text())
    finally:
        process.stop()
    if found is None:
        raise OSError("no VmRSS in status")
    return int(found.group(1)) / 1024


if __name__ == "__main__":
    main()
