"""Posting to receivers: where it may lead, and what is read of the answer."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from aiohttp import web

from contract.labels import DeliveryOutcome
from tests.workers.deliver.conftest import OpenReceiver, Posted
from workers.deliver.receiver import AttemptResult, ReceiverReach, Receivers

INSIDE = ReceiverReach(networks=("127.0.0.0/8",))


@pytest.fixture
async def receivers() -> AsyncIterator[Receivers]:
    async with Receivers(INSIDE, timeout_s=1.0, answer_bytes=2_000) as opened:
        yield opened


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:{port}/",
        "http://localhost:{port}/",
        "http://[::1]:{port}/",
        "http://169.254.169.254/latest/meta-data/",
        "http://10.0.0.1/",
        "http://[::ffff:127.0.0.1]:{port}/",
        "http://0.0.0.0:{port}/",
    ],
)
async def test_networks_inside_are_not_dialled(open_receiver: OpenReceiver, url: str) -> None:
    receiver = await open_receiver()
    port = receiver.url.rpartition(":")[2].removesuffix("/hook")
    async with Receivers(ReceiverReach(), timeout_s=5.0, answer_bytes=100) as guarded:
        answer = await guarded.post(url.format(port=port), b"{}", {})
    assert (answer.outcome, answer.status, receiver.got) == (DeliveryOutcome.BLOCKED, None, [])
    assert answer.error


async def test_other_ports_of_public_addresses_are_not_dialled() -> None:
    async with Receivers(ReceiverReach(), timeout_s=5.0, answer_bytes=100) as guarded:
        answer = await guarded.post("http://1.1.1.1:25/", b"{}", {})
    assert answer.outcome is DeliveryOutcome.BLOCKED


async def answered(
    receivers: Receivers, open_receiver: OpenReceiver, answer: Callable[[Posted], Awaitable[web.Response]]
) -> AttemptResult:
    receiver = await open_receiver(answer)
    return await receivers.post(receiver.url, b"{}", {"webhook-id": "1"})


@pytest.mark.parametrize(
    ("status", "outcome"), [(200, "delivered"), (299, "delivered"), (302, "refused"), (410, "refused")]
)
async def test_only_2xx_counts_and_no_redirect_is_followed(
    receivers: Receivers, open_receiver: OpenReceiver, status: int, outcome: str
) -> None:
    async def redirect(_: Posted) -> web.Response:
        return web.Response(status=status, headers={"Location": "/elsewhere"}, text="so it is")

    answer = await answered(receivers, open_receiver, redirect)
    assert (answer.outcome, answer.status, answer.excerpt) == (outcome, status, "so it is")


async def test_of_a_long_answer_the_beginning_is_read(receivers: Receivers, open_receiver: OpenReceiver) -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"a" * 65_536

    async def talk(_: Posted) -> web.Response:
        return web.Response(body=endless())

    answer = await answered(receivers, open_receiver, talk)
    assert (answer.outcome, answer.excerpt) == (DeliveryOutcome.DELIVERED, "a" * 1024)


async def test_a_receiver_that_hangs_is_left_after_the_time_limit(
    receivers: Receivers, open_receiver: OpenReceiver
) -> None:
    async def hang(_: Posted) -> web.Response:
        await asyncio.Event().wait()
        return web.Response()

    answer = await answered(receivers, open_receiver, hang)
    assert (answer.outcome, answer.error) == (DeliveryOutcome.TIMED_OUT, "no answer within 1 s")
    assert answer.took_ms >= 900


async def test_nobody_there_is_said_without_the_url(receivers: Receivers) -> None:
    answer = await receivers.post("http://127.0.0.1:9/secret-path", b"{}", {})
    assert (answer.outcome, answer.error) == (DeliveryOutcome.UNREACHABLE, "127.0.0.1: the connection was refused")


@pytest.mark.parametrize(
    ("value", "least_s", "most_s"),
    [("120", 120, 120), ("Fri, 31 Dec 2999 23:59:59 GMT", 10**9, 10**11), ("Sun, 06 Nov 1994 08:49:37 GMT", 0, 0)],
)
async def test_retry_after_is_a_number_or_a_date(
    receivers: Receivers, open_receiver: OpenReceiver, value: str, least_s: float, most_s: float
) -> None:
    async def later(_: Posted) -> web.Response:
        return web.Response(status=429, headers={"Retry-After": value})

    answer = await answered(receivers, open_receiver, later)
    assert answer.retry_after_s is not None
    assert least_s <= answer.retry_after_s <= most_s


async def test_what_is_no_time_is_ignored(receivers: Receivers, open_receiver: OpenReceiver) -> None:
    async def soon(_: Posted) -> web.Response:
        return web.Response(status=429, headers={"Retry-After": "soon"})

    assert (await answered(receivers, open_receiver, soon)).retry_after_s is None


async def test_a_large_event_arrives_whole(receivers: Receivers, open_receiver: OpenReceiver) -> None:
    receiver = await open_receiver()
    body = b"x" * 5_000_000  # aiohttp warns of so much in one go
    answer = await receivers.post(receiver.url, body, {"webhook-id": "1", "Content-Type": "application/json"})
    assert answer.outcome is DeliveryOutcome.DELIVERED
    assert receiver.got[0].body == body
