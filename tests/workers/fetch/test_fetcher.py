import asyncio
import gzip
from dataclasses import replace

import pytest
from aiohttp import web
from aiohttp.test_utils import unused_port

from contract.article import Fetched
from contract.reasons import Reason
from tests.workers.fetch.names import name_server
from tests.workers.fetch.sites import (
    HTML,
    LIMITS,
    LOOPBACK,
    answering,
    failure,
    fetched,
    fetcher,
    raw_site,
    redirecting,
    site,
)
from workers.fetch import Reach


async def test_a_page_comes_with_its_circumstances() -> None:
    packed = gzip.compress(HTML.encode())
    async with site(answering(packed, Content_Encoding="gzip")) as at:
        page = await fetched(at.url("/a?b=c#d"))
        assert (page.body, page.charset) == (HTML.encode(), "utf-8")
        assert replace(page.fetched, first_byte_s=None, total_s=None) == Fetched(
            url=at.url("/a?b=c"),
            status=200,
            media_type="text/html",
            size=len(HTML.encode()),
            transferred_bytes=len(packed),
        )
        assert 0 < (page.fetched.first_byte_s or 0) < (page.fetched.total_s or 0)


async def test_requests_have_a_user_agent_and_accepted_types() -> None:
    async with site(answering()) as at:
        await fetched(at.url(), reach=Reach(("127.0.0.0/8",), user_agent="test agent"))
        headers = at.requests[0].headers
        assert headers["User-Agent"] == "test agent"
        assert headers["Accept"].startswith("text/html,")


@pytest.mark.parametrize(
    "url",
    [
        "ftp://127.0.0.1/",
        "file:///etc/passwd",
        "//127.0.0.1/",
        "/page",
        "http://user@127.0.0.1/",
        "http://user:word@127.0.0.1/",
        "http://:word@127.0.0.1/",
        "http://127.0.0.1:99999/",
        "http://[::1/",
        "http://[]@/",
        f"http://{'a' * 64}.example/",
        "http://a..example/",
        "",
    ],
)
async def test_invalid_urls_are_refused(url: str) -> None:
    assert (await failure(url)).reason is Reason.INVALID_URL


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirects_are_followed(status: int) -> None:
    async def handle(request: web.Request) -> web.Response:
        steps = {"/one": "two?x=1", "/two": f"//127.0.0.1:{request.url.port}/three#part"}
        if target := steps.get(request.path):
            return web.Response(status=status, headers={"Location": target})
        return web.Response(text=HTML, content_type="text/html")

    async with site(handle) as at:
        page = await fetched(at.url("/one"))
        assert page.fetched.url == at.url("/three")
        assert page.fetched.redirects == (at.url("/one"), at.url("/two?x=1"))


async def test_redirects_are_bounded() -> None:
    async def handle(request: web.Request) -> web.Response:
        left = int(request.path[1:])
        if left:
            return web.Response(status=302, headers={"Location": f"/{left - 1}"})
        return web.Response(text=HTML, content_type="text/html")

    async with site(handle) as at:
        limits = replace(LIMITS, max_redirects=3)
        assert len((await fetched(at.url("/3"), limits)).fetched.redirects) == 3
        assert (await failure(at.url("/4"), limits)).reason is Reason.TOO_MANY_REDIRECTS
        assert len(at.requests) == 8


@pytest.mark.parametrize(
    "target", ["ftp://127.0.0.1/", "http://user:word@127.0.0.1/", "javascript:alert(1)", "http://[", "http://h:99999/"]
)
async def test_a_redirect_to_a_forbidden_url(target: str) -> None:
    async with site(redirecting(target)) as at:
        assert (await failure(at.url())).reason is Reason.INVALID_URL


async def test_a_redirect_that_leads_nowhere() -> None:
    async with site(answering(status=302)) as at:
        assert (await failure(at.url())).reason is Reason.HTTP_ERROR


