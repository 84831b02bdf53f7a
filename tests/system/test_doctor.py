"""`copydesk doctor` finds each fault that is caused on a real broker and database, and says how to mend it."""

import json
from collections.abc import Iterator

import aiohttp
import asyncpg
import pytest

from tests.postgres_cluster import PostgresCluster
from tests.rabbit_node import RabbitNode, permission, running_node
from tests.system.ledger_stacks import accepted, replicas_of, until_all
from tests.system.processes import copydesk

pytestmark = [pytest.mark.rabbit, pytest.mark.system, pytest.mark.postgres]

SECRET = "hush-hush"


def examined(settings: dict[str, str]) -> tuple[int, dict[str, dict[str, str]]]:
    """Returns the exit code, and for each part the worst finding that is not well."""
    done = copydesk("doctor", "--json", settings=settings)
    assert done.stderr == b""
    assert SECRET.encode() not in done.stdout
    findings = [json.loads(line) for line in done.stdout.splitlines()]
    assert all(bool(one["remedy"]) is (one["level"] != "ok") for one in findings)
    faults: dict[str, dict[str, str]] = {}
    for one in findings:
        if one["level"] != "ok":
            faults.setdefault(one["part"], one)
    return done.returncode, {part: one for part, one in faults.items() if part not in {"files", "memory"}}


@pytest.fixture
def ledger_url(cluster: PostgresCluster) -> str:
    return cluster.database()


def test_all_is_well_after_the_set_up(amqp_url: str, ledger_url: str) -> None:
    settings = {"COPYDESK_AMQP_URL": amqp_url, "COPYDESK_LEDGER_URL": ledger_url}
    code, faults = examined(settings)
    assert (code, set(faults)) == (1, {"topology", "ledger"})
    assert faults["topology"]["remedy"] == "Run `copydesk topology`"
    assert faults["ledger"]["remedy"] == "run copydesk ledger upgrade"
    assert copydesk("topology", settings=settings).returncode == 0
    assert copydesk("ledger", "upgrade", settings=settings).returncode == 0
    assert examined(settings) == (0, {})
    assert examined(settings | {"COPYDESK_DECLARE": "false"}) == (0, {})


def test_a_queue_with_other_arguments(amqp_url: str) -> None:
    settings = {"COPYDESK_AMQP_URL": amqp_url}
    assert copydesk("topology", settings=settings).returncode == 0
    code, faults = examined(settings | {"COPYDESK_DELIVERY_LIMIT": "7"})
    assert (code, faults["topology"]["level"]) == (1, "error")
    assert "x-delivery-limit is 20 instead of 7" in faults["topology"]["found"]
    assert "COPYDESK_DELIVERY_LIMIT=20" in faults["topology"]["remedy"]
    code, faults = examined(settings | {"COPYDESK_LOG_DAYS": "3"})
    assert (code, faults["topology"]["level"]) == (0, "warning")


def test_a_wrong_password_and_a_closed_port(rabbit_node: RabbitNode, unused_tcp_port: int) -> None:
    for url, cause in (
        (rabbit_node.url.replace(":guest@", f":{SECRET}@"), "credentials_refused"),
        (f"amqp://guest:{SECRET}@127.0.0.1:{unused_tcp_port}/", "unreachable"),
    ):
        code, faults = examined({"COPYDESK_AMQP_URL": url})
        assert (code, set(faults)) == (1, {"broker"})
        assert faults["broker"]["found"].startswith(cause)
        assert "COPYDESK_AMQP_URL" in faults["broker"]["remedy"]


def test_a_user_without_rights(rabbit_node: RabbitNode, amqp_url: str) -> None:
    settings = {"COPYDESK_AMQP_URL": amqp_url}
    assert copydesk("topology", settings=settings).returncode == 0
    vhost = amqp_url.rpartition("/")[2]
    nothing = permission("powerless", vhost) | {"configure": "^$", "write": "^$", "read": "^$"}
    rabbit_node.define({"users": [{"name": "powerless", "password": SECRET, "tags": []}], "permissions": [nothing]})
    as_powerless = {"COPYDESK_AMQP_URL": amqp_url.replace("guest:guest", f"powerless:{SECRET}")}
    code, faults = examined(as_powerless)
    assert (code, set(faults)) == (1, {"broker"})
    assert "set_permissions" in faults["broker"]["remedy"]
    code, faults = examined(as_powerless | {"COPYDESK_DECLARE": "false"})
    assert (code, set(faults)) == (1, {"rights"})
    assert "copydesk users" in faults["rights"]["remedy"]


@pytest.fixture
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitNode]:
    with running_node(tmp_path_factory.mktemp("alarmed")) as found:
        yield found


def test_an_alarm_of_the_broker(node: RabbitNode) -> None:
    settings = {"COPYDESK_AMQP_URL": node.url}
    assert copydesk("topology", settings=settings).returncode == 0
    node.ctl("set_vm_memory_high_watermark", "0")
    code, faults = examined(settings)
    assert (code, set(faults)) == (1, {"publishing"})
    assert "memory or disk alarm" in faults["publishing"]["found"]


def test_a_database_that_is_away_or_refuses(ledger_url: str) -> None:
    refused = ledger_url.rpartition("/")[0] + "/nowhere"
    code, faults = examined({"COPYDESK_LEDGER_URL": refused})
    assert (code, set(faults)) == (1, {"ledger"})
    assert "there is no such database" in faults["ledger"]["found"] + faults["ledger"]["remedy"]


def test_people_read_what_why_and_what_to_do(amqp_url: str) -> None:
    done = copydesk("doctor", settings={"COPYDESK_AMQP_URL": amqp_url})
    text = done.stdout.decode()
    assert "ok      broker: RabbitMQ" in text
    assert "error   topology: exchange copydesk.intake: is missing\n        why: " in text
    assert "\n        do: Run `copydesk topology`\n" in text


async def test_a_ledger_that_nobody_writes(amqp_url: str, ledger_url: str) -> None:
    """The last record is set back by an hour, as if `record` had ended then."""
    settings = {"COPYDESK_AMQP_URL": amqp_url, "COPYDESK_LEDGER_URL": ledger_url}
    assert copydesk("ledger", "upgrade", settings=settings).returncode == 0
    with replicas_of(amqp_url, ledger_url, workers=1) as stack:
        async with aiohttp.ClientSession() as http:
            ids = {await accepted(http, stack.api, number) for number in range(3)}
        await until_all(stack.api, ids, "processed")
        assert examined(settings) == (0, {})
    assert b"retention: the log has 3 events" in copydesk("doctor", settings=settings).stdout
    database = await asyncpg.connect(ledger_url)
    await database.execute("UPDATE recorder SET recorded_ms = recorded_ms - 3600000")
    await database.close()
    code, faults = examined(settings)
    assert (code, faults["recording"]["level"]) == (0, "warning")
    assert "start copydesk record" in faults["recording"]["remedy"]


def test_a_page_is_fetched_only_if_it_is_asked_for(unused_tcp_port: int) -> None:
    assert b"reach" not in copydesk("doctor").stdout
    done = copydesk("doctor", "--fetch", f"http://127.0.0.1:{unused_tcp_port}/")
    assert done.returncode == 1
    assert b"error   reach: blocked_address" in done.stdout
