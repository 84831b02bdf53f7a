import json
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from contract.metrics import Metrics
from contract.topology import design
from runtime.brokers.rabbit import RabbitBroker
from runtime.brokers.rabbit.definitions import definitions, encoded
from tests.brokers import samples
from tests.rabbit_node import RabbitNode

FILE = Path(__file__).parents[2] / "deploy" / "rabbitmq" / "definitions.json"


def test_the_file_is_what_the_topology_says() -> None:
    assert FILE.read_bytes() == encoded(design()), "run python -m runtime.brokers.rabbit.definitions"


@pytest.mark.rabbit
async def test_imported_definitions_suit_the_broker_and_set_the_policies(
    rabbit_node: RabbitNode, tmp_path: Path
) -> None:
    vhost = "imported"
    guest = {"user": "guest", "vhost": vhost, "configure": ".*", "write": ".*", "read": ".*"}
    file = tmp_path / "definitions.json"
    file.write_text(json.dumps({**definitions(design(), vhost), "permissions": [guest]}))
    rabbit_node.ctl("import_definitions", str(file))
    async with RabbitBroker(rabbit_node.url + vhost, metrics=Metrics(CollectorRegistry())) as broker:
        await broker.put(samples.job())
    queues = rabbit_node.ctl("list_queues", "--vhost", vhost, "--formatter", "json", "name", "policy")
    rabbit_node.ctl("delete_vhost", vhost)
    policies = {queue["name"]: queue["policy"] for queue in json.loads(queues)}
    assert {name: policy for name, policy in policies.items() if policy} == {
        "copydesk.intake.interactive": "copydesk-intake",
        "copydesk.intake.bulk": "copydesk-intake",
        "copydesk.log": "copydesk-log",
        "copydesk.accepted": "copydesk-accepted",
        "copydesk.attempts": "copydesk-attempts",
    }
