"""A whole worker on a RabbitMQ of its own, side by side with forty lines of aio-pika, a process pool and trafilatura.

    python -m bench.pipeline DOCUMENTS... [--limit 464] [--texts 3000] [--rounds 3]

DOCUMENTS as for `bench.extraction`: those with "html" are the pages. The texts have 300 bytes each and are made up. For
each round a queue is filled, then `copydesk work` with its defaults empties it; then the same with
`bench.pipeline_rival`. A rate is that between the first result and the last, as a subscriber sees them: starts do not
count. The bare stage is what `bench.extraction` times, in this process alone, in documents a CPU second; with as many
cores it would do so many a second if nothing else had to be done. Needs Debian's rabbitmq-server.
"""

import argparse
import asyncio
import logging
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
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
from tests.faults.desk import wait_until_ready
from tests.rabbit_node import RabbitNode
from tests.system.processes import Process

CORES = len(os.sched_getaffinity(0))
RIVAL_IN, RIVAL_OUT, OURS_OUT = "rival.in", "rival.out", "ours.out"
OURS, RIVAL = "copydesk", "forty lines"
AT_ONCE = 50  # unconfirmed jobs while a queue is filled; chosen
PATIENCE_S = 120.0  # without a result; chosen: then something is broken
WARM_UP = 5  # documents before the bare stage is timed: models and tables load with the first
Rates = dict[str, list[float]]


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
    print(f"| work | {OURS} | {RIVAL} | ratio | bare stage × {CORES} cores | ratio |\n| --- |" + " --- |" * 5)
    with tempfile.TemporaryDirectory() as folder, running_node(Path(folder)) as node:
        for name, documents in kinds.items():
            rates = asyncio.run(compare(node.url, documents, options.rounds))
            print(row(name, rates, CORES * bare_rate(documents)), flush=True)


def text(number: int) -> dict[str, Any]:
    told = (
        f"Harbour council votes on landing {number}\n\nThe harbour council voted on Tuesday evening to move landing "
        f"number {number} two hundred metres up the coast, after the second flood in a year left the old pier under "
        "water for most of a week. The boats will run from May, said the mayor, who had asked for them."
    )
    return {"id": str(number), "text": told}


def row(name: str, rates: Rates, bare: float) -> str:
    ours, rival = (statistics.median(rates[who]) for who in (OURS, RIVAL))
    return f"| {name} | {ours:.1f}/s | {rival:.1f}/s | {ours / rival:.2f} | {bare:.1f}/s | {ours / bare:.2f} |"


def bare_rate(documents: Sequence[dict[str, Any]]) -> float:
    """Returns documents a CPU second of extract and normalise, without anything around it."""
    for document in documents[:WARM_UP]:
        copydesk(document)
    return len(documents) / sum(timed(copydesk, document)[1] for document in documents)


@contextmanager
def running_node(folder: Path) -> Iterator[RabbitNode]:
    node = RabbitNode(folder)
    try:
        node.start()
        yield node
    finally:
        node.close()


async def compare(url: str, documents: Sequence[dict[str, Any]], rounds: int) -> Rates:
    """Returns documents a second, for each of the two in each round."""
    rates: Rates = {OURS: [], RIVAL: []}
    with worker(url) as process:  # it declares the queues
        await asyncio.to_thread(wait_until_ready, process)
    connection = await aio_pika.connect(url)
    async with connection, await connection.channel() as channel:
        await declare(channel)
        for _ in range(rounds):
            await fill(channel, INTAKE, str(Lane.BULK), documents)
            with worker(url):
                rates[OURS].append(await rate(channel, OURS_OUT, len(documents)))
            await fill(channel, "", RIVAL_IN, documents)
            with rival(url):
                rates[RIVAL].append(await rate(channel, RIVAL_OUT, len(documents)))
    return rates


@contextmanager
def worker(url: str) -> Iterator[Process]:
    process = Process("work", "--ops-port", "0", settings={"COPYDESK_AMQP_URL": url})
    try:
        yield process
    finally:
        process.stop()


@contextmanager
def rival(url: str) -> Iterator[None]:
    process = subprocess.Popen([sys.executable, "-m", "bench.pipeline_rival", url, RIVAL_IN, RIVAL_OUT])
    try:
        yield
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


async def rate(channel: AbstractChannel, queue: str, count: int) -> float:
    """Returns results a second, once `count` different documents have had theirs."""
    seen: dict[str, float] = {}
    async with (await channel.get_queue(queue)).iterator(no_ack=True, timeout=PATIENCE_S) as results:
        async for message in results:
            seen.setdefault(message.message_id or "", time.monotonic())
            if len(seen) == count:
                break
    times = list(seen.values())
    return (count - 1) / (times[-1] - times[0])


if __name__ == "__main__":
    main()
