"""Many URLs of one host that cannot be used, and of one that can: real servers on loopback, a real interval."""

import asyncio
import socket
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, ExitStack, asynccontextmanager
from dataclasses import dataclass, replace

import pytest
from aiohttp import web
from aiohttp.test_utils import unused_port
from prometheus_client import CollectorRegistry

from contract.metrics import Metrics
from contract.reasons import FailureClass, Reason
from runtime.brokers.local_leases import LocalLeases
from tests.workers.fetch.names import name_server
from tests.workers.fetch.sites import LIMITS, LOOPBACK, answering, raw_site, site
from workers.failures import Failed
from workers.fetch import Fetcher, GuardedClient, Reach
from workers.fetch.host_failures import HostFailures
from workers.fetch.host_queues import HostQueues
from workers.fetch.limits import HostFailureLimits, HostLimits
from workers.fetch.politeness import Politeness
from workers.fetch.robots import Robots, RobotsLimits

URLS = 30
INTERVAL_S = 1.0  # the default: thirty requests would take half a minute
SOON_S = 5.0
SHORT_S = 0.3  # for a connection that is not made
Asked = Callable[[], int]


@dataclass(frozen=True, slots=True)
class DeadHost:
    """`url` is of it, `asked` says how often somebody asked for it or for its address, where that can be seen."""

    url: str
    reach: Reach = LOOPBACK
    asked: Asked = lambda: 1


@asynccontextmanager
async def without_address() -> AsyncIterator[DeadHost]:
    async with name_server({}) as names:
        reach = replace(LOOPBACK, nameservers=(names.address,))
        yield DeadHost("http://gone.example/", reach, lambda: Counter(names.asked)["gone.example", "A"])


@asynccontextmanager
async def blocked() -> AsyncIterator[DeadHost]:
    async with name_server({"inside.example": [["10.0.0.1"]]}) as names:
        reach = replace(LOOPBACK, nameservers=(names.address,))
        yield DeadHost("http://inside.example/", reach, lambda: Counter(names.asked)["inside.example", "A"])


@asynccontextmanager
async def behind_a_closed_port() -> AsyncIterator[DeadHost]:
    yield DeadHost(f"http://127.0.0.1:{unused_port()}/")


@asynccontextmanager
async def at_a_port_of_something_else() -> AsyncIterator[DeadHost]:
    yield DeadHost("http://198.51.101.7:6379/")


