"""GET /v1/callbacks/secret."""

from typing import Final

from contract.callbacks import callback_secret
from contract.keys import ANONYMOUS, Scope
from service import problems
from service.api.answers import CallbackSecret, present
from service.api.headers import NOT_KEPT
from service.api.operation import JSON, Example, Operation, Response

_SAMPLE = CallbackSecret(secret=callback_secret("only an example of such a setting", ANONYMOUS))

SHOW_CALLBACK_SECRET: Final = Operation(
    id="show_callback_secret",
    method="GET",
    path="/v1/callbacks/secret",
    scope=Scope.SUBMIT,
    group="Webhooks",
    summary="The secret of callbacks",
    about=(
        "What is posted to `options.callback_url` is signed with it, as Standard Webhooks 1.0 defines. Each owner of "
        "documents has another one. It stays the same until an operator changes `COPYDESK_CALLBACK_SECRET`."
    ),
    responses=(Response(status=200, about="The secret.", content={JSON: CallbackSecret}, headers=(NOT_KEPT,)),),
    problems=(problems.INVALID_PARAMETER, problems.CALLBACKS_NOT_CONFIGURED),
    examples={"secret": Example(about="That of the caller's owner.", answer=present(_SAMPLE))},
)
