"""How the cost of a document grows: with its size, with the number of workers, and with what waits in the queue.

    python -m bench.growth [--rounds 3] [--texts 3000] [--backlog 3000 100000] [--picture growth.svg]

All documents are made up. Size: extract and normalise on texts and pages, in this process alone, and nothing else.
Workers: `copydesk work` processes with their defaults empty a queue of texts of 300 bytes together. Backlog: one worker
takes the first of so many texts in the bulk lane; and how long a text that is put into the interactive lane meanwhile
takes until a subscriber has its event. Rates are those between the first result and the last. The picture needs
matplotlib. Needs Debian's rabbitmq-server.
"""

import argparse
import asyncio
import logging
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from itertools import count, cycle, islice
from pathlib import Path
from typing import Any

import aio_pika
import orjson
from aio_pika.abc import AbstractChannel

from bench.extraction import copydesk, timed
from bench.pipeline import OURS_OUT, PATIENCE_S, WARM_UP, declare, fill, job_of, measure, text, worker
from contract.job import Lane
from contract.topology import DOCUMENTS, INTAKE, lane_queue
from runtime.brokers.rabbit.messages import job_message
from tests.faults.deployment import wait_until_ready
from tests.rabbit_node import CORES, running_node
from tests.system.processes import Process

SIZES = (300, 3_000, 30_000, 300_000, 3_000_000)  # bytes of text; chosen: from a notice to several books
WORKERS = (1, 2, 4)  # chosen: below, at and above the cores of a small machine
INTERACTIVE = 50  # texts whose time is taken, one at a time; chosen
# Sentences are made of these: 7, 5 and 3, so that a sentence repeats only after 105, but for its number.
SUBJECTS = ("The harbour master", "A fisherman", "The council", "Her deputy", "The ferry", "One reader", "The mayor")
VERBS = ("described", "counted", "rejected", "repaired", "remembered")
PLACES = ("the old pier in the north", "every boat of the season", "the plan for a new landing")


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU milliseconds of a document, by bytes of its text."""

    size: int
    text_ms: float
    page_ms: float


def main() -> None:
    logging.getLogger("aio_pika").setLevel(logging.ERROR)  # results beyond those that are counted are not read
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--texts", type=int, default=3000)
    parser.add_argument(
        "--backlog", type=int, nargs="+", default=[3000, 100_000], help="the second is the lane's bound"
    )
    parser.add_argument("--picture", type=Path)
    options = parser.parse_args()
    for _ in range(WARM_UP):  # models and tables load with the first documents
        cost(SIZES[0], 1)
    costs = [cost(size, options.rounds) for size in SIZES]
    print(size_table(costs), flush=True)
    with tempfile.TemporaryDirectory() as folder, running_node(Path(folder), schedulers=CORES) as node:
        asyncio.run(growth(node.url, options.texts, options.backlog, options.rounds))
    if options.picture:
        draw(costs, options.picture)


def sentences() -> Iterator[str]:
    """Yields sentences, the same in each run."""
    for day, subject, verb, place in zip(count(1), cycle(SUBJECTS), cycle(VERBS), cycle(PLACES), strict=False):
        yield f"{subject} {verb} {place} on day {day}, and nobody along the coast had expected it."


def paragraphs(size: int) -> Iterator[str]:
    """Yields paragraphs of four sentences that have about `size` bytes together."""
    source, written = sentences(), 0
    while written < size:
        paragraph = " ".join(islice(source, 4))
        written += len(paragraph)
        yield paragraph[: size - written + len(paragraph)]


def cost(size: int, rounds: int) -> Cost:
    """Returns the medians of `rounds` runs."""
    parts = list(paragraphs(size))
    plain = {"id": "text", "text": "\n\n".join(("Harbour council votes on landing", *parts))}
    body = "".join(f"<p>{part}</p>" for part in parts)
    page = {
        "id": "page",
        "html": f"<!doctype html><title>Landing</title><article><h1>Harbour council votes</h1>{body}</article>",
    }
    return Cost(size, milliseconds(plain, rounds), milliseconds(page, rounds))


def milliseconds(document: dict[str, Any], rounds: int) -> float:
    return 1000 * statistics.median(timed(copydesk, document)[1] for _ in range(rounds))


def size_table(costs: Sequence[Cost]) -> str:
    rows = (
        f"| {cost.size:,} | {cost.text_ms:.1f} ms | {1000 * cost.text_ms / cost.size * 1000:.0f} µs "
        f"| {cost.page_ms:.1f} ms | {1000 * cost.page_ms / cost.size * 1000:.0f} µs |"
        for cost in costs
    )
    return "\n".join(("| bytes of text | text | for 1,000 bytes | page | for 1,000 bytes |", "| --- " * 5 + "|", *rows))


async def growth(url: str, texts: int, backlogs: Sequence[int], rounds: int) -> None:
    """Prints the tables of workers and of the backlog."""
    with workers(url, 1) as processes:  # it declares the queues
        await asyncio.to_thread(wait_until_ready, processes[0])
    connection = await aio_pika.connect(url)
    async with connection, await connection.channel() as channel:
        await declare(channel)
        print("\n| workers | texts a second |\n| --- | --- |")
        for number in WORKERS:
            rates = [await rate_of(channel, url, number, texts) for _ in range(rounds)]
            print(f"| {number} | {statistics.median(rates):.0f} |", flush=True)
        print("\n| waiting | texts a second | interactive, p50 | p95 |\n| --- | --- | --- | --- |")
        for waiting in backlogs:
            print(await backlog_row(channel, url, texts, waiting, rounds), flush=True)


@contextmanager
def workers(url: str, number: int) -> Iterator[Sequence[Process]]:
    with ExitStack() as stack:
        yield [stack.enter_context(worker(url)) for _ in range(number)]


async def rate_of(channel: AbstractChannel, url: str, number: int, texts: int) -> float:
    await fill(channel, INTAKE, str(Lane.BULK), list(map(text, range(texts))))
    with workers(url, number) as processes:
        return (await measure(channel, OURS_OUT, texts, *(process.pid for process in processes))).rate


async def backlog_row(channel: AbstractChannel, url: str, texts: int, waiting: int, rounds: int) -> str:
    """Returns a row for `waiting` texts, of which the first `texts` are counted. The rest is purged."""
    rates, times = list[float](), list[float]()
    for _ in range(rounds):
        await fill(channel, INTAKE, str(Lane.BULK), list(map(text, range(waiting))))
        with worker(url) as process:
            times += await interactive_times(channel)
            rates.append((await measure(channel, OURS_OUT, texts, process.pid)).rate)
        for name in (lane_queue(Lane.BULK), OURS_OUT):
            await (await channel.get_queue(name)).purge()
    p95 = statistics.quantiles(times, n=20)[-1]
    return f"| {waiting:,} | {statistics.median(rates):.0f} | {statistics.median(times):.0f} ms | {p95:.0f} ms |"


async def interactive_times(channel: AbstractChannel) -> Sequence[float]:
    """Returns the milliseconds from a put to its event, for texts that are put one after the other."""
    results = await channel.declare_queue(exclusive=True)
    await results.bind(DOCUMENTS, "#")
    intake = await channel.get_exchange(INTAKE, ensure=False)
    times = list[float]()
    async with results.iterator(no_ack=True, timeout=PATIENCE_S) as events:
        await anext(events)  # the worker has begun
        for number in range(INTERACTIVE):
            job = replace(job_of(text(number)), lane=Lane.INTERACTIVE)
            began = time.monotonic()
            await intake.publish(job_message(job), str(Lane.INTERACTIVE), mandatory=True)
            async for event in events:
                if orjson.loads(event.body)["subject"] == job.id:
                    break
            times.append(1000 * (time.monotonic() - began))
    return times


def draw(costs: Sequence[Cost], file: Path) -> None:
    """Writes a picture: CPU of a document upwards, bytes of its text to the right, both on logarithmic scales."""
    import matplotlib as mpl  # noqa: PLC0415 - not installed with Copydesk
    from matplotlib.figure import Figure  # noqa: PLC0415 - as above

    mpl.rcParams["svg.hashsalt"] = "copydesk"
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    sizes = [cost.size for cost in costs]
    axes.plot(sizes, [cost.text_ms for cost in costs], "o-", label="plain text")
    axes.plot(sizes, [cost.page_ms for cost in costs], "s-", label="page")
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel("bytes of text")
    axes.set_ylabel("CPU milliseconds")
    axes.legend()
    figure.savefig(file, metadata={"Date": None} if file.suffix == ".svg" else None)


if __name__ == "__main__":
    main()
