"""Web servers on loopback (one calls a handler, one sends raw bytes), and a client for them."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from prometheus_client import CollectorRegistry

from contract.metrics import Metrics
from workers.failures import Failed
from workers.fetch import FetchedPage, Fetcher, FetchLimits, GuardedClient, Reach

HTML = "<!doctype html><title>Ä</title><p>words of the document"

LIMITS = FetchLimits(
    connect_timeout_s=30.0,
    first_byte_timeout_s=30.0,
    idle_timeout_s=30.0,
    total_timeout_s=30.0,
    max_transfer_bytes=1_000_000,
    max_body_bytes=1_000_000,
)
LOOPBACK = Reach(allow_networks=("127.0.0.0/8",))


Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Site:
    """A web server on loopback that answers every path with one handler, and records the requests."""

    def __init__(self, handle: Handler, host: str) -> None:
        self.host = host
        self.requests: list[web.Request] = []
        self._handle = handle
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._answer)
        self.server = TestServer(app, host=host)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(request)
        return await self._handle(request)

    def url(self, path: str = "/page", host: str | None = None) -> str:
        return f"http://{host or self.host}:{self.server.port}{path}"


@asynccontextmanager
async def site(handle: Handler, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> AsyncIterator[Site]:
    at = Site(handle, host)
    await at.server.start_server(ssl=tls)
    try:
        yield at
    finally:
        await at.server.close()


@dataclass(frozen=True, slots=True)
class RawSite:
    """A server of raw bytes at `url`. `left` is set when the client has gone; `heard` are the bytes of the client."""

    url: str
    left: asyncio.Event
    heard: bytearray


Send = Callable[[asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def raw_site(
    *answer: bytes, linger: bool = False, send: Send | None = None, tls: ssl.SSLContext | None = None
) -> AsyncIterator[RawSite]:
    """Sends `answer`, or what `send` sends, then closes; with `linger` it stays open until the client leaves."""
    left, heard = asyncio.Event(), bytearray()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if answer or send or not linger:
                heard.extend(await reader.readuntil(b"\r\n\r\n"))
            writer.writelines(answer)
            await (send(writer) if send else writer.drain())
            if linger:
                await reader.read()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            left.set()
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=tls)
    try:
        yield RawSite(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/", left, heard)
    finally:
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


@asynccontextmanager
async def fetcher(limits: FetchLimits = LIMITS, reach: Reach = LOOPBACK) -> AsyncIterator[Fetcher]:
    async with GuardedClient(limits, reach) as client:
        yield Fetcher(client, limits, Metrics(CollectorRegistry()))


async def fetched(url: str, limits: FetchLimits = LIMITS, reach: Reach = LOOPBACK) -> FetchedPage:
    async with fetcher(limits, reach) as at:
        return await at.fetch(url)


async def failure(url: str, limits: FetchLimits = LIMITS, reach: Reach = LOOPBACK) -> Failed:
    with pytest.raises(Failed) as failed:
        await fetched(url, limits, reach)
    assert "words of the document" not in failed.value.detail
    return failed.value
