"""A whole worker on a RabbitMQ of its own, side by side with forty lines of aio-pika, a process pool and trafilatura.

    python -m bench.pipeline DOCUMENTS... [--limit 464] [--texts 3000] [--rounds 3]

DOCUMENTS as for `bench.extraction`: those with "html" are the pages. The texts have 300 bytes each and are made up. For
each round a queue is filled, then `copydesk work` with its defaults empties it; then the same with
`bench.pipeline_rival`. A rate is that between the first result and the last, as a subscriber sees them: starts do not
count. The bare stage is what `bench.extraction` times, in this process alone, in documents a CPU second; with as many
cores it would do so many a second if nothing else had to be done. CPU is that of a document between the same two
results, in the process and its children, without the broker's. Needs Debian's rabbitmq-server.
"""

import argparse
import asyncio
import logging
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import aio_pika
from aio_pika.abc import AbstractChannel

from bench.extraction import copydesk, documents_of, timed
from contract.ids import new_document_id
from contract.job import Job, Kind, Lane
from contract.topology import DOCUMENTS, INTAKE
from runtime.brokers.rabbit.messages import job_message
from tests.faults.deployment import wait_until_ready
from tests.rabbit_node import CORES, running_node
from tests.system.processes import Process
from tests.workers.processes import descendants

RIVAL_IN, RIVAL_OUT, OURS_OUT = "rival.in", "rival.out", "ours.out"
OURS, RIVAL = "copydesk", "forty lines"
AT_ONCE = 50  # unconfirmed jobs while a queue is filled; chosen
PATIENCE_S = 120.0  # without a result; chosen: then something is broken
WORDS = tuple(  # of which texts are made
    "council harbour voted landing hundred metres coast second flood year left pier under water most week boats run "  # noqa: SIM905
    "from may said mayor had asked for them ferry town river bridge street school budget winter storm north island "
    "people on with will before after over new old small large first last open closed road train morning price work"
    "".split()
)
WARM_UP = 5  # documents before the bare stage is timed: models and tables load with the first
TICKS_PER_S = os.sysconf("SC_CLK_TCK")  # a second, in /proc/PID/stat


@dataclass(frozen=True, slots=True)
class Measured:
    """A round: documents a second, and the CPU seconds that a document took in the process and its children."""

    rate: float
    cpu_s: float


Rounds = dict[str, list[Measured]]