async def test_a_port_where_nobody_listens() -> None:
    for host in ("127.0.0.1", "localhost"):  # the latter has two addresses
        failed = await failure(
            f"http://{host}:{unused_port()}/", reach=Reach(allow_networks=("127.0.0.0/8", "::1/128"))
        )
        assert (failed.reason, failed.detail) == (Reason.CONNECT_ERROR, f"{host}: the connection was refused")


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (304, Reason.HTTP_ERROR),
        (400, Reason.HTTP_ERROR),
        (401, Reason.FORBIDDEN),
        (402, Reason.PAYWALL),
        (403, Reason.FORBIDDEN),
        (404, Reason.NOT_FOUND),
        (408, Reason.FETCH_TIMEOUT),
        (410, Reason.GONE),
        (418, Reason.HTTP_ERROR),
        (425, Reason.RATE_LIMITED),
        (429, Reason.RATE_LIMITED),
        (451, Reason.FORBIDDEN),
        (500, Reason.SERVER_ERROR),
        (503, Reason.SERVER_ERROR),
        (599, Reason.SERVER_ERROR),
    ],
)
async def test_a_status_becomes_a_reason(status: int, reason: Reason) -> None:
    async with site(answering(status=status)) as at:
        failed = await failure(at.url())
        assert (failed.reason, failed.detail, failed.failure.retry_after_s) == (reason, f"HTTP status {status}", None)


async def test_the_requested_retry_time_is_reported() -> None:
    async with site(answering(status=429, Retry_After="120")) as at:
        assert (await failure(at.url())).failure.retry_after_s == 120.0


@pytest.mark.parametrize("media_type", ["text/html", "application/xhtml+xml", "text/plain", "text/markdown"])
async def test_text_types_are_accepted(media_type: str) -> None:
    async with site(answering(Content_Type=f"{media_type.upper()} ; Charset=ISO-8859-1")) as at:
        page = await fetched(at.url())
        assert (page.fetched.media_type, page.charset) == (media_type, "ISO-8859-1")


@pytest.mark.parametrize("media_type", ["application/pdf", "image/png", "application/octet-stream", "text/css"])
async def test_other_media_types_are_refused_by_name(media_type: str) -> None:
    async with site(answering(Content_Type=media_type)) as at:
        failed = await failure(at.url())
        assert (failed.reason, failed.detail) == (Reason.UNSUPPORTED_MEDIA_TYPE, media_type)


async def test_a_page_without_media_type_is_looked_at() -> None:
    async with raw_site(b"HTTP/1.1 200 OK\r\n\r\n\xef\xbb\xbf \n<!DOCTYPE HTML>words") as at:
        page = await fetched(at.url)
        assert (page.fetched.media_type, page.charset) == ("text/html", None)
    async with raw_site(b"HTTP/1.1 200 OK\r\n\r\n%PDF-1.7 words of the document") as at:
        failed = await failure(at.url)
        assert (failed.reason, failed.detail) == (Reason.UNSUPPORTED_MEDIA_TYPE, "application/pdf")


async def test_no_cookie_is_kept() -> None:
    async with (
        site(answering(Set_Cookie="seen=1; Path=/")) as at,
        name_server({"one.example": [["127.0.0.1"]]}) as names,  # an address instead of a name would get none anyway
        fetcher(reach=replace(LOOPBACK, nameservers=(names.address,))) as at_once,
    ):
        await at_once.fetch(at.url(host="one.example"))
        await at_once.fetch(at.url(host="one.example"))
        assert [request.headers.get("Cookie") for request in at.requests] == [None, None]


async def test_the_environment_names_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    async with site(answering()) as proxy, site(answering()) as at:
        monkeypatch.setenv("http_proxy", proxy.url("/"))
        await fetched(at.url())
        assert not proxy.requests


async def test_many_at_once() -> None:
    async with site(answering()) as at, fetcher() as at_once:
        pages = await asyncio.gather(*(at_once.fetch(at.url(f"/{number}")) for number in range(200)))
        assert [page.fetched.url for page in pages] == [at.url(f"/{number}") for number in range(200)]
