"""What is left when a part is lost for good: rows of docs/disasters.md that no other test shows."""

import json
import time
from pathlib import Path

import aiohttp
import pytest

from tests.postgres_cluster import PostgresCluster
from tests.rabbit_node import RabbitNode
from tests.system.ledger_stacks import accepted, embedded, look_up, replicas_of, until, until_all
from tests.system.processes import copydesk

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]


@pytest.mark.rabbit
async def test_a_broker_that_is_lost_with_its_disk_leaves_what_the_ledger_has(
    rabbit_node: RabbitNode, cluster: PostgresCluster
) -> None:
    ledger_url = cluster.database()
    assert copydesk("ledger", "upgrade", settings={"COPYDESK_LEDGER_URL": ledger_url}).returncode == 0
    name = f"lost{time.monotonic_ns()}"
    with rabbit_node.vhost(name) as amqp_url, replicas_of(amqp_url, ledger_url, workers=1) as stack:
        async with aiohttp.ClientSession() as http:
            before = {await accepted(http, stack.api, number) for number in range(5)}
        await until_all(stack.api, before, "processed")
    with rabbit_node.vhost(name) as amqp_url, replicas_of(amqp_url, ledger_url, workers=1) as stack:
        async with aiohttp.ClientSession() as http:
            after = {await accepted(http, stack.api, number) for number in range(5, 7)}
            await until_all(stack.api, before | after, "processed")
            status, answer = await look_up(http, stack.api, min(before))
            assert (status, answer["data"]["id"] if "data" in answer else answer["id"]) == (200, min(before))
        lines = [entry for process in stack.recorders for entry in process.log if entry["event"] == "record_has_gap"]
        assert {(line["record"], line["what"]) for line in lines} >= {("copydesk.log", "the stream was made anew")}
        balance = copydesk("audit", "--json", settings={"COPYDESK_AMQP_URL": amqp_url})
        assert (balance.returncode, json.loads(balance.stdout)["decided"]) == (0, len(after))


async def test_keys_are_refused_when_the_secret_of_keys_is_another_one(tmp_path: Path) -> None:
    statuses = []
    token = ""
    for secret in ("first" * 8, "second" * 8, "first" * 8):
        settings = {"COPYDESK_KEYS_SECRET": secret}
        with embedded(tmp_path, settings) as stack:
            assert stack.api
            if not token:
                made = copydesk("keys", "create", "ann", "--data", str(tmp_path), settings=settings)
                assert made.returncode == 0, made.stderr
                token = made.stdout.decode().strip()
            headers = {"Authorization": f"Bearer {token}"}
            async with aiohttp.ClientSession(stack.api, headers=headers) as http:

                async def is_known() -> bool:
                    async with http.get("/v1/documents") as response:
                        statuses.append(response.status)
                    return response.status == 200

                if secret.startswith("second"):
                    assert not await is_known()
                else:
                    await until(is_known)
    assert set(statuses) == {200, 401}
