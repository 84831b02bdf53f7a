"""A client for Copydesk: post documents, wait for articles, subscribe to events.

client          connect, Client: all calls
bulk, source    many documents in one request, and what is sent again
subscription    events without repeats, over streams that break off
webhooks        whether a webhook is genuine
events          the types of events
schemas         the types of everything that is sent, generated
problems        the exceptions
retries, waits  how long is waited for what
http            single requests
"""

from copydesk_client.bulk import Outcome
from copydesk_client.client import Client, connect
from copydesk_client.events import Event, Verdict
from copydesk_client.problems import (
    Busy,
    Conflict,
    CopydeskError,
    Erased,
    Invalid,
    KeyReused,
    Missing,
    NotAllowed,
    NotConfigured,
    PositionGone,
    Problem,
    QuotaExceeded,
    ServerError,
    StreamEnded,
    TakesTooLong,
    Unreachable,
)
from copydesk_client.schemas import Article, Receipt, Submission
from copydesk_client.subscription import Delivery, Seen
from copydesk_client.webhooks import BadSignature, verified

__all__ = [
    "Article",
    "BadSignature",
    "Busy",
    "Client",
    "Conflict",
    "CopydeskError",
    "Delivery",
    "Erased",
    "Event",
    "Invalid",
    "KeyReused",
    "Missing",
    "NotAllowed",
    "NotConfigured",
    "Outcome",
    "PositionGone",
    "Problem",
    "QuotaExceeded",
    "Receipt",
    "Seen",
    "ServerError",
    "StreamEnded",
    "Submission",
    "TakesTooLong",
    "Unreachable",
    "Verdict",
    "connect",
    "verified",
]
