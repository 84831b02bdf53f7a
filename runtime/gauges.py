"""Keeps the gauges of the broker's queues: asked for beside the scrape, so that /metrics waits for nobody."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

import structlog

from contract.broker import BrokerUnavailable, Stop
from contract.metrics import Metrics

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Depth:
    """How many messages wait in a queue, and for how many seconds the first has been due; None where nobody tells."""

    messages: int
    oldest_s: float | None = None


class Queues(Protocol):
    """A broker that tells how much waits."""

    async def depths(self) -> Mapping[str, Depth]:
        """Returns what waits, by queue.

        Raises:
            BrokerUnavailable: the broker cannot be asked.
        """


async def keep_gauges(queues: Queues, metrics: Metrics, stop: Stop, *, every_s: float, timeout_s: float) -> None:
    """Asks every `every_s` seconds until `stop` is set. What is not told within `timeout_s` seconds is not shown."""
    known = True
    while not stop.is_set():
        try:
            async with asyncio.timeout(timeout_s):
                _show(await queues.depths(), metrics)
            known = True
        except (BrokerUnavailable, TimeoutError) as error:
            _show({}, metrics)
            if known:  # what is wrong with the broker is told by whoever works with it
                log.info("queue_depths_unknown", error=type(error).__name__)
            known = False
        with suppress(TimeoutError):
            async with asyncio.timeout(every_s):
                await stop.wait()


def _show(depths: Mapping[str, Depth], metrics: Metrics) -> None:
    metrics.queue_depth.clear()
    metrics.queue_oldest_seconds.clear()
    for name, depth in depths.items():
        metrics.queue_depth.labels(name).set(depth.messages)
        if depth.oldest_s is not None:
            metrics.queue_oldest_seconds.labels(name).set(depth.oldest_s)
