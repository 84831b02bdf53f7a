"""Measures the cost of a separate channel for each event of the log, compared with one channel for all.

    python bench/event_channels.py

Publishes events of 2 kB to the log of a private RabbitMQ and awaits each confirm, as many at once as a worker has
slots, alternately with a channel each and on one channel. Prints medians: events a second, milliseconds until the
confirm, and milliseconds of CPU for each event, in this process and in the broker. Needs Debian's rabbitmq-server.
"""

import argparse
import asyncio
import os
import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from aio_pika import DeliveryMode, Message
from prometheus_client import CollectorRegistry

from contract.labels import Destination, SessionRole
from contract.metrics import Metrics
from contract.topology import LOG, design
from runtime.brokers.rabbit.limits import RabbitLimits
from runtime.brokers.rabbit.publisher import Outgoing, Publisher
from runtime.brokers.rabbit.supervisor import SessionReporter, Supervisor
from tests.rabbit_node import RabbitNode

BODY = b"x" * 2000
WITHIN_S = 30.0  # for one confirm; chosen: far longer than a broker that works takes


@dataclass(frozen=True, slots=True)
class Round:
    """The result of one round."""

    events_per_s: float
    confirm_ms: float
    cpu_ms: float
    broker_cpu_ms: float


def main() -> None:
    options = parsed()
    with tempfile.TemporaryDirectory() as folder:
        node = RabbitNode(Path(folder))
        try:
            node.start()
            asyncio.run(compare(node, options.events, options.rounds))
        finally:
            node.close()


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=1000, help="in a round")
    parser.add_argument("--rounds", type=int, default=9)
    return parser.parse_args()


async def compare(node: RabbitNode, events: int, rounds: int) -> None:
    limits, metrics = RabbitLimits(), Metrics(CollectorRegistry())
    publisher = Publisher(limits, metrics)
    async with asyncio.TaskGroup() as group:
        supervisor = Supervisor(node.url, SessionRole.PUBLISHER, design(), limits, SessionReporter(metrics))
        publishing = group.create_task(supervisor.run(publisher.run))
        for at_once in (1, 8):
            found: dict[bool, list[Round]] = {True: [], False: []}
            for _ in range(rounds):
                for own_channel, results in found.items():
                    results.append(await measured(publisher, node, events, at_once, own_channel=own_channel))
            for own_channel, results in found.items():
                print(table_row(at_once, own_channel, results))
        publishing.cancel()


async def measured(publisher: Publisher, node: RabbitNode, events: int, at_once: int, *, own_channel: bool) -> Round:
    numbers, waits = iter(range(events)), []

    async def publish() -> None:
        for number in numbers:
            message = Message(BODY, message_id=f"{number}", delivery_mode=DeliveryMode.PERSISTENT)
            outgoing = Outgoing(
                message=message, exchange=LOG, key="processed.en", to=Destination.LOG, is_stream=own_channel
            )
            began = time.perf_counter()
            await publisher.publish(outgoing, timeout_s=WITHIN_S)
            waits.append(time.perf_counter() - began)

    began, cpu_began, broker_began = time.perf_counter(), time.process_time(), cpu_s(node.pid)
    async with asyncio.TaskGroup() as group:
        for _ in range(at_once):
            group.create_task(publish())
    seconds, ours_s = time.perf_counter() - began, time.process_time() - cpu_began
    its_s = cpu_s(node.pid) - broker_began
    return Round(events / seconds, 1000 * statistics.median(waits), 1000 * ours_s / events, 1000 * its_s / events)


def cpu_s(pid: int) -> float:
    """Returns the seconds of CPU that a process has had, from proc(5)."""
    user, system = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def table_row(at_once: int, own_channel: bool, rounds: list[Round]) -> str:
    way = "a channel each" if own_channel else "one channel"
    events_per_s, confirm_ms, cpu_ms, broker_cpu_ms = (
        statistics.median(getattr(result, name) for result in rounds) for name in Round.__slots__
    )
    return (
        f"{at_once} at once, {way}: {events_per_s:.0f} events/s, {confirm_ms:.1f} ms to confirm,"
        f" {cpu_ms:.2f} ms CPU here, {broker_cpu_ms:.2f} ms in the broker"
    )


if __name__ == "__main__":
    main()
