"""Reads streams of events."""

import asyncio
import json
from typing import Any

from aiohttp import ClientResponse

from tests.service.conftest import RunningApi

Block = dict[str, str]


async def follow(api: RunningApi, path: str = "/v1/events", **headers: str) -> ClientResponse:
    response = await api.client.get(path, headers=headers)
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


async def write(api: RunningApi, *routing_keys: str) -> None:
    for routing_key in routing_keys:
        await api.broker.write(routing_key, b'{"n":%d}' % (api.broker.first_offset + len(api.broker.log)))


async def lines(api: RunningApi, query: str) -> list[dict[str, Any]]:
    """Returns all lines of a stream that ends."""
    response = await api.client.get(f"/v1/events?format=ndjson&{query}")
    assert (response.status, response.content_type) == (200, "application/x-ndjson")
    return [json.loads(line) for line in (await response.read()).splitlines()]


async def until_ended(api: RunningApi, reason: str) -> None:
    """Returns when a stream has ended for this reason, which nothing but the metric signals."""
    async with asyncio.timeout(60):
        ended = 0.0
        while not ended:
            ended = api.sample("copydesk_event_streams_ended_total", reason=reason)
            await asyncio.sleep(0.01)
