"""Callbacks: which URLs are taken, and the secret that signs what is posted to them."""

import orjson
from aiohttp import hdrs, web

from contract.addresses import BlockedAddressError, BlockedPortError
from contract.callbacks import callback_secret
from contract.faults import Fault
from contract.submission import Submission
from service import problems
from service.api.answers import CallbackSecret, present
from service.api.callbacks import SHOW_CALLBACK_SECRET
from service.api.operation import JSON
from service.context import CALLBACK_SECRET, LEDGER, RECEIVERS
from service.http.middlewares import OWNER
from service.http.parameters import check_parameters
from service.refusals import Problem, ProblemError

_FIELD = "options.callback_url"


def check_callback(app: web.Application, submission: Submission) -> None:
    """Refuses a document whose callback cannot be made. The name of a host is resolved only when it is dialled.

    Raises:
        ProblemError: this server makes no callbacks, or the URL has an address that nothing would be posted to.
    """
    url = submission.options.callback_url
    if url is None:
        return
    if app[LEDGER] is None:
        raise ProblemError(Problem(problems.LEDGER_NOT_CONFIGURED, problems.LEDGER_NOT_CONFIGURED.meaning))
    _secret(app)
    try:
        app[RECEIVERS].check_url(url)
    except BlockedAddressError as error:
        raise _blocked("blocked_address", error) from None
    except BlockedPortError as error:
        raise _blocked("blocked_port", error) from None


async def show_callback_secret(request: web.Request) -> web.Response:
    """Answers 200 with the secret of the caller's owner.

    Raises:
        ProblemError: the query breaks a rule, or this server makes no callbacks.
    """
    check_parameters(request, SHOW_CALLBACK_SECRET.parameters)
    secret = callback_secret(_secret(request.app), request[OWNER])
    headers: dict[str, str] = {hdrs.CACHE_CONTROL: "no-store"}
    return web.Response(body=orjson.dumps(present(CallbackSecret(secret=secret))), content_type=JSON, headers=headers)


def refuse_callback(submission: Submission) -> None:
    """Refuses a preview that asks for a callback: its article is in the answer.

    Raises:
        ProblemError: it does.
    """
    if submission.options.callback_url is not None:
        fault = Fault(_FIELD, "not_here", "goes with POST /v1/documents: a preview calls nobody back")
        raise ProblemError(Problem(problems.INVALID_SUBMISSION, f"{_FIELD} {fault.message}.", [fault]))


def _secret(app: web.Application) -> str:
    secret = app[CALLBACK_SECRET]
    if secret is None:
        raise ProblemError(Problem(problems.CALLBACKS_NOT_CONFIGURED, problems.CALLBACKS_NOT_CONFIGURED.meaning))
    return secret


def _blocked(rule: str, error: OSError) -> ProblemError:
    fault = Fault(_FIELD, rule, f"leads nowhere: {error}")
    return ProblemError(Problem(problems.INVALID_SUBMISSION, f"{_FIELD} {fault.message}.", [fault]))
