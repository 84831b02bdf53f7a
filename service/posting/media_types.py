"""POST /v1/documents: one document, or many."""

from collections.abc import Mapping
from typing import Final

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from service import problems
from service.api.headers import ACCEPT_POST
from service.api.posting import FORM, NDJSON
from service.http.middlewares import route_of
from service.posting.documents import post_document
from service.posting.post_lines import post_lines
from service.posting.post_parts import post_parts

_MANY: Final[Mapping[str, Handler]] = {NDJSON: post_lines, FORM: post_parts}

TAKEN = web.AppKey("TAKEN", Mapping[tuple[str, str], str])
"""The media types that are taken, by method and path of the route."""


async def post_documents(request: web.Request) -> web.StreamResponse:
    """Answers as the handler does that reads the body's media type."""
    return await _MANY.get(request.content_type, post_document)(request)


async def tell_media_types(request: web.Request, response: web.StreamResponse) -> None:
    """Says in an answer with 415 which media types are taken, unless the content coding is at fault.

    See Linked Data Platform 1.0 (W3C), section 7.1, and RFC 7694, section 3.
    """
    if response.status == problems.UNSUPPORTED_MEDIA_TYPE.status and hdrs.ACCEPT_ENCODING not in response.headers:
        response.headers[ACCEPT_POST.name] = request.app[TAKEN][request.method, route_of(request)]
