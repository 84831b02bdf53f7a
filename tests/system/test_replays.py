"""Replays on the real thing: the page's commands, and on RabbitMQ and PostgreSQL a process that is killed meanwhile."""

import asyncio
import gzip
import json
import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aio_pika
import aiohttp
import pytest
from aiohttp import web

from tests.postgres_cluster import PostgresCluster
from tests.rabbit_node import RabbitNode
from tests.system.ledger_stacks import Stack, embedded, replicas, until, until_all
from tests.system.processes import ROOT

pytestmark = [pytest.mark.system, pytest.mark.timeout(240)]

PAGE = (ROOT / "docs" / "replays.md").read_text(encoding="utf-8")
SETTINGS = {"COPYDESK_WEBHOOK_ALLOW": "127.0.0.0/8", "COPYDESK_PARSERS": "1"}
DOCUMENTS = 60
TEXT = "The harbour council voted on Tuesday evening to move the ferry landing two hundred metres up the coast. " * 3


async def filled(http: aiohttp.ClientSession, api: str, count: int) -> list[str]:
    """Posts documents, and returns the ids of their events when all are recorded."""
    lines = "".join(json.dumps({"text": f"{TEXT} Ferry {number} sails."}) + "\n" for number in range(count))
    headers = {"Content-Type": "application/x-ndjson"}
    async with http.post(f"{api}/v1/documents", data=lines.encode(), headers=headers) as response:
        receipts = [json.loads(line) for line in (await response.read()).splitlines()]
    ids = {receipt["id"] for receipt in receipts if "id" in receipt}
    assert len(ids) == count, receipts
    await until_all(api, ids, "processed")
    return [f"{document_id}.1" for document_id in ids]


async def made(http: aiohttp.ClientSession, api: str, path: str, **fields: object) -> dict[str, Any]:
    async with http.post(f"{api}{path}", json=fields) as response:
        answer: dict[str, Any] = await response.json(content_type=None)
        assert response.status == 201, answer
        return answer


async def show(http: aiohttp.ClientSession, api: str, replay_id: str) -> dict[str, Any]:
    async with http.get(f"{api}/v1/replays/{replay_id}") as response:
        answer: dict[str, Any] = await response.json()
        return answer


class Receiver:
    """A subscriber's server, which counts what it gets by event and by replay."""

    def __init__(self) -> None:
        self.got: Counter[tuple[str, str | None]] = Counter()
        self.url = ""

    async def open(self) -> web.AppRunner:
        app = web.Application()
        app.add_routes([web.post("/hook", self._take)])
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
        return runner

    async def _take(self, request: web.Request) -> web.Response:
        await request.read()
        self.got[request.headers["webhook-id"], request.headers.get("copydesk-replay")] += 1
        return web.Response(status=204)


@pytest.mark.rabbit
async def test_a_deliver_that_is_killed_loses_nothing_of_a_replay(
    rabbit_node: RabbitNode, cluster: PostgresCluster
) -> None:
    with replicas(rabbit_node, cluster, SETTINGS, workers=1) as stack:
        delivering = [stack.start("deliver") for _ in range(2)]
        for process in delivering:
            process.wait_for_urls("ops")
        async with aiohttp.ClientSession() as http:
            ids = await filled(http, stack.api, DOCUMENTS)
            receiver = Receiver()
            runner = await receiver.open()
            queue, confirmed = await subscribed(str(stack.amqp_url))
            hook = await made(http, stack.api, "/v1/webhooks", url=receiver.url, patterns=["processed.#"])
            replays = [
                await made(http, stack.api, "/v1/replays", webhook=hook["id"], per_second=20),
                await made(http, stack.api, "/v1/replays", queue=queue, per_second=20),
            ]

            async def are_under_way() -> bool:
                sent = [int((await show(http, stack.api, it["id"]))["sent"]) for it in replays]
                return min(sent) >= DOCUMENTS // 4

            await until(are_under_way)
            delivering.pop(0).kill()
            stack.start("deliver").wait_for_urls("ops")
            delivering.pop(0).kill()

            async def are_over() -> bool:
                states = {(await show(http, stack.api, it["id"]))["state"] for it in replays}
                return "running" not in states

            await until(are_over)
            ended = [await show(http, stack.api, it["id"]) for it in replays]
            logged = [await in_log(http, stack.api, it["until"]) for it in ended]  # repeats of events included
            assert set(logged[0]) == set(ids)
            assert [(it["state"], it["sent"]) for it in ended] == [("completed", each.total()) for each in logged]
            assert (ended[0]["delivered"], ended[0]["failed"], ended[0]["pending"]) == (ended[0]["sent"], 0, 0)
            assert {replay_id for _, replay_id in receiver.got} == {replays[0]["id"]}
            posted = Counter({event_id: count for (event_id, _), count in receiver.got.items()})
            queued = await confirmed()
            assert [posted >= logged[0], queued >= logged[1]] == [True, True]  # at least once
            repeated = posted.total() - logged[0].total(), queued.total() - logged[1].total()
            print(f"\nreplays, `deliver` killed twice: {len(ids)} events, 0 lost, repeated {repeated}")  # noqa: T201 - for docs/reliability.md
            assert repeated[1] <= 2 * 20  # each process that is killed repeats one step at most
            await runner.cleanup()


