"""Callbacks as docs/webhooks.md has them, and on both brokers with processes that are killed meanwhile."""

import asyncio
import json
import subprocess
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from standardwebhooks import Webhook

from contract.callbacks import callback_secret
from tests.postgres_cluster import PostgresCluster
from tests.rabbit_node import RabbitNode, free_ports
from tests.served import served
from tests.system.ledger_stacks import Stack, embedded, replicas, until
from tests.system.processes import copydesk, running
from tests.system.test_webhooks import blocks, receiver

pytestmark = [pytest.mark.system, pytest.mark.timeout(240)]

SETTING = "only the servers know this secret"
SETTINGS = {
    "COPYDESK_WEBHOOK_ALLOW": "127.0.0.0/8",
    "COPYDESK_WEBHOOK_RETRY_DELAYS_S": ",".join(["0.5"] * 100),
    "COPYDESK_WEBHOOK_TIMEOUT_S": "2",
    "COPYDESK_CALLBACK_SECRET": SETTING,
    "COPYDESK_PARSERS": "1",
}
DOCUMENTS = 60
TEXT = "The harbour council voted on Tuesday evening to move the ferry landing two hundred metres up the coast. " * 3


class Receiver:
    """A server that counts what is genuine, by event. It refuses every third request."""

    def __init__(self) -> None:
        self.got: Counter[str] = Counter()
        self.requests = 0
        self.url = ""

    @asynccontextmanager
    async def opened(self) -> AsyncIterator["Receiver"]:
        app = web.Application()
        app.add_routes([web.post("/done", self._take)])
        async with served(app) as url:
            self.url = f"{url}/done?token=s3cret"
            yield self

    async def _take(self, request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        event = Webhook(callback_secret(SETTING, "anonymous")).verify(await request.read(), headers)
        self.requests += 1
        if self.requests % 3 == 0:
            return web.Response(status=500)
        self.got[event["id"]] += 1
        return web.Response(status=204)


async def posted(http: aiohttp.ClientSession, api: str, url: str, first: int, count: int) -> list[str]:
    """Posts documents with a callback, and returns the ids of their events."""
    bodies = [
        {"text": f"{TEXT} Ferry {number} sails.", "options": {"callback_url": url}}
        for number in range(first, first + count)
    ]
    lines = "".join(json.dumps(body) + "\n" for body in bodies).encode()
    headers = {"Content-Type": "application/x-ndjson"}
    async with http.post(f"{api}/v1/documents", data=lines, headers=headers) as response:
        receipts = [json.loads(line) for line in (await response.read()).splitlines()]
    assert [receipt["status"] for receipt in receipts] == [202] * count, receipts
    return [f"{receipt['id']}.1" for receipt in receipts]


async def shown(http: aiohttp.ClientSession, api: str, event_id: str) -> dict[str, Any]:
    async with http.get(f"{api}/v1/documents/{event_id.removesuffix('.1')}") as response:
        answer: dict[str, Any] = await response.json()
        return answer


async def all_called_back(stack: Stack, http: aiohttp.ClientSession, to: Receiver, ids: list[str]) -> None:
    async def have_come() -> bool:
        return set(ids) <= to.got.keys()

    async def are_delivered() -> bool:
        states = [(await shown(http, stack.api, it)).get("callback") or {} for it in ids]
        return {it.get("state") for it in states} == {"delivered"}

    await until(have_come)
    await until(are_delivered)
    repeated = to.got.total() - len(ids)
    print(f"\ncallbacks, processes killed: {len(ids)} documents, 0 lost, {repeated} repeated")  # noqa: T201 - for docs/reliability.md
    assert set(to.got) == set(ids)


async def test_on_the_embedded_broker_a_process_that_is_killed_loses_none(tmp_path: Path) -> None:
    async with aiohttp.ClientSession() as http, Receiver().opened() as to:
        with embedded(tmp_path, SETTINGS) as stack:
            ids = await posted(http, stack.api, to.url, 0, DOCUMENTS)

            async def are_under_way() -> bool:
                return len(to.got) >= DOCUMENTS // 4

            await until(are_under_way)
            stack.kill_recorder()
            await all_called_back(stack, http, to, ids)


@pytest.mark.rabbit
async def test_on_rabbitmq_neither_a_recorder_nor_a_deliver_that_is_killed_loses_one(
    rabbit_node: RabbitNode, cluster: PostgresCluster
) -> None:
    async with aiohttp.ClientSession() as http, Receiver().opened() as to:
        with replicas(rabbit_node, cluster, SETTINGS, workers=1) as stack:
            delivering = [stack.start("deliver") for _ in range(2)]
            for process in delivering:
                process.wait_for_urls("ops")
            ids = await posted(http, stack.api, to.url, 0, DOCUMENTS // 2)

            async def are_under_way() -> bool:
                return len(to.got) >= DOCUMENTS // 6

            await until(are_under_way)
            delivering[0].kill()
            stack.kill_recorder()
            ids += await posted(http, stack.api, to.url, DOCUMENTS // 2, DOCUMENTS // 2)
            stack.start("deliver").wait_for_urls("ops")
            await all_called_back(stack, http, to, ids)


@pytest.fixture
def api(tmp_path: Path) -> Iterator[str]:
    with running("up", "--port", "0", "--ops-port", "0", "--data", str(tmp_path), settings=SETTINGS) as process:
        yield process.wait_for_urls("api")["api"]


def run(command: str) -> Any:  # noqa: ANN401 - JSON
    return json.loads(subprocess.run(["sh", "-c", command], check=True, capture_output=True).stdout)


def test_the_receiver_of_the_page_takes_a_callback_of_its_own_commands(api: str) -> None:
    (program,) = blocks("python")
    (port,) = free_ports(1)
    post, secret = (
        next(block for block in blocks("sh") if word in block).replace("http://127.0.0.1:8080", api)
        for word in ("callback_url", "/v1/callbacks/secret")
    )
    with receiver(program, run(secret)["secret"], port) as process:
        posted_id = run(post.replace(":9000/", f":{port}/"))["id"]
        assert process.stdout is not None
        assert process.stdout.readline() == f"article {posted_id}\n"


async def test_the_command_sets_it_for_its_documents(api: str, tmp_path: Path) -> None:
    for number in range(2):
        (tmp_path / f"{number}.txt").write_text(f"{TEXT} {number}", encoding="utf-8")
    async with Receiver().opened() as to:
        files = [str(tmp_path / f"{number}.txt") for number in range(2)]
        arguments = ["submit", "--url", api, "--callback-url", to.url]
        for given in (files, files[:1]):  # as lines, and alone
            done = await asyncio.to_thread(copydesk, *arguments, *given, "--again")
            assert done.returncode == 0, done.stderr

        async def have_come() -> bool:
            return len(to.got) == 3

        await until(have_come)
