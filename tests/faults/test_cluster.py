"""A cluster of three nodes: the leader of the queues is killed; nodes and workers are restarted one after the other."""

import asyncio
from collections.abc import Iterator

import pytest

from tests.faults.balance import balance, subscriber
from tests.faults.cluster import Cluster
from tests.faults.conftest import LOAD_S, WITHIN_S
from tests.faults.desk import Desk, wait_until_ready
from tests.faults.load import Client, recovery_s, tiny_ones, within

pytestmark = [pytest.mark.faults, pytest.mark.rabbit, pytest.mark.timeout(3 * WITHIN_S + 200)]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    three = Cluster(tmp_path_factory.mktemp("cluster"))
    try:
        three.start()
        yield three
    finally:
        three.close()


@pytest.fixture(scope="module")
def desk(cluster: Cluster) -> Iterator[Desk]:
    running = Desk(f"{cluster.url}?heartbeat=5")
    try:
        running.wait_until_ready()
        yield running
    finally:
        running.close()


async def test_queue_leader_killed(desk: Desk, cluster: Cluster, documents: int) -> None:
    client = Client(lambda: desk.api)
    async with within(2 * WITHIN_S, client), subscriber(cluster.url) as events, asyncio.TaskGroup() as group:
        await asyncio.to_thread(cluster.settle)
        leaders = await asyncio.to_thread(cluster.nodes[0].leaders)
        leader = cluster.node_called(leaders["copydesk.intake.bulk"])
        group.create_task(client.post_all(tiny_ones(documents), over_s=LOAD_S))
        await client.until_accepted(documents // 4)
        await asyncio.to_thread(leader.kill)
        try:
            seconds = await recovery_s(client, events.until_decided)
            await client.until_accepted(documents + 1)
            name = "cluster of 3: queue leader killed"
            row = await balance(name, cluster.url, client.accepted, events, seconds, within_s=WITHIN_S)
        finally:
            await asyncio.to_thread(leader.start)
    assert row.lost == row.differing == 0
    assert events.subjects >= client.accepted


async def test_nodes_restarted_in_turn(desk: Desk, cluster: Cluster, documents: int) -> None:
    client = Client(lambda: desk.api)
    async with within(WITHIN_S + 120, client), subscriber(cluster.url) as events, asyncio.TaskGroup() as group:
        slowest_s = 0.0
        for node in cluster.nodes:
            await asyncio.to_thread(node.await_quorum)
            posting = group.create_task(client.post_all(tiny_ones(documents // len(cluster.nodes)), over_s=LOAD_S))
            await client.until_more(documents // 12)
            await asyncio.to_thread(node.stop)
            slowest_s = max(slowest_s, await recovery_s(client, events.until_decided))
            await asyncio.to_thread(node.start)
            await posting
        name = "cluster of 3: nodes restarted in turn"
        row = await balance(name, cluster.url, client.accepted, events, slowest_s, within_s=WITHIN_S)
    assert row.lost == row.differing == 0
    assert events.subjects >= client.accepted


async def test_workers_restarted_in_turn(desk: Desk, cluster: Cluster, documents: int) -> None:
    client = Client(lambda: desk.api)
    async with within(2 * WITHIN_S, client), subscriber(cluster.url) as events, asyncio.TaskGroup() as group:
        posting = group.create_task(client.post_all(tiny_ones(documents), over_s=LOAD_S))
        codes = []
        for number, worker in enumerate(list(desk.workers)):
            await client.until_accepted((number + 1) * documents // 4)
            codes.append(await asyncio.to_thread(worker.stop))
            desk.workers[number] = desk.start_worker()
            await asyncio.to_thread(wait_until_ready, desk.workers[number])
        seconds = await recovery_s(client, events.until_decided)
        await posting
        name = "workers restarted in turn (SIGTERM)"
        row = await balance(name, cluster.url, client.accepted, events, seconds, within_s=WITHIN_S)
    assert codes == [0, 0]
    assert row.lost == row.differing == 0
    assert row.repeated == (0, 0)
