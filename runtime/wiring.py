"""The one place where settings become objects that know each other."""

import asyncio
import os
import platform
from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from typing import Any

from aiohttp import web
from prometheus_client import (
    CollectorRegistry,
    GCCollector,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
)

from contract.article import Article
from contract.broker import Broker
from contract.codec import MAX_JOB_BYTES
from contract.metrics import Metrics
from runtime.auditor import Auditor
from runtime.brokers.embedded import EmbeddedBroker, FolderInUseError
from runtime.brokers.rabbit import RabbitBroker, RabbitLimits
from runtime.brokers.rabbit.consumer import in_flight_jobs
from runtime.brokers.rabbit.gauges import RabbitQueues
from runtime.errors import StartError
from runtime.fetching import open_fetcher
from runtime.gauges import Queues, keep_gauges
from runtime.ops import build_ops_app
from runtime.process import listening, run_roles
from runtime.settings import Settings
from service.app import IntakeLimits, build_app
from service.keys import ApiKeys, InvalidApiKeyError, OpenListenerError, refuse_open_listener
from workers.children.pool import ParserLimits, ParserPool
from workers.document import RawDocument
from workers.fetch import Fetcher
from workers.parse_task import PRELOAD, extract_article
from workers.retry import RetryPolicy
from workers.worker import Worker, WorkerLimits

_Role = Callable[[asyncio.Event], Coroutine[Any, Any, None]]  # sets the event when it takes part

_GAUGES_EVERY_S = 5.0
_GAUGES_TIMEOUT_S = 2.0


async def run(settings: Settings, *, serve: bool, work: bool) -> bool:
    """Runs the asked roles in this process until it is told to stop; returns whether all in hand was finished.

    Raises:
        StartError: the settings do not allow it, an address is taken, or the data folder is in use.
    """
    if work:
        refuse_to_hold_too_much(settings)
    metrics = build_metrics("up" if serve and work else "serve" if serve else "work")
    try:
        async with open_broker(settings, metrics) as broker:
            return await _run(settings, broker, metrics, serve=serve, work=work)
    except FolderInUseError as error:
        raise StartError(str(error)) from None


async def _run(settings: Settings, broker: Broker, metrics: Metrics, *, serve: bool, work: bool) -> bool:
    stop = asyncio.Event()
    roles: dict[str, _Role] = {}
    if serve:
        roles["api"] = partial(_serve, build_api(settings, broker, metrics), settings, stop)
    if work:
        roles["worker"] = partial(_work, settings, broker, metrics, stop)
    started = {name: asyncio.Event() for name in roles}

    async def readiness() -> dict[str, bool]:
        states = {name: event.is_set() and not stop.is_set() for name, event in started.items()}
        return {"broker": await broker.ready(), **states}

    ops = build_ops_app(metrics.registry, readiness)
    async with _listening(ops, settings.ops_host, settings.ops_port, "ops", settings):
        ready_roles = [partial(role, started[name]) for name, role in roles.items()]
        if serve:  # all of them would tell the same, and workers have enough to do
            ready_roles.append(partial(_keep_gauges, settings, broker, metrics, stop))
        return await run_roles(ready_roles, stop, settings.shutdown_timeout_s)


async def _keep_gauges(settings: Settings, broker: Broker, metrics: Metrics, stop: asyncio.Event) -> None:
    async with AsyncExitStack() as stack:
        if isinstance(broker, EmbeddedBroker):
            queues: Queues = broker
        elif settings.amqp_url is not None:
            url = settings.amqp_url.get_secret_value()
            queues = await stack.enter_async_context(RabbitQueues(url, settings.topology(), RabbitLimits()))
        else:
            return
        await keep_gauges(queues, metrics, stop, every_s=_GAUGES_EVERY_S, timeout_s=_GAUGES_TIMEOUT_S)


async def run_audit(settings: Settings, auditor: Auditor, every_s: float) -> None:
    """Audits every `every_s` seconds, with gauges on the ops port, until the process is told to stop.

    Raises:
        StartError: the address is taken.
    """
    metrics = build_metrics("audit")
    stop = asyncio.Event()

    async def readiness() -> dict[str, bool]:
        return {"auditing": not stop.is_set()}

    async with _listening(
        build_ops_app(metrics.registry, readiness), settings.ops_host, settings.ops_port, "ops", settings
    ):
        await run_roles([partial(auditor.watch, every_s, metrics, stop)], stop, settings.shutdown_timeout_s)


