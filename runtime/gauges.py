"""Keeps the gauges of the broker's queues. They are read outside the scrape, so that /metrics never waits."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress

import structlog

from contract.broker import BrokerUnavailable, QueueDepth, QueueDepths, Stop
from contract.metrics import Metrics

log = structlog.get_logger(__name__)


async def keep_gauges(queues: QueueDepths, metrics: Metrics, stop: Stop, *, every_s: float, timeout_s: float) -> None:
    """Asks every `every_s` seconds until `stop` is set. Without an answer in `timeout_s` seconds the gauges vanish."""
    known = True
    while not stop.is_set():
        try:
            async with asyncio.timeout(timeout_s):
                _show(await queues.depths(), metrics)
            known = True
        except (BrokerUnavailable, TimeoutError) as error:
            _show({}, metrics)
            if known:  # the log of sessions says what is wrong with the broker
                log.info("queue_depths_unknown", error=type(error).__name__)
            known = False
        with suppress(TimeoutError):
            async with asyncio.timeout(every_s):
                await stop.wait()


def _show(depths: Mapping[str, QueueDepth], metrics: Metrics) -> None:
    metrics.queue_depth.clear()
    metrics.queue_oldest_seconds.clear()
    for name, depth in depths.items():
        metrics.queue_depth.labels(name).set(depth.messages)
        if depth.oldest_s is not None:
            metrics.queue_oldest_seconds.labels(name).set(depth.oldest_s)