def main() -> None:
    logging.getLogger("trafilatura").setLevel(logging.CRITICAL)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("documents", type=Path, nargs="+")
    parser.add_argument("--limit", type=int, default=464, help="pages")
    parser.add_argument("--texts", type=int, default=3000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    pages = (document for document in documents_of(options.documents, None) if document.get("html"))
    kinds = {"pages": list(islice(pages, options.limit)), "texts of 300 bytes": list(map(text, range(options.texts)))}
    print(f"| work | {OURS} | CPU | {RIVAL} | CPU | ratio | bare stage × {CORES} cores | ratio |")
    print("| --- |" + " --- |" * 7)
    with tempfile.TemporaryDirectory() as folder, running_node(Path(folder), schedulers=CORES) as node:
        for name, documents in kinds.items():
            rounds = asyncio.run(compare(node.url, documents, options.rounds))
            print(row(name, rounds, CORES * bare_rate(documents)), flush=True)


def text(number: int) -> dict[str, Any]:
    """Returns a text of about 300 bytes. Its words are drawn, so that it is no duplicate of another one."""
    drawn = random.Random(number)  # noqa: S311 - the same texts in each run
    sentences = (f"The {' '.join(drawn.choices(WORDS, k=12))}." for _ in range(4))
    return {"id": str(number), "text": f"Harbour council votes on landing {number}\n\n{' '.join(sentences)}"}


def row(name: str, rounds: Rounds, bare: float) -> str:
    ours, rival = (statistics.median(one.rate for one in rounds[who]) for who in (OURS, RIVAL))
    cpu, cpu_of_rival = (1000 * statistics.median(one.cpu_s for one in rounds[who]) for who in (OURS, RIVAL))
    return (
        f"| {name} | {ours:.1f}/s | {cpu:.1f} ms | {rival:.1f}/s | {cpu_of_rival:.1f} ms | {ours / rival:.2f} "
        f"| {bare:.1f}/s | {ours / bare:.2f} |"
    )


def bare_rate(documents: Sequence[dict[str, Any]]) -> float:
    """Returns documents a CPU second of extract and normalise, without anything around it."""
    for document in documents[:WARM_UP]:
        copydesk(document)
    return len(documents) / sum(timed(copydesk, document)[1] for document in documents)


async def compare(url: str, documents: Sequence[dict[str, Any]], count: int) -> Rounds:
    """Returns what each of the two did in each of `count` rounds."""
    rounds: Rounds = {OURS: [], RIVAL: []}
    with worker(url) as process:  # it declares the queues
        await asyncio.to_thread(wait_until_ready, process)
    connection = await aio_pika.connect(url)
    async with connection, await connection.channel() as channel:
        await declare(channel)
        for _ in range(count):
            await fill(channel, INTAKE, str(Lane.BULK), documents)
            with worker(url) as process:
                rounds[OURS].append(await measure(channel, OURS_OUT, len(documents), process.pid))
            await fill(channel, "", RIVAL_IN, documents)
            with rival(url) as pid:
                rounds[RIVAL].append(await measure(channel, RIVAL_OUT, len(documents), pid))
    return rounds


@contextmanager
def worker(url: str) -> Iterator[Process]:
    process = Process("work", "--ops-port", "0", settings={"COPYDESK_AMQP_URL": url})
    try:
        yield process
    finally:
        process.stop()


@contextmanager
def rival(url: str) -> Iterator[int]:
    process = subprocess.Popen([sys.executable, "-m", "bench.pipeline_rival", url, RIVAL_IN, RIVAL_OUT])
    try:
        yield process.pid
    finally:
        process.send_signal(signal.SIGINT)
        process.wait()


async def declare(channel: AbstractChannel) -> None:
    for name in (RIVAL_IN, RIVAL_OUT, OURS_OUT):
        await channel.declare_queue(name, durable=True, arguments={"x-queue-type": "quorum"})
    await (await channel.get_queue(OURS_OUT)).bind(DOCUMENTS, "#")


async def fill(channel: AbstractChannel, exchange: str, key: str, documents: Sequence[dict[str, Any]]) -> None:
    target = await channel.get_exchange(exchange, ensure=False) if exchange else channel.default_exchange
    places = asyncio.Semaphore(AT_ONCE)

    async def put(document: dict[str, Any]) -> None:
        async with places:
            await target.publish(job_message(job_of(document)), key, mandatory=True)

    await asyncio.gather(*map(put, documents))


def job_of(document: dict[str, Any]) -> Job:
    kind, content = (Kind.HTML, document["html"]) if "html" in document else (Kind.TEXT, document["text"])
    return Job(
        id=new_document_id(),
        kind=kind,
        lane=Lane.BULK,
        accepted_at="2026-01-01T00:00:00Z",
        url=document.get("url"),
        content=content,
    )


async def measure(channel: AbstractChannel, queue: str, count: int, *pids: int) -> Measured:
    """Returns the rate of results, once `count` different documents have had theirs from the processes `pids`."""
    seen = set[str | None]()
    async with (await channel.get_queue(queue)).iterator(no_ack=True, timeout=PATIENCE_S) as results:
        async for message in results:
            if not seen:
                began, cpu_s = time.monotonic(), cpu_of(*pids)
            seen.add(message.message_id)
            if len(seen) == count:
                break
    return Measured((count - 1) / (time.monotonic() - began), (cpu_of(*pids) - cpu_s) / (count - 1))


def cpu_of(*pids: int) -> float:
    """Returns the CPU seconds of processes and of all below them, those that have ended included."""
    return sum(_ticks(each) for pid in pids for each in (pid, *descendants(pid))) / TICKS_PER_S


def _ticks(pid: int) -> int:
    """Returns user and system time of a process, and of its children that have ended: proc_pid_stat(5)."""
    with suppress(FileNotFoundError, ProcessLookupError):
        return sum(map(int, Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:15]))
    return 0


if __name__ == "__main__":
    main()
