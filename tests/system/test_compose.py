"""deploy/compose.yaml, run: its commands with its environment, as processes on a real RabbitMQ and PostgreSQL.

Docker's part is left out: an address of each service is that of this machine, and each port a free one.
"""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack

import aiohttp
import pytest

from tests.deploy.compose import command_of, compose, env_file, environment_of_image, of_copydesk
from tests.postgres_cluster import PostgresCluster
from tests.system.ledger_stacks import TEXT, bound, look_up, posted, until
from tests.system.processes import Process, copydesk, running
from tests.system.test_rabbit import ready

pytestmark = [pytest.mark.system, pytest.mark.rabbit, pytest.mark.postgres, pytest.mark.timeout(300)]

HERE = {"COPYDESK_HOST": "127.0.0.1", "COPYDESK_OPS_HOST": "127.0.0.1", "COPYDESK_PORT": "0", "COPYDESK_OPS_PORT": "0"}
"""What a container has for itself, and processes on one machine do not."""


class Composed:
    """The services of the compose file that are Copydesk's, running."""

    def __init__(self, amqp_url: str, ledger_url: str, stack: ExitStack) -> None:
        self.secrets = env_file()
        places = {
            f"amqp://copydesk:{self.secrets['COPYDESK_AMQP_PASSWORD']}@rabbitmq:5672/": amqp_url,
            f"postgresql://copydesk:{self.secrets['POSTGRES_PASSWORD']}@postgres/copydesk": ledger_url,
        }
        services = of_copydesk(compose(self.secrets)["services"])
        made = copydesk(*command_of(services["ledger"]), settings=settings_of(services.pop("ledger"), places))
        assert made.returncode == 0, made.stderr
        self.processes: dict[str, Process] = {
            name: stack.enter_context(running(*command_of(service), settings=settings_of(service, places)))
            for name, service in services.items()
        }
        self.checks = {name: service["healthcheck"]["test"][1:] for name, service in services.items()}
        self.api = self.processes["serve"].wait_for_urls("api")["api"]

    def ops(self, name: str) -> str:
        return self.processes[name].wait_for_urls("ops")["ops"]

    def healthy(self, name: str) -> bool:
        """Runs a service's health check, at the port that the process has."""
        words = [word.replace("http://127.0.0.1:8081", self.ops(name)) for word in self.checks[name]]
        assert words != self.checks[name]
        assert words[0] == "python"
        return subprocess.run([sys.executable, *words[1:]], check=False, capture_output=True).returncode == 0


def settings_of(service: Mapping[str, dict[str, str]], places: Mapping[str, str]) -> dict[str, str]:
    environment = {name: places.get(value, value) for name, value in service["environment"].items()}
    assert not [value for value in environment.values() if "@rabbitmq" in value or "@postgres" in value]
    return environment_of_image() | environment | HERE


@pytest.fixture
def composed(amqp_url: str, cluster: PostgresCluster) -> Iterator[Composed]:
    with ExitStack() as stack:
        yield Composed(amqp_url, cluster.database(), stack)


async def test_what_compose_starts_takes_a_document_and_sends_its_event(composed: Composed, amqp_url: str) -> None:
    for name in composed.processes:
        await ready(composed.ops(name))
    assert [name for name in composed.processes if not composed.healthy(name)] == []
    key = composed.secrets["COPYDESK_API_KEYS"].partition(":")[2]
    async with bound(amqp_url) as following, aiohttp.ClientSession(headers={"Authorization": f"Bearer {key}"}) as http:
        receipt = await (await posted(http, composed.api, {"text": TEXT})).json()
        event = json.loads(await following() or b"")
        assert (event["subject"], event["type"]) == (receipt["id"], "copydesk.document.processed.v1")

        async def is_recorded() -> bool:
            return (await look_up(http, composed.api, receipt["id"]))[1].get("state") == "processed"

        await until(is_recorded)
    codes = {name: process.stop() for name, process in composed.processes.items()}
    assert set(codes.values()) == {0}, codes
    assert [name for name in composed.processes if composed.healthy(name)] == [], "nobody answers any more"
