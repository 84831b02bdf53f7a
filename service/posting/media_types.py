"""POST /v1/documents: one document, or many."""

from collections.abc import Mapping
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler

from service.api.posting import FORM, NDJSON
from service.posting.documents import post_document
from service.posting.post_lines import post_lines
from service.posting.post_parts import post_parts

_MANY: Final[Mapping[str, Handler]] = {NDJSON: post_lines, FORM: post_parts}


async def post_documents(request: web.Request) -> web.StreamResponse:
    """Answers as the handler does that reads the body's media type."""
    return await _MANY.get(request.content_type, post_document)(request)
