"""Builds the objects of a process from its settings. `working` builds those of a worker."""

import asyncio
import gc
import platform
import secrets
from collections.abc import Callable, Coroutine, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass, replace
from functools import partial
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Protocol

from aiohttp import web
from prometheus_client import (
    CollectorRegistry,
    GCCollector,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
)

from contract.addresses import AddressRule
from contract.batches import BatchSink
from contract.broker import Broker, BrokerUnavailable, QueueDepths
from contract.consumers import ConsumerBook
from contract.labels import Listener, ProcessRole
from contract.ledger import Ledger
from contract.metrics import Metrics
from contract.quotas import Counter
from contract.replays import ReplayBook
from contract.requests import RequestSink
from contract.streams import Streams
from contract.timestamps import now
from contract.topology import PREVIEW_WAIT_S
from contract.webhooks import WebhookBook
from runtime.auditor import Auditor
from runtime.errors import StartError
from runtime.gauges import keep_gauges
from runtime.ops import Gather, Readiness, build_ops_app
from runtime.process import ListenAddress, grant_descriptors, listening, run_roles
from runtime.settings import Settings
from service.access.keys import ApiKeys, InvalidApiKeyError, OpenListenerError, is_loopback, refuse_open_listener
from service.access.stored_keys import StoredKeys
from service.app import ApiBroker, IntakeLimits, Keeping, build_app
from service.http.connections import ConnectionLimits
from service.http.hosts import Hosts
from workers.decode import decode

if TYPE_CHECKING:
    from runtime.ledger.recorder import Recorder

_Role = Callable[[Callable[[], None]], Coroutine[Any, Any, None]]  # calls its argument when it has started


class _WholeBroker(Broker, RequestSink, BatchSink, Streams, Protocol):
    """The methods that both brokers have."""


_GAUGES_EVERY_S = 5.0  # chosen: a third of the scrape interval in deploy/prometheus/prometheus.yml
_GAUGES_TIMEOUT_S = 2.0  # chosen: under half of that, so a broker that does not answer is asked again before the scrape
_ANSWER_MARGIN_S = 2.0  # chosen: time for the worker's own answer that its time limit is over


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
        async with open_broker(settings, metrics) as broker, AsyncExitStack() as stack:
            roles: dict[str, _Role] = {}
            stop = asyncio.Event()
            if record:
                roles["recorder"] = partial(_record, await _open_recorder(settings, broker, metrics, stack), stop)
            if serve:
                ledger, keys = await _open_ledger(settings, stack), await _open_keys(settings, stack)
                consumers = await _open_consumers(settings, stack)
                webhooks, replays = await _open_webhooks(settings, stack)
                app = build_api(settings, broker, metrics, ledger, keys, consumers, webhooks, replays)
                roles["api"] = partial(_serve, app, settings, metrics, stop, shared=ops_socket is not None)
                if keys is not None:
                    roles["keys"] = partial(_keep_keys, keys.stored, metrics, stop)
            if work:
                roles["worker"] = partial(working.work, settings, broker, metrics, stop)
            if deliver:
                roles["deliverer"] = partial(delivering.deliver, settings, broker, metrics, stop)
            return await _run(settings, broker, metrics, roles, stop, ready, ops_socket)
    except BrokerUnavailable as error:  # the embedded broker's file is damaged, or is not a database
        raise StartError(str(error)) from None


