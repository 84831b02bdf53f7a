"""The dependencies of the HTTP handlers, under typed application keys."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from aiohttp import web

from contract.addresses import AddressRule
from contract.batches import BatchSink
from contract.broker import DeadLetters, Decisions, EventLog, JobSink, Previews, QueueDepths, SubscriberQueues
from contract.charsets import Decode
from contract.consumers import ConsumerBook
from contract.ledger import Ledger
from contract.metrics import Metrics
from contract.replays import ReplayBook
from contract.requests import RequestSink
from contract.tracing import Tracer
from contract.webhooks import WebhookBook


class ApiBroker(
    JobSink,
    EventLog,
    DeadLetters,
    RequestSink,
    BatchSink,
    Decisions,
    Previews,
    QueueDepths,
    SubscriberQueues,
    Protocol,
):
    """The methods of a broker that the HTTP API needs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IntakeLimits:
    """Sizes and times of the HTTP API. The values are chosen, not measured.

    Attributes:
        max_body_bytes: the largest request body, after decompression. Its job may still exceed `MAX_JOB_BYTES`, because
            JSON needs escapes; that is checked separately.
        body_timeout_s: how long a caller may take to send the body.
        bulk_max_wait_s: for so long a document of many is offered again while the broker is away or full. Below the
            30 s after which proxies often cut connections that are silent.
        bulk_bytes: most bytes of the documents of one request that wait for their confirms, unless one has more.
        all_bulk_bytes: most bytes of those of all requests; beyond, each request may have one document that waits.
        put_timeout_s: how long the broker may take to confirm; then the caller gets 503. Above the broker's own
            timeout of 4 s, below the 5 s in which the API answers.
        heartbeat_s: how often an event stream gets a comment, which also detects that the client is gone.
            Proxies often cut connections that are silent for 30 s.
        send_timeout_s: how long an event stream may be stuck before it is closed.
        streams: how many event streams may be open at once; each holds a connection and a reader of the log.
        open_wait_s: how long an event stream waits before its headers for the broker to refuse the log position.
        max_wait_s: how long a request may ask to wait for a verdict (`Prefer: wait`). Proxies often cut connections
            that are silent for longer than 30 s.
        waiting_requests: how many requests may wait for a verdict at once; each holds a connection and a binding.
        extract_timeout_s: how long a preview may take: 10 s to be taken by a worker, 20 s of work, and a little more,
            so that the worker's own word comes first.
        extractions: how many previews may be under way at once.
    """

    max_body_bytes: int = 4 * 1024 * 1024
    body_timeout_s: float = 60.0
    bulk_max_wait_s: float = 20.0
    bulk_bytes: int = 8 * 1024 * 1024
    all_bulk_bytes: int = 64 * 1024 * 1024
    put_timeout_s: float = 4.5
    heartbeat_s: float = 15.0
    send_timeout_s: float = 30.0
    streams: int = 100
    open_wait_s: float = 0.2
    max_wait_s: float = 30.0
    waiting_requests: int = 200
    extract_timeout_s: float = 32.0
    extractions: int = 20


@dataclass(frozen=True, slots=True)
class Keeping:
    """What is kept of documents. `input`: their content, for further runs. `log`: how much the log holds, by unit."""

    input: bool = False
    log: Mapping[str, int] = field(default_factory=dict)


BROKER = web.AppKey("BROKER", ApiBroker)
KEEPING = web.AppKey("KEEPING", Keeping)
LIMITS = web.AppKey("LIMITS", IntakeLimits)
METRICS = web.AppKey("METRICS", Metrics)
TRACER: web.AppKey[Tracer] = web.AppKey("TRACER")
DECODE: web.AppKey[Decode] = web.AppKey("DECODE")
LEDGER: web.AppKey[Ledger | None] = web.AppKey("LEDGER")
CONSUMERS: web.AppKey[ConsumerBook | None] = web.AppKey("CONSUMERS")
REPLAYS: web.AppKey[ReplayBook | None] = web.AppKey("REPLAYS")
RECEIVERS = web.AppKey("RECEIVERS", AddressRule)
WEBHOOKS: web.AppKey[WebhookBook | None] = web.AppKey("WEBHOOKS")
CALLBACK_SECRET: web.AppKey[str | None] = web.AppKey("CALLBACK_SECRET")
CLOCK: web.AppKey[Callable[[], datetime]] = web.AppKey("CLOCK")
