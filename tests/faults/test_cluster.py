"""A cluster of three nodes: the leader of the queues is killed; nodes and workers are restarted one after the other."""

import asyncio
from collections.abc import Iterator

import pytest
from prometheus_client import CollectorRegistry

from contract.metrics import Metrics
from contract.topology import LOG
from runtime.brokers.rabbit import RabbitBroker
from tests.brokers.announcer import Announcer, missing_in_log
from tests.faults.balance import balance, subscriber
from tests.faults.cluster import Cluster, ClusterNode
from tests.faults.conftest import DOCUMENTS, KILLS, LOAD_S, WITHIN_S
from tests.faults.deployment import Deployment, wait_until_ready
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
def deployment(cluster: Cluster) -> Iterator[Deployment]:
    running = Deployment(f"{cluster.url}?heartbeat=5")
    try:
        running.wait_until_ready()
        yield running
    finally:
        running.close()


async def test_queue_leader_killed(deployment: Deployment, cluster: Cluster, documents: int) -> None:
    client = Client(lambda: deployment.api)
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


@pytest.mark.timeout(KILLS * (WITHIN_S + 60))
async def test_leader_of_the_log_killed_again_and_again(
    deployment: Deployment, cluster: Cluster, documents: int
) -> None:
    client = Client(lambda: deployment.api)
    async with within(KILLS * WITHIN_S, client), subscriber(cluster.url) as events, asyncio.TaskGroup() as group:
        slowest_s = 0.0
        await asyncio.to_thread(cluster.settle)
        for _ in range(KILLS):
            leader = await asyncio.to_thread(settled_leader, cluster, LOG)
            posting = group.create_task(client.post_all(tiny_ones(documents // KILLS), over_s=1.0))
            await client.until_more(documents // KILLS // 2)
            await asyncio.to_thread(leader.kill)
            slowest_s = max(slowest_s, await recovery_s(client, events.until_decided))
            await posting
            await asyncio.to_thread(leader.start)
        name = f"cluster of 3: leader of the log killed {KILLS} times"
        row = await balance(name, cluster.url, client.accepted, events, slowest_s, within_s=WITHIN_S)
    assert row.lost == row.differing == 0
    assert events.subjects >= client.accepted


@pytest.mark.timeout(KILLS * (WITHIN_S + 60))
async def test_leader_of_the_log_killed_while_events_come_as_fast_as_they_are_confirmed(cluster: Cluster) -> None:
    """More events than workers have: hundreds are on their way to the log whenever its leader dies."""
    between = 2000 if DOCUMENTS >= 1000 else 500  # events before each kill, and after it
    async with RabbitBroker(cluster.url, metrics=Metrics(CollectorRegistry())) as broker:
        announcer = Announcer(broker)
        first = await announcer.announce()  # declares what the subscriber binds its queue to
        async with subscriber(cluster.url, "announced") as events, asyncio.TaskGroup() as group:
            await asyncio.to_thread(cluster.settle)
            for _ in range(KILLS):
                leader = await asyncio.to_thread(settled_leader, cluster, LOG)
                announcing = group.create_task(announcer.run())
                await announcer.until_more(between)
                await asyncio.to_thread(leader.kill)
                await announcer.until_more(between)
                announcer.stop()  # nodes start slowly while events come as fast as they can
                await announcing
                await asyncio.to_thread(leader.start)
            missing, repeats = await missing_in_log(broker, announcer.confirmed)
            await events.until_decided(announcer.confirmed - {first})
    counts = (len(announcer.confirmed), f"{len(missing)} lost", f"{repeats} repeated")
    print(f"\ncluster of 3: leader of the log killed {KILLS} times, events alone", *counts, sep=" | ")  # noqa: T201
    assert missing == set()


def settled_leader(cluster: Cluster, queue: str) -> ClusterNode:
    """Returns the node that leads `queue`, once it may be killed."""
    leader = cluster.node_called(cluster.nodes[0].leader_of(queue))
    leader.await_quorum()
    return leader


async def test_nodes_restarted_in_turn(deployment: Deployment, cluster: Cluster, documents: int) -> None:
    client = Client(lambda: deployment.api)
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


async def test_workers_restarted_in_turn(deployment: Deployment, cluster: Cluster, documents: int) -> None:
    client = Client(lambda: deployment.api)
    async with within(2 * WITHIN_S, client), subscriber(cluster.url) as events, asyncio.TaskGroup() as group:
        posting = group.create_task(client.post_all(tiny_ones(documents), over_s=LOAD_S))
        codes = []
        for number, worker in enumerate(list(deployment.workers)):
            await client.until_accepted((number + 1) * documents // 4)
            codes.append(await asyncio.to_thread(worker.stop))
            deployment.workers[number] = deployment.start_worker()
            await asyncio.to_thread(wait_until_ready, deployment.workers[number])
        seconds = await recovery_s(client, events.until_decided)
        await posting
        name = "workers restarted in turn (SIGTERM)"
        row = await balance(name, cluster.url, client.accepted, events, seconds, within_s=WITHIN_S)
    assert codes == [0, 0]
    assert row.lost == row.differing == 0
    assert row.repeated == (0, 0)