async def in_log(http: aiohttp.ClientSession, api: str, until: int) -> Counter[str]:
    """Returns how often each event stands in the log, up to an offset."""
    query = {"format": "ndjson", "until": str(until), "pattern": "processed.#"}
    async with http.get(f"{api}/v1/events", params=query) as response:
        lines = [json.loads(line) for line in (await response.read()).splitlines()]
    return Counter(line["event"]["id"] for line in lines if "event" in line)


async def subscribed(amqp_url: str) -> tuple[str, Any]:
    """Declares a queue that is bound to nothing. Returns its name, and a call that empties and counts it by event."""
    connection = await aio_pika.connect(amqp_url)
    channel = await connection.channel()
    queue = await channel.declare_queue("my-articles", durable=True, arguments={"x-queue-type": "quorum"})

    async def emptied() -> Counter[str]:
        found: Counter[str] = Counter()
        while (message := await queue.get(no_ack=True, fail=False)) is not None:
            event = json.loads(message.body)
            found[event["id"]] += 1
            assert message.message_id == event["id"]
            assert str(message.headers["copydesk-routing-key"]).startswith("processed.")
            assert message.headers["type"] == "processed"
            assert message.headers["copydesk-replay"]
        await connection.close()
        return found

    return "my-articles", emptied


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with embedded(tmp_path_factory.mktemp("up"), SETTINGS) as stack:
        yield stack


async def test_the_commands_of_the_page_do_what_it_says(up: Stack, tmp_path: Path) -> None:
    blocks = re.findall(r"^```sh\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    download, fetch, to_webhook, to_queue = [block.replace("http://127.0.0.1:8080", up.api) for block in blocks]
    async with aiohttp.ClientSession() as http:
        ids = await filled(http, up.api, 3)
        receiver = Receiver()
        runner = await receiver.open()
        hook = await made(http, up.api, "/v1/webhooks", url=receiver.url)
        replay = json.loads(await run(download, tmp_path))
        lines = (await run(fetch, tmp_path, id=replay["id"])).splitlines()
        events = [json.loads(line) for line in (tmp_path / "events.ndjson").read_bytes().splitlines()]
        assert sorted(it["event"]["id"] for it in events[:-1]) == sorted(ids)
        assert (tmp_path / "events.ndjson").read_bytes() == gzip.decompress(
            (tmp_path / "events.ndjson.gz").read_bytes()
        )
        assert [json.loads(line) for line in lines] == events[1:]
        assert (await show(http, up.api, replay["id"]))["state"] == "completed"
        sent = json.loads(await run(to_webhook, tmp_path, webhook=hook["id"]))

        async def is_over() -> bool:
            return bool((await show(http, up.api, sent["id"]))["state"] == "completed")

        await until(is_over)
        assert receiver.got == dict.fromkeys([(event_id, sent["id"]) for event_id in ids], 1)
        refused = json.loads(await run(to_queue, tmp_path))
        assert refused["errors"][0]["rule"] == "no_queues"
        await runner.cleanup()


async def test_up_that_is_killed_goes_on_with_its_replay(tmp_path: Path) -> None:
    with embedded(tmp_path, SETTINGS) as stack:
        async with aiohttp.ClientSession() as http:
            ids = await filled(http, stack.api, 20)
            receiver = Receiver()
            runner = await receiver.open()
            hook = await made(http, stack.api, "/v1/webhooks", url=receiver.url)
            replay = await made(http, stack.api, "/v1/replays", webhook=hook["id"], per_second=5)

            async def has_begun() -> bool:
                return len(receiver.got) >= 5

            await until(has_begun)
            await asyncio.to_thread(stack.kill, "record")

            async def is_over() -> bool:
                return bool((await show(http, stack.api, replay["id"]))["state"] == "completed")

            await until(is_over)
            assert {event_id for event_id, _ in receiver.got} == set(ids)
            await runner.cleanup()


async def run(command: str, folder: Path, **variables: str) -> bytes:
    """Runs a block of the page in a shell, and returns what it prints."""
    named = "".join(f"{name}={value}\n" for name, value in variables.items())

    def call() -> bytes:
        done = subprocess.run(["sh", "-ec", named + command], cwd=folder, check=True, capture_output=True, timeout=60)
        return done.stdout

    return await asyncio.to_thread(call)
