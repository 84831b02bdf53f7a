"""/v1/webhooks: events pushed to an URL, signed as Standard Webhooks."""

from typing import Final

from contract.events import PROCESSED
from contract.keys import ANONYMOUS, Scope
from contract.webhook_request import WebhookRequest
from contract.webhooks import DeliveryState, Documents, Payload
from service import problems
from service.api import samples
from service.api.answers import DeliveryList, RequestedDelivery, ShownDelivery, ShownWebhook, WebhookList, present
from service.api.headers import NOT_KEPT, TAGGED
from service.api.lookups import ID_CURSOR, IF_NONE_MATCH, LIMIT, NOT_MODIFIED
from service.api.operation import JSON, Example, Header, Link, Location, Operation, Parameter, Response, one_of

WEBHOOK_ID: Final = Parameter(
    name="id",
    location=Location.PATH,
    required=True,
    about="The webhook's id.",
    schema={"type": "string", "minLength": 1},
)
DELIVERY_ID: Final = Parameter(
    name="delivery",
    location=Location.PATH,
    required=True,
    about="The delivery's id.",
    schema={"type": "string", "minLength": 1},
)

_GROUP = "Webhooks"
_LEDGER = (problems.INVALID_PARAMETER, problems.LEDGER_NOT_CONFIGURED, problems.LEDGER_UNAVAILABLE)
_ONE = (*_LEDGER, problems.NOT_FOUND)
_BODY = (problems.MALFORMED_BODY, problems.BODY_TIMEOUT, problems.CONTENT_TOO_LARGE, problems.INVALID_WEBHOOK)
_URL = "https://example.com/copydesk"
_SHOWN = ShownWebhook(
    id=samples.WEBHOOK_ID,
    owner=ANONYMOUS,
    url=_URL,
    patterns=("processed.en.#",),
    filter="confidence >= 0.8",
    documents=Documents.ALL,
    payload=Payload.FULL,
    ordered=False,
    enabled=True,
    description="The archive",
    created_at=samples.AT,
    updated_at=samples.AT,
    place=41,
    failing_since=None,
    missed_at=None,
    disabled_cause=None,
    disabled_at=None,
    former_until=None,
)
_DELIVERY = ShownDelivery(
    id=samples.DELIVERY_ID,
    event_id=f"{samples.ID}.1",
    event_type=PROCESSED,
    document_id=samples.ID,
    offset=0,
    state=DeliveryState.DELIVERED,
    requested=False,
    attempts=1,
    created_at=samples.AT,
    next_at=None,
    last_at=samples.AT,
    status=204,
    error=None,
    took_ms=12,
    excerpt=None,
)
_PLACE = Header("Location", "The webhook's place: `/v1/webhooks/{id}`.")
_MISSING = Example(
    about="No such webhook.",
    values={"id": samples.MISSING_ID},
    status=404,
    answer_type=problems.MEDIA_TYPE,
    answer=problems.NOT_FOUND,
)
_MISSING_DELIVERY = Example(
    about="No such delivery.",
    values={"id": samples.WEBHOOK_ID, "delivery": samples.MISSING_ID},
    status=404,
    answer_type=problems.MEDIA_TYPE,
    answer=problems.NOT_FOUND,
)
_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # noqa: S105 - the one in the text of Standard Webhooks
_FIELDS = {"url": _URL, "patterns": ["processed.en.#"], "filter": "confidence >= 0.8", "description": "The archive"}

