"""How many URLs a second a worker gets through, beside what a user would write instead, on one RabbitMQ.

    python bench/urls.py [--documents 400] [--hosts 200] [--latency 0.05 1 3] [--rounds 3]

The pages of the seeds stand at addresses of loopback, and each answer takes the time of `--latency`. All URLs wait in a
queue before the first is taken. Three consumers get the same URLs by turns, on the same broker:

- Copydesk's worker, with its defaults.
- The same without robots.txt and with no interval between two requests at a host: what politeness costs.
- A bare loop: aio-pika with a prefetch of as many messages as Copydesk has in hand, aiohttp, the same parser children,
  a confirmed publish of the article, an ack. It is not polite, repeats nothing, and loses what fails.

Printed are documents a second, from the moment that a consumer begins to its last article, and the CPU of the worker's
main process for a document. The server of the pages and the broker run on the same machine. Needs Debian's
rabbitmq-server.
"""

import argparse
import asyncio
import itertools
import os
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import aio_pika
import aiohttp
from aiohttp import web
from prometheus_client import CollectorRegistry

from contract.codec import encode
from contract.ids import new_document_id
from contract.job import Job, Kind, Lane
from contract.metrics import Metrics
from contract.timestamps import now
from runtime.brokers.rabbit import RabbitBroker
from runtime.settings import load
from runtime.working import build_parser, capacity_of
from tests.rabbit_node import CORES, RabbitNode, free_ports, running_node
from tests.system.processes import Process
from workers.document import RawDocument

SEEDS = sorted((Path(__file__).parents[1] / "seeds").glob("*.html"))
PORTS = ("--ops-port", "0")
QUEUE = "bare.urls"
TICKS = os.sysconf("SC_CLK_TCK")
COPYDESK, RUDE, BARE = "copydesk", "copydesk, not polite", "bare loop"
POLITENESS_OFF = {"COPYDESK_FETCH_ROBOTS": "false", "COPYDESK_FETCH_INTERVAL_S": "0.001"}


@dataclass(frozen=True, slots=True)
class Row:
    """What one round came to: documents a second, and milliseconds of CPU of the main process for a document."""

    per_s: float
    cpu_ms: float


def main() -> None:
    options = parsed()
    with tempfile.TemporaryDirectory() as folder, running_node(Path(folder), schedulers=CORES) as node:
        asyncio.run(compared(node, options))


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=int, default=400)
    parser.add_argument("--hosts", type=int, default=200)
    parser.add_argument("--latency", type=float, nargs="+", default=[0.05, 1.0, 3.0], metavar="SECONDS")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", choices=(COPYDESK, RUDE, BARE), nargs="+", default=[COPYDESK, RUDE, BARE])
    return parser.parse_args()


async def compared(node: RabbitNode, options: argparse.Namespace) -> None:
    rows: dict[tuple[float, str], list[Row]] = defaultdict(list)
    for _, latency_s in itertools.product(range(options.rounds), options.latency):
        with served(latency_s) as port:
            urls = urls_of(options.documents, options.hosts, port)
            for way in options.only:
                row = await (by_bare_loop(node, urls) if way == BARE else by_copydesk(node, urls, way))
                rows[latency_s, way].append(row)
                print(f"{latency_s:5.2f} s  {way:22} {row.per_s:6.1f}/s  {row.cpu_ms:6.1f} ms", flush=True)
    print(f"medians of {options.rounds}, {options.documents} URLs on {options.hosts} hosts")
    for (latency_s, way), taken in sorted(rows.items()):
        per_s, cpu_ms = (statistics.median(getattr(row, name) for row in taken) for name in Row.__slots__)
        print(f"{latency_s:5.2f} s  {way:22} {per_s:6.1f}/s  {cpu_ms:6.1f} ms")


@contextmanager
def served(latency_s: float) -> Iterator[int]:
    """Serves the seeds at every address of loopback, in a process of its own; yields the port."""
    (port,) = free_ports(1)
    context = get_context("spawn")
    listens = context.Event()
    process = context.Process(target=serve, args=(port, latency_s, listens), daemon=True)
    process.start()
    try:
        listens.wait(30)
        yield port
    finally:
        process.terminate()
        process.join()


