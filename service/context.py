"""What the HTTP side is given when it is built, under typed application keys."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from aiohttp import web

from contract.broker import Broker
from contract.ledger import Ledger
from contract.metrics import Metrics
from service.keys import ApiKeys


@dataclass(frozen=True, slots=True, kw_only=True)
class IntakeLimits:
    """Sizes and times of the HTTP side.

    Attributes:
        max_body_bytes: the largest request body, after decompression.
        body_timeout_s: how long a caller may take to send the body.
        put_timeout_s: how long the broker may take to confirm; then the caller gets 503.
        heartbeat_s: how often an event stream gets a comment, which also finds out whether the reader is still there.
        send_timeout_s: how long an event stream may be stuck before it is cut.
        open_wait_s: how long an event stream waits before its headers for the broker to refuse the log position.
    """

    max_body_bytes: int = 4 * 1024 * 1024
    body_timeout_s: float = 60.0
    put_timeout_s: float = 4.5
    heartbeat_s: float = 15.0
    send_timeout_s: float = 30.0
    open_wait_s: float = 0.2


BROKER = web.AppKey("BROKER", Broker)
KEYS = web.AppKey("KEYS", ApiKeys)
LIMITS = web.AppKey("LIMITS", IntakeLimits)
METRICS = web.AppKey("METRICS", Metrics)
LEDGER: web.AppKey[Ledger | None] = web.AppKey("LEDGER")
CLOCK: web.AppKey[Callable[[], datetime]] = web.AppKey("CLOCK")
