"""A whole Copydesk in which each process has a user of its own, made by `copydesk users`, and may declare nothing."""

import json
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from yarl import URL

from tests.postgres_cluster import PostgresCluster
from tests.rabbit_node import RabbitNode
from tests.system.ledger_stacks import TEXT
from tests.system.processes import Process, copydesk, running
from tests.system.test_broker_settings import await_ready

pytestmark = [pytest.mark.rabbit, pytest.mark.system, pytest.mark.postgres]

PASSWORD = "hush-hush"
ROLES = {
    "serve": ("--port", "0"),
    "work": ("--slots", "2"),
    "record": (),
    "deliver": (),
    "audit": ("--watch", "1"),
}
SUBSCRIBER = "newsroom"


@dataclass
class Scoped:
    processes: dict[str, Process]
    amqp_url: str
    ledger_url: str

    @property
    def api(self) -> str:
        return self.processes["serve"].wait_for_urls("api")["api"]


def as_user(url: str, user: str) -> str:
    return str(URL(url).with_user(user).with_password(PASSWORD))


@pytest.fixture(scope="module")
def scoped(rabbit_node: RabbitNode, cluster: PostgresCluster) -> Iterator[Scoped]:
    vhost = "scoped-processes"
    names = (*(f"copydesk-{role}" for role in (*ROLES, "topology")), SUBSCRIBER)
    made = copydesk("users", "-", stdin="".join(f"{name}:{PASSWORD}\n" for name in names).encode())
    assert made.returncode == 0, made.stderr
    assert PASSWORD.encode() not in made.stdout
    ledger_url = cluster.database()
    assert copydesk("ledger", "upgrade", settings={"COPYDESK_LEDGER_URL": ledger_url}).returncode == 0
    with rabbit_node.vhost(vhost) as url, ExitStack() as stack:
        rabbit_node.define(json.loads(made.stdout.replace(b'"/"', json.dumps(vhost).encode())))
        declared = copydesk("topology", settings={"COPYDESK_AMQP_URL": as_user(url, "copydesk-topology")})
        assert declared.returncode == 0, declared.stderr
        own = {"COPYDESK_DECLARE": "false", "COPYDESK_LEDGER_URL": ledger_url}
        processes = {
            role: stack.enter_context(
                running(
                    *(role, *arguments, "--ops-port", "0"),
                    settings=own | {"COPYDESK_AMQP_URL": as_user(url, f"copydesk-{role}")},
                )
            )
            for role, arguments in ROLES.items()
        }
        for process in processes.values():
            await_ready(process.wait_for_urls("ops")["ops"])
        yield Scoped(processes, url, ledger_url)


def ask(url: str, body: object = None, method: str | None = None, **headers: str) -> Any:  # noqa: ANN401 - JSON
    data = None if body is None else json.dumps(body).encode()
    more = {"Content-Type": "application/json", **headers}
    request = urllib.request.Request(url, data, more, method=method)  # noqa: S310 - the process under test
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - as above
        return json.loads(answer.read() or b"null")


def test_documents_come_through_and_every_process_does_its_part(scoped: Scoped) -> None:
    event = ask(f"{scoped.api}/v1/documents", {"text": TEXT}, Prefer="wait=30")
    assert event["type"] == "copydesk.document.processed.v1"
    preview = ask(f"{scoped.api}/v1/extract", {"text": TEXT})
    assert preview["text"] == event["data"]["text"]
    document = f"{scoped.api}/v1/documents/{event['subject']}"
    awaited(lambda: ask(document).get("state") == "processed")
    assert ask(f"{scoped.api}/v1/dead")["letters"] == []
    ask(document, method="DELETE")
    awaited(lambda: ("copydesk.document.erased.v1", event["subject"]) in logged(scoped))
    for process in scoped.processes.values():
        await_ready(process.wait_for_urls("ops")["ops"])
        assert [entry for entry in process.log if entry.get("level") in {"warning", "error"}] == []


@pytest.mark.parametrize("role", ROLES)
def test_the_doctor_finds_nothing_wrong_with_a_role(scoped: Scoped, role: str) -> None:
    url = as_user(scoped.amqp_url, f"copydesk-{role}")
    own = {"COPYDESK_AMQP_URL": url, "COPYDESK_LEDGER_URL": scoped.ledger_url, "COPYDESK_DECLARE": "false"}
    done = copydesk("doctor", settings=own)
    assert (done.returncode, done.stderr) == (0, b""), done.stdout


def test_a_subscriber_gets_the_articles(scoped: Scoped) -> None:
    with running("tail", "--amqp", as_user(scoped.amqp_url, SUBSCRIBER), "--json", "--count", "1") as tail:
        while tail.returncode is None:
            ask(f"{scoped.api}/v1/documents", {"text": TEXT}, Prefer="wait=30")
        assert tail.returncode == 0


def awaited(true: Any) -> None:  # noqa: ANN401 - a question without arguments
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def logged(scoped: Scoped) -> list[tuple[str, str]]:
    url = f"{scoped.api}/v1/events?format=ndjson&follow=false"
    with urllib.request.urlopen(url, timeout=60) as answer:  # noqa: S310 - the process under test
        lines = [json.loads(line) for line in answer]
    return [(line["event"]["type"], line["event"]["subject"]) for line in lines if "event" in line]


def test_the_user_of_record_may_make_a_backup(scoped: Scoped, tmp_path: Path) -> None:
    settings = {
        "COPYDESK_AMQP_URL": as_user(scoped.amqp_url, "copydesk-record"),
        "COPYDESK_LEDGER_URL": scoped.ledger_url,
    }
    saved = copydesk("backup", str(tmp_path / "backup"), settings=settings)
    assert (saved.returncode, saved.stderr) == (0, b"")
    assert PASSWORD.encode() not in b"".join(file.read_bytes() for file in (tmp_path / "backup").iterdir())
