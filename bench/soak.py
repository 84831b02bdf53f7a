"""Runs Copydesk for a while on a private RabbitMQ, causes random faults, and watches memory and balance.

    python bench/soak.py --minutes 10 --rate 20 --seed 1 soak.svg      # steady load, random faults
    python bench/soak.py --documents 20000 memory.svg                   # as fast as it goes, no faults, one worker

Both draw the memory of each role over time. The first ends with the balance, the second with the worker's memory over
the first 2,000 documents beside that over the last 2,000. The exit code is 1 where a document was lost, or where the
memory differs by more than a tenth. Needs Debian's rabbitmq-server and the dependency group `bench`.
"""

import argparse
import asyncio
import logging
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import cycle, islice
from pathlib import Path

from bench.soak_faults import Breaker
from bench.soak_memory import Watch, draw
from tests.faults.balance import Events, balance, subscriber
from tests.faults.deployment import Deployment
from tests.faults.load import Client, Submission, recovery_s
from tests.rabbit_node import CORES, RabbitNode, running_node

SEEDS = Path(__file__).parents[1] / "seeds"
SLICE_S = 5.0  # the load comes in slices of this length, each accepted before the next begins
QUIET_S = 30.0  # at the end without faults
STANDSTILL_S = 120.0  # at the end; chosen: if no document is decided for this long, the rest never will be
WINDOW = 2000  # documents; each parser child is replaced at least once in that time
TOLERANCE = 0.1  # share by which memory may grow; chosen


def main() -> int:
    logging.getLogger("aiormq").setLevel(logging.CRITICAL)  # it tells of each connection that fails
    options = parsed()
    rng = random.Random(options.seed)  # noqa: S311 - no secret
    with tempfile.TemporaryDirectory() as folder, running_node(Path(folder), schedulers=CORES) as node:
        if options.documents:
            return asyncio.run(fill(node, options.documents, options.picture))
        return asyncio.run(soak(node, options.minutes * 60, options.rate, rng, options.picture))


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--rate", type=float, default=20, help="documents a second")
    parser.add_argument("--seed", type=int, default=1, help="which faults come when")
    parser.add_argument("--documents", type=int, help="no faults: this many, as fast as they are accepted")
    parser.add_argument("picture", type=Path, help="an SVG, written at the end")
    return parser.parse_args()


@contextmanager
def running_deployment(node: RabbitNode, workers: int) -> Iterator[Deployment]:
    deployment = Deployment(f"{node.url}?heartbeat=2", workers=workers)
    try:
        deployment.wait_until_ready()
        yield deployment
    finally:
        for process in (deployment.serve, *deployment.workers):
            process.close()


def submissions(pattern: str) -> Iterator[Submission]:
    """Yields the seeds endlessly, each tenth on the interactive lane."""
    texts = [(path.suffix, path.read_text(encoding="utf-8-sig")) for path in sorted(SEEDS.glob(pattern))]
    pages = [(suffix, text) for suffix, text in texts if suffix in {".txt", ".html"}]
    for number, (suffix, text) in enumerate(cycle(pages)):
        lane = "bulk" if number % 10 else "interactive"
        yield {"html" if suffix == ".html" else "text": text, "options": {"lane": lane}}


async def soak(node: RabbitNode, seconds: float, rate: float, rng: random.Random, picture: Path) -> int:
    """Causes faults under a steady load; returns the exit code."""
    client = Client(lambda: deployment.api)
    with running_deployment(node, workers=2) as deployment:
        watch, breaker = Watch(deployment, node), Breaker(deployment, node, rng)
        await asyncio.to_thread(node.settle)
        async with subscriber(node.url) as events, asyncio.TaskGroup() as group:
            watching = group.create_task(watch.run(events))
            breaking = group.create_task(breaker.run(max(0.0, seconds - QUIET_S)))
            await post_steadily(client, seconds, rate)
            await breaking
            recovered_s = await recovery_s(client, events.until_decided)
            await until_all_decided(client, events)
            watching.cancel()
        row = await balance(
            "soak",
            node.url,
            client.accepted,
            events,
            recovered_s,
            within_s=STANDSTILL_S + len(client.accepted) / 50,
        )
    draw(picture, watch, breaker.done)
    print(f"faults: {dict(breaker.counts)}; answers by status: {dict(client.answers)}")
    print(f"accepted {row.documents}, decided {row.terminal}, lost {row.lost}, repeated {row.repeated}")
    return 1 if row.lost or row.differing else 0


async def post_steadily(client: Client, seconds: float, rate: float) -> None:
    source, end = submissions("*"), time.monotonic() + seconds
    while time.monotonic() < end:
        await client.post_all(list(islice(source, int(rate * SLICE_S))), over_s=SLICE_S)


async def until_all_decided(client: Client, events: Events) -> None:
    """Returns when all documents are decided, or no more are for some time."""
    while (left := len(client.accepted - events.subjects)) > 0:
        try:
            async with asyncio.timeout(STANDSTILL_S):
                await events.until_more(1)
        except TimeoutError:
            print(f"{left} are not decided, and nothing moves; the balance tells")
            return


async def fill(node: RabbitNode, documents: int, picture: Path) -> int:
    """Has one worker decide `documents` small texts; returns the exit code."""
    client = Client(lambda: deployment.api)
    with running_deployment(node, workers=1) as deployment:
        watch = Watch(deployment, node)
        async with subscriber(node.url) as events, asyncio.TaskGroup() as group:
            watching = group.create_task(watch.run(events))
            source = submissions("*.txt")
            for begin in range(0, documents, WINDOW // 4):
                await client.post_all(list(islice(source, min(WINDOW // 4, documents - begin))))
            await events.until_decided(client.accepted)
            watching.cancel()
    draw(picture, watch, [])
    return compared(watch, documents)


def compared(watch: Watch, documents: int) -> int:
    """Prints the worker's memory at the begin and at the end; returns the exit code."""
    code = 0
    for part in ("itself", "children", "total"):
        first, last = (watch.peak_bytes("worker 1", part, end - WINDOW, end) for end in (WINDOW, documents))
        change = last / first - 1
        print(
            f"worker, {part}: at most {first / 1e6:.1f} MB up to document {WINDOW:,}, {last / 1e6:.1f} MB over the",
            end=" ",
        )
        print(f"last {WINDOW:,} of {documents:,}: {change:+.1%}")
        code = code or int(change > TOLERANCE)
    return code


if __name__ == "__main__":
    sys.exit(main())
