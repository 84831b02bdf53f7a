"""Builds and runs a process from its settings. `serving`, `working` and `delivering` build their roles."""

import asyncio
import gc
import platform
import shutil
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from functools import partial
from importlib.metadata import version
from typing import TYPE_CHECKING, Protocol

from prometheus_client import (
    CollectorRegistry,
    GCCollector,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
)

from contract.batches import BatchSink
from contract.broker import Broker, BrokerUnavailable, QueueDepths
from contract.labels import Disk, ProcessRole
from contract.metrics import Metrics
from contract.requests import RequestSink
from contract.streams import Streams
from contract.tracing import OFF, Tracer
from runtime.auditor import Auditor
from runtime.errors import StartError
from runtime.gauges import keep_gauges
from runtime.ports import ops_port
from runtime.process import StartingRole, grant_descriptors, run_roles
from runtime.settings import Settings
from runtime.tracing import opened

if TYPE_CHECKING:
    from runtime.ledger.recorder import Recorder


class _WholeBroker(Broker, RequestSink, BatchSink, Streams, Protocol):
    """The methods that both brokers have."""


_GAUGES_EVERY_S = 5.0  # chosen: a third of the scrape interval in deploy/prometheus/prometheus.yml
_GAUGES_TIMEOUT_S = 2.0  # chosen: under half of that, so a broker that does not answer is asked again before the scrape


async def run(  # noqa: PLR0913 - the roles, and how the process is run
    settings: Settings,
    *,
    serve: bool = False,
    work: bool = False,
    record: bool = False,
    deliver: bool = False,
    ready: Callable[[], None] = lambda: None,
    ops_socket: str | None = None,
) -> bool:
    """Runs the given roles in this process until a signal stops it. Returns True if all work was finished.

    Calls `ready` once, when all roles have started. With `ops_socket` it is one of several processes that serve one
    port, and has that Unix socket in place of an ops port.

    Raises:
        StartError: the settings do not allow it, an address is in use, or the data folder is in use.
    """
    if work:
        from runtime import working  # noqa: PLC0415 - loads the fetcher, which serve does not need

        working.refuse_to_hold_too_much(settings)
    if deliver:
        from runtime import delivering  # noqa: PLC0415 - the same

        delivering.refuse_wrong_webhook_settings(settings)
    names = {
        ProcessRole.SERVE: serve,
        ProcessRole.WORK: work,
        ProcessRole.RECORD: record,
        ProcessRole.DELIVER: deliver,
    }
    role = ProcessRole.UP if all(names.values()) else next(name for name, asked in names.items() if asked)
    metrics = build_metrics(role)
    metrics.start_at_zero()
    clients, sites = settings.max_connections if serve else 0, settings.max_waiting if work else 0
    grant_descriptors(settings.max_ops_connections + clients + sites)
    try:
        async with (
            opened(settings, role) as tracer,
            open_broker(settings, metrics, tracer) as broker,
            AsyncExitStack() as stack,
        ):
            roles: dict[str, StartingRole] = {}
            stop = asyncio.Event()
            if record:
                roles["recorder"] = partial(
                    _record, await _open_recorder(settings, broker, metrics, tracer, stack), stop
                )
            if serve:
                from runtime import serving  # noqa: PLC0415 - loads the API, which other roles do not need

                shared = ops_socket is not None
                roles |= await serving.serving_roles(settings, broker, metrics, tracer, stop, stack, shared=shared)
            if work:
                roles["worker"] = partial(working.work, settings, broker, metrics, tracer, stop)
            if deliver:
                roles["deliverer"] = partial(delivering.deliver, settings, broker, metrics, tracer, stop)
            return await _run(settings, broker, metrics, roles, stop, ready, ops_socket)
    except BrokerUnavailable as error:  # the embedded broker's file is damaged, or is not a database
        raise StartError(str(error)) from None


