"""Workers are killed at every stage, and by documents; their children hang, exit, eat memory, or are killed."""

import asyncio
import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import aiohttp
import pytest

from tests.faults.balance import balance, subscriber
from tests.faults.conftest import DOCUMENTS, WITHIN_S
from tests.faults.deployment import Deployment, children_of, failpoint, wait_until_ready
from tests.faults.hostile import ALLOCATE, EXIT, HANG
from tests.faults.load import Client, Submission, recovery_s, tiny, tiny_ones, within
from tests.faults.site import site
from tests.rabbit_node import RabbitNode
from tests.system.processes import Process

pytestmark = [pytest.mark.faults, pytest.mark.rabbit, pytest.mark.timeout(2 * WITHIN_S + 60)]

STAGES = [
    "before_fetch",
    "after_fetch",
    "before_extract",
    "after_extract",
    "before_publish",
    "between_log_and_subscribers",
    "after_publish",
    "after_ack",
]
UNCONFIRMED = 64  # verdicts of a worker that wait for their confirm, at most
KILLER = "THIS-DOCUMENT-KILLS"
MANY_STARTS_S = 4 * WITHIN_S  # one worker after the other starts, and dies


@pytest.fixture(scope="module")
def deployment(node: RabbitNode) -> Iterator[Deployment]:
    running = Deployment(
        node.url, workers=1, retry_delays_s="0.5,1,2,4"
    )  # the documents of a busy host wait for the first
    try:
        running.wait_until_ready()
        yield running
    finally:
        running.close()


