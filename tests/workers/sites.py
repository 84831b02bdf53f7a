"""Web servers on loopback, one that answers by a handler and one that sends bytes as they are, and who asks them."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from workers.failures import Failed
from workers.fetch import Fetcher, FetchLimits, Page

HTML = "<!doctype html><title>Ä</title><p>words of the document"

LIMITS = FetchLimits(
    connect_timeout_s=30.0, total_timeout_s=30.0, max_body_bytes=1_000_000, allow_networks=("127.0.0.0/8",)
)


Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Site:
    """A web server on loopback that answers every path by one handler, and remembers what it was asked."""

    def __init__(self, handle: Handler) -> None:
        self.requests: list[web.Request] = []
        self._handle = handle
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._answer)
        self.server = TestServer(app, host="127.0.0.1")

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(request)
        return await self._handle(request)

    def url(self, path: str = "/page", host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.server.port}{path}"


@asynccontextmanager
async def site(handle: Handler, tls: ssl.SSLContext | None = None) -> AsyncIterator[Site]:
    at = Site(handle)
    await at.server.start_server(ssl=tls)
    try:
        yield at
    finally:
        await at.server.close()


@asynccontextmanager
async def raw_site(*answer: bytes, linger: bool = False) -> AsyncIterator[str]:
    """A server that sends `answer` byte for byte, then closes, or lingers for ever."""
    leave = asyncio.Event()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if linger and not answer:
            await leave.wait()
        else:
            await reader.readuntil(b"\r\n\r\n")
            writer.writelines(answer)
            await writer.drain()
            if linger:
                await leave.wait()
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    finally:
        leave.set()
        server.close()
        await server.wait_closed()


def answering(body: str | bytes = HTML, status: int = 200, **headers: str) -> Handler:
    named = {"Content-Type": "text/html; charset=utf-8"} | {
        name.replace("_", "-"): value for name, value in headers.items()
    }

    async def handle(_: web.Request) -> web.Response:
        return web.Response(body=body, status=status, headers=named)

    return handle


def redirecting(target: str, status: int = 302) -> Handler:
    async def handle(_: web.Request) -> web.Response:
        return web.Response(status=status, headers={"Location": target})

    return handle


async def fetched(url: str, limits: FetchLimits = LIMITS) -> Page:
    async with Fetcher(limits) as fetcher:
        return await fetcher.fetch(url)


async def failure(url: str, limits: FetchLimits = LIMITS) -> Failed:
    with pytest.raises(Failed) as failed:
        await fetched(url, limits)
    assert "words of the document" not in failed.value.detail
    return failed.value
