"""Middlewares for every request: time measurement, errors as problems, checks of headers and API keys."""

from time import perf_counter

import structlog
from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from contract.events import host_of
from contract.tracing import current, exemplar_of
from service import problems
from service.access.callers import caller_of, check_scope, check_still_known
from service.access.event_tokens import TAKE_TOKENS, TOKEN, caller_by_token
from service.access.known_keys import ACCESS, CALLER, NOBODY, SCOPES
from service.context import METRICS
from service.http.hosts import HOSTS
from service.http.prefer import APPLIED, WAITED
from service.http.protocol import MAX_HEADER_BYTES, OTHER_VERSION, SERVER
from service.refusals import Problem, ProblemError, of_http_error

log = structlog.get_logger(__name__)

OWNER = web.RequestKey("OWNER", str)
"""The name of the API key that the request came with, or `anonymous`."""

UNMATCHED = "unmatched"
"""The route of a request that no route matches."""

_NOBODY_THERE = 499  # status in metrics for a client that is gone, as in nginx; never sent


@web.middleware
async def measure(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Measures the seconds to answer, except for streams, which last as long as their clients do, and for waits."""
    started = perf_counter()
    response = await handler(request)
    if isinstance(response, web.Response) and APPLIED not in response.headers:
        method = request.method if request.method in hdrs.METH_ALL else "other"
        seconds = request.app[METRICS].request_seconds.labels(method, route_of(request), str(response.status))
        seconds.observe(perf_counter() - started, exemplar_of(current()))
    return response


@web.middleware
async def answer_problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turns every exception into problem+json, and counts it."""
    try:
        return await handler(request)
    except ProblemError as error:
        problem = error.problem
    except web.HTTPException as error:
        if error.status < web.HTTPBadRequest.status_code:
            raise
        problem = of_http_error(error)
    except Exception as error:
        if _client_gone(request):
            log.info("client_gone", route=route_of(request))
            return web.Response(status=_NOBODY_THERE)
        log.exception("request_failed", route=route_of(request), error=type(error).__name__)
        if request.writer.output_size:
            raise  # the headers are sent: aiohttp closes the connection
        problem = Problem(problems.INTERNAL_ERROR, problems.INTERNAL_ERROR.meaning)
    request.app[METRICS].refused.labels(problem.type.name).inc()
    response = problem.response()
    if WAITED in request:
        response.headers[APPLIED] = f"wait={request[WAITED]}"
    return response


@web.middleware
async def refuse_odd_header(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Allows only HTTP/1.0 and 1.1, and limits the size of the header. The parser limits fields and their number."""
    if request.get(OTHER_VERSION):
        raise ProblemError(Problem(problems.BAD_REQUEST, "The request's version of HTTP is neither 1.0 nor 1.1."))
    size = len(request.raw_path) + sum(len(name) + len(value) for name, value in request.raw_headers)
    if size > MAX_HEADER_BYTES:
        raise ProblemError(Problem(problems.HEADER_TOO_LARGE, problems.HEADER_TOO_LARGE.meaning))
    return await handler(request)


async def name_server(_request: web.Request, response: web.StreamResponse) -> None:
    """Sets the Server header, without a version, in an answer that is about to be sent."""
    response.headers[hdrs.SERVER] = SERVER


@web.middleware
async def require_key(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Requires an API key for /v1/, with the scope of the operation. Without keys, refuses foreign web pages.

    A browser sends a page's cross-site POST of plain text without a preflight; only its Origin shows it (RFC 6454).
    """
    request[CALLER] = NOBODY
    if request.path.startswith("/v1/") or route_of(request).startswith("/v1/"):
        if _has_token(request):
            request[CALLER] = caller_by_token(request)
            _check_scope(request)
        elif request.app[ACCESS].required:
            request[CALLER] = caller_of(request)
            _check_scope(request)
        elif not _is_known_origin(request):
            raise ProblemError(Problem(problems.FOREIGN_ORIGIN, problems.FOREIGN_ORIGIN.meaning))
    request[OWNER] = request[CALLER].owner
    response = await handler(request)
    if request.method in {hdrs.METH_GET, hdrs.METH_HEAD} and not response.prepared:
        check_still_known(request)  # it may have waited for long
    return response


def _has_token(request: web.Request) -> bool:
    """Returns True if the request has an event token, and its operation takes one."""
    return TOKEN in request.query and (request.method, route_of(request)) in request.app[TAKE_TOKENS]


def _check_scope(request: web.Request) -> None:
    """Checks the scope of the route. Where there is none, any key is told so: 404 or 405."""
    method = hdrs.METH_GET if request.method == hdrs.METH_HEAD else request.method
    scope = request.app[SCOPES].get((method, route_of(request)))
    if scope is not None:
        check_scope(request[CALLER], scope)


def _is_known_origin(request: web.Request) -> bool:
    origin, hosts = request.headers.get(hdrs.ORIGIN), request.app[HOSTS]
    return origin is None or hosts is None or hosts.knows(host_of(origin) or "")


def route_of(request: web.Request) -> str:
    """Returns the route's pattern, such as /problems/{slug}, or `unmatched` if no route matches."""
    resource = request.match_info.route.resource
    return UNMATCHED if resource is None else resource.canonical


def _client_gone(request: web.Request) -> bool:
    return request.transport is None or request.transport.is_closing()
