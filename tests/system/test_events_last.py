"""Events are chosen by pattern and filter, `last=N` counts those that match: on both brokers, over the wire."""

import json
import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.rabbit_node import RabbitNode
from tests.system.processes import copydesk, running
from tests.system.test_rabbit import post_all

pytestmark = [pytest.mark.system, pytest.mark.timeout(180)]

PORTS = ("--port", "0", "--ops-port", "0")
GOOD = {"text": "The ferry sails again, the harbour master said."}
BAD = [{"url": f"http://127.0.0.{number}:9/"} for number in (1, 2, 3)]  # fail at once: addresses of this machine
POSTED = [BAD[0], GOOD, BAD[1], GOOD, BAD[2], GOOD, GOOD]


@pytest.fixture
def embedded(tmp_path: Path) -> Iterator[str]:
    with running("up", *PORTS, "--data", str(tmp_path)) as up:
        yield up.wait_for_urls("api")["api"]


@pytest.fixture
def rabbit(rabbit_node: RabbitNode) -> Iterator[str]:
    with ExitStack() as stack:
        settings = {"COPYDESK_AMQP_URL": stack.enter_context(rabbit_node.vhost("last"))}
        serve = stack.enter_context(running("serve", *PORTS, settings=settings))
        stack.enter_context(running("work", "--slots", "1", "--ops-port", "0", settings=settings))
        yield serve.wait_for_urls("api")["api"]


def tail(api: str, count: int, *options: str) -> list[dict[str, Any]]:
    done = copydesk("tail", "--url", api, "--count", str(count), *options)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


async def check(api: str) -> None:
    await post_all(api, POSTED)
    log = [(event["id"], event["type"].split(".")[2]) for event in tail(api, len(POSTED), "--after", "oldest")]
    for kind in ("failed", "processed"):
        ids = [event_id for event_id, its_kind in log if its_kind == kind]
        assert len(ids) == (3 if kind == "failed" else 4)
        for last in (2, 100):
            wanted = ids[-last:]
            got = tail(api, len(wanted), "--last", str(last), "--pattern", f"{kind}.#")
            assert [event["id"] for event in got] == wanted
    await check_filter(api, dict(log))


async def check_filter(api: str, log: dict[str, str]) -> None:
    """Checks `tail --filter`, and that lines which end have the same events in the same bytes."""
    wanted = [event_id for event_id, kind in log.items() if kind == "processed"][-2:]
    chosen = "type = processed and has title or host in (127.0.0.1, 127.0.0.3)"
    options = ("--filter", f"not ({chosen}) and not reason = blocked_address")
    assert [event["id"] for event in tail(api, 2, "--last", "2", *options)] == wanted
    failed = tail(api, 2, "--after", "oldest", "--filter", "type = failed and host in (127.0.0.1, 127.0.0.3)")
    assert {event["data"]["url"] for event in failed} == {"http://127.0.0.1:9/", "http://127.0.0.3:9/"}
    params = {"follow": "false", "filter": "reason = blocked_address and not host = 127.0.0.2"}
    async with aiohttp.ClientSession(api) as http:
        async with http.get("/v1/events", params=params, headers={"Accept": "application/x-ndjson"}) as response:
            *lines, end = [json.loads(line) async for line in response.content]
        async with http.get("/v1/events", params={"follow": "false"}) as response:
            events = re.findall(rb"id: ([0-9]+)\ndata: (.+)\n\n", await response.read())
    assert end == {"ended": "complete"}
    assert [line["event"] for line in lines] == failed
    logged = {int(offset): json.loads(event) for offset, event in events}
    assert len(logged) == len(POSTED)
    assert [logged[line["offset"]] for line in lines] == failed


async def test_it_does_on_the_embedded_broker(embedded: str) -> None:
    await check(embedded)


@pytest.mark.rabbit
async def test_it_does_on_rabbitmq(rabbit: str) -> None:
    await check(rabbit)