def serve(port: int, latency_s: float, listens: "asyncio.Event") -> None:
    pages = [seed.read_bytes() for seed in SEEDS]

    async def answer(request: web.Request) -> web.Response:
        if request.path == "/robots.txt":
            return web.Response(status=404)
        await asyncio.sleep(latency_s)
        number = int(request.path.rpartition("/")[2])
        return web.Response(body=pages[number % len(pages)], content_type="text/html", charset="utf-8")

    async def run() -> None:
        app = web.Application()
        app.router.add_get("/{path:.*}", answer)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "0.0.0.0", port, backlog=1024).start()  # noqa: S104 - loopback has many addresses
        listens.set()
        await asyncio.Event().wait()

    asyncio.run(run())


def urls_of(documents: int, hosts: int, port: int) -> list[str]:
    """Returns URLs whose hosts take turns."""
    return [f"http://127.1.{n % hosts // 250}.{n % hosts % 250 + 1}:{port}/{n}" for n in range(documents)]


async def by_copydesk(node: RabbitNode, urls: list[str], way: str) -> Row:
    settings = {"COPYDESK_AMQP_URL": node.url, "COPYDESK_FETCH_ALLOW_NETWORKS": "127.0.0.0/8"}
    settings |= POLITENESS_OFF if way == RUDE else {}
    async with RabbitBroker(node.url, metrics=Metrics(CollectorRegistry())) as broker:
        _, newest = await broker.log_bounds()
        async with asyncio.TaskGroup() as group:
            for url in urls:
                group.create_task(broker.put(job_of(url)))
        work = await asyncio.to_thread(Process, "work", *PORTS, settings=settings)
        try:
            await until_consuming(work)
            began, cpu_began = time.perf_counter(), cpu_s(work.pid)
            await terminal(broker, newest, len(urls))
            return Row(len(urls) / (time.perf_counter() - began), 1000 * (cpu_s(work.pid) - cpu_began) / len(urls))
        finally:
            await asyncio.to_thread(work.stop)


async def until_consuming(work: Process) -> None:
    """Returns when the worker has its parser children and a session to consume."""
    while not any(entry.get("role") == "consumer" for entry in work.log):
        assert work.returncode is None, work.log
        await asyncio.sleep(0.01)


async def terminal(broker: RabbitBroker, after: int, documents: int) -> None:
    """Returns when the log has an event of each document above the offset `after`."""
    failed = 0
    async for entry in broker.read(after):
        documents -= 1
        failed += entry.routing_key.startswith("failed")
        if not documents:
            break
    if failed:
        print(f"  {failed} failed", file=sys.stderr)


def job_of(url: str) -> Job:
    return Job(id=new_document_id(), kind=Kind.URL, lane=Lane.BULK, accepted_at=now().isoformat(), url=url)


async def by_bare_loop(node: RabbitNode, urls: list[str]) -> Row:
    settings = load({"log_level": "error"}, environ={})
    connection = await aio_pika.connect(node.url)
    async with connection, build_parser(settings, Metrics(CollectorRegistry())) as parser:
        channel = await connection.channel()
        await channel.set_qos(capacity_of(settings).most)
        arguments: dict[str, Any] = {"x-queue-type": "quorum"}
        queue = await channel.declare_queue(QUEUE, durable=True, arguments=arguments)
        results = await channel.declare_queue(f"{QUEUE}.results", durable=True, arguments=arguments)
        for url in urls:
            await publish(channel, QUEUE, url.encode())
        async with fetching() as http:
            left, done = len(urls), asyncio.Event()

            async def work(message: aio_pika.abc.AbstractIncomingMessage) -> None:
                nonlocal left
                url = message.body.decode()
                async with http.get(url) as response:
                    body = await response.read()
                document = RawDocument(job=job_of(url), content=body, is_html=True, url=url, charset="utf-8")
                await publish(channel, results.name, encode(await parser.run(document)))
                await message.ack()
                left -= 1
                if not left:
                    done.set()

            began, cpu_began = time.perf_counter(), time.process_time()
            await queue.consume(work)
            await done.wait()
            seconds, cpu = time.perf_counter() - began, time.process_time() - cpu_began
        await queue.delete(if_unused=False, if_empty=False)
        await results.delete(if_unused=False, if_empty=False)
    return Row(len(urls) / seconds, 1000 * cpu / len(urls))


@asynccontextmanager
async def fetching() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
        yield http


async def publish(channel: aio_pika.abc.AbstractChannel, key: str, body: bytes) -> None:
    message = aio_pika.Message(body, delivery_mode=aio_pika.DeliveryMode.PERSISTENT)
    await channel.default_exchange.publish(message, key)


def cpu_s(pid: int) -> float:
    """Returns the seconds of CPU that a process has had, from proc(5)."""
    user, system = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / TICKS


if __name__ == "__main__":
    main()
