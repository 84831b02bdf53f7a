"""POST /v1/event-tokens."""

from typing import Final

from contract.keys import Scope
from service import problems
from service.api import samples
from service.api.answers import IssuedToken, TokenRequest
from service.api.headers import NOT_KEPT
from service.api.operation import JSON, Example, Operation, Response

MAKE_EVENT_TOKEN: Final = Operation(
    id="make_event_token",
    method="POST",
    path="/v1/event-tokens",
    scope=Scope.ADMIN,
    group="Events",
    summary="A token for an EventSource",
    about="It lets `GET /v1/events` be called with `token` in the query, and nothing else, until it expires.",
    bodies={JSON: TokenRequest},
    needs_body=False,
    responses=(Response(status=200, about="The token.", content={JSON: IssuedToken}, headers=(NOT_KEPT,)),),
    problems=(
        problems.INVALID_PARAMETER,
        problems.MALFORMED_BODY,
        problems.INVALID_SUBMISSION,
        problems.CONTENT_TOO_LARGE,
        problems.BODY_TIMEOUT,
        problems.EVENT_TOKENS_NOT_CONFIGURED,
    ),
    examples={
        "minute": Example(about="For a minute.", media_type=JSON, body={"seconds": 60}, answer=samples.EVENT_TOKEN),
        "day": Example(
            about="Longer than a token may live.",
            media_type=JSON,
            body={"seconds": 86_400},
            status=422,
            answer_type=problems.MEDIA_TYPE,
            answer=problems.INVALID_SUBMISSION,
        ),
    },
)
