"""Builds the objects of a worker from the settings: fetcher, parser children, and the worker itself.

It is separate from `wiring`, so that a process that only serves loads no fetcher and no parser pool.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Protocol

from contract.article import Article
from contract.broker import Broker, previews_at_once
from contract.codec import MAX_JOB_BYTES, MAX_PREVIEW_BYTES
from contract.metrics import Metrics
from contract.streams import Streams
from contract.timestamps import now
from runtime.errors import StartError
from runtime.fetching import open_fetcher
from runtime.settings import Settings
from workers.children.pool import ParserLimits, ParserPool
from workers.document import RawDocument
from workers.fetch import Fetcher
from workers.parse_task import PRELOAD, extract_article
from workers.requests import Requests
from workers.retry import RetryPolicy
from workers.worker import Worker, WorkerLimits


class WholeBroker(Broker, Streams, Protocol):
    """What a worker needs of a broker."""


async def work(
    settings: Settings, broker: WholeBroker, metrics: Metrics, stop: asyncio.Event, started: Callable[[], None]
) -> None:
    """Works on the broker's documents until `stop` is set. Calls `started` when it is ready for them.

    Raises:
        StartError: an address, a network or a file in the settings is invalid.
    """
    async with (
        open_fetcher(settings, metrics, broker.lease) as fetcher,
        build_parser(settings, metrics) as parser,
        _followed(broker, stop) as requests,
    ):
        started()
        worker = build_worker(settings, fetcher, parser, metrics, requests=requests)
        await broker.consume(worker.handle, slots=settings.slots, stop=stop)


@asynccontextmanager
async def _followed(streams: Streams, stop: asyncio.Event) -> AsyncIterator[Requests]:
    """Follows what owners ask for while the context is open. It opens when all that is on record is known.

    Raises:
        BrokerUnavailable: the broker failed for good, or was closed.
    """
    requests, caught_up = Requests(), asyncio.Event()
    try:
        async with asyncio.TaskGroup() as group:
            following = group.create_task(requests.follow(streams, caught_up))
            await _first_of(caught_up, stop)
            yield requests
            following.cancel()
    except BaseExceptionGroup as failures:  # the body's own exceptions, too
        raise failures.exceptions[0] from None


async def _first_of(*events: asyncio.Event) -> None:
    waits = [asyncio.ensure_future(event.wait()) for event in events]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()


def refuse_to_hold_too_much(settings: Settings) -> None:
    """Refuses slots whose deliveries, each with the largest job, would exceed `max_in_flight_bytes`.

    Raises:
        StartError: they would exceed it.
    """
    jobs, previews = settings.slots, 0
    if settings.amqp_url is not None:
        from runtime.brokers.rabbit.consumer import in_flight_jobs  # noqa: PLC0415 - loads aio-pika: one broker only

        jobs, previews = in_flight_jobs(settings.slots), previews_at_once(settings.slots)
    held_bytes = jobs * MAX_JOB_BYTES + previews * MAX_PREVIEW_BYTES
    if held_bytes > settings.max_in_flight_bytes:
        raise StartError(
            f"with {settings.slots} slots up to {jobs} documents of {MAX_JOB_BYTES:,} bytes and {previews} previews "
            f"of {MAX_PREVIEW_BYTES:,} are held at once: {held_bytes:,} bytes, "
            f"over the limit of {settings.max_in_flight_bytes:,}; "
            f"lower COPYDESK_SLOTS, or raise COPYDESK_MAX_IN_FLIGHT_BYTES where there is memory for it"
        )


def build_parser(settings: Settings, metrics: Metrics) -> ParserPool[RawDocument, Article]:
    """Returns the parser children that extract articles."""
    limits = ParserLimits(
        wall_clock_s=settings.parse_timeout_s,
        memory_bytes=settings.parse_memory_bytes,
        documents_per_child=settings.parse_recycle_after,
    )
    return ParserPool(
        extract_article, slots=min(settings.parsers, settings.slots), limits=limits, metrics=metrics, preload=PRELOAD
    )


def build_worker(  # noqa: PLR0913 - each is one thing that a worker stands on
    settings: Settings,
    fetcher: Fetcher,
    parser: ParserPool[RawDocument, Article],
    metrics: Metrics,
    *,
    retry: RetryPolicy | None = None,
    requests: Requests | None = None,
) -> Worker:
    """Returns the worker that decides deliveries. `retry` replaces the policy of the settings."""
    policy = retry or RetryPolicy(delays_s=settings.retry_delays_s)
    limits = WorkerLimits(
        job_timeout_s=settings.job_timeout_s, preview_timeout_s=settings.preview_timeout_s, retry=policy
    )
    return Worker(fetcher=fetcher, parser=parser, metrics=metrics, clock=now, limits=limits, requests=requests)
