"""URLs to internal addresses are refused before a byte is sent: the listeners there get no connection."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
import pytest_asyncio

from contract.reasons import Reason
from tests.workers.fetch.inside import RESOLVED, URLS
from tests.workers.fetch.names import NameServer, name_server
from tests.workers.fetch.sites import answering, failure, fetched, fetcher, redirecting, site
from workers.fetch import Reach

OUTSIDE = "127.0.0.9"
"""Stands for the world: all else on loopback is inside."""


@contextmanager
def listening(port: int = 0, host: str = "127.0.0.1") -> Iterator[tuple[int, list[socket.socket]]]:
    """Sockets at one port of the IPv4 and IPv6 loopback. Their backlogs show which connections came."""
    with socket.create_server((host, port)) as four:
        port = four.getsockname()[1]
        with socket.create_server(("::1", port), family=socket.AF_INET6) as six:
            yield port, [four, six]


def connections(sockets: list[socket.socket]) -> int:
    came = 0
    for each in sockets:
        each.setblocking(False)
        try:
            each.accept()[0].close()
            came += 1
        except BlockingIOError:
            pass
    return came


@pytest_asyncio.fixture
async def names() -> AsyncIterator[NameServer]:
    async with name_server(RESOLVED) as server:
        yield server


def test_the_table_is_long_and_has_nothing_twice() -> None:
    assert len(set(URLS)) == len(URLS) >= 150


@pytest.mark.parametrize("url", URLS)
async def test_nothing_inside_is_reached(url: str, names: NameServer) -> None:
    with listening() as (port, sockets):
        failed = await failure(url.format(port=port), reach=Reach(nameservers=(names.address,)))
        assert failed.reason is Reason.BLOCKED_ADDRESS
        assert connections(sockets) == 0


@pytest.mark.parametrize("url", URLS)
async def test_nothing_inside_is_reached_by_a_redirect(url: str, names: NameServer) -> None:
    reach = Reach(allow_networks=(f"{OUTSIDE}/32",), nameservers=(names.address,))
    with listening() as (port, sockets):
        async with (
            site(redirecting(url.format(port=port)), host=OUTSIDE) as second,
            site(redirecting(second.url()), host=OUTSIDE) as first,
        ):
            failed = await failure(first.url(), reach=reach)
            assert failed.reason is Reason.BLOCKED_ADDRESS
            assert (len(first.requests), len(second.requests)) == (1, 1)
        assert connections(sockets) == 0


async def test_a_page_that_refreshes_inside() -> None:
    with listening() as (port, sockets):
        page = f'<meta http-equiv="refresh" content="0; url=http://127.0.0.1:{port}/">'
        async with site(answering(page), host=OUTSIDE) as at:
            failed = await failure(at.url(), reach=Reach(allow_networks=(f"{OUTSIDE}/32",)))
        assert failed.reason is Reason.BLOCKED_ADDRESS
        assert connections(sockets) == 0


async def test_ports_that_are_not_the_webs() -> None:
    async with name_server({"far.example": [["203.0.114.7"]]}) as server:
        for url in ("http://203.0.114.7:8080/", "http://far.example:22/", "http://[2606:4700::1]:8080/"):
            assert (await failure(url, reach=Reach(nameservers=(server.address,)))).reason is Reason.BLOCKED_PORT


async def test_a_name_is_looked_up_once_and_what_was_found_is_dialled() -> None:
    rebinding = {"rebind.example": [[OUTSIDE], ["127.0.0.1"]]}
    async with site(answering(), host=OUTSIDE) as at, name_server(rebinding) as server:
        reach = Reach(allow_networks=(f"{OUTSIDE}/32",), nameservers=(server.address,))
        with socket.create_server(("127.0.0.1", at.server.port or 0)) as inside:
            url = at.url(host="rebind.example")
            assert (await fetched(url, reach=reach)).fetched.url == url
            assert server.asked.count(("rebind.example", "A")) == 1
            assert (await failure(url, reach=reach)).reason is Reason.BLOCKED_ADDRESS
            assert connections([inside]) == 0


async def test_of_several_addresses_only_those_outside_are_dialled() -> None:
    mixed = {"mixed.example": [["127.0.0.1", "::1", OUTSIDE, "10.0.0.1"]]}
    async with site(answering(), host=OUTSIDE) as at, name_server(mixed) as server:
        with listening(at.server.port or 0) as (_, sockets):
            reach = Reach(allow_networks=(f"{OUTSIDE}/32",), nameservers=(server.address,))
            assert (await fetched(at.url(host="mixed.example"), reach=reach)).fetched.status == 200
            assert connections(sockets) == 0


async def test_many_lookups_wait_for_nobody() -> None:
    """Look-ups use no threads: names whose server does not answer do not delay others."""
    silent, transport_of = asyncio.DatagramProtocol(), asyncio.get_running_loop().create_datagram_endpoint
    transport, _ = await transport_of(lambda: silent, local_addr=("127.0.0.1", 0))
    host, port = transport.get_extra_info("sockname")
    async with site(answering(), host=OUTSIDE) as at:
        reach = Reach(allow_networks=(f"{OUTSIDE}/32",), nameservers=(f"{host}:{port}",))
        async with fetcher(reach=reach) as at_once, asyncio.TaskGroup() as group:
            waiting = [group.create_task(at_once.fetch(f"http://{number}x.example/")) for number in range(100)]
            await at_once.fetch(at.url())
            assert not any(task.done() for task in waiting)
            for task in waiting:
                task.cancel()
    transport.close()


async def test_networks_can_be_allowed() -> None:
    async with site(answering()) as at:
        assert (await fetched(at.url(host="localhost"), reach=replace(Reach(), allow_networks=("127.0.0.0/8",)))).body