async def _run(  # noqa: PLR0913, PLR0917 - the arguments of `run`, and what it opened
    settings: Settings,
    broker: Broker,
    metrics: Metrics,
    roles: Mapping[str, _Role],
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

    async with ops(settings, metrics, readiness, unix=ops_socket):
        await broker.ready()  # connects, so that a wrong address is reported at start, not at the first document
        ready_roles = [partial(role, partial(begin, name)) for name, role in roles.items()]
        if "api" in roles:  # all processes would report the same numbers
            ready_roles.append(partial(_keep_gauges, broker, metrics, stop))
        return await run_roles(ready_roles, stop, settings.shutdown_timeout_s)


async def _open_ledger(settings: Settings, stack: AsyncExitStack) -> Ledger | None:
    url = settings.ledger()
    if url is None:
        return None
    from runtime.ledger import opening  # noqa: PLC0415 - loads SQLAlchemy, which is not always needed

    return await stack.enter_async_context(opening.open_ledger(url))


async def _open_consumers(settings: Settings, stack: AsyncExitStack) -> ConsumerBook | None:
    url = settings.ledger()
    if url is None:
        return None
    from runtime.ledger import opening  # noqa: PLC0415 - loads SQLAlchemy, which is not always needed

    return await stack.enter_async_context(opening.open_consumers(url))


async def _open_webhooks(
    settings: Settings, stack: AsyncExitStack
) -> tuple[WebhookBook, ReplayBook] | tuple[None, None]:
    url = settings.ledger()
    if url is None:
        return None, None
    from runtime.ledger import opening  # noqa: PLC0415 - loads SQLAlchemy, which is not always needed

    return await stack.enter_async_context(opening.open_webhooks(url))


@dataclass(frozen=True, slots=True)
class KeysInUse:
    """The API keys of the ledger as the API takes them. `counter`: as in `build_app`."""

    stored: StoredKeys
    counter: Counter | None


async def _open_keys(settings: Settings, stack: AsyncExitStack) -> KeysInUse | None:
    """Returns the keys of the ledger, read for the first time; None if they are not turned on."""
    if settings.keys_secret is None:
        return None
    url = settings.ledger()
    if url is None:
        raise StartError("COPYDESK_KEYS_SECRET is set, but no ledger keeps the API keys: set COPYDESK_LEDGER_URL, too")
    from runtime.ledger import opening  # noqa: PLC0415 - loads SQLAlchemy, which is not always needed

    keys = await stack.enter_async_context(opening.open_keys(url))
    secret = settings.keys_secret.get_secret_value()
    stored = StoredKeys(keys.book, secret, outage_s=settings.keys_outage_s, clock=now)
    await stored.refresh()
    return KeysInUse(stored, keys.counter)


async def _keep_keys(stored: StoredKeys, metrics: Metrics, stop: asyncio.Event, started: Callable[[], None]) -> None:
    started()
    await stored.keep(metrics, stop)


async def _open_recorder(
    settings: Settings, broker: _WholeBroker, metrics: Metrics, stack: AsyncExitStack
) -> "Recorder":
    from runtime.ledger import opening  # noqa: PLC0415 - loads SQLAlchemy, which is not always needed

    await opening.make_own(settings)
    return await stack.enter_async_context(opening.open_recorder(settings, broker, metrics))


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

    async with ops(settings, metrics, readiness):
        await run_roles([partial(auditor.watch, every_s, metrics, stop)], stop, settings.shutdown_timeout_s)


async def _serve(  # noqa: PLR0913 - the arguments of `run`, and what it opened
    app: web.Application,
    settings: Settings,
    metrics: Metrics,
    stop: asyncio.Event,
    started: Callable[[], None],
    *,
    shared: bool,
) -> None:
    address = ListenAddress(Listener.API, settings.host, settings.port, connection_limits(settings), shared)
    async with listening(app, address, metrics, shutdown_timeout_s=settings.shutdown_timeout_s):
        started()
        await stop.wait()


def ops(
    settings: Settings,
    metrics: Metrics,
    readiness: Readiness,
    gather: Gather | None = None,
    *,
    unix: str | None = None,
) -> AbstractAsyncContextManager[None]:
    """Returns the ops port, or the Unix socket in its place. See `build_ops_app`.

    Beyond loopback it accepts any IP address as Host: Prometheus and probes use addresses.
    """
    hosts = Hosts.of(settings.ops_host, settings.hosts, addresses=not is_loopback(settings.ops_host))
    limits = replace(
        connection_limits(settings),
        connections=settings.max_ops_connections,
        connections_per_address=max(1, settings.max_ops_connections // 2),
    )
    address = ListenAddress(Listener.OPS, settings.ops_host, settings.ops_port, limits, unix=unix)
    app = build_ops_app(metrics, readiness, hosts, gather)
    return listening(app, address, metrics, shutdown_timeout_s=settings.shutdown_timeout_s)


def _operators(settings: Settings, keys: ApiKeys) -> frozenset[str]:
    unknown = set(settings.operators) - keys.owners
    if unknown:
        raise StartError(f"COPYDESK_OPERATORS: no API key has the name {', '.join(sorted(unknown))}")
    return frozenset(settings.operators)


def keeping(settings: Settings) -> Keeping:
    """Returns what is kept of documents. On the embedded broker the log is bounded in events, on RabbitMQ in days."""
    if settings.amqp_url is not None:
        return Keeping(settings.keep_input, {"days": settings.log_days, "bytes": settings.log_bytes})
    from runtime.brokers.embedded import EmbeddedLimits  # noqa: PLC0415 - one broker or the other

    return Keeping(settings.keep_input, {"events": EmbeddedLimits().max_log_events})


def connection_limits(settings: Settings) -> ConnectionLimits:
    """Returns the limits of connections to the API."""
    return ConnectionLimits(
        first_byte_timeout_s=settings.first_byte_timeout_s,
        header_timeout_s=settings.header_timeout_s,
        idle_timeout_s=settings.idle_timeout_s,
        send_timeout_s=settings.send_timeout_s,
        connections=settings.max_connections,
        connections_per_address=settings.max_connections_per_address,
    )


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


def open_broker(settings: Settings, metrics: Metrics) -> AbstractAsyncContextManager[_WholeBroker]:
    """Returns the broker: RabbitMQ if a URL is set, else the embedded one."""
    if settings.amqp_url is None:
        from runtime.brokers.embedded import EmbeddedBroker, EmbeddedLimits  # noqa: PLC0415 - one broker or the other

        bounds = EmbeddedLimits(max_jobs=settings.intake_documents, max_bytes=settings.intake_bytes)
        return EmbeddedBroker(settings.data, metrics=metrics, limits=bounds, delivery_limit=settings.delivery_limit)
    from runtime.brokers.rabbit import RabbitBroker, RabbitLimits  # noqa: PLC0415 - the same

    limits = RabbitLimits(publish_timeout_s=settings.publish_timeout_s)
    url = settings.amqp_url.get_secret_value()
    return RabbitBroker(url, metrics=metrics, topology=settings.topology(), limits=limits)


def build_api(  # noqa: PLR0913, PLR0917 - what the API stands on
    settings: Settings,
    broker: ApiBroker,
    metrics: Metrics,
    ledger: Ledger | None = None,
    stored: KeysInUse | None = None,
    consumers: ConsumerBook | None = None,
    webhooks: WebhookBook | None = None,
    replays: ReplayBook | None = None,
) -> web.Application:
    """Returns the HTTP application. Without a `ledger` it cannot answer questions about documents.

    `stored` are the API keys of the ledger, if they are turned on.

    Raises:
        StartError: it would listen beyond loopback without API keys, or an operator has none.
    """
    try:
        keys = ApiKeys.from_plain(key.get_secret_value() for key in settings.api_keys)
        required = keys.required or stored is not None
        refuse_open_listener(settings.host, required=required)
    except (InvalidApiKeyError, OpenListenerError) as error:
        raise StartError(str(error)) from None
    limits = IntakeLimits(
        max_body_bytes=settings.max_body_bytes,
        body_timeout_s=settings.body_timeout_s,
        send_timeout_s=settings.send_timeout_s,
        streams=settings.max_event_streams,
        put_timeout_s=settings.publish_timeout_s,
        heartbeat_s=settings.heartbeat_s,
        max_wait_s=settings.max_wait_s,
        waiting_requests=settings.max_waiting_requests,
        extract_timeout_s=PREVIEW_WAIT_S + settings.preview_timeout_s + _ANSWER_MARGIN_S,
        extractions=settings.max_extractions,
    )
    guarded = bool(settings.hosts) or not required  # with keys there is no risk: a web page does not have one
    hosts = Hosts.of(settings.host, settings.hosts) if guarded else None
    return build_app(
        broker=broker,
        keys=keys,
        hosts=hosts,
        limits=limits,
        metrics=metrics,
        clock=now,
        decode=decode,
        ledger=ledger,
        keeping=keeping(settings),
        operators=_operators(settings, keys),
        stored_keys=None if stored is None else stored.stored,
        counter=None if stored is None else stored.counter,
        consumers=consumers,
        tokens_secret=_tokens_secret(settings),
        webhooks=webhooks,
        replays=replays,
        receivers=_receivers(settings),
    )


def _receivers(settings: Settings) -> AddressRule:
    try:
        return AddressRule(settings.webhook_allow, settings.webhook_allow_ports)
    except ValueError as error:
        raise StartError(f"settings: COPYDESK_WEBHOOK_ALLOW: {error}") from None


def _tokens_secret(settings: Settings) -> str | None:
    """Returns what event tokens are signed with. A server on the embedded broker is alone, so any secret will do."""
    given = settings.event_tokens_secret or settings.keys_secret
    if given is not None:
        return given.get_secret_value()
    return secrets.token_urlsafe() if settings.amqp_url is None else None
