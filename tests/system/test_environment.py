"""Variables that our own deployment files and Kubernetes set: no command stumbles over them."""

import re
from pathlib import Path

import pytest

from tests.runtime.test_settings import KUBERNETES
from tests.system.processes import INSTALLED, ROOT, copydesk, running

pytestmark = pytest.mark.system

DEPLOYED = [ROOT / "Dockerfile", *(path for path in sorted((ROOT / "deploy").rglob("*")) if path.is_file())]
NAMED = sorted({name for path in DEPLOYED for name in re.findall(r"COPYDESK_[A-Z_]*[A-Z]", path.read_text())})
VALUES = {  # where a word is invalid
    "COPYDESK_AMQP_URL": "amqp://copydesk:word@127.0.0.1:1/",
    "COPYDESK_LEDGER_URL": "postgresql://copydesk:word@127.0.0.1:1/copydesk",
    "COPYDESK_HOST": "127.0.0.1",
    "COPYDESK_OPS_HOST": "127.0.0.1",
    "COPYDESK_SHUTDOWN_TIMEOUT_S": "30",
    "COPYDESK_PARSE_MEMORY_BYTES": "805306368",
    "COPYDESK_PARSERS": "2",
    "COPYDESK_MAX_IN_FLIGHT_BYTES": "536870912",
    "COPYDESK_API_KEYS": "word:secret",
    "COPYDESK_KEYS_SECRET": "word" * 8,
    "COPYDESK_CALLBACK_SECRET": "word" * 8,
    "COPYDESK_OPERATORS": "word",
    "COPYDESK_WEBHOOK_ALLOW": "10.0.0.0/8",
    "COPYDESK_KEEP_INPUT": "false",
    "COPYDESK_DECLARE": "false",
}
ALL = {name: VALUES.get(name, "word") for name in NAMED}
TEXT = b'{"text": "The harbour council voted on Tuesday evening to move the ferry landing up the coast."}\n'
COMMANDS = {
    ("extract", "--json", "--jsonl", "-"): 0,
    ("schemas", "SCHEMAS"): 0,
    ("metrics",): 0,
    ("topology", "--definitions"): 0,
    ("topology",): 3,
    ("audit",): 3,
}


def test_the_deployment_names_variables() -> None:
    assert {"COPYDESK_AMQP_PASSWORD", "COPYDESK_AMQP_URL", "COPYDESK_API_KEYS"} <= set(NAMED)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_knows_what_our_deployment_and_kubernetes_set(command: tuple[str, ...], tmp_path: Path) -> None:
    arguments = [str(tmp_path / "schemas") if word == "SCHEMAS" else word for word in command]
    done = copydesk(*arguments, settings=ALL | KUBERNETES, stdin=TEXT)
    assert done.returncode == COMMANDS[command], done.stderr.decode()


@pytest.mark.parametrize("command", ["submit", "tail", "dead list"])
def test_a_client_starts_with_them(command: str) -> None:
    done = copydesk(*command.split(), "--help", settings=ALL | KUBERNETES)
    assert done.returncode == 0, done.stderr.decode()


@pytest.mark.parametrize("role", ["up", "serve", "work", "record", "deliver", "audit"])
def test_a_role_listens_where_it_should_and_says_once_what_it_ignores(role: str, tmp_path: Path) -> None:
    variables = {**ALL, "COPYDESK_DATA": str(tmp_path)} | KUBERNETES
    if role == "up":
        del variables["COPYDESK_AMQP_URL"]
    ports = {
        "up": ("--port", "0"),
        "serve": ("--port", "0"),
        "work": (),
        "record": (),
        "deliver": (),
        "audit": ("--watch", "1"),
    }
    with running(role, *ports[role], "--ops-port", "0", settings=variables, program=INSTALLED) as process:
        process.wait_for_urls("ops")
        process.stop()
    (ignored,) = (entry for entry in process.log if entry["event"] == "service_links_ignored")
    assert ignored["variables"] == sorted(KUBERNETES)
