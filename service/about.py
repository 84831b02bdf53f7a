"""What the server tells about itself: what it is, its OpenAPI document, a page to read and try that, and schemas."""

import asyncio
from collections.abc import Sequence
from functools import cache, cached_property
from pathlib import Path
from typing import Final

import orjson
from aiohttp import web

from contract.schemas import FILES, schema
from service.api.about import DOCS_FILES, SCHEMA_TYPE
from service.api.answers import Index
from service.api.asyncapi import asyncapi
from service.api.document import openapi
from service.api.operation import JSON, Operation
from service.lookups.ledger import tagged

_FOLDER = Path(__file__).parent / "docs"

# Scripts, styles, images and requests of this server alone, and none that stand in the page. swagger-ui.css has its
# images inside, as data: URLs.
PAGE_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_NOSNIFF = {"X-Content-Type-Options": "nosniff"}


class ApiDocument:
    """The OpenAPI document of `operations`, made when it is first asked for. `needs_key`: the server has API keys."""

    def __init__(self, operations: Sequence[Operation], *, needs_key: bool) -> None:
        self.operations = operations
        self._needs_key = needs_key

    @cached_property
    def body(self) -> bytes:
        """The document, JSON in UTF-8."""
        return orjson.dumps(openapi(self.operations, needs_key=self._needs_key))


DOCUMENT = web.AppKey("DOCUMENT", ApiDocument)


async def get_index(request: web.Request) -> web.Response:
    """Answers GET / with what this is."""
    routes = {f"{one.method} {one.path}": one.summary for one in request.app[DOCUMENT].operations}
    index = Index(name="copydesk", about="Raw copy in, clean articles out.", routes=routes)
    return web.Response(body=orjson.dumps(index), content_type=JSON)


async def get_openapi(request: web.Request) -> web.Response:
    """Answers with the OpenAPI document. It is made at the first request, in a thread: that takes a moment."""
    document = request.app[DOCUMENT]
    return tagged(request, await asyncio.to_thread(lambda: document.body), JSON)


@cache
def _events_body() -> bytes:
    return orjson.dumps(asyncapi())


async def get_asyncapi(request: web.Request) -> web.Response:
    """Answers with the AsyncAPI document. It is made at the first request, in a thread, as the OpenAPI document."""
    return tagged(request, await asyncio.to_thread(_events_body), JSON)


@cache
def _schema_body(name: str) -> bytes:
    return orjson.dumps(schema(name))


async def get_schema(request: web.Request) -> web.Response:
    """Answers with a JSON Schema. It is made at the first request, in a thread, as the OpenAPI document.

    Raises:
        HTTPNotFound: there is none with this name.
    """
    file = request.match_info["file"]
    if file not in FILES:
        raise web.HTTPNotFound
    return tagged(request, await asyncio.to_thread(_schema_body, FILES[file]), SCHEMA_TYPE)


async def get_docs(request: web.Request) -> web.Response:
    """Answers with the page that shows the OpenAPI document."""
    return await _file(request, "index.html", "text/html; charset=utf-8")


async def get_docs_file(request: web.Request) -> web.Response:
    """Answers with a file of that page.

    Raises:
        HTTPNotFound: it has no such file.
    """
    name = request.match_info["name"]
    if name not in DOCS_FILES:
        raise web.HTTPNotFound
    return await _file(request, name, f"{DOCS_FILES[name]}; charset=utf-8")


async def _file(request: web.Request, name: str, content_type: str) -> web.Response:
    """Reads the file anew for each request: nobody looks often, and it need not stay in memory."""
    body = await asyncio.to_thread((_FOLDER / name).read_bytes)
    return tagged(request, body, content_type, headers={"Content-Security-Policy": PAGE_POLICY, **_NOSNIFF})
