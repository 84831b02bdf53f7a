"""Requests that wait for a verdict while their replica or the broker dies. Each test starts a Copydesk of its own."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from tests.rabbit_node import RabbitNode
from tests.system.ledger_stacks import KINDS, Stack, accepted, opened, until_all
from tests.system.test_wait import asked, document_of, server, slow_site, until_waiting

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]


@pytest.fixture(params=KINDS)
def stack(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stack]:
    with opened(request, tmp_path) as stack:
        yield stack


async def test_a_replica_that_is_killed_while_it_waits_costs_the_wait_alone(stack: Stack) -> None:
    async with slow_site() as site, aiohttp.ClientSession() as http:
        await accepted(http, server(stack, 0), 0)
        waiting = asyncio.ensure_future(asked(http, "POST", f"{server(stack, 0)}/v1/documents", json={"url": site.url}))
        await site.asked.wait()
        await until_waiting(stack, 0, "submission", 1)
        document_id = await document_of(http, server(stack, 0), site.url)
        if len(stack.servers) == 1:
            await asyncio.to_thread(stack.kill_recorder)  # the one process that there is
        else:
            stack.servers[0].kill()
        site.released.set()
        with pytest.raises(aiohttp.ClientError):
            await waiting
        status, event = await asked(http, "GET", f"{server(stack, 1)}/v1/documents/{document_id}")
        assert (status, b"Ferry" in event) == (200, True)


@pytest.mark.parametrize("stack", [pytest.param("replicas", marks=pytest.mark.rabbit)], indirect=True)
async def test_a_broker_that_is_restarted_ends_the_waits_and_loses_nothing(
    stack: Stack, rabbit_node: RabbitNode
) -> None:
    async with slow_site() as site, aiohttp.ClientSession() as http:
        await accepted(http, server(stack, 0), 0)
        waiting = asyncio.ensure_future(asked(http, "POST", f"{server(stack, 0)}/v1/documents", json={"url": site.url}))
        await site.asked.wait()
        document_id = await document_of(http, server(stack, 0), site.url)
        await asyncio.to_thread(rabbit_node.kill)
        assert (await waiting)[0] == 202
        await asyncio.to_thread(rabbit_node.start)
        site.released.set()
        await until_all(server(stack, 1), {document_id}, "processed")
        again = await accepted(http, server(stack, 0), 1)  # waits work again, as all else does
        status, event = await asked(http, "GET", f"{server(stack, 1)}/v1/documents/{again}")
        assert (status, again.encode() in event) == (200, True)
