"""The intake: out of memory, killed before it answers, and full when retries come back."""

import asyncio
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.faults.balance import balance, subscriber, waiting_in
from tests.faults.conftest import LOAD_S, WITHIN_S
from tests.faults.deployment import Deployment, failpoint, wait_until_ready
from tests.faults.load import BatchClient, Client, recovery_s, tiny_ones, within
from tests.faults.site import site
from tests.rabbit_node import MEMORY_LIMIT, RabbitNode, free_ports
from tests.system.processes import Process

pytestmark = [pytest.mark.faults, pytest.mark.rabbit, pytest.mark.timeout(2 * WITHIN_S + 60)]

ANSWERED_WITHIN_S = 5 + 3  # the API answers after 4 s; the rest is for a machine that is busy with other things
RETRY_QUEUE = "copydesk.intake.retry"
RETRIES = 60
RETRY_DELAY_S = 3


@pytest.fixture(scope="module")
def deployment(node: RabbitNode) -> Iterator[Deployment]:
    # RabbitMQ tries a dead letter that was refused again after three minutes; here after two seconds.
    node.evaluate("application:set_env(rabbit, dead_letter_worker_publisher_confirm_timeout, 2000).")
    running = Deployment(node.url, retry_delays_s=f"{RETRY_DELAY_S},10,20")
    try:
        running.wait_until_ready()
        yield running
    finally:
        running.close()


async def test_memory_alarm(deployment: Deployment, node: RabbitNode, documents: int) -> None:
    client = Client(lambda: deployment.api)
    async with within(WITHIN_S, client, node), subscriber(node.url) as events, asyncio.TaskGroup() as group:
        before, during = tiny_ones(documents)[: documents // 4], tiny_ones(documents)[documents // 4 :]
        posting = group.create_task(client.post_all(before, over_s=LOAD_S / 4))
        await client.until_accepted(documents // 8)
        async with memory_alarm(node):
            posting_on = group.create_task(client.post_all(during, over_s=LOAD_S))
            await client.until_refused(16)
            await asyncio.to_thread(wait_until_ready, deployment.serve, ready=False)
        seconds = await recovery_s(client, events.until_decided)
        await asyncio.gather(posting, posting_on)
        row = await balance("memory alarm set, cleared", node.url, client.accepted, events, seconds, within_s=WITHIN_S)
    assert row.lost == row.differing == 0
    assert client.answers.keys() == {202, 503}
    assert client.retry_after == {"5"}
    assert client.slowest_s < ANSWERED_WITHIN_S


@asynccontextmanager
async def memory_alarm(node: RabbitNode) -> AsyncIterator[None]:
    await asyncio.to_thread(node.limit_memory, "{absolute, 1}")
    try:
        yield
    finally:
        await asyncio.to_thread(node.limit_memory, MEMORY_LIMIT)


async def test_intake_killed_between_confirm_and_answer(
    deployment: Deployment, node: RabbitNode, documents: int, tmp_path: Path
) -> None:
    (port,) = free_ports(1)
    doomed = deployment.start_serve(failpoint("after_confirm", tmp_path / "happened"), port)
    client = Client(lambda: f"http://127.0.0.1:{port}")
    try:
        await asyncio.to_thread(wait_until_ready, doomed)
        async with within(WITHIN_S, client, node), subscriber(node.url) as events, asyncio.TaskGroup() as group:
            posting = group.create_task(client.post_all(tiny_ones(documents), over_s=LOAD_S))
            assert await asyncio.to_thread(doomed.wait) == -signal.SIGKILL
            doomed = deployment.start_serve(port=port)
            await asyncio.to_thread(wait_until_ready, doomed)
            seconds = await recovery_s(client, events.until_decided)
            await posting
            name = "intake killed between confirm and answer"
            row = await balance(name, node.url, client.accepted, events, seconds, within_s=WITHIN_S)
    finally:
        doomed.close()
    assert row.lost == row.differing == 0
    assert row.documents == documents + 1  # the repeated posts got the ids that were lost with the answers
    assert min(row.repeated) > 0


async def test_intake_killed_in_the_middle_of_a_batch(
    deployment: Deployment, node: RabbitNode, documents: int, tmp_path: Path
) -> None:
    (port,) = free_ports(1)
    doomed = deployment.start_serve(failpoint("after_confirm_of_many", tmp_path / "happened"), port)
    client = BatchClient(lambda: f"http://127.0.0.1:{port}")
    try:
        await asyncio.to_thread(wait_until_ready, doomed)
        async with within(WITHIN_S, client, node), subscriber(node.url) as events, asyncio.TaskGroup() as group:
            posting = group.create_task(client.post_batch(tiny_ones(documents)))
            assert await asyncio.to_thread(doomed.wait) == -signal.SIGKILL
            receipts_before = dict(client.receipts)
            doomed = deployment.start_serve(port=port)
            await asyncio.to_thread(wait_until_ready, doomed)
            await posting
            seconds = await recovery_s(client, events.until_decided)
            name = "intake killed in the middle of a batch"
            row = await balance(name, node.url, client.accepted, events, seconds, within_s=WITHIN_S)
    finally:
        doomed.close()
    assert row.lost == row.differing == 0
    assert client.broken_off
    assert 0 < len(receipts_before) < documents
    assert [len(ids) for ids in client.receipts.values()] == [1] * documents  # every receipt holds
    assert row.documents == documents + 1  # nothing is there twice
    assert min(row.repeated) > 0  # what was stored before was stored again, under the same id


async def test_retries_that_expire_into_a_full_intake(deployment: Deployment, node: RabbitNode) -> None:
    client = Client(lambda: deployment.api)
    with site() as pages:
        async with within(WITHIN_S, client, node), subscriber(node.url) as events, asyncio.TaskGroup():
            await asyncio.to_thread(limit, node, 1)
            await client.post_all([{"url": pages.url(f"/shy/{number}")} for number in range(RETRIES)])
            await asyncio.to_thread(pages.wait_until_asked_for, RETRIES)
            signal_all(deployment.workers, signal.SIGSTOP)  # so that nobody makes room in the retry lane
            await asyncio.sleep(RETRY_DELAY_S + 1)
            waiting = await waiting_in(node.url, RETRY_QUEUE)
            signal_all(deployment.workers, signal.SIGCONT)
            await asyncio.to_thread(limit, node, 1_000)
            seconds = await recovery_s(client, events.until_decided)
            name = "retries expire into a full intake"
            row = await balance(name, node.url, client.accepted, events, seconds, within_s=WITHIN_S)
    assert waiting < RETRIES // 4
    assert row.lost == row.differing == 0
    assert set(events.reasons.values()) == {"processed"}


def limit(node: RabbitNode, jobs: int) -> None:
    """Lets the retry lane hold so many jobs.

    Do not remove the policy: then RabbitMQ 3.10 goes on refusing those whom it refuses at that moment, and the process
    in it that brings retries back is one of them. See docs/reliability.md.
    """
    node.set_policy("full", f"^{RETRY_QUEUE}$", {"max-length": jobs})


def signal_all(processes: list[Process], number: int) -> None:
    for process in processes:
        process.signal(number)