async def _run(  # noqa: PLR0913, PLR0917 - the arguments of `run`, and what it opened
    settings: Settings,
    broker: Broker,
    metrics: Metrics,
    roles: Mapping[str, StartingRole],
    stop: asyncio.Event,
    ready: Callable[[], None],
    ops_socket: str | None,
) -> bool:
    started = dict.fromkeys(roles, False)

    def begin(name: str) -> None:
        started[name] = True
        if all(started.values()):
            gc.collect()  # what is garbage now would otherwise stay for good
            gc.freeze()  # what is loaded stays: without this, it is searched for garbage again and again
            ready()

    async def readiness() -> dict[str, bool]:
        states = {name: is_part and not stop.is_set() for name, is_part in started.items()}
        return {"broker": await broker.ready(), **states}

    async with ops_port(settings, metrics, readiness, unix=ops_socket):
        await broker.ready()  # connects, so that a wrong address is reported at start, not at the first document
        ready_roles = [partial(role, partial(begin, name)) for name, role in roles.items()]
        if "api" in roles:  # all processes would report the same numbers
            ready_roles.append(partial(_keep_gauges, broker, metrics, stop))
        return await run_roles(ready_roles, stop, settings.shutdown_timeout_s)


async def _open_recorder(
    settings: Settings, broker: _WholeBroker, metrics: Metrics, tracer: Tracer, stack: AsyncExitStack
) -> "Recorder":
    from runtime.ledger import opening  # noqa: PLC0415 - loads SQLAlchemy, which is not always needed

    await opening.make_own(settings)
    return await stack.enter_async_context(opening.open_recorder(settings, broker, metrics, tracer))


async def _record(recorder: "Recorder", stop: asyncio.Event, started: Callable[[], None]) -> None:
    started()
    await recorder.run(stop)


async def _keep_gauges(queues: QueueDepths, metrics: Metrics, stop: asyncio.Event) -> None:
    await keep_gauges(queues, metrics, stop, every_s=_GAUGES_EVERY_S, timeout_s=_GAUGES_TIMEOUT_S)


async def run_audit(settings: Settings, auditor: Auditor, every_s: float) -> None:
    """Audits every `every_s` seconds, with gauges on the ops port, until a signal stops the process.

    Raises:
        StartError: the address is in use.
    """
    metrics = build_metrics(ProcessRole.AUDIT)
    stop = asyncio.Event()

    async def readiness() -> dict[str, bool]:
        return {"auditing": not stop.is_set()}

    async with ops_port(settings, metrics, readiness):
        await run_roles([partial(auditor.watch, every_s, metrics, stop)], stop, settings.shutdown_timeout_s)


def build_metrics(role: ProcessRole) -> Metrics:
    """Returns the metrics of this process, with prometheus-client's for process, platform and garbage collector."""
    disable_created_metrics()  # type: ignore[no-untyped-call] # they would add a series to each counter, and nothing reads it
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)
    metrics = Metrics(registry)
    metrics.build_info.labels(version("copydesk"), platform.python_version(), role).set(1)
    return metrics


def open_broker(
    settings: Settings, metrics: Metrics, tracer: Tracer = OFF
) -> AbstractAsyncContextManager[_WholeBroker]:
    """Returns the broker: RabbitMQ if a URL is set, else the embedded one."""
    url = settings.rabbit_url()
    if url is None:
        from runtime.brokers.embedded import EmbeddedBroker, EmbeddedLimits  # noqa: PLC0415 - one broker or the other

        metrics.disk_free_bytes.labels(Disk.DATA).set_function(lambda: shutil.disk_usage(settings.data).free)
        bounds = EmbeddedLimits(max_jobs=settings.intake_documents, max_bytes=settings.intake_bytes)
        return EmbeddedBroker(
            settings.data, metrics=metrics, limits=bounds, delivery_limit=settings.delivery_limit, tracer=tracer
        )
    from runtime.brokers.rabbit import RabbitBroker, RabbitLimits  # noqa: PLC0415 - the same

    limits = RabbitLimits(publish_timeout_s=settings.publish_timeout_s)
    return RabbitBroker(url, metrics=metrics, topology=settings.topology(), limits=limits, tracer=tracer)
