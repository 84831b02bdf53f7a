"""The report and the counters of a failed fetch."""

import gzip
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from aiohttp import web
from aiohttp.test_utils import unused_port
from prometheus_client import CollectorRegistry

from contract.article import Fetched
from contract.metrics import Metrics
from contract.reasons import Reason
from tests.workers.fetch.sites import HTML, LIMITS, LOOPBACK, answering, failure, raw_site, redirecting, site
from workers.failures import Failed
from workers.fetch import Fetcher, FetchLimits, GuardedClient

PACKED = gzip.compress(b"words of the document " * 1000)


def timeless(failed: Failed) -> Fetched:
    assert failed.failure.fetched is not None
    return replace(failed.failure.fetched, first_byte_s=None, total_s=None)


async def test_a_refused_status_is_reported_with_its_answer() -> None:
    async with site(answering(status=404, Content_Type="Text/HTML; charset=utf-8")) as at:
        failed = await failure(at.url())
        assert timeless(failed) == Fetched(url=at.url(), status=404, media_type="text/html")
    assert failed.failure.fetched is not None
    assert 0 < (failed.failure.fetched.first_byte_s or 0) <= (failed.failure.fetched.total_s or 0)


async def test_the_way_to_a_blocked_address_is_reported() -> None:
    async with (
        site(redirecting("http://10.0.0.1/inside", 307)) as second,
        site(redirecting(second.url(), 301)) as first,
    ):
        failed = await failure(first.url())
        assert failed.reason is Reason.BLOCKED_ADDRESS
        assert timeless(failed) == Fetched(
            url="http://10.0.0.1/inside",
            status=None,
            media_type=None,
            redirects=(first.url(), second.url()),
            redirect_statuses=(301, 307),
        )
    assert failed.failure.fetched is not None
    assert (failed.failure.fetched.first_byte_s, (failed.failure.fetched.total_s or 0) > 0) == (None, True)


async def test_a_redirect_that_may_not_be_followed_is_reported_where_it_stands() -> None:
    async with site(redirecting("ftp://example.com/", 308)) as at:
        assert timeless(await failure(at.url())) == Fetched(url=at.url(), status=308, media_type=None)


async def test_the_received_part_of_a_body_is_reported() -> None:
    async with site(answering(PACKED, Content_Encoding="gzip")) as at:
        failed = await failure(at.url(), replace(LIMITS, max_body_bytes=5000))
        assert failed.reason is Reason.DECOMPRESSED_TOO_LARGE
        assert timeless(failed) == Fetched(
            url=at.url(), status=200, media_type="text/html", size=5001, transferred_bytes=len(PACKED)
        )


async def test_a_refused_media_type_is_reported() -> None:
    async with site(answering(Content_Type="image/png")) as at:
        assert timeless(await failure(at.url())).media_type == "image/png"
    async with raw_site(b"HTTP/1.1 200 OK\r\n\r\n%PDF-1.7") as raw:
        reported = timeless(await failure(raw.url))
        assert (reported.media_type, reported.size) == (None, 8)


async def test_a_page_that_is_refused_is_reported_whole() -> None:
    page = "<title>404 Not Found</title>"
    async with site(answering(page)) as at:
        reported = timeless(await failure(at.url()))
        assert reported == Fetched(
            url=at.url(), status=200, media_type="text/html", size=len(page), transferred_bytes=len(page)
        )


async def test_too_many_redirects_report_the_whole_way() -> None:
    async def handle(request: web.Request) -> web.Response:
        return web.Response(status=302, headers={"Location": request.path + "x"})

    async with site(handle) as at:
        reported = timeless(await failure(at.url("/a"), replace(LIMITS, max_redirects=2)))
        assert reported.url == at.url("/axxx")
        assert reported.redirects == tuple(at.url("/a" + "x" * count) for count in range(3))
    assert reported.redirect_statuses == (302, 302, 302)


async def test_an_invalid_url_has_no_report() -> None:
    assert (await failure("ftp://example.com/")).failure.fetched is None


@asynccontextmanager
async def counting(limits: FetchLimits = LIMITS) -> AsyncIterator[tuple[Fetcher, Metrics]]:
    metrics = Metrics(CollectorRegistry())
    async with GuardedClient(limits, LOOPBACK) as client:
        yield Fetcher(client, limits, metrics), metrics


def counted(metrics: Metrics) -> dict[str, float]:
    """Returns the counted outcomes."""
    return {
        sample.labels["outcome"]: sample.value
        for metric in metrics.fetches.collect()
        for sample in metric.samples
        if sample.name.endswith("_total") and sample.value
    }


