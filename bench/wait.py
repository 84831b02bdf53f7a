"""Measures the overhead of waiting for a verdict, on the embedded broker and on RabbitMQ.

    python bench/wait.py [--documents 300] [--at-once 1]

Two Copydesks run side by side as an operator starts them: `copydesk up`, and `serve` and `work` with a private RabbitMQ
(one node, quorum queues, fsync). They get the same documents alternately, so that other load on the machine affects
both. Each document is a text of the seeds; its event says how long a parser child worked on it (extract and normalise).
The rest of the time until the client has the event is the overhead: HTTP, the queue, the hand-over to the child, the
log, the reply. The same is printed for `POST /v1/extract`, and the time to a plain submission's 202. Needs Debian's
rabbitmq-server.
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import aiohttp
import orjson

from tests.rabbit_node import CORES, RabbitNode
from tests.system.processes import running

SEEDS = sorted((Path(__file__).parents[1] / "seeds").glob("*.txt"))
WARM_UP = 20  # documents: children are forked, sessions opened, caches filled
PORTS = ("--ops-port", "0")
SUBMIT, PREVIEW, ACCEPT = "submission that waits", "preview", "202, nobody waits"


def main() -> None:
    options = parsed()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        apis = {
            "embedded": stack.enter_context(embedded(Path(folder) / "data")),
            "RabbitMQ": stack.enter_context(on_rabbit(Path(folder) / "rabbit")),
        }
        asyncio.run(compared(apis, options.documents, options.at_once))


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=int, default=300, help="for each broker and way")
    parser.add_argument("--at-once", type=int, default=1)
    return parser.parse_args()


@contextmanager
def embedded(folder: Path) -> Iterator[str]:
    """Yields the address of a running `copydesk up`."""
    with running("up", "--port", "0", *PORTS, "--data", str(folder)) as process:
        yield process.wait_for_urls("api")["api"]


@contextmanager
def on_rabbit(folder: Path) -> Iterator[str]:
    """Yields the address of a running `copydesk serve`, with a `copydesk work` beside it."""
    folder.mkdir()
    node = RabbitNode(folder, schedulers=CORES)
    try:
        node.start()
        settings = {"COPYDESK_AMQP_URL": node.url}
        with (
            running("work", *PORTS, settings=settings) as work,
            running("serve", "--port", "0", *PORTS, settings=settings) as serve,
        ):
            work.wait_for_urls("ops")
            yield serve.wait_for_urls("api")["api"]
    finally:
        node.close()


async def compared(apis: dict[str, str], documents: int, at_once: int) -> None:
    ways = [(broker, way) for way in (SUBMIT, PREVIEW, ACCEPT) for broker in apis]
    taken: dict[tuple[str, str], list[float]] = {way: [] for way in ways}
    async with aiohttp.ClientSession() as http:
        for api in apis.values():
            for number in range(WARM_UP):
                await overhead_s(http, api, SUBMIT, number)
        for start in range(0, documents, at_once):
            for broker, way in ways:
                numbers = range(start, min(start + at_once, documents))
                taken[broker, way] += await asyncio.gather(
                    *(overhead_s(http, apis[broker], way, number) for number in numbers)
                )
    print(f"{documents} documents each, {at_once} at once; milliseconds beyond the work")
    for broker, way in ways:
        show(broker, way, taken[broker, way])


async def overhead_s(http: aiohttp.ClientSession, api: str, way: str, number: int) -> float:
    """Returns the seconds from the request to the whole answer, without the time of extract and normalise."""
    body = SEEDS[number % len(SEEDS)].read_bytes()
    headers = {"Content-Type": "text/plain"} | ({"Prefer": "wait=30"} if way == SUBMIT else {})
    url = f"{api}/v1/{'extract' if way == PREVIEW else 'documents'}"
    while True:
        began = time.perf_counter()
        async with http.post(url, data=body, headers=headers) as response:
            answer = orjson.loads(await response.read())
        took_s = time.perf_counter() - began
        if response.status == (202 if way == ACCEPT else 200):
            break
        assert response.status in {202, 503}, answer  # a broker's session, or a worker, is still to come
        await asyncio.sleep(0.5)
    if way == ACCEPT:
        await asyncio.sleep(0.05)  # its work is done before the next is measured
        return took_s
    article = answer if way == PREVIEW else answer["data"]
    worked_s: float = sum(article["provenance"]["timings"].values())
    return took_s - worked_s


def show(broker: str, way: str, taken_s: list[float]) -> None:
    cuts = statistics.quantiles(taken_s, n=20)
    print(f"{broker:10} {way:22} p50 {statistics.median(taken_s) * 1000:6.1f}  p95 {cuts[18] * 1000:6.1f}")


if __name__ == "__main__":
    main()
