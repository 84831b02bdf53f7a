"""Measures deliveries to webhooks a second, beside a bare aiohttp loop that posts the same bodies.

    python bench/deliver.py [--deliveries 3000] [--rounds 3]

The receivers run in a process of their own and answer 204. The role `deliver` reads a log in memory, and stores what
comes of deliveries in SQLite; the bare loop posts with as many requests at once, and does nothing else. Prints the
rates of both for 1, 10 and 100 receivers, and the CPU time of a delivery and of a post: where other programs use the
cores, that is the better figure.
"""

import argparse
import asyncio
import gc
import multiprocessing
import statistics
import tempfile
import time
from contextlib import AsyncExitStack
from multiprocessing.connection import Connection
from pathlib import Path

import aiohttp
from aiohttp import web
from prometheus_client import CollectorRegistry

from contract.codec import encode
from contract.events import MEDIA_TYPE, ProcessedEvent
from contract.labels import DeliveryOutcome
from contract.metrics import Metrics
from contract.timestamps import now
from contract.tracing import OFF
from contract.webhooks import Documents, Webhook, new_id, new_secret
from runtime.ledger import schema
from runtime.ledger.database import ledger_url, open_engine
from runtime.ledger.deliveries import SqlDeliveries
from runtime.ledger.replays import SqlReplays
from runtime.ledger.webhooks import SqlWebhookBook
from tests.brokers import samples
from tests.workers.deliver.conftest import Log
from workers.deliver.deliverer import Deliverer
from workers.deliver.limits import DeliveryLimits
from workers.deliver.receiver import ReceiverReach, Receivers
from workers.deliver.traces import Posting

RECEIVERS = (1, 10, 100)  # webhooks; as many as few, some and many subscribers have
TEXT = "The harbour council voted on Tuesday to move the ferry landing two hundred metres up the coast. " * 40
LIMITS = DeliveryLimits()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--deliveries", type=int, default=3_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    ours, theirs = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(theirs,), daemon=True)
    server.start()
    url = ours.recv()
    for receivers in RECEIVERS:
        events = [samples.processed(samples.job(content=TEXT)) for _ in range(options.deliveries // receivers)]
        bodies = [encode(event) for event in events]
        bare, role = [], []
        for _ in range(options.rounds):
            bare.append(asyncio.run(bare_loop(url, bodies, receivers)))
            role.append(asyncio.run(deliver(url, events, receivers)))
        print(f"{receivers:4} receivers: deliver {shown(role)}, bare loop {shown(bare)}", flush=True)
    server.kill()


def shown(rows: list[tuple[float, float]]) -> str:
    """Returns the median rate and CPU time of rounds."""
    rate, cpu_s = (statistics.median(column) for column in zip(*rows, strict=True))
    return f"{rate:,.0f} a second, {cpu_s * 1000:.2f} ms of CPU each"


def serve(started: Connection) -> None:
    """Runs the receivers: one server, whose paths are the receivers."""

    async def take(request: web.Request) -> web.Response:
        await request.read()
        return web.Response(status=204)

    async def run() -> None:
        app = web.Application()
        app.add_routes([web.post("/{number}", take)])
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        started.send(f"http://127.0.0.1:{runner.addresses[0][1]}")
        await asyncio.Event().wait()

    asyncio.run(run())


async def bare_loop(url: str, bodies: list[bytes], receivers: int) -> tuple[float, float]:
    """Returns posts a second of a loop that does nothing else, and the CPU time of each, in seconds."""

    async def post(http: aiohttp.ClientSession, number: int, mine: list[bytes]) -> None:
        while mine:
            async with http.post(f"{url}/{number}", data=mine.pop(), headers={"Content-Type": MEDIA_TYPE}) as response:
                await response.read()

    settle_garbage()
    began, cpu_s, wanted = time.monotonic(), time.process_time(), receivers * len(bodies)
    async with (
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http,
        asyncio.TaskGroup() as group,
    ):
        for number in range(receivers):
            mine = [*bodies]
            for _ in range(LIMITS.at_once):
                group.create_task(post(http, number, mine))
    return wanted / (time.monotonic() - began), (time.process_time() - cpu_s) / wanted


def settle_garbage() -> None:
    """Leaves what is loaded out of later collections, as a process of Copydesk does when it is ready."""
    gc.collect()
    gc.freeze()


async def deliver(url: str, events: list[ProcessedEvent], receivers: int) -> tuple[float, float]:
    """Returns deliveries a second of the role, until all are stored, and the CPU time of each, in seconds."""
    log, wanted = Log(), receivers * len(events)
    log.batch = 100
    for event in events:
        log.write(event)
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        where = ledger_url(f"sqlite:///{Path(folder) / 'ledger.db'}")
        await schema.upgrade(where)
        reader, writer = open_engine(where), open_engine(where, writes=True)
        stack.push_async_callback(reader.dispose)
        stack.push_async_callback(writer.dispose)
        book, at = SqlWebhookBook(writer), now()
        hooks = [
            Webhook(
                id=new_id(),
                owner="bench",
                url=f"{url}/{number}",
                documents=Documents.ALL,
                secret=new_secret(),
                created_at=at,
                updated_at=at,
            )
            for number in range(receivers)
        ]
        for hook in hooks:
            await book.add(hook, at_most=receivers)
        reached = await stack.enter_async_context(
            Receivers(ReceiverReach(networks=("127.0.0.0/8",)), timeout_s=20.0, answer_bytes=16_384)
        )
        posting = Posting(reached, OFF)
        store, metrics = SqlDeliveries(reader, writer, alone=True), Metrics(CollectorRegistry())
        delivered = metrics.webhook_attempts.labels(DeliveryOutcome.DELIVERED)
        role = Deliverer(log, store, SqlReplays(reader, writer), posting, metrics=metrics, limits=LIMITS, clock=now)
        settle_garbage()
        stop, began, cpu_s = asyncio.Event(), time.monotonic(), time.process_time()
        task = asyncio.create_task(role.run(stop))
        while delivered._value.get() < wanted:  # noqa: SLF001, ASYNC110 - it tells nobody, and to collect costs more
            await asyncio.sleep(0.005)
        stop.set()
        await task
        assert {hook.place for hook in await book.webhooks(None)} == {len(events) - 1}
        return wanted / (time.monotonic() - began), (time.process_time() - cpu_s) / wanted


if __name__ == "__main__":
    main()