ANSWERS = {
    Reason.NOT_FOUND: answering(status=404),
    Reason.GONE: answering(status=410),
    Reason.FORBIDDEN: answering(status=403),
    Reason.PAYWALL: answering(status=402),
    Reason.RATE_LIMITED: answering(status=429),
    Reason.SERVER_ERROR: answering(status=500),
    Reason.HTTP_ERROR: answering(status=418),
    Reason.FETCH_TIMEOUT: answering(status=408),
    Reason.INVALID_URL: redirecting("ftp://example.com/"),
    Reason.BLOCKED_ADDRESS: redirecting("http://10.0.0.1/"),
    Reason.TOO_MANY_REDIRECTS: redirecting("/again"),
    Reason.UNSUPPORTED_MEDIA_TYPE: answering(Content_Type="image/png"),
    Reason.HEADERS_TOO_LARGE: answering(X_Long="x" * LIMITS.max_header_bytes),
    Reason.TOO_LARGE: answering(b"x" * (LIMITS.max_body_bytes + 1)),
    Reason.DECOMPRESSED_TOO_LARGE: answering(
        gzip.compress(b"x" * (LIMITS.max_body_bytes + 1)), Content_Encoding="gzip"
    ),
    Reason.BAD_ENCODING: answering(Content_Encoding="rot13"),
    Reason.INCOMPLETE_BODY: answering(PACKED[:-20], Content_Encoding="gzip"),
    Reason.BOT_CHALLENGE: answering(status=403, cf_mitigated="challenge"),
    Reason.SOFT_404: answering("<title>Page not found</title>"),
    Reason.CONSENT_WALL: redirecting("/cookiewall"),
    Reason.LOGIN_REQUIRED: redirecting("/login"),
}
AT_THE_END = {"/cookiewall", "/login"}


@pytest.mark.parametrize("reason", ANSWERS)
async def test_each_refusal_is_counted_by_its_reason(reason: Reason) -> None:
    async def handle(request: web.Request) -> web.StreamResponse:
        return await (answering() if request.path in AT_THE_END else ANSWERS[reason])(request)

    async with site(handle) as at, counting() as (fetcher, metrics):
        with pytest.raises(Failed):
            await fetcher.fetch(at.url())
        assert counted(metrics) == {reason: 1}


async def test_refusals_before_an_answer_are_counted_too() -> None:
    async with counting() as (fetcher, metrics), raw_site(b"HTTP/9\r\n\r\n") as bad:
        for url in ("ftp://example.com/", "http://10.0.0.1/", f"http://127.0.0.1:{unused_port()}/", bad.url):
            with pytest.raises(Failed):
                await fetcher.fetch(url)
        assert counted(metrics) == {
            Reason.INVALID_URL: 1,
            Reason.BLOCKED_ADDRESS: 1,
            Reason.CONNECT_ERROR: 1,
            Reason.BAD_RESPONSE: 1,
        }


async def test_bytes_are_counted_as_they_were_sent_those_of_refused_bodies_too() -> None:
    async with site(answering(PACKED, Content_Encoding="gzip")) as at, counting() as (fetcher, metrics):
        await fetcher.fetch(at.url())
        assert counted(metrics) == {"fetched": 1}
        assert metrics.registry.get_sample_value("copydesk_fetched_bytes_total") == len(PACKED)
    async with site(answering("<title>404</title>")) as at, counting() as (fetcher, metrics):
        with pytest.raises(Failed):
            await fetcher.fetch(at.url())
        assert metrics.registry.get_sample_value("copydesk_fetched_bytes_total") == len("<title>404</title>")


async def test_bytes_of_pages_on_the_way_are_counted() -> None:
    stub = '<meta http-equiv="refresh" content="0; url=/end">'

    async def handle(request: web.Request) -> web.Response:
        return web.Response(text=HTML if request.path == "/end" else stub, content_type="text/html")

    async with site(handle) as at, counting() as (fetcher, metrics):
        await fetcher.fetch(at.url())
        assert metrics.registry.get_sample_value("copydesk_fetched_bytes_total") == len(stub) + len(HTML.encode())


@pytest.mark.parametrize("value", ["0; url=/end", "3;URL='end'", '1; url="end"'])
async def test_a_refresh_header_counts_as_a_redirect(value: str) -> None:
    async def handle(request: web.Request) -> web.Response:
        headers = {} if request.path == "/end" else {"Refresh": value}
        return web.Response(text=HTML, content_type="text/html", headers=headers)

    async with site(handle) as at, counting() as (fetcher, _):
        page = await fetcher.fetch(at.url("/start"))
        assert (page.fetched.url, page.fetched.redirects) == (at.url("/end"), (at.url("/start"),))
        assert page.fetched.redirect_statuses == (200,)


@pytest.mark.parametrize("value", ["30; url=/later", "5", "", "0; url=/start", "0; url=javascript:alert(1)", "soon"])
async def test_other_refresh_headers_lead_nowhere(value: str) -> None:
    async with site(answering(Refresh=value)) as at, counting() as (fetcher, _):
        assert (await fetcher.fetch(at.url("/start"))).fetched.redirects == ()


async def test_refresh_headers_are_bounded_and_lead_nowhere_inside() -> None:
    async def handle(request: web.Request) -> web.Response:
        return web.Response(text=HTML, content_type="text/html", headers={"Refresh": f"0; url={request.path}x"})

    async with site(handle) as at:
        assert (await failure(at.url(), replace(LIMITS, max_redirects=3))).reason is Reason.TOO_MANY_REDIRECTS
        assert len(at.requests) == 4
    async with site(answering(Refresh="0; url=http://10.0.0.1/")) as at:
        assert (await failure(at.url())).reason is Reason.BLOCKED_ADDRESS
