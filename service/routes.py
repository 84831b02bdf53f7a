"""The routes: each operation of `service.api` with the handler that carries it out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler

from service.about import get_asyncapi, get_docs, get_docs_file, get_index, get_openapi, get_schema
from service.api import (
    about,
    acts,
    batches,
    callbacks,
    capacity,
    consumers,
    dead,
    event_tokens,
    events,
    extract,
    lookups,
    posting,
    replays,
    webhooks,
)
from service.api.operation import Operation
from service.capacity import get_capacity
from service.dead import drop_dead, drop_many, list_dead, retry_dead, retry_many, show_dead
from service.events.consumers import commit_offset, list_consumers, remove_consumer
from service.events.feed import get_events
from service.events.tokens import make_event_token
from service.lookups.batches import close_batch, list_batches, show_batch
from service.lookups.document_acts import cancel_document, erase_document, rerun_document
from service.lookups.document_list import list_documents
from service.lookups.document_view import show_document
from service.posting.callbacks import show_callback_secret
from service.posting.extract import extract_document
from service.posting.media_types import post_documents
from service.refusals import get_problem
from service.replays.download import get_replayed
from service.replays.replays import cancel_replay, list_replays, make_replay, resume_replay, show_replay
from service.webhooks.deliveries import deliver_again, list_deliveries, test_webhook
from service.webhooks.webhooks import change_webhook, list_webhooks, make_webhook, remove_webhook, show_webhook


@dataclass(frozen=True, slots=True)
class Route:
    """An operation, and what carries it out. `head`: a GET that answers HEAD, too."""

    operation: Operation
    handler: Handler
    head: bool = False


ROUTES: Final = (
    Route(posting.POST_DOCUMENT, post_documents),
    Route(extract.EXTRACT_DOCUMENT, extract_document),
    Route(lookups.LIST_DOCUMENTS, list_documents, head=True),
    Route(lookups.SHOW_DOCUMENT, show_document, head=True),
    Route(acts.ERASE_DOCUMENT, erase_document),
    Route(acts.CANCEL_DOCUMENT, cancel_document),
    Route(acts.RERUN_DOCUMENT, rerun_document),
    Route(batches.LIST_BATCHES, list_batches, head=True),
    Route(batches.SHOW_BATCH, show_batch, head=True),
    Route(batches.CLOSE_BATCH, close_batch),
    Route(events.GET_EVENTS, get_events),
    Route(event_tokens.MAKE_EVENT_TOKEN, make_event_token),
    Route(callbacks.SHOW_CALLBACK_SECRET, show_callback_secret, head=True),
    Route(consumers.LIST_CONSUMERS, list_consumers, head=True),
    Route(consumers.COMMIT_OFFSET, commit_offset),
    Route(consumers.REMOVE_CONSUMER, remove_consumer),
    Route(dead.LIST_DEAD, list_dead),
    Route(dead.DROP_MANY, drop_many),
    Route(dead.RETRY_MANY, retry_many),
    Route(dead.SHOW_DEAD, show_dead),
    Route(dead.DROP_DEAD, drop_dead),
    Route(dead.RETRY_DEAD, retry_dead),
    Route(webhooks.LIST_WEBHOOKS, list_webhooks, head=True),
    Route(webhooks.MAKE_WEBHOOK, make_webhook),
    Route(webhooks.SHOW_WEBHOOK, show_webhook, head=True),
    Route(webhooks.CHANGE_WEBHOOK, change_webhook),
    Route(webhooks.REMOVE_WEBHOOK, remove_webhook),
    Route(webhooks.TEST_WEBHOOK, test_webhook),
    Route(webhooks.LIST_DELIVERIES, list_deliveries, head=True),
    Route(webhooks.DELIVER_AGAIN, deliver_again),
    Route(replays.LIST_REPLAYS, list_replays, head=True),
    Route(replays.MAKE_REPLAY, make_replay),
    Route(replays.SHOW_REPLAY, show_replay, head=True),
    Route(replays.GET_REPLAYED, get_replayed),
    Route(replays.CANCEL_REPLAY, cancel_replay),
    Route(replays.RESUME_REPLAY, resume_replay),
    Route(capacity.GET_CAPACITY, get_capacity, head=True),
    Route(about.GET_INDEX, get_index, head=True),
    Route(about.GET_PROBLEM, get_problem, head=True),
    Route(about.GET_OPENAPI, get_openapi, head=True),
    Route(about.GET_ASYNCAPI, get_asyncapi, head=True),
    Route(about.GET_SCHEMA, get_schema, head=True),
    Route(about.GET_DOCS, get_docs, head=True),
    Route(about.GET_DOCS_FILE, get_docs_file, head=True),
)


def operations() -> Sequence[Operation]:
    """Returns the operations of all routes."""
    return [route.operation for route in ROUTES]


def definitions() -> Sequence[web.RouteDef]:
    """Returns the routes as aiohttp takes them."""
    return [
        web.get(route.operation.path, route.handler, allow_head=route.head)
        if route.operation.method == "GET"
        else web.route(route.operation.method, route.operation.path, route.handler)
        for route in ROUTES
    ]
