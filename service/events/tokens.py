"""POST /v1/event-tokens: makes a token for an EventSource, which cannot send an API key."""

from dataclasses import asdict

import orjson
from aiohttp import hdrs, web

from contract.timestamps import rfc3339
from service import problems
from service.access.event_tokens import EVENT_TOKENS
from service.access.known_keys import CALLER
from service.api.answers import IssuedToken, TokenRequest
from service.api.event_tokens import MAKE_EVENT_TOKEN
from service.api.operation import JSON
from service.http.json_bodies import read_json
from service.http.parameters import check_parameters
from service.refusals import Problem, ProblemError


async def make_event_token(request: web.Request) -> web.Response:
    """Answers 200 with a token and when it expires.

    Raises:
        ProblemError: the request breaks a rule, or this server has nothing to sign tokens with.
    """
    check_parameters(request, MAKE_EVENT_TOKEN.parameters)
    wanted = await read_json(request, TokenRequest, empty=b"{}")
    tokens = request.app[EVENT_TOKENS]
    if tokens is None:
        kind = problems.EVENT_TOKENS_NOT_CONFIGURED
        raise ProblemError(Problem(kind, kind.meaning))
    token, expires_at = tokens.make(request[CALLER], wanted.seconds)
    body = orjson.dumps(asdict(IssuedToken(token=token, expires_at=rfc3339(expires_at))))
    headers: dict[str, str] = {hdrs.CACHE_CONTROL: "no-store"}
    return web.Response(body=body, content_type=JSON, headers=headers)
