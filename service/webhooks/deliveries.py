"""Lists the deliveries of a webhook, tests it, and delivers again."""

import asyncio
from contextlib import aclosing, suppress
from dataclasses import replace
from datetime import datetime
from typing import Final

import orjson
from aiohttp import web

from contract.broker import BrokerError, BrokerUnavailable, UnknownOffset
from contract.codec import encode
from contract.events import ERASED, WEBHOOK_TEST, TestedWebhook, WebhookTestEvent
from contract.timestamps import rfc3339
from contract.webhooks import Delivery, DeliveryState, Webhook, new_id
from service import problems
from service.api.answers import DeliveryList, RequestedDelivery
from service.api.operation import JSON
from service.api.webhooks import DELIVER_AGAIN, LIST_DELIVERIES, TEST_WEBHOOK
from service.context import BROKER, CLOCK
from service.http.parameters import check_parameters
from service.lookups.ledger import asked, ledger_of, missing, tagged
from service.lookups.pages import before_id, limit_of
from service.refusals import Problem, ProblemError, broker_refusal, invalid_parameter
from service.webhooks.lookup import book_of, webhook_of
from service.webhooks.views import shown_delivery

_READ_TIMEOUT_S: Final = 4.0  # for one event of the log; chosen: less than the 5 s in which the API answers
_UNREADABLE: Final = "The event log cannot be read now."


async def list_deliveries(request: web.Request) -> web.Response:
    """Answers 200 with `{"deliveries": [..], "next"}`, newest first.

    Raises:
        ProblemError: the query breaks a rule, there is no such webhook, or the ledger is away.
    """
    given = check_parameters(request, LIST_DELIVERIES.parameters)
    limit, state, cursor = limit_of(given), _state(given.get("state")), before_id(given)
    webhook = await webhook_of(request)
    found = await asked(book_of(request).deliveries(webhook.id, state=state, limit=limit + 1, before=cursor))
    page = found[:limit]
    answer = DeliveryList(
        deliveries=[shown_delivery(delivery) for delivery in page],
        next=page[-1].id if len(found) > limit else None,
    )
    return tagged(request, orjson.dumps(answer), JSON)


async def test_webhook(request: web.Request) -> web.Response:
    """Answers 202 when a test event is on record, which is then delivered, even if the webhook is disabled.

    Raises:
        ProblemError: there is no such webhook, or the ledger is away.
    """
    check_parameters(request, TEST_WEBHOOK.parameters)
    webhook, at = await webhook_of(request), request.app[CLOCK]()
    event_id = f"{new_id()}.test"
    event = WebhookTestEvent(id=event_id, subject=webhook.id, time=rfc3339(at), data=TestedWebhook(id=webhook.id))
    delivery = _requested(webhook, event_id, WEBHOOK_TEST, encode(event), at)
    await asked(book_of(request).request(delivery))
    return _accepted(delivery)


async def deliver_again(request: web.Request) -> web.Response:
    """Answers 202 when an event is on record to be delivered again. One that is pending becomes due at once.

    Raises:
        ProblemError: there is no such webhook or delivery, the log no longer has the event, its document is erased, or
            broker or ledger are away.
    """
    check_parameters(request, DELIVER_AGAIN.parameters)
    webhook, book, at = await webhook_of(request), book_of(request), request.app[CLOCK]()
    before = await asked(book.delivery(webhook.id, request.match_info["delivery"].replace("\0", "")))
    if before is None:
        raise missing("delivery")
    if before.state is DeliveryState.PENDING and await asked(book.hasten(before.id, at)):
        return _accepted(before)
    if before.offset is None:
        raise ProblemError(Problem(problems.POSITION_GONE, "A test is in no log: send another one."))
    await _check_erased(request, before)
    body = await _event_at(request, before.offset, before.event_id)
    delivery = _requested(webhook, before.event_id, before.event_type, body, at)
    delivery = replace(delivery, document_id=before.document_id, offset=before.offset)
    await asked(book.request(delivery))
    return _accepted(delivery)


async def _check_erased(request: web.Request, delivery: Delivery) -> None:
    if delivery.document_id is None or delivery.event_type == ERASED:
        return
    if await asked(ledger_of(request).erased(delivery.document_id)) is not None:
        raise ProblemError(Problem(problems.ERASED, problems.ERASED.meaning))


async def _event_at(request: web.Request, offset: int, event_id: str) -> bytes:
    """Returns the event at this offset of the log, in its bytes there."""
    try:
        async with asyncio.timeout(_READ_TIMEOUT_S), aclosing(request.app[BROKER].read(offset - 1)) as entries:
            async for entry in entries:
                if entry.offset == offset and _is(entry.body, event_id):
                    return entry.body
                break
    except UnknownOffset:
        pass
    except (BrokerError, TimeoutError) as error:
        lost = error if isinstance(error, BrokerError) else BrokerUnavailable()
        raise broker_refusal(lost, _UNREADABLE) from None
    raise ProblemError(Problem(problems.POSITION_GONE, problems.POSITION_GONE.meaning))


def _is(body: bytes, event_id: str) -> bool:
    with suppress(ValueError, TypeError, LookupError):
        return bool(orjson.loads(body)["id"] == event_id)
    return False


def _requested(webhook: Webhook, event_id: str, event_type: str, body: bytes, at: datetime) -> Delivery:
    return Delivery(
        id=new_id(),
        webhook_id=webhook.id,
        event_id=event_id,
        event_type=event_type,
        requested=True,
        created_at=at,
        next_at=at,
        body=body,
    )


def _accepted(delivery: Delivery) -> web.Response:
    where = f"/v1/webhooks/{delivery.webhook_id}/deliveries"
    answer = RequestedDelivery(id=delivery.id, event_id=delivery.event_id, deliveries=where)
    return web.Response(body=orjson.dumps(answer), content_type=JSON, status=202)


def _state(given: str | None) -> DeliveryState | None:
    try:
        return None if given is None else DeliveryState(given)
    except ValueError:
        raise invalid_parameter("state", "not_allowed", f"must be one of {', '.join(DeliveryState)}") from None
