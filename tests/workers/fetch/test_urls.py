from dataclasses import replace

import pytest
from aiohttp import web
from yarl import URL

from contract.reasons import Reason
from tests.workers.fetch.sites import HTML, LIMITS, failure, fetched, site
from workers.failures import Failed
from workers.fetch.refresh import page_target
from workers.fetch.urls import checked_url, publisher_url


@pytest.mark.parametrize(
    ("url", "checked"),
    [
        ("http://Example.COM/a?b=c#d", "http://example.com/a?b=c"),
        ("https://bücher.example/ä", "https://xn--bcher-kva.example/%C3%A4"),
        ("http://8.8.2056/", "http://8.8.8.8/"),
        ("http://0x8.8.8.010/", "http://8.8.8.8/"),
        ("http://%38.8.8.8/", "http://8.8.8.8/"),
        ("http://[2606:4700:0:0::1]:443/", "http://[2606:4700::1]:443/"),
        ("http://example%2ecom/", "http://example.com/"),
        ("http://a_b.example./", "http://a_b.example./"),
        ("http://1.example/", "http://1.example/"),
        ("http:/a", "http://a/"),
        ("http:\\\\a\\b c", "http://a/b%20c"),
        ("http://①②⑦.1/", "http://127.0.0.1/"),
    ],
)
def test_urls_are_asked_for_in_one_notation(url: str, checked: str) -> None:
    assert str(checked_url(url)) == checked


@pytest.mark.parametrize(
    "url",
    [
        *("http://1.2.3.256/", "http://1.2.3.4.5/", "http://0x1ffffffff/", "http://4294967296/", "http://1..2/"),
        *("http://08.1.1.1/", "http://0xg.1/", "http://a.1/", "http://a b/", "http://a%00b/", "http://a%2fb/"),
        *("http://%ff/", "http://a..b/", "http://[::1::]/", "http://h:0/"),
        *(
            "gopher://example.com/",
            "javascript:alert(1)",
            "data:text/html,x",
            "",
            "http://a@b/",
            "http://:p@b/",
        ),
    ],
)
def test_other_urls_are_refused(url: str) -> None:
    with pytest.raises(Failed) as failed:
        checked_url(url)
    assert failed.value.reason is Reason.INVALID_URL


@pytest.mark.parametrize(
    ("url", "publisher"),
    [
        ("https://example-com.cdn.ampproject.org/c/s/example.com/a?b=c", "https://example.com/a?b=c"),
        ("https://example-com.cdn.ampproject.org/v/example.com/a", "http://example.com/a"),
        ("https://www.google.com/amp/s/example.com/a/amp/", "https://example.com/a/amp/"),
        ("https://www.google.co.uk/amp/example.com/a", "http://example.com/a"),
        ("https://www.google.com/search?q=amp", "https://www.google.com/search?q=amp"),
        ("https://example.com/amp/s/other.example/a", "https://example.com/amp/s/other.example/a"),
    ],
)
def test_amp_caches_lead_to_the_publisher(url: str, publisher: str) -> None:
    assert str(publisher_url(URL(url))) == publisher


def test_an_amp_cache_leads_nowhere_inside_unseen() -> None:
    inside = publisher_url(URL("https://x.cdn.ampproject.org/c/127.1/a"))
    assert inside.host == "127.0.0.1"  # which is refused when it is dialled
    with pytest.raises(Failed):
        publisher_url(URL("https://x.cdn.ampproject.org/c/user@host.example/a"))


HERE = URL("http://here.example/page")


@pytest.mark.parametrize(
    ("body", "target"),
    [
        ('<meta http-equiv="refresh" content="0; url=/next">', "http://here.example/next"),
        ("<META HTTP-EQUIV=Refresh CONTENT='5;URL=https://there.example/'>", "https://there.example/"),
        ('<meta http-equiv="refresh" content="300; url=/later">', None),
        ('<meta http-equiv="refresh" content="0">', None),
        ('<meta http-equiv="refresh" content="0; url=/page">', None),
        ('<noscript><meta http-equiv="refresh" content="0; url=/noscript"></noscript>', None),
        ('<!-- <meta http-equiv="refresh" content="0; url=/comment"> -->', None),
        ('<meta http-equiv="refresh" content="0; url=javascript:alert(1)">', None),
        ("<p>refresh", None),
    ],
)
def test_pages_that_refresh(body: str, target: str | None) -> None:
    found = page_target(HERE, body.encode(), "utf-8")
    assert (str(found) if found else None) == target


async def test_a_refresh_counts_as_a_redirect() -> None:
    async def handle(request: web.Request) -> web.Response:
        page = HTML if request.path == "/end" else '<meta http-equiv="refresh" content="1; url=end">'
        return web.Response(text=page, content_type="text/html")

    async with site(handle) as at:
        page = await fetched(at.url("/start"))
        assert (page.fetched.url, page.fetched.redirects) == (at.url("/end"), (at.url("/start"),))


async def test_refreshes_are_bounded() -> None:
    async def handle(request: web.Request) -> web.Response:
        page = f'<meta http-equiv="refresh" content="0; url={request.path}x">'
        return web.Response(text=page, content_type="text/html")

    async with site(handle) as at:
        assert (await failure(at.url(), replace(LIMITS, max_redirects=3))).reason is Reason.TOO_MANY_REDIRECTS
        assert len(at.requests) == 4