LIST_WEBHOOKS: Final = Operation(
    id="list_webhooks",
    method="GET",
    path="/v1/webhooks",
    scope=Scope.READ,
    group=_GROUP,
    summary="List the webhooks",
    about="Those of the caller's owner; with the scope `admin` those of all.",
    parameters=(IF_NONE_MATCH,),
    responses=(
        Response(
            status=200,
            about="All of them.",
            content={JSON: WebhookList},
            headers=TAGGED,
            links=(Link(name="show", to="show_webhook", parameter="id", value="$response.body#/webhooks/0/id"),),
        ),
        NOT_MODIFIED,
    ),
    problems=_LEDGER,
    examples={"all": Example(about="All of them.", answer={"webhooks": [present(_SHOWN)]})},
)
MAKE_WEBHOOK: Final = Operation(
    id="make_webhook",
    method="POST",
    path="/v1/webhooks",
    scope=Scope.SUBMIT,
    group=_GROUP,
    summary="Make a webhook",
    about=(
        "It begins with the next event. The answer has the secret, which no other answer shows. "
        "`documents: all` needs the scope `admin`."
    ),
    bodies={JSON: WebhookRequest},
    responses=(Response(status=201, about="It is stored.", content={JSON: ShownWebhook}, headers=(_PLACE, NOT_KEPT)),),
    problems=(*_LEDGER, *_BODY, problems.TOO_MANY_WEBHOOKS, problems.BROKER_UNAVAILABLE),
    examples={
        "filtered": Example(
            about="Articles in English that are good enough.",
            media_type=JSON,
            body=_FIELDS,
            status=201,
            answer={**present(_SHOWN), "secret": _SECRET},
        ),
        "no URL": Example(
            about="Nowhere to post to.",
            media_type=JSON,
            body={"patterns": ["#"]},
            status=422,
            answer_type=problems.MEDIA_TYPE,
            answer=problems.INVALID_WEBHOOK,
        ),
    },
)
SHOW_WEBHOOK: Final = Operation(
    id="show_webhook",
    method="GET",
    path="/v1/webhooks/{id}",
    scope=Scope.READ,
    group=_GROUP,
    summary="Show a webhook",
    parameters=(WEBHOOK_ID, IF_NONE_MATCH),
    responses=(
        Response(status=200, about="All but its secret.", content={JSON: ShownWebhook}, headers=TAGGED),
        NOT_MODIFIED,
    ),
    problems=_ONE,
    examples={
        "one": Example(about="One of them.", values={"id": samples.WEBHOOK_ID}, answer=present(_SHOWN)),
        "missing": _MISSING,
    },
)
CHANGE_WEBHOOK: Final = Operation(
    id="change_webhook",
    method="PATCH",
    path="/v1/webhooks/{id}",
    scope=Scope.SUBMIT,
    group=_GROUP,
    summary="Change a webhook",
    about=(
        "What is absent stays as it is. What is to be delivered again is due at once. "
        "After a change of `secret` the one before signs, too, for 24 hours."
    ),
    parameters=(WEBHOOK_ID,),
    bodies={JSON: WebhookRequest},
    responses=(Response(status=200, about="It is changed.", content={JSON: ShownWebhook}, headers=(NOT_KEPT,)),),
    problems=(*_ONE, *_BODY),
    examples={
        "new secret": Example(
            about="Another secret, made by the server.",
            values={"id": samples.WEBHOOK_ID},
            media_type=JSON,
            body={"secret": "new"},
            answer={**present(_SHOWN), "former_until": samples.AT, "secret": _SECRET},
        ),
        "disable": Example(
            about="No deliveries for now.",
            values={"id": samples.WEBHOOK_ID},
            media_type=JSON,
            body={"enabled": False},
            answer={**present(_SHOWN), "enabled": False},
        ),
    },
)
REMOVE_WEBHOOK: Final = Operation(
    id="remove_webhook",
    method="DELETE",
    path="/v1/webhooks/{id}",
    scope=Scope.SUBMIT,
    group=_GROUP,
    summary="Remove a webhook",
    about="With all that is known of its deliveries.",
    parameters=(WEBHOOK_ID,),
    responses=(Response(status=204, about="It is gone."),),
    problems=_ONE,
    examples={
        "one": Example(about="One of them.", values={"id": samples.WEBHOOK_ID}, status=204),
        "missing": _MISSING,
    },
)
TEST_WEBHOOK: Final = Operation(
    id="test_webhook",
    method="POST",
    path="/v1/webhooks/{id}/test",
    scope=Scope.SUBMIT,
    group=_GROUP,
    summary="Send a test event",
    about="Of the type `copydesk.webhook.test.v1`, also to a webhook that is disabled. It is tried again like others.",
    parameters=(WEBHOOK_ID,),
    responses=(Response(status=202, about="It will be sent within seconds.", content={JSON: RequestedDelivery}),),
    problems=_ONE,
    examples={
        "one": Example(about="To one of them.", values={"id": samples.WEBHOOK_ID}, status=202),
        "missing": _MISSING,
    },
)
LIST_DELIVERIES: Final = Operation(
    id="list_deliveries",
    method="GET",
    path="/v1/webhooks/{id}/deliveries",
    scope=Scope.READ,
    group=_GROUP,
    summary="List the deliveries of a webhook",
    about="The newest first.",
    parameters=(
        WEBHOOK_ID,
        Parameter(name="state", about="In this state.", schema=one_of(DeliveryState)),
        LIMIT,
        ID_CURSOR,
        IF_NONE_MATCH,
    ),
    responses=(
        Response(
            status=200,
            about="A page.",
            content={JSON: DeliveryList},
            headers=TAGGED,
            links=(Link(name="next page", to="list_deliveries", parameter="cursor", value="$response.body#/next"),),
        ),
        NOT_MODIFIED,
    ),
    problems=_ONE,
    examples={
        "newest": Example(
            about="The newest.",
            values={"id": samples.WEBHOOK_ID, "limit": 10},
            answer=DeliveryList(deliveries=(_DELIVERY,), next=None),
        ),
        "missing": _MISSING,
    },
)
DELIVER_AGAIN: Final = Operation(
    id="deliver_again",
    method="POST",
    path="/v1/webhooks/{id}/deliveries/{delivery}/redeliver",
    scope=Scope.SUBMIT,
    group=_GROUP,
    summary="Deliver an event again",
    about="From the log, as long as it holds the event. One that waits for another attempt is due at once.",
    parameters=(WEBHOOK_ID, DELIVERY_ID),
    responses=(Response(status=202, about="It will be sent within seconds.", content={JSON: RequestedDelivery}),),
    problems=(*_ONE, problems.POSITION_GONE, problems.ERASED, problems.BROKER_UNAVAILABLE),
    examples={
        "one": Example(
            about="One that was delivered.",
            values={"id": samples.WEBHOOK_ID, "delivery": samples.DELIVERY_ID},
            status=202,
        ),
        "missing": _MISSING_DELIVERY,
    },
)
