"""The HTTP application: its routes and middlewares."""

from collections.abc import Callable
from datetime import datetime

from aiohttp import web

from contract.addresses import AddressRule
from contract.charsets import Decode
from contract.consumers import ConsumerBook
from contract.event_tokens import signing_key
from contract.labels import WaitFor
from contract.ledger import Ledger
from contract.metrics import Metrics
from contract.quotas import Counter
from contract.replays import ReplayBook
from contract.tracing import OFF, Tracer
from contract.webhooks import WebhookBook
from service.about import DOCUMENT, ApiDocument
from service.access.event_tokens import EVENT_TOKENS, TAKE_TOKENS, EventTokens
from service.access.keys import ApiKeys
from service.access.known_keys import ACCESS, SCOPES, Access
from service.access.quotas import QUOTAS, Quotas, tell_standing
from service.access.stored_keys import StoredKeys
from service.capacity import LOAD, Load
from service.context import (
    BROKER,
    CALLBACK_SECRET,
    CLOCK,
    CONSUMERS,
    DECODE,
    KEEPING,
    LEDGER,
    LIMITS,
    METRICS,
    RECEIVERS,
    REPLAYS,
    TRACER,
    WEBHOOKS,
    ApiBroker,
    IntakeLimits,
    Keeping,
)
from service.events.consuming import CONSUMING, Consuming
from service.events.query import DECODED
from service.events.stream_filter import DecodedEvents
from service.events.streams import STREAMS, OpenStreams, close_streams
from service.http.hosts import HOSTS, Hosts, serve_known_hosts
from service.http.middlewares import answer_problems, measure, name_server, refuse_odd_header, require_key
from service.http.traces import trace
from service.posting.batches import CLOSED_BATCHES, ClosedBatches
from service.posting.idempotency import FIRST_BODIES, FirstBodies
from service.posting.media_types import TAKEN, tell_media_types
from service.posting.reading import READING, BodyReading, stop_reading
from service.posting.waits import WAITS, Waits, stop_waits
from service.routes import definitions, operations

__all__ = ["ApiBroker", "IntakeLimits", "Keeping", "build_app"]

_NOTHING_KEPT = Keeping()
_PUBLIC = AddressRule()


def build_app(  # noqa: PLR0913 - each is a separate dependency of the application
    *,
    broker: ApiBroker,
    keys: ApiKeys,
    hosts: Hosts | None,
    limits: IntakeLimits,
    metrics: Metrics,
    clock: Callable[[], datetime],
    decode: Decode,
    ledger: Ledger | None = None,
    keeping: Keeping = _NOTHING_KEPT,
    operators: frozenset[str] = frozenset(),
    stored_keys: StoredKeys | None = None,
    counter: Counter | None = None,
    consumers: ConsumerBook | None = None,
    tokens_secret: str | None = None,
    webhooks: WebhookBook | None = None,
    replays: ReplayBook | None = None,
    receivers: AddressRule = _PUBLIC,
    callback_secret: str | None = None,
    tracer: Tracer = OFF,
) -> web.Application:
    """Returns the application of the HTTP API. It opens no connections: the caller connects `broker`.

    Args:
        broker: stores jobs, and gives access to the log and the dead letters.
        keys: the API keys of the settings, for /v1/.
        hosts: the names that requests may use for this server, None for any name. Required if there are no keys.
        limits: sizes and times.
        metrics: counters and histograms.
        clock: returns the current time, aware.
        decode: turns the bytes of a document into text.
        ledger: answers questions about documents; None if no ledger is configured.
        keeping: what is kept of documents.
        operators: the names of API keys of the settings that have the scope `admin`.
        stored_keys: the API keys of the ledger, None if they are not used.
        counter: counts for all replicas what keys have posted; None: each counts alone.
        tokens_secret: event tokens are signed with it, the same for all replicas; None: there are no tokens.
        consumers: keeps named consumers; None if no ledger is configured.
        webhooks: keeps webhooks; None if no ledger is configured.
        replays: keeps replays; None if no ledger is configured.
        receivers: where webhooks and callbacks may lead.
        callback_secret: the secrets that sign callbacks are derived from it; None: there are no callbacks.
        tracer: makes the spans of requests.
    """
    app = web.Application(
        middlewares=[trace, measure, answer_problems, refuse_odd_header, serve_known_hosts, require_key],
        handler_args={"auto_decompress": False},  # `service.http.bodies` does it
    )
    app[BROKER] = broker
    app[ACCESS] = Access(keys, operators, stored_keys)
    app[SCOPES] = {(one.method, one.path): one.scope for one in operations() if one.scope is not None}
    app[TAKEN] = {(one.method, one.path): ", ".join(one.bodies) for one in operations()}
    app[EVENT_TOKENS] = None if tokens_secret is None else EventTokens(signing_key(tokens_secret), clock)
    app[TAKE_TOKENS] = frozenset((one.method, one.path) for one in operations() if one.takes_token)
    app[QUOTAS] = Quotas(counter)
    app[HOSTS] = hosts
    app[LIMITS] = limits
    app[METRICS] = metrics
    app[TRACER] = tracer
    app[CLOCK] = clock
    app[DECODE] = decode
    app[LEDGER] = ledger
    app[CONSUMERS] = consumers
    app[CONSUMING] = Consuming()
    app[WEBHOOKS] = webhooks
    app[REPLAYS] = replays
    app[RECEIVERS] = receivers
    app[CALLBACK_SECRET] = callback_secret
    app[FIRST_BODIES] = FirstBodies(ledger)
    app[CLOSED_BATCHES] = ClosedBatches(ledger)
    app[KEEPING] = keeping
    app[STREAMS] = OpenStreams(limits.streams)
    app[DECODED] = DecodedEvents()
    most = {
        WaitFor.SUBMISSION: limits.waiting_requests,
        WaitFor.LOOKUP: limits.waiting_requests,
        WaitFor.EXTRACTION: limits.extractions,
    }
    app[WAITS] = Waits(most, metrics)
    app[LOAD] = Load()
    app[READING] = BodyReading()
    app[DOCUMENT] = ApiDocument(operations(), needs_key=app[ACCESS].required)
    app.on_response_prepare.append(name_server)
    app.on_response_prepare.append(tell_standing)
    app.on_response_prepare.append(tell_media_types)
    app.on_shutdown.append(close_streams)
    app.on_shutdown.append(stop_waits)
    app.on_shutdown.append(stop_reading)
    app.add_routes(definitions())
    return app