@pytest.mark.parametrize("stage", STAGES)
async def test_worker_killed(stage: str, deployment: Deployment, node: RabbitNode, tmp_path: Path) -> None:
    count = max(60, DOCUMENTS // len(STAGES))
    client = Client(lambda: deployment.api)
    doomed = deployment.start_worker(failpoint(stage, tmp_path / "happened"))
    try:
        await asyncio.to_thread(wait_until_ready, doomed)
        async with within(WITHIN_S, client, node), subscriber(node.url) as events, asyncio.TaskGroup() as group:
            with site() as pages:
                urls: list[Submission] = [{"url": pages.url(f"/page/{number}")} for number in range(count)]
                group.create_task(client.post_all(urls))
                assert await asyncio.to_thread(doomed.wait) == -signal.SIGKILL
                seconds = await recovery_s(client, events.until_decided)
                await client.until_accepted(count + 1)
                name = f"worker killed {stage.replace('_', ' ')}"
                row = await balance(name, node.url, client.accepted, events, seconds, within_s=WITHIN_S)
    finally:
        doomed.close()
    assert row.lost == row.differing == 0
    assert events.subjects >= client.accepted
    assert max(row.repeated) <= UNCONFIRMED  # verdicts that were written, whose deliveries were not acked


@pytest.fixture
def other_vhost(node: RabbitNode, request: pytest.FixtureRequest) -> str:
    """The URL of a separate virtual host, whose queues have other arguments."""
    name = str(request.node.name)
    return node.add_vhost(name)


@pytest.fixture
def fragile(other_vhost: str) -> Iterator[Deployment]:
    """An intake and no worker; a job is lost with its third delivery."""
    running = Deployment(other_vhost, workers=0, delivery_limit="2")
    try:
        running.wait_until_ready()
        yield running
    finally:
        running.close()


async def keep_a_worker_running(deployment: Deployment, program: tuple[str, ...]) -> None:
    """Starts a worker as often as it dies, as a service manager does."""
    while True:
        deployment.workers.append(deployment.start_worker(program))
        while deployment.workers[-1].returncode is None:  # noqa: ASYNC110 - the last one lives on: nothing to wait for
            await asyncio.sleep(0.05)


@pytest.mark.timeout(MANY_STARTS_S + WITHIN_S + 60)
async def test_document_that_kills_every_worker(fragile: Deployment, tmp_path: Path) -> None:
    client = Client(lambda: fragile.api)
    program = failpoint(f"before_extract@{KILLER}", tmp_path / "happened")
    async with within(MANY_STARTS_S, client), subscriber(fragile.url) as events, asyncio.TaskGroup() as group:
        await client.post_all([{"text": f"{KILLER} {tiny(0)['text']}"}])
        (killer,) = client.accepted
        keeper = group.create_task(keep_a_worker_running(fragile, program))
        await events.until_decided({killer})
        seconds = await recovery_s(client, events.until_decided)
        await client.post_all(tiny_ones(50))
        name = "document that kills every worker"
        row = await balance(name, fragile.url, client.accepted, events, seconds, within_s=WITHIN_S)
        keeper.cancel()
        fragile.workers[-1].stop()
    assert row.lost == 0
    assert events.reasons.pop(killer) == "worker_lost"
    assert set(events.reasons.values()) == {"processed"}
    assert len(fragile.workers) == 1 + 3


@pytest.mark.timeout(MANY_STARTS_S + WITHIN_S + 60)
async def test_document_that_kills_takes_no_other_with_it(other_vhost: str, tmp_path: Path) -> None:
    # A job has 21 deliveries: enough for all others to get away. With two slots one bulk job is delivered at a time.
    deployment = Deployment(other_vhost, workers=0, slots=4)
    client = Client(lambda: deployment.api)
    program = failpoint(f"before_extract@{KILLER}", tmp_path / "happened")
    try:
        deployment.wait_until_ready()
        async with within(MANY_STARTS_S, client), subscriber(other_vhost) as events, asyncio.TaskGroup() as group:
            await client.post_all([{"text": f"{KILLER} {tiny(0)['text']}", "options": {"lane": "bulk"}}])
            killers = set(client.accepted)
            await client.post_all([*tiny_ones(2, "interactive"), *tiny_ones(2)])
            keeper = group.create_task(keep_a_worker_running(deployment, program))
            await events.until_decided(client.accepted - killers)
            keeper.cancel()
            deployment.workers[-1].stop()
    finally:
        deployment.close()
    for killer in killers:
        assert events.reasons.pop(killer, "worker_lost") == "worker_lost"
    assert set(events.reasons.values()) == {"processed"}


async def test_hostile_documents_and_a_storm_of_kills(other_vhost: str, documents: int) -> None:
    deployment = Deployment(
        other_vhost, workers=0, parse_timeout_s="2", parse_memory_bytes="300000000", retry_delays_s="0.5,1,2,4"
    )
    deployment.workers = [deployment.start_worker(failpoint("hostile", "-")) for _ in range(2)]
    client = Client(lambda: deployment.api)
    try:
        deployment.wait_until_ready()
        async with within(WITHIN_S, client), subscriber(other_vhost) as events, asyncio.TaskGroup() as group:
            posting = group.create_task(client.post_all(tiny_ones(documents), over_s=10))
            for _ in range(5):
                await events.until_more(documents // 20)
                await asyncio.to_thread(kill_all_parser_children, deployment.workers)
            hostile = await post_hostile(client)  # now: a kill from outside would be the verdict
            seconds = await recovery_s(client, events.until_decided)
            await posting
            name = "children hang, exit, eat memory; 5 storms of kills"
            row = await balance(name, other_vhost, client.accepted, events, seconds, within_s=WITHIN_S)
    finally:
        deployment.close()
    assert row.lost == 0
    assert {word: events.reasons[document_id] for word, document_id in hostile.items()} == {
        HANG: "parse_timeout",
        EXIT: "parser_crash",
        ALLOCATE: "memory",
    }


async def post_hostile(client: Client) -> dict[str, str]:
    """Posts a document of each kind and returns their ids."""
    async with aiohttp.ClientSession() as http:
        words = (HANG, EXIT, ALLOCATE)
        return {word: await client.post(http, {"text": f"{word} {tiny(0)['text']}"}) for word in words}


def kill_all_parser_children(workers: list[Process]) -> None:
    """Kills what a worker's fork server started; the fork server is a worker's child that has children."""
    for worker in workers:
        for child in children_of(worker.pid):
            for grandchild in children_of(child):
                with suppress(ProcessLookupError):
                    os.kill(grandchild, signal.SIGKILL)
