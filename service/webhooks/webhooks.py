"""Makes, lists, shows, changes and removes webhooks."""

import asyncio
from datetime import datetime
from typing import Final

import orjson
import structlog
from aiohttp import hdrs, web

from contract.addresses import BlockedAddressError, BlockedPortError
from contract.broker import BrokerError, BrokerUnavailable
from contract.faults import Fault
from contract.keys import Scope
from contract.webhook_request import WebhookError, WebhookRequest, changed, made, parse_request
from contract.webhooks import Documents
from service import problems
from service.access.callers import check_scope
from service.access.known_keys import CALLER, owner_seen
from service.api.answers import WebhookList, present
from service.api.operation import JSON
from service.api.webhooks import CHANGE_WEBHOOK, LIST_WEBHOOKS, MAKE_WEBHOOK, REMOVE_WEBHOOK, SHOW_WEBHOOK
from service.context import BROKER, CLOCK, RECEIVERS
from service.http.bodies import read_body
from service.http.middlewares import OWNER
from service.http.parameters import check_parameters
from service.lookups.ledger import asked, missing, tagged
from service.refusals import Problem, ProblemError, broker_refusal
from service.webhooks.lookup import book_of, webhook_of
from service.webhooks.views import shown_webhook

log = structlog.get_logger(__name__)

_AT_MOST: Final = 100  # webhooks of an owner; chosen: each costs a delivery of each event
_BOUNDS_TIMEOUT_S: Final = 4.0  # for the end of the log; chosen: less than the 5 s in which the API answers
_NO_PLACE: Final = "The message broker is away, so the end of the log is not known. Nothing is stored: ask again."


async def list_webhooks(request: web.Request) -> web.Response:
    """Answers 200 with `{"webhooks": [..]}`: those of the caller's owner, with `admin` those of all.

    Raises:
        ProblemError: the query breaks a rule, or the ledger is away.
    """
    check_parameters(request, LIST_WEBHOOKS.parameters)
    found = await asked(book_of(request).webhooks(owner_seen(request)))
    answer = WebhookList(webhooks=[shown_webhook(webhook) for webhook in found])
    return tagged(request, orjson.dumps(_plain(answer)), JSON)


async def make_webhook(request: web.Request) -> web.Response:
    """Answers 201 with the webhook and its secret. It begins with the next event that is written to the log.

    Raises:
        ProblemError: the request breaks a rule, the owner has too many webhooks, or broker or ledger are away.
    """
    check_parameters(request, MAKE_WEBHOOK.parameters)
    book = book_of(request)
    wanted = await _asked_for(request)
    documents = Documents.ALL if request[CALLER].may(Scope.ADMIN) else Documents.OWN
    newest, at = await _newest(request), _now(request)
    try:
        webhook = made(wanted, owner=request[OWNER], documents=documents, place=newest, at=at)
    except WebhookError as error:
        raise _invalid(error) from None
    if not await asked(book.add(webhook, at_most=_AT_MOST)):
        raise ProblemError(Problem(problems.TOO_MANY_WEBHOOKS, problems.TOO_MANY_WEBHOOKS.meaning))
    log.info("webhook_made", by=request[OWNER], id=webhook.id)
    location: dict[str, str] = {hdrs.LOCATION: f"/v1/webhooks/{webhook.id}", hdrs.CACHE_CONTROL: "no-store"}
    body = orjson.dumps(present(shown_webhook(webhook, secret=webhook.secret)))
    return web.Response(body=body, content_type=JSON, status=201, headers=location)


async def show_webhook(request: web.Request) -> web.Response:
    """Answers 200 with a webhook, without its secret.

    Raises:
        ProblemError: there is none that the caller sees, or the ledger is away.
    """
    check_parameters(request, SHOW_WEBHOOK.parameters)
    return tagged(request, orjson.dumps(present(shown_webhook(await webhook_of(request)))), JSON)


async def change_webhook(request: web.Request) -> web.Response:
    """Answers 200 with the changed webhook. What is pending is due at once. A new secret is shown.

    Raises:
        ProblemError: the request breaks a rule, there is no such webhook, or the ledger is away.
    """
    check_parameters(request, CHANGE_WEBHOOK.parameters)
    wanted = await _asked_for(request)
    while True:  # somebody else may change it at the same time
        before = await webhook_of(request)
        after = changed(before, wanted, _now(request))
        if await asked(book_of(request).change(after)):
            break
    log.info("webhook_changed", by=request[OWNER], id=after.id, enabled=after.enabled)
    secret = None if wanted.secret is None else after.secret
    headers: dict[str, str] = {hdrs.CACHE_CONTROL: "no-store"}
    body = orjson.dumps(present(shown_webhook(after, secret=secret)))
    return web.Response(body=body, content_type=JSON, headers=headers)


async def remove_webhook(request: web.Request) -> web.Response:
    """Answers 204 when the webhook and all that is known of its deliveries are gone.

    Raises:
        ProblemError: there is no such webhook, or the ledger is away.
    """
    check_parameters(request, REMOVE_WEBHOOK.parameters)
    webhook = await webhook_of(request)
    if not await asked(book_of(request).remove(webhook.id)):
        raise missing("webhook")
    log.info("webhook_removed", by=request[OWNER], id=webhook.id)
    return web.Response(status=204)


async def _asked_for(request: web.Request) -> WebhookRequest:
    try:
        wanted = parse_request(await read_body(request))
    except WebhookError as error:
        raise _invalid(error) from None
    if wanted.documents is Documents.ALL:
        check_scope(request[CALLER], Scope.ADMIN)
    if wanted.url is not None:
        _check_address(request, wanted.url)
    return wanted


def _check_address(request: web.Request, url: str) -> None:
    """Refuses an address that nothing would be delivered to. What a name leads to is checked with each delivery."""
    try:
        request.app[RECEIVERS].check_url(url)
    except BlockedAddressError as error:
        raise _invalid(WebhookError(Fault("url", "blocked_address", f"leads nowhere: {error}"))) from None
    except BlockedPortError as error:
        raise _invalid(WebhookError(Fault("url", "blocked_port", f"leads nowhere: {error}"))) from None


async def _newest(request: web.Request) -> int:
    """Returns the offset of the newest event in the log."""
    try:
        async with asyncio.timeout(_BOUNDS_TIMEOUT_S):
            _, newest = await request.app[BROKER].log_bounds()
    except (BrokerError, TimeoutError) as error:
        lost = error if isinstance(error, BrokerError) else BrokerUnavailable()
        raise broker_refusal(lost, _NO_PLACE) from None
    return newest


def _now(request: web.Request) -> datetime:
    """Returns the time as it is stored: whole milliseconds."""
    at = request.app[CLOCK]()
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


def _invalid(error: WebhookError) -> ProblemError:
    return ProblemError(Problem(problems.INVALID_WEBHOOK, f"{error}.", error.faults))


def _plain(answer: WebhookList) -> dict[str, object]:
    return {"webhooks": [present(webhook) for webhook in answer.webhooks]}
