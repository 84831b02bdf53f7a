"""Builds the role `serve` from the settings: the HTTP API. Apart from `wiring`, so that other roles do not load it."""

import asyncio
import secrets
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial

from aiohttp import web

from contract.addresses import AddressRule
from contract.consumers import ConsumerBook
from contract.job import Lane
from contract.ledger import Ledger
from contract.metrics import Metrics
from contract.quotas import Counter
from contract.replays import ReplayBook
from contract.timestamps import now
from contract.topology import PREVIEW_WAIT_S, lane_queue
from contract.tracing import OFF, Tracer
from contract.webhooks import WebhookBook
from runtime.errors import StartError
from runtime.ports import api_port
from runtime.process import StartingRole
from runtime.settings import Settings
from service.access.keys import ApiKeys, InvalidApiKeyError, OpenListenerError, refuse_open_listener
from service.access.stored_keys import StoredKeys
from service.app import ApiBroker, IntakeLimits, Keeping, build_app
from service.http.hosts import Hosts
from workers.decode import decode

_ANSWER_MARGIN_S = 2.0  # chosen: time for the worker's own answer that its time limit is over


@dataclass(frozen=True, slots=True)
class LedgerParts:
    """What the API reads and writes in the ledger; all None without one."""

    documents: Ledger | None = None
    consumers: ConsumerBook | None = None
    webhooks: WebhookBook | None = None
    replays: ReplayBook | None = None


@dataclass(frozen=True, slots=True)
class KeysInUse:
    """The API keys of the ledger as the API takes them. `counter`: as in `build_app`."""

    stored: StoredKeys
    counter: Counter | None


async def serving_roles(  # noqa: PLR0913, PLR0917 - what the API stands on
    settings: Settings,
    broker: ApiBroker,
    metrics: Metrics,
    tracer: Tracer,
    stop: asyncio.Event,
    stack: AsyncExitStack,
    *,
    shared: bool,
) -> dict[str, StartingRole]:
    """Returns the API, and what reads the API keys of the ledger if they are turned on. `stack` closes what they use.

    `shared`: several processes serve the port.

    Raises:
        StartError: the settings do not allow it, or the ledger cannot be used.
    """
    for lane in Lane:
        metrics.queue_limit.labels(lane_queue(lane)).set(settings.intake_documents)
    ledger, keys = await _open_ledger(settings, stack), await _open_keys(settings, stack)
    app = build_api(settings, broker, metrics, ledger, keys, tracer)
    roles: dict[str, StartingRole] = {"api": partial(_serve, app, settings, metrics, stop, shared=shared)}
    if keys is not None:
        roles["keys"] = partial(_keep_keys, keys.stored, metrics, stop)
    return roles


async def _open_ledger(settings: Settings, stack: AsyncExitStack) -> LedgerParts:
    url = settings.ledger()
    if url is None:
        return LedgerParts()
    from runtime.ledger import opening  # noqa: PLC0415 - loads SQLAlchemy, which is not always needed

    return LedgerParts(
        await stack.enter_async_context(opening.open_ledger(url)),
        await stack.enter_async_context(opening.open_consumers(url)),
        *await stack.enter_async_context(opening.open_webhooks(url)),
    )


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


async def _serve(  # noqa: PLR0913 - what is served, and how
    app: web.Application,
    settings: Settings,
    metrics: Metrics,
    stop: asyncio.Event,
    started: Callable[[], None],
    *,
    shared: bool,
) -> None:
    async with api_port(app, settings, metrics, shared=shared):
        started()
        await stop.wait()


def build_api(  # noqa: PLR0913, PLR0917 - what the API stands on
    settings: Settings,
    broker: ApiBroker,
    metrics: Metrics,
    ledger: LedgerParts,
    stored: KeysInUse | None,
    tracer: Tracer = OFF,
) -> web.Application:
    """Returns the HTTP application. Without a ledger it cannot answer questions about documents.

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
        ledger=ledger.documents,
        keeping=keeping(settings),
        operators=_operators(settings, keys),
        stored_keys=None if stored is None else stored.stored,
        counter=None if stored is None else stored.counter,
        consumers=ledger.consumers,
        tokens_secret=_tokens_secret(settings),
        webhooks=ledger.webhooks,
        replays=ledger.replays,
        receivers=_receivers(settings),
        callback_secret=None if settings.callback_secret is None else settings.callback_secret.get_secret_value(),
        tracer=tracer,
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


def keeping(settings: Settings) -> Keeping:
    """Returns what is kept of documents. On the embedded broker the log is bounded in events, on RabbitMQ in days."""
    if settings.amqp_url is not None:
        return Keeping(settings.keep_input, {"days": settings.log_days, "bytes": settings.log_bytes})
    from runtime.brokers.embedded import EmbeddedLimits  # noqa: PLC0415 - one broker or the other

    return Keeping(settings.keep_input, {"events": EmbeddedLimits().max_log_events})


def _operators(settings: Settings, keys: ApiKeys) -> frozenset[str]:
    unknown = set(settings.operators) - keys.owners
    if unknown:
        raise StartError(f"COPYDESK_OPERATORS: no API key has the name {', '.join(sorted(unknown))}")
    return frozenset(settings.operators)
