"""Measures the cost of recording in `copydesk up`: the same load with the ledger, and without it.

    python bench/recording.py [--documents 2000] [--rounds 3]

Small texts are posted as fast as they are accepted, over 16 connections, to a new `copydesk up` each time. Prints how
many were accepted a second, how many were processed a second, and the CPU time of each kind of process for a document.
If other programs use the cores, CPU time is more reliable than the rates.
"""

import argparse
import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from tests.forking.command import COPYDESK
from tests.system.processes import Process

CONNECTIONS = 16  # chosen: enough to keep the server busy
TEXT = "The harbour council voted on Tuesday to move the ferry landing two hundred metres up the coast: number {}."
TICKS = os.sysconf("SC_CLK_TCK")
WITHOUT = "without"


def main() -> None:
    if sys.argv[1:2] == [WITHOUT]:
        up_without_recorder()
        return
    options = parsed()
    rows: dict[str, list[Row]] = {"without": [], "with": []}
    for _ in range(options.rounds):
        for name, taken in rows.items():
            taken.append(measured(name, options.documents))
            print(f"{name:8} {taken[-1]}", flush=True)
    for name, taken in rows.items():
        print(f"{name:8} median: {statistics.median(row.posted for row in taken):,.0f} posts/s,", end=" ")
        print(f"{statistics.median(row.processed for row in taken):,.0f} processed/s")


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=int, default=2_000)
    parser.add_argument("--rounds", type=int, default=3)
    return parser.parse_args()


def up_without_recorder() -> None:
    """Runs the rest of the command line, but no recorder."""
    from runtime import cli, wiring  # noqa: PLC0415 - each parser child imports this file again
    from runtime.settings import Settings  # noqa: PLC0415 - as above

    run = wiring.run

    def without(settings: Settings, **options: Any) -> Coroutine[Any, Any, bool]:  # noqa: ANN401 - as `run` takes them
        return run(settings, **{**options, "record": False})

    wiring.run = without
    sys.argv[1:] = sys.argv[2:]
    cli.main()


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Rates a second, CPU milliseconds for a document by kind of process, and the resident MB of all of them."""

    posted: float
    processed: float
    cpu: dict[str, float]
    resident: dict[str, float]

    def __str__(self) -> str:
        cpu = ", ".join(f"{kind} {ms:.2f}" for kind, ms in sorted(self.cpu.items()))
        resident = ", ".join(f"{kind} {mb:.0f}" for kind, mb in sorted(self.resident.items()))
        return f"{self.posted:6,.0f} posts/s {self.processed:5,.0f} processed/s  CPU ms: {cpu}  MB: {resident}"


@contextmanager
def up(mode: str) -> Iterator[Process]:
    program = (sys.executable, __file__, WITHOUT) if mode == WITHOUT else (COPYDESK,)
    with tempfile.TemporaryDirectory() as folder:
        made = [COPYDESK, "ledger", "upgrade", "--data", folder]  # the recorder would make it
        subprocess.run(made, check=True, stdout=subprocess.DEVNULL)
        process = Process("up", "--port", "0", "--ops-port", "0", "--data", folder, program=program)
        try:
            yield process
        finally:
            process.close()


def measured(mode: str, documents: int) -> Row:
    with up(mode) as process:
        urls = process.wait_for_urls("api", "ops")
        asyncio.run(load(urls, 100))  # parser children start with the first documents
        before = used(process.pid)
        posted, processed = asyncio.run(load(urls, documents))
        after = used(process.pid)
        cpu = {kind: (after[kind] - before[kind]) * 1000 / documents for kind in after}
        return Row(posted=posted, processed=processed, cpu=cpu, resident=resident(process.pid))


async def load(urls: dict[str, str], documents: int) -> tuple[float, float]:
    """Returns how many documents a second were accepted, and processed."""
    numbers = iter(range(documents))
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=CONNECTIONS)) as http:
        done = await decided(http, urls["ops"])
        began = time.perf_counter()

        async def post() -> None:
            for number in numbers:
                async with http.post(f"{urls['api']}/v1/documents", json={"text": TEXT.format(number)}) as response:
                    assert response.status == 202, await response.text()
                    await response.read()

        async with asyncio.TaskGroup() as group:
            for _ in range(CONNECTIONS):
                group.create_task(post())
        posted = documents / (time.perf_counter() - began)
        while await decided(http, urls["ops"]) < done + documents:  # noqa: ASYNC110 - a counter sends no signal
            await asyncio.sleep(0.1)
        return posted, documents / (time.perf_counter() - began)


async def decided(http: aiohttp.ClientSession, ops: str) -> float:
    async with http.get(f"{ops}/metrics") as response:
        lines = (await response.text()).splitlines()
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith("copydesk_verdicts_total"))


def kinds(main: int) -> dict[int, str]:
    """Returns the processes of an `up`, each with its kind."""
    found = {main: "main"}
    for child in children_of(main):
        command = Path(f"/proc/{child}/cmdline").read_text()
        found[child] = "recorder" if "spawn_main" in command else "parsers"
        found |= dict.fromkeys(children_of(child), "parsers")
    return found


def children_of(pid: int) -> list[int]:
    done = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False)
    return [int(word) for word in done.stdout.split() if Path(f"/proc/{word}").exists()]


def used(main: int) -> defaultdict[str, float]:
    """Returns the CPU seconds of each kind; of ended children, too."""
    seconds: defaultdict[str, float] = defaultdict(float)
    for pid, kind in kinds(main).items():
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        seconds[kind] += sum(map(int, fields[11 : 13 if kind == "main" else 15])) / TICKS
    return seconds


def resident(main: int) -> defaultdict[str, float]:
    """Returns the proportional share of memory of each kind, in MB."""
    size: defaultdict[str, float] = defaultdict(float)
    for pid, kind in kinds(main).items():
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        size[kind] += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1000
    return size


if __name__ == "__main__":
    main()
