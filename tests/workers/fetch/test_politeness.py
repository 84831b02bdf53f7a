"""robots.txt and intervals, checked before a page is requested, with real servers on loopback."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace

import pytest
from aiohttp import web
from yarl import URL

from contract.reasons import Reason
from tests.workers.fetch.sites import LIMITS, LOOPBACK, Site, raw_site, site
from workers.failures import Failed
from workers.fetch.client import GuardedClient
from workers.fetch.host_failures import HostFailures
from workers.fetch.host_queues import HostBusy, HostQueues
from workers.fetch.limits import HostFailureLimits, HostLimits
from workers.fetch.politeness import Politeness
from workers.fetch.robots import Robots, RobotsLimits

AGENT = "copydesk"
FAST = HostLimits(interval_s=0.01, max_wait_s=30.0)


@asynccontextmanager
async def alone(_: str) -> AsyncIterator[bool]:
    """A lease that is always free."""
    yield True


def queues(limits: HostLimits = FAST) -> HostQueues:
    return HostQueues(alone, limits, HostFailures(HostFailureLimits()))


@asynccontextmanager
async def polite(robots: RobotsLimits | None = None, hosts: HostLimits = FAST) -> AsyncIterator[Politeness]:
    async with GuardedClient(LIMITS, LOOPBACK) as client, queues(hosts) as at_hosts:
        yield Politeness(at_hosts, Robots(client, robots or RobotsLimits(), LIMITS, AGENT))


def robots(text: str = "", status: int = 200, **headers: str) -> AbstractAsyncContextManager[Site]:
    """A site whose robots.txt is this."""

    async def answer(_: web.Request) -> web.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return web.Response(text=text, status=status, headers=named)

    return site(answer)


async def refusal(politeness: Politeness, url: str) -> Failed | None:
    try:
        with await politeness.admit(URL(url)):
            return None
    except Failed as failed:
        return failed


@pytest.mark.parametrize(
    ("text", "path", "allowed"),
    [
        ("", "/a", True),
        ("User-agent: *\nDisallow: /", "/a", False),
        ("User-agent: *\nDisallow: /private/", "/private/a", False),
        ("User-agent: *\nDisallow: /private/", "/public/a", True),
        ("User-agent: *\nDisallow: /\nAllow: /news/", "/news/a", True),
        ("User-agent: other\nDisallow: /", "/a", True),
        ("User-agent: *\nDisallow:\n\nUser-agent: Copydesk\nDisallow: /", "/a", False),
        ("User-agent: *\nDisallow: /\n\nUser-agent: copydesk\nDisallow: /private/", "/a", True),
        ("User-agent: *\nDisallow: /*.html$", "/a.html", False),
        ("User-agent: *\nDisallow: /*.html$", "/a.html?x=1", True),
        ("\ufeffUser-agent: *\nDisallow: /", "/a", False),
        ("User-agent: *\nDisallow: /%E4", "/%E4", False),
        ("<!doctype html><title>Not found</title>", "/a", True),
    ],
)
async def test_robots_txt_is_obeyed(text: str, path: str, allowed: bool) -> None:
    async with robots(text) as at, polite() as politeness:
        failed = await refusal(politeness, at.url(path))
    assert (failed is None) is allowed
    assert failed is None or failed.reason is Reason.ROBOTS_DENIED


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 451])
async def test_a_site_without_robots_txt_allows_all(status: int) -> None:
    async with robots("User-agent: *\nDisallow: /", status) as at, polite() as politeness:
        assert await refusal(politeness, at.url()) is None


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_a_site_whose_server_fails_is_left_alone_for_a_while(status: int) -> None:
    async with robots("", status) as at, polite() as politeness:
        failed = await refusal(politeness, at.url())
        assert failed is not None
        assert failed.reason is Reason.ROBOTS_UNREACHABLE
        assert failed.failure.retry_after_s == RobotsLimits().unreachable_for_s
        again = await refusal(politeness, at.url("/other"))
        assert again is not None
        assert (again.reason, again.detail) == (failed.reason, failed.detail)
        assert 0 < (again.failure.retry_after_s or 0) < RobotsLimits().unreachable_for_s
        assert len(at.requests) == 1


async def test_robots_txt_is_asked_for_once_in_its_lifetime() -> None:
    async with robots("User-agent: *\nDisallow: /private/") as at, polite() as politeness:
        for path in ("/a", "/b", "/private/c"):
            await refusal(politeness, at.url(path))
        assert [request.path for request in at.requests] == ["/robots.txt"]


async def test_robots_txt_is_asked_for_again_when_its_lifetime_is_over() -> None:
    limits = RobotsLimits(lifetime_at_least_s=0.0)
    async with robots("", Cache_Control="max-age=0") as at, polite(limits) as politeness:
        for path in ("/a", "/b"):
            await refusal(politeness, at.url(path))
        assert len(at.requests) == 2


@pytest.mark.parametrize(("steps", "denied"), [(5, True), (6, False)])
async def test_redirects_of_robots_txt_are_followed_to_a_point(steps: int, denied: bool) -> None:
    async def answer(request: web.Request) -> web.Response:
        step = int(request.query.get("step", "0"))
        if step < steps:
            return web.Response(status=302, headers={"Location": f"/robots.txt?step={step + 1}"})
        return web.Response(text="User-agent: *\nDisallow: /")

    async with site(answer) as at, polite() as politeness:
        assert (await refusal(politeness, at.url()) is not None) is denied


async def test_only_the_first_half_megabyte_is_read() -> None:
    limits = RobotsLimits(max_bytes=1000)
    text = f"User-agent: *\nDisallow: /early/\n{'#' * 2000}\nDisallow: /late/"
    async with robots(text) as at, polite(limits) as politeness:
        assert await refusal(politeness, at.url("/early/a")) is not None
        assert await refusal(politeness, at.url("/late/a")) is None


async def test_a_host_that_cannot_be_reached_says_so_itself() -> None:
    async with GuardedClient(LIMITS, LOOPBACK) as client, queues() as at_hosts:
        failed = await refusal(Politeness(at_hosts, Robots(client, RobotsLimits(), LIMITS, AGENT)), "http://10.0.0.1/a")
    assert failed is not None
    assert failed.reason is Reason.BLOCKED_ADDRESS


@pytest.mark.parametrize("rule", ["Crawl-delay: 0.3", "Request-rate: 10/3"])
async def test_the_interval_that_a_site_asks_for_is_kept(rule: str) -> None:
    loop = asyncio.get_running_loop()
    async with robots(f"User-agent: *\n{rule}") as at, polite() as politeness:
        begun = []
        for _ in range(2):
            with await politeness.admit(URL(at.url())):
                begun.append(loop.time())
    assert begun[1] - begun[0] >= 0.29


async def test_a_pause_that_a_host_asks_for_is_kept() -> None:
    async with robots() as at, polite(hosts=HostLimits(interval_s=0.01, max_wait_s=5)) as politeness:
        with pytest.raises(Failed), await politeness.admit(URL(at.url())):
            raise Failed(Reason.RATE_LIMITED, "HTTP status 429", retry_after_s=40)
        with pytest.raises(HostBusy) as busy:
            await refusal(politeness, at.url())
        assert 30 < busy.value.delay_s <= 40


async def test_robots_txt_leads_nowhere_inside() -> None:
    asked = []

    async def inside(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.Response(text="")

    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=302, headers={"Location": f"http://[::1]:{within.server.port}/robots.txt"})

    async with site(inside, host="::1") as within, site(answer) as at, polite() as politeness:
        failed = await refusal(politeness, at.url())
    assert failed is not None
    assert (failed.reason, asked) == (Reason.BLOCKED_ADDRESS, [])


async def test_a_robots_txt_that_drips_is_not_waited_for_beyond_the_time_of_a_fetch() -> None:
    async def drip(writer: asyncio.StreamWriter) -> None:
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.01)

    limits = replace(LIMITS, total_timeout_s=0.3)
    async with raw_site(b"HTTP/1.1 200 OK\r\nX-Long: ", send=drip) as at, GuardedClient(limits, LOOPBACK) as client:
        robots_txt = Robots(client, RobotsLimits(), limits, AGENT)
        with pytest.raises(Failed) as failed:
            await robots_txt.rules(URL(at.url))
        assert failed.value.reason is Reason.FETCH_TIMEOUT
        await at.left.wait()
