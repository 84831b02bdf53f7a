import asyncio
import json
import re
from pathlib import Path

import pytest
import yaml
from prometheus_client import CollectorRegistry

from contract.metrics import Metrics
from contract.topology import design
from runtime.brokers.rabbit import RabbitBroker
from runtime.brokers.rabbit.definitions import definitions, encoded
from runtime.brokers.rabbit.setup import check_topology
from tests.brokers import samples
from tests.rabbit_node import RabbitNode, permission

COMPOSE = Path(__file__).parents[2] / "deploy" / "compose.yaml"
FILE = Path(__file__).parents[2] / "deploy" / "rabbitmq" / "definitions.json"


def test_the_file_is_what_the_topology_says() -> None:
    assert FILE.read_bytes() == encoded(design()), "run python -m runtime.brokers.rabbit.definitions"


@pytest.mark.rabbit
async def test_imported_definitions_suit_the_broker_and_set_the_policies(
    rabbit_node: RabbitNode, tmp_path: Path
) -> None:
    vhost = "imported"
    file = tmp_path / "definitions.json"
    file.write_text(json.dumps({**definitions(design(), vhost), "permissions": [permission("guest", vhost)]}))
    rabbit_node.ctl("import_definitions", str(file))
    async with RabbitBroker(rabbit_node.url + vhost, metrics=Metrics(CollectorRegistry())) as broker:
        await broker.put(samples.job())
    policies = {queue["name"]: queue["policy"] for queue in rabbit_node.queues("policy", vhost=vhost)}
    rabbit_node.delete_vhost(vhost)
    assert {name: policy for name, policy in policies.items() if policy} == {
        "copydesk.intake.interactive": "copydesk-intake",
        "copydesk.intake.bulk": "copydesk-intake",
        "copydesk.log": "copydesk-log",
        "copydesk.accepted": "copydesk-accepted",
        "copydesk.attempts": "copydesk-attempts",
        "copydesk.requests": "copydesk-requests",
        "copydesk.previews": "copydesk-previews",
    }


@pytest.mark.rabbit
async def test_the_files_that_compose_mounts_define_bounded_queues_policies_and_the_user(tmp_path: Path) -> None:
    """As in compose, except for the folder of the files: on an empty node, with another password."""
    configs = yaml.safe_load(COMPOSE.read_text())["configs"]
    (tmp_path / "definitions").mkdir()
    (tmp_path / "definitions" / "10-copydesk.json").write_bytes(FILE.read_bytes())
    users = re.sub(r"\$\{COPYDESK_AMQP_PASSWORD:[^}]*\}", "word", configs["users"]["content"])
    (tmp_path / "definitions" / "20-users.json").write_text(users)
    loading = configs["node"]["content"].replace("/etc/rabbitmq", str(tmp_path))
    (tmp_path / "node").mkdir()
    node = RabbitNode(tmp_path / "node", settings=loading)
    try:
        node.start()
        await asyncio.to_thread(node.evaluate, "rabbit:await_startup().")
        url = node.url.replace("guest:guest", "copydesk:word")
        async with RabbitBroker(url, metrics=Metrics(CollectorRegistry())) as broker:
            await broker.put(samples.job())
        assert await check_topology(url, design()) == []
        policies = node.value("[proplists:get_value(name, Policy) || Policy <- rabbit_policy:list()]")
        users = node.value("[proplists:get_value(user, User) || User <- rabbit_auth_backend_internal:list_users()]")
    finally:
        node.close()
    assert set(policies) == {policy.name for policy in design().policies}
    assert users == ["copydesk"]


def test_subscribers_reach_the_broker_of_compose_from_this_machine_alone() -> None:
    assert yaml.safe_load(COMPOSE.read_text())["services"]["rabbitmq"]["ports"] == ["127.0.0.1:5672:5672"]
