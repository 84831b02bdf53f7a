"""Reads streams of events."""

import asyncio
import json
from typing import Any

from aiohttp import ClientResponse

from tests.service.conftest import Desk

Block = dict[str, str]


async def follow(desk: Desk, path: str = "/v1/events", **headers: str) -> ClientResponse:
    response = await desk.client.get(path, headers=headers)
    assert (response.status, response.content_type) == (200, "text/event-stream")
    return response


async def next_block(stream: ClientResponse) -> Block:
    """Returns the fields of the next block; a comment's field is the empty string."""
    block = await stream.content.readuntil(b"\n\n")
    fields = (line.partition(":") for line in block.decode().splitlines() if line)
    return {name: value.strip() for name, _, value in fields}


async def take(stream: ClientResponse, count: int) -> list[Block]:
    return [await next_block(stream) for _ in range(count)]


def event(offset: int) -> Block:
    return {"id": str(offset), "data": f'{{"n":{offset}}}'}


async def write(desk: Desk, *routing_keys: str) -> None:
    for routing_key in routing_keys:
        await desk.broker.write(routing_key, b'{"n":%d}' % (desk.broker.first_offset + len(desk.broker.log)))


async def lines(desk: Desk, query: str) -> list[dict[str, Any]]:
    """Returns all lines of a stream that ends."""
    response = await desk.client.get(f"/v1/events?format=ndjson&{query}")
    assert (response.status, response.content_type) == (200, "application/x-ndjson")
    return [json.loads(line) for line in (await response.read()).splitlines()]


async def until_ended(desk: Desk, reason: str) -> None:
    """Returns when a stream has ended for this reason, which nothing but the metric signals."""
    async with asyncio.timeout(60):
        ended = 0.0
        while not ended:
            ended = desk.sample("copydesk_event_streams_ended_total", reason=reason)
            await asyncio.sleep(0.01)