@asynccontextmanager
async def that_says_nothing() -> AsyncIterator[DeadHost]:
    """Its queue of connections is full, and nobody accepts one."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        yield DeadHost(f"http://127.0.0.1:{listener.getsockname()[1]}/")


@asynccontextmanager
async def without_tls() -> AsyncIterator[DeadHost]:
    async with site(answering()) as at:
        yield DeadHost(at.url("/").replace("http:", "https:"))


@asynccontextmanager
async def whose_robots_txt_fails() -> AsyncIterator[DeadHost]:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=503)

    async with site(answer) as at:
        yield DeadHost(at.url("/"), asked=lambda: len(at.requests))


@asynccontextmanager
async def whose_robots_txt_breaks_off() -> AsyncIterator[DeadHost]:
    async with raw_site() as at:  # which aiohttp asks twice each time
        yield DeadHost(at.url, asked=lambda: bytes(at.heard).count(b"GET ") // 2)


@asynccontextmanager
async def fetching(
    reach: Reach = LOOPBACK, *, robots: bool = True, waiting: int = URLS, connect_timeout_s: float = SOON_S
) -> AsyncIterator[Fetcher]:
    limits = replace(LIMITS, connect_timeout_s=connect_timeout_s, first_byte_timeout_s=0.5, max_body_bytes=100_000)
    hosts = HostLimits(interval_s=INTERVAL_S, max_wait_s=60.0, waiting_per_host=waiting, waiting=waiting)
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(GuardedClient(limits, reach))
        failures = HostFailures(HostFailureLimits())
        queues = await stack.enter_async_context(HostQueues(LocalLeases().hold, hosts, failures))
        asked = Robots(client, RobotsLimits(), limits, "copydesk") if robots else None
        metrics = Metrics(CollectorRegistry())
        yield Fetcher(client, limits, metrics, admission=Politeness(queues, asked).admit)


async def failure_of(fetcher: Fetcher, url: str) -> Failed:
    with pytest.raises(Failed) as failed:
        await fetcher.fetch(url)
    return failed.value


NOT_CONNECTED = (
    (without_address, Reason.DNS_ERROR),
    (blocked, Reason.BLOCKED_ADDRESS),
    (behind_a_closed_port, Reason.CONNECT_ERROR),
    (that_says_nothing, Reason.CONNECT_TIMEOUT),
    (at_a_port_of_something_else, Reason.BLOCKED_PORT),
    (without_tls, Reason.TLS_ERROR),
)


@pytest.mark.parametrize(
    ("host", "reason", "robots"),
    [
        *((host, reason, robots) for host, reason in NOT_CONNECTED for robots in (True, False)),
        (whose_robots_txt_fails, Reason.ROBOTS_UNREACHABLE, True),
        (whose_robots_txt_breaks_off, Reason.CONNECT_ERROR, True),
    ],
)
async def test_all_urls_of_a_host_that_cannot_be_used_fail_at_once(
    host: Callable[[], AbstractAsyncContextManager[DeadHost]], reason: Reason, robots: bool
) -> None:
    timeout_s = SHORT_S if reason is Reason.CONNECT_TIMEOUT else SOON_S
    async with (
        host() as dead,
        fetching(dead.reach, robots=robots, connect_timeout_s=timeout_s) as fetcher,
        asyncio.timeout(SOON_S),
    ):
        urls = [f"{dead.url}page/{number}" for number in range(URLS)]
        failures = await asyncio.gather(*(failure_of(fetcher, url) for url in urls))
        failures.append(await failure_of(fetcher, f"{dead.url}later"))
        assert {failed.reason for failed in failures} == {reason}
        assert len({failed.detail for failed in failures}) == 1
        assert [failed.failure.fetched.url for failed in failures if failed.failure.fetched][:URLS] == urls
        assert dead.asked() == 1


async def test_a_dead_host_at_the_end_of_a_redirect_is_reported_with_the_way_to_it() -> None:
    port = unused_port()

    async def answer(request: web.Request) -> web.Response:
        if request.path == "/robots.txt":
            return web.Response(text="")
        return web.Response(status=302, headers={"Location": f"http://127.0.0.2:{port}{request.path}"})

    async with site(answer) as at, fetching() as fetcher:
        failures = [await failure_of(fetcher, at.url(f"/{number}")) for number in range(2)]
        assert {failed.reason for failed in failures} == {Reason.CONNECT_ERROR}
        assert [failed.failure.fetched and failed.failure.fetched.redirects for failed in failures] == [
            (at.url("/0"),),
            (at.url("/1"),),
        ]
        assert [request.path for request in at.requests] == ["/robots.txt", "/0", "/1"]  # this host works


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/gone", Reason.NOT_FOUND),
        ("/large", Reason.TOO_LARGE),
        ("/late", Reason.FIRST_BYTE_TIMEOUT),
        ("/broken", Reason.CONNECT_ERROR),
        ("/inwards", Reason.BLOCKED_ADDRESS),
        ("/zone", Reason.BLOCKED_ADDRESS),
    ],
)
async def test_a_failure_of_one_url_does_not_affect_others(path: str, reason: Reason) -> None:
    async def answer(request: web.Request) -> web.Response:
        match request.path:
            case "/gone":
                return web.Response(status=404)
            case "/large":
                return web.Response(body=b"x" * 100_001, content_type="text/html")
            case "/late":
                await asyncio.sleep(2)
            case "/broken":
                assert request.transport is not None
                request.transport.abort()
            case "/inwards":
                return web.Response(status=302, headers={"Location": "http://10.0.0.1/"})
            case "/zone":
                return web.Response(status=302, headers={"Location": "http://[fe80::1%25eth0]/"})
        return web.Response(text="<p>A page of words.</p>", content_type="text/html")

    async with site(answer) as at, fetching() as fetcher:
        failed, page = await asyncio.gather(failure_of(fetcher, at.url(path)), fetcher.fetch(at.url("/well")))
        assert (failed.reason, page.fetched.status) == (reason, 200)


def test_the_memory_of_transient_causes_ends_before_the_next_attempt() -> None:
    assert Reason.DNS_ERROR.failure_class is FailureClass.TRANSIENT
    assert HostFailureLimits().transient_for_s <= min(HostLimits().away_s, 10.0)