async def _serve(app: web.Application, settings: Settings, stop: asyncio.Event, started: asyncio.Event) -> None:
    async with _listening(app, settings.host, settings.port, "api", settings):
        started.set()
        await stop.wait()


async def _work(
    settings: Settings, broker: Broker, metrics: Metrics, stop: asyncio.Event, started: asyncio.Event
) -> None:
    async with (
        open_fetcher(settings, metrics, broker.lease) as fetcher,
        build_parser(settings, metrics) as parser,
    ):
        started.set()
        worker = build_worker(settings, fetcher, parser, metrics)
        await broker.consume(worker.handle, slots=settings.slots, stop=stop)


def _listening(
    app: web.Application, host: str, port: int, what: str, settings: Settings
) -> AbstractAsyncContextManager[None]:
    return listening(app, host, port, what=what, shutdown_timeout_s=settings.shutdown_timeout_s)


def build_metrics(role: str) -> Metrics:
    """Returns the metrics of this process, with what prometheus-client knows of process, platform and collector."""
    disable_created_metrics()  # type: ignore[no-untyped-call] # a second series for each counter, which nothing reads
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)
    metrics = Metrics(registry)
    metrics.build_info.labels(version("copydesk"), platform.python_version(), role).set(1)
    return metrics


def open_broker(settings: Settings, metrics: Metrics) -> AbstractAsyncContextManager[Broker]:
    """Returns the broker: RabbitMQ where a URL is set, else the embedded one."""
    if settings.amqp_url is None:
        return EmbeddedBroker(settings.data, metrics=metrics, delivery_limit=settings.delivery_limit)
    limits = RabbitLimits(publish_timeout_s=settings.publish_timeout_s)
    url = settings.amqp_url.get_secret_value()
    return RabbitBroker(url, metrics=metrics, topology=settings.topology(), limits=limits)


def refuse_to_hold_too_much(settings: Settings) -> None:
    """Refuses slots whose deliveries, each as large as a job may be, go beyond `max_in_flight_bytes`.

    Raises:
        StartError: they do.
    """
    jobs = settings.slots if settings.amqp_url is None else in_flight_jobs(settings.slots)
    if jobs * MAX_JOB_BYTES > settings.max_in_flight_bytes:
        raise StartError(
            f"with {settings.slots} slots up to {jobs} documents of {MAX_JOB_BYTES:,} bytes are held at once: "
            f"{jobs * MAX_JOB_BYTES:,} bytes, over the limit of {settings.max_in_flight_bytes:,}; "
            f"lower COPYDESK_SLOTS, or raise COPYDESK_MAX_IN_FLIGHT_BYTES where there is memory for it"
        )


def build_api(settings: Settings, broker: Broker, metrics: Metrics) -> web.Application:
    """Returns the HTTP application.

    Raises:
        StartError: it would listen beyond loopback without API keys.
    """
    try:
        keys = ApiKeys.from_plain(key.get_secret_value() for key in settings.api_keys)
        refuse_open_listener(settings.host, keys)
    except (InvalidApiKeyError, OpenListenerError) as error:
        raise StartError(str(error)) from None
    limits = IntakeLimits(
        max_body_bytes=settings.max_body_bytes,
        put_timeout_s=settings.publish_timeout_s,
        heartbeat_s=settings.heartbeat_s,
    )
    return build_app(broker=broker, keys=keys, limits=limits, metrics=metrics, clock=now)


def build_parser(settings: Settings, metrics: Metrics) -> ParserPool[RawDocument, Article]:
    """Returns the parser children that extract articles."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # else numpy reserves memory for a thread a core in each child
    limits = ParserLimits(
        wall_clock_s=settings.parse_timeout_s,
        memory_bytes=settings.parse_memory_bytes,
        documents_per_child=settings.parse_recycle_after,
    )
    return ParserPool(
        extract_article, slots=min(settings.parsers, settings.slots), limits=limits, metrics=metrics, preload=PRELOAD
    )


def build_worker(
    settings: Settings,
    fetcher: Fetcher,
    parser: ParserPool[RawDocument, Article],
    metrics: Metrics,
    retry: RetryPolicy | None = None,
) -> Worker:
    """Returns the worker that decides deliveries; `retry` instead of the policy that is set."""
    policy = retry or RetryPolicy(delays_s=settings.retry_delays_s)
    limits = WorkerLimits(job_timeout_s=settings.job_timeout_s, retry=policy)
    return Worker(fetcher=fetcher, parser=parser, metrics=metrics, clock=now, limits=limits)


def now() -> datetime:
    """Returns the time, aware, in UTC."""
    return datetime.now(UTC)
