"""The span of each request. It continues the trace of the client, if there is one (W3C Trace Context)."""

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from contract.spans import HTTP_METHOD, HTTP_ROUTE, HTTP_STATUS, URL_SCHEME
from contract.tracing import TRACEPARENT, TRACESTATE, Span, SpanKind, TraceContext, Within, received
from service.context import TRACER
from service.http.middlewares import UNMATCHED, route_of

_OTHER_METHOD = "_OTHER"  # semantic conventions for HTTP: in place of a method that is not known
_SERVER_ERRORS = 500  # RFC 9110, section 15.6: from here on the server is at fault


@web.middleware
async def trace(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answers the request within its span. Without a tracer what the client sent is handed on as it came."""
    parent = None
    if TRACEPARENT in request.headers:
        parent = received(request.headers.getall(TRACEPARENT), request.headers.getall(TRACESTATE, []))
    if parent is None and not request.app[TRACER].is_on:
        return await handler(request)
    with Within(_started(request, parent)) as span:
        response = await handler(request)
        span.set(HTTP_STATUS, response.status)
        if response.status >= _SERVER_ERRORS:
            span.fail(str(response.status))
        return response


def _started(request: web.Request, parent: TraceContext | None) -> Span:
    method = request.method if request.method in hdrs.METH_ALL else _OTHER_METHOD
    route = route_of(request)
    name, attributes = method, {HTTP_METHOD: method, URL_SCHEME: request.scheme}
    if route != UNMATCHED:
        name, attributes = f"{method} {route}", {**attributes, HTTP_ROUTE: route}
    return request.app[TRACER].start(name, SpanKind.SERVER, parent=parent, attributes=attributes)
