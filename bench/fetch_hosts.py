"""Measures how long pages of twenty hosts wait with, and without, a busy, slow host.

    python -m bench.fetch_hosts [BUSY_PAGES] [WAVES]

Two workers run at the same time in this process, each with its own folder and embedded broker, the defaults of
`copydesk up`, and no parsing, which would hide the difference. One also has the pages of a host that takes two seconds
for each. Waves of one page of each of the other hosts, which take 0.05 s, go to both at the same moment: alternately
spread over some seconds, which shows if pages wait for the busy host, and all at once, which shows how many slots its
waiting documents take. Prints the time from a document's acceptance to its verdict.
"""

import asyncio
import logging
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import structlog
from aiohttp import web
from prometheus_client import CollectorRegistry

from contract.article import Article
from contract.broker import Delivery
from contract.capacity import Capacity
from contract.codec import decode_job
from contract.ids import new_document_id
from contract.job import Job, Kind, Lane
from contract.metrics import Metrics
from contract.timestamps import now
from contract.verdicts import Defer, Verdict
from runtime.brokers.embedded.broker import EmbeddedBroker
from runtime.fetching import open_fetcher
from runtime.settings import WAITING_PER_CORE, load
from runtime.working import capacity_of
from tests.rabbit_node import free_ports
from workers.document import RawDocument
from workers.retry import RetryPolicy
from workers.worker import Worker, WorkerLimits

BUSY = "127.0.2.1"
OTHERS = [f"127.0.3.{number}" for number in range(1, 21)]
BUSY_PAGE_S = 2.0  # time that a page of the busy host takes; chosen
OTHER_PAGE_S = 0.05  # time that a page of the other hosts takes; chosen
WAVE_S = 3.0  # between two bursts; chosen
TWO_CORES = {"parsers": 2, "max_waiting": 2 * WAITING_PER_CORE}
DEFAULTS = (300, 10)  # pages of the busy host, and rounds; chosen


class NoParser:
    """Returns an article at once, without parsing."""

    async def run(self, document: RawDocument, *, fresh: bool = False) -> Article:  # noqa: ARG002 - as a worker calls it
        job = document.job
        return Article(
            id=job.id, kind=job.kind, text="", excerpt="", word_count=0, char_count=0, reading_time_s=0,
            content_sha256="", simhash="",
        )  # fmt: skip


class Deployment:
    """A broker and its worker, and when the first attempt at each document ended."""

    def __init__(self, broker: EmbeddedBroker, worker: Worker, capacity: Capacity) -> None:
        self._broker = broker
        self._worker = worker
        self._capacity = capacity
        self._decided: dict[str, asyncio.Future[float]] = {}

    async def work(self) -> None:
        await self._broker.consume(self._handle, capacity=self._capacity, stop=asyncio.Event())

    async def _handle(self, delivery: Delivery) -> Verdict:
        verdict = await self._worker.handle(delivery)
        if not isinstance(verdict, Defer):
            decided = self._decided.get(decode_job(delivery.body).id)
            if decided is not None and not decided.done():
                decided.set_result(time.perf_counter())
        return verdict

    async def put(self, url: str) -> float:
        """Returns the seconds until the first attempt at the document at `url` has ended."""
        job = Job(id=new_document_id(), kind=Kind.URL, lane=Lane.INTERACTIVE, accepted_at=now().isoformat(), url=url)
        decided = self._decided[job.id] = asyncio.get_running_loop().create_future()
        await self._broker.put(job)
        began = time.perf_counter()
        ended: float = await decided
        return ended - began


@asynccontextmanager
async def deployment() -> AsyncIterator[Deployment]:
    settings = load({"fetch_allow_networks": ("127.0.0.0/8",), **TWO_CORES}, environ={})
    metrics = Metrics(CollectorRegistry())
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        broker = await stack.enter_async_context(EmbeddedBroker(folder, metrics=metrics))
        fetcher = await stack.enter_async_context(open_fetcher(settings, metrics, broker.lease))
        limits = WorkerLimits(retry=RetryPolicy(delays_s=settings.retry_delays_s))
        worker = Worker(fetcher=fetcher, parser=NoParser(), metrics=metrics, clock=now, limits=limits)
        yield Deployment(broker, worker, capacity_of(settings))


@asynccontextmanager
async def served() -> AsyncIterator[int]:
    """Serves a page at every address of loopback, slowly at `BUSY`; yields the port."""

    async def answer(request: web.Request) -> web.Response:
        if request.path == "/robots.txt":
            return web.Response(text="")
        await asyncio.sleep(BUSY_PAGE_S if request.url.host == BUSY else OTHER_PAGE_S)
        return web.Response(text="<!doctype html><title>Ferry</title><p>The ferry moves.", content_type="text/html")

    app = web.Application()
    app.router.add_get("/{path:.*}", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        (port,) = free_ports(1)
        await web.TCPSite(runner, "0.0.0.0", port).start()  # noqa: S104 - loopback has many addresses
        yield port
    finally:
        await runner.cleanup()


Found = dict[tuple[str, str], list[float]]


async def measure(busy_pages: int, waves: int) -> Found:
    """Returns the seconds of each page, by kind of wave and worker."""
    found: Found = defaultdict(list)
    async with served() as port, deployment() as without, deployment() as beside, asyncio.TaskGroup() as group:
        tasks: list[asyncio.Task[object]] = [group.create_task(each.work()) for each in (without, beside)]
        tasks += [group.create_task(beside.put(f"http://{BUSY}:{port}/{page}")) for page in range(busy_pages)]
        for number in range(2 * waves):
            await asyncio.sleep(WAVE_S)
            kind, spread_s = (("spread", WAVE_S), ("at once", 0.0))[number % 2]
            sides = {"without": without, "beside": beside}
            timed = {name: wave(side, f"{port}/{number}", spread_s) for name, side in sides.items()}
            for name, seconds in zip(timed, await asyncio.gather(*timed.values()), strict=True):
                found[kind, name] += seconds
        for task in tasks:
            task.cancel()
    return found


async def wave(side: Deployment, rest: str, spread_s: float) -> list[float]:
    async def one(place: int, host: str) -> float:
        await asyncio.sleep(spread_s * place / len(OTHERS))
        return await side.put(f"http://{host}:{rest}")

    return await asyncio.gather(*(one(place, host) for place, host in enumerate(OTHERS)))


def main() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    given = [int(argument) for argument in sys.argv[1:]]
    busy_pages, waves = (*given, *DEFAULTS[len(given) :])
    found = asyncio.run(measure(busy_pages, waves))
    for (kind, name), seconds in sorted(found.items(), reverse=True):
        middle, tail = statistics.median(seconds), statistics.quantiles(seconds, n=20)[-1]
        print(
            f"{kind:8} {name:8} median {middle:.3f} s, 95 % within {tail:.3f} s, {len(seconds)} in {max(seconds):.3f} s"
        )
    for kind in ("spread", "at once"):
        ratio = statistics.median(found[kind, "beside"]) / statistics.median(found[kind, "without"])
        print(f"{kind}: {ratio:.2f} of the time without")


if __name__ == "__main__":
    main()
