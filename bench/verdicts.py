"""Verdicts a second by one process: as the worker carries them out, as it did before, and as a bare loop would.

    python bench/verdicts.py

A verdict is an event of 2 kB that is encoded, published to the log and confirmed there, and then offered to the
subscribers and confirmed again. So many at once as are given, on a RabbitMQ of its own, in turn:

- `executor`: `VerdictExecutor.execute`, as a worker calls it.
- `a channel each`: the same, with a channel that is opened and closed for each event of the log.
- `bare loop`: the body is encoded once, before; aio-pika publishes it twice and awaits both confirms.

Prints medians: verdicts a second, milliseconds for one, and milliseconds of CPU for each, in this process and in the
broker. Needs Debian's rabbitmq-server.
"""

import argparse
import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

import aio_pika
from aio_pika import DeliveryMode, Message
from prometheus_client import CollectorRegistry

from contract.codec import encode
from contract.events import ProcessedEvent
from contract.labels import SessionRole
from contract.metrics import Metrics
from contract.topology import DOCUMENTS, LOG, design, exchange_to
from contract.verdicts import Publish
from runtime.brokers.rabbit.attempts import AttemptRecord
from runtime.brokers.rabbit.channels import Channels, confirmed
from runtime.brokers.rabbit.executor import VerdictExecutor
from runtime.brokers.rabbit.limits import RabbitLimits
from runtime.brokers.rabbit.outgoing import Outgoing
from runtime.brokers.rabbit.publisher import Publisher
from runtime.brokers.rabbit.session import Session
from runtime.brokers.rabbit.supervisor import SessionReporter, Supervisor
from tests.brokers import samples
from tests.rabbit_node import CORES, RabbitNode, running_node

if TYPE_CHECKING:
    from aio_pika.abc import AbstractIncomingMessage

TEXT = "The harbour council voted on Tuesday evening to move the landing. " * 20  # an event of about 2 kB with it
NOT_USED = cast("AbstractIncomingMessage", None)  # a verdict that publishes does not look at what was delivered

Decide = Callable[[ProcessedEvent], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Round:
    """What one round came to."""

    verdicts_per_s: float
    ms_each: float
    cpu_ms: float
    broker_cpu_ms: float


class ChannelEach(Channels):
    """Opens and closes a channel for each message to a stream, as Copydesk did at first."""

    async def _offer_to_stream(self, stream: str, outgoing: Outgoing) -> None:
        del stream
        channel = await self._session.publishing_channel()
        try:
            await confirmed(channel, outgoing)
        finally:
            self._tasks.create_task(self._session.retire(channel, after_s=0))


class PublisherBefore(Publisher):
    """Publishes as Copydesk did at first."""

    def _channels_of(self, session: Session) -> Channels:
        return ChannelEach(session, self._limits, self._tasks)


def main() -> None:
    options = parsed()
    with tempfile.TemporaryDirectory() as folder, running_node(Path(folder), schedulers=CORES) as node:
        asyncio.run(compare(node, options))


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--verdicts", type=int, default=3000, help="in a round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--at-once", type=int, nargs="+", default=[8, 256])
    return parser.parse_args()


async def compare(node: RabbitNode, options: argparse.Namespace) -> None:
    async with executor(node) as now, executor(node, PublisherBefore) as before, bare_loop(node) as bare:
        ways = {"executor": now, "a channel each": before, "bare loop": bare}
        for at_once in options.at_once:
            found: dict[str, list[Round]] = {way: [] for way in ways}
            for _ in range(options.rounds):
                for way, decide in ways.items():
                    found[way].append(await measured(decide, node, options.verdicts, at_once))
            for way, rounds in found.items():
                print(row(at_once, way, rounds), flush=True)


@asynccontextmanager
async def executor(node: RabbitNode, kind: type[Publisher] = Publisher) -> AsyncIterator[Decide]:
    """Yields what a worker does with an event."""
    limits, metrics, topology = RabbitLimits(), Metrics(CollectorRegistry()), design()
    publisher = kind(limits, metrics)
    carries_out = VerdictExecutor(publisher, AttemptRecord(publisher, limits), topology, limits, metrics)

    async def decide(event: ProcessedEvent) -> None:
        await carries_out.execute(Publish(event), NOT_USED)

    async with asyncio.TaskGroup() as group:
        supervisor = Supervisor(node.url, SessionRole.PUBLISHER, topology, limits, SessionReporter(metrics))
        publishing = group.create_task(supervisor.run(publisher.run))
        yield decide
        publishing.cancel()


@asynccontextmanager
async def bare_loop(node: RabbitNode) -> AsyncIterator[Decide]:
    """Yields what takes no care of anything: one channel of aio-pika, and a body that is always the same."""
    body = encode(event(0))
    async with await aio_pika.connect(node.url) as connection:
        channel = await connection.channel()
        log, documents = [await channel.get_exchange(name, ensure=False) for name in (exchange_to(LOG), DOCUMENTS)]

        async def decide(event: ProcessedEvent) -> None:
            message = Message(body, message_id=event.id, delivery_mode=DeliveryMode.PERSISTENT)
            await log.publish(message, "processed.en")
            await documents.publish(message, "processed.en", mandatory=False)

        yield decide


def event(number: int) -> ProcessedEvent:
    return samples.processed(replace(samples.job(), id=f"{number:032x}", content=TEXT))


async def measured(decide: Decide, node: RabbitNode, count: int, at_once: int) -> Round:
    events, waits = iter([event(number) for number in range(count)]), []

    async def work() -> None:
        for each in events:
            began = time.perf_counter()
            await decide(each)
            waits.append(time.perf_counter() - began)

    await decide(event(-1 % 2**64))  # opens what is opened once
    began, cpu_began, broker_began = time.perf_counter(), time.process_time(), cpu_s(node.pid)
    async with asyncio.TaskGroup() as group:
        for _ in range(at_once):
            group.create_task(work())
    seconds, ours_s = time.perf_counter() - began, time.process_time() - cpu_began
    its_s = cpu_s(node.pid) - broker_began
    return Round(count / seconds, 1000 * statistics.median(waits), 1000 * ours_s / count, 1000 * its_s / count)


def cpu_s(pid: int) -> float:
    """Returns the seconds of CPU that a process has had, from proc(5)."""
    user, system = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def row(at_once: int, way: str, rounds: list[Round]) -> str:
    verdicts_per_s, ms_each, cpu_ms, broker_cpu_ms = (
        statistics.median(getattr(result, name) for result in rounds) for name in Round.__slots__
    )
    return (
        f"{at_once} at once, {way}: {verdicts_per_s:.0f} verdicts/s, {ms_each:.1f} ms each,"
        f" {cpu_ms:.2f} ms CPU here, {broker_cpu_ms:.2f} ms in the broker"
    )


if __name__ == "__main__":
    main()
