"""Builds the objects of a worker from the settings: fetcher, parser children, and the worker itself.

It is separate from `wiring`, so that a process that only serves loads no fetcher and no parser pool.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Protocol

from contract.article import Article
from contract.broker import Broker
from contract.capacity import Capacity
from contract.codec import MAX_JOB_BYTES
from contract.metrics import Metrics
from contract.streams import Streams
from contract.timestamps import now
from contract.tracing import OFF, Tracer
from runtime.errors import StartError
from runtime.fetching import open_fetcher
from runtime.settings import Settings
from workers.children.pool import ParserLimits, ParserPool
from workers.document import RawDocument
from workers.duplicates import Duplicates
from workers.fetch import Fetcher
from workers.parse_task import PRELOAD, extract_article
from workers.requests import OwnerRequests
from workers.retry import RetryPolicy
from workers.worker import Worker, WorkerLimits


class WorkerBroker(Broker, Streams, Protocol):
    """What a worker needs of a broker."""


async def work(  # noqa: PLR0913, PLR0917 - what the role stands on
    settings: Settings,
    broker: WorkerBroker,
    metrics: Metrics,
    tracer: Tracer,
    stop: asyncio.Event,
    started: Callable[[], None],
) -> None:
    """Works on the broker's documents until `stop` is set. Calls `started` when it is ready for them.

    Raises:
        StartError: an address, a network or a file in the settings is invalid.
    """
    async with (
        open_fetcher(settings, metrics, broker.lease) as fetcher,
        build_parser(settings, metrics) as parser,
        _followed(broker, stop) as requests,
        _open_duplicates(settings) as duplicates,
    ):
        started()
        worker = build_worker(
            settings, fetcher, parser, metrics, requests=requests, duplicates=duplicates, tracer=tracer
        )
        await broker.consume(worker.handle, capacity=capacity_of(settings), stop=stop)


@asynccontextmanager
async def _open_duplicates(settings: Settings) -> AsyncIterator[Duplicates | None]:
    """Opens what finds duplicates: with the ledger, if there is one. None if they are not looked for."""
    window, url = timedelta(days=settings.duplicate_days), settings.ledger()
    if not window:
        yield None
        return
    if url is None:
        yield Duplicates(None, window)
        return
    from runtime.ledger import opening  # noqa: PLC0415 - loads SQLAlchemy, which is not always needed

    async with opening.open_signatures(url) as index:
        yield Duplicates(index, window)


@asynccontextmanager
async def _followed(streams: Streams, stop: asyncio.Event) -> AsyncIterator[OwnerRequests]:
    """Follows what owners ask for while the context is open. It opens when all that is on record is known.

    Raises:
        BrokerUnavailable: the broker failed for good, or was closed.
    """
    requests, caught_up = OwnerRequests(), asyncio.Event()
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


def capacity_of(settings: Settings) -> Capacity:
    """Returns how much a worker takes at once. Room for one page is kept, because one may exceed the limit."""
    return Capacity(
        slots=settings.slots,
        waiting=settings.max_waiting,
        held_bytes=settings.max_in_flight_bytes - settings.fetch_max_bytes,
    )


def refuse_to_hold_too_much(settings: Settings) -> None:
    """Refuses a `max_in_flight_bytes` that has no room for what a worker cannot help holding.

    Raises:
        StartError: there is none.
    """
    least_bytes = MAX_JOB_BYTES + settings.fetch_max_bytes
    if settings.amqp_url is not None:
        from runtime.brokers.rabbit.consumer import least_prefetched_bytes  # noqa: PLC0415 - loads aio-pika: one broker only

        least_bytes = least_prefetched_bytes(settings.slots) + settings.fetch_max_bytes
    if least_bytes > settings.max_in_flight_bytes:
        raise StartError(
            f"with {settings.slots} slots and pages of up to {settings.fetch_max_bytes:,} bytes a worker may be sent "
            f"{least_bytes:,} bytes before it knows how many they are, over the limit of "
            f"{settings.max_in_flight_bytes:,}: raise COPYDESK_MAX_IN_FLIGHT_BYTES where there is memory for it, "
            f"or lower COPYDESK_SLOTS or COPYDESK_FETCH_MAX_BYTES"
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
    requests: OwnerRequests | None = None,
    duplicates: Duplicates | None = None,
    tracer: Tracer = OFF,
) -> Worker:
    """Returns the worker that decides deliveries. `retry` replaces the policy of the settings."""
    policy = retry or RetryPolicy(delays_s=settings.retry_delays_s)
    limits = WorkerLimits(
        job_timeout_s=settings.job_timeout_s, preview_timeout_s=settings.preview_timeout_s, retry=policy
    )
    return Worker(
        fetcher=fetcher,
        parser=parser,
        metrics=metrics,
        clock=now,
        limits=limits,
        requests=requests,
        duplicates=duplicates,
        tracer=tracer,
    )
