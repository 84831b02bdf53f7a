"""The HTTP application: its routes and middlewares."""

from collections.abc import Callable
from datetime import datetime

from aiohttp import web

from contract.charsets import Decode
from contract.ledger import Ledger
from contract.metrics import Metrics
from service.context import (
    BROKER,
    CLOCK,
    DECODE,
    KEEPING,
    KEYS,
    LEDGER,
    LIMITS,
    METRICS,
    OPERATORS,
    ApiBroker,
    IntakeLimits,
    Keeping,
)
from service.dead import drop_dead, drop_many, list_dead, retry_dead, retry_many, show_dead
from service.document_acts import cancel_document, erase_document, rerun_document
from service.document_list import list_documents
from service.document_view import show_document
from service.documents import post_document
from service.events import STREAMS, Streams, close_streams, get_events
from service.hosts import HOSTS, Hosts, serve_known_hosts
from service.keys import ApiKeys
from service.middlewares import answer_problems, measure, name_server, refuse_odd_header, require_key
from service.problems import get_problem

__all__ = ["ApiBroker", "IntakeLimits", "Keeping", "build_app"]

_NOTHING_KEPT = Keeping()


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
) -> web.Application:
    """Returns the application of the HTTP API. It opens no connections: the caller connects `broker`.

    Args:
        broker: stores jobs, and gives access to the log and the dead letters.
        keys: the API keys for /v1/.
        hosts: the names that requests may use for this server, None for any name. Required if there are no keys.
        limits: sizes and times.
        metrics: counters and histograms.
        clock: returns the current time, aware.
        decode: turns the bytes of a document into text.
        ledger: answers questions about documents; None if no ledger is configured.
        keeping: what is kept of documents.
        operators: the names of API keys that see all dead letters, not only those of their own documents.
    """
    app = web.Application(
        middlewares=[measure, answer_problems, refuse_odd_header, serve_known_hosts, require_key],
        handler_args={"auto_decompress": False},  # `service.bodies` does it
    )
    app[BROKER] = broker
    app[KEYS] = keys
    app[HOSTS] = hosts
    app[LIMITS] = limits
    app[METRICS] = metrics
    app[CLOCK] = clock
    app[DECODE] = decode
    app[LEDGER] = ledger
    app[KEEPING] = keeping
    app[OPERATORS] = operators
    app[STREAMS] = Streams(limits.streams)
    app.on_response_prepare.append(name_server)
    app.on_shutdown.append(close_streams)
    app.add_routes(
        [
            web.get("/", get_index),
            web.get("/problems/{slug}", get_problem),
            web.post("/v1/documents", post_document),
            web.get("/v1/documents", list_documents),
            web.get("/v1/documents/{id}", show_document),
            web.delete("/v1/documents/{id}", erase_document),
            web.post("/v1/documents/{id}/cancel", cancel_document),
            web.post("/v1/documents/{id}/rerun", rerun_document),
            web.get("/v1/events", get_events, allow_head=False),
            web.get("/v1/dead", list_dead, allow_head=False),
            web.delete("/v1/dead", drop_many),
            web.post("/v1/dead/retry", retry_many),
            web.get("/v1/dead/{id}", show_dead, allow_head=False),
            web.delete("/v1/dead/{id}", drop_dead),
            web.post("/v1/dead/{id}/retry", retry_dead),
        ]
    )
    return app


async def get_index(_request: web.Request) -> web.Response:
    """Answers GET / with the name, version and routes of this server."""
    return web.json_response(
        {
            "name": "copydesk",
            "about": "Raw copy in, clean articles out.",
            "routes": {
                "POST /v1/documents": "submit a document: JSON, plain text, Markdown or HTML",
                "GET /v1/documents": "what became of documents, newest first; query: state, q and others",
                "GET /v1/documents/{id}": "what became of one, or its article; query: format, run",
                "DELETE /v1/documents/{id}": "erase one",
                "POST /v1/documents/{id}/cancel": "cancel one that is not decided",
                "POST /v1/documents/{id}/rerun": "process one again",
                "GET /v1/events": "the output events as server-sent events; query: pattern, last, after",
                "GET /v1/dead": "buried documents; query: reason, order, limit, after",
                "GET /v1/dead/{id}": "one of them; query: body",
                "POST /v1/dead/{id}/retry": "put its next run",
                "DELETE /v1/dead/{id}": "drop it",
                "POST /v1/dead/retry": "retry many; query: reason, or all=true",
                "DELETE /v1/dead": "drop many; query: reason, or all=true",
                "GET /problems/{slug}": "what a problem type means",
            },
        }
    )
