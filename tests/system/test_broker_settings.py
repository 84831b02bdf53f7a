"""Every command that uses AMQP reports once, in one line, what is wrong with the broker's URL."""

import json
import re
import time
import urllib.error
import urllib.request

import pytest

from tests.rabbit_node import RabbitNode
from tests.system.processes import Process, copydesk, running

pytestmark = [pytest.mark.rabbit, pytest.mark.system]

SECRET = "hush-hush"
ONCE = [("topology",), ("topology", "--check"), ("audit",)]
ROLES = [("serve", "--port", "0"), ("work", "--slots", "1")]


def wrong_password(node: RabbitNode) -> dict[str, str]:
    return {"COPYDESK_AMQP_URL": node.url.replace(":guest@", f":{SECRET}@")}


@pytest.mark.parametrize("command", ONCE, ids=" ".join)
def test_a_command_reports_it_in_its_only_line(command: tuple[str, ...], rabbit_node: RabbitNode) -> None:
    done = copydesk(*command, settings=wrong_password(rabbit_node))
    assert (done.returncode, done.stdout) == (3, b"")
    (line,) = done.stderr.decode().splitlines()
    assert line.startswith("copydesk: credentials_refused: RabbitMQ at 127.0.0.1")
    assert SECRET not in line


def test_tail_reports_it_too(rabbit_node: RabbitNode) -> None:
    done = copydesk("tail", "--amqp", wrong_password(rabbit_node)["COPYDESK_AMQP_URL"])
    assert (done.returncode, done.stdout) == (3, b"")
    (line,) = done.stderr.decode().splitlines()
    assert "credentials_refused: RabbitMQ at 127.0.0.1" in line
    assert SECRET not in line


@pytest.mark.parametrize("command", [*ONCE, *ROLES, ("audit", "--watch", "1")], ids=" ".join)
def test_an_invalid_amqp_url_is_refused_at_once(command: tuple[str, ...]) -> None:
    url = f"http://guest:{SECRET}@127.0.0.1:5672/"
    for done in (copydesk(*command, "--amqp-url", url), copydesk(*command, settings={"COPYDESK_AMQP_URL": url})):
        assert (done.returncode, done.stdout) == (2, b"")
        (line,) = done.stderr.decode().splitlines()
        assert line.startswith("copydesk: Invalid value for '--amqp-url' (env var: 'COPYDESK_AMQP_URL'): ")
        assert "amqp://user:password@host:5672/vhost" in line
        assert SECRET not in line


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role[0])
def test_a_role_logs_one_line_an_outage_and_begins_when_it_is_mended(
    role: tuple[str, ...], rabbit_node: RabbitNode
) -> None:
    vhost = f"later-{role[0]}"
    with running(*role, "--ops-port", "0", settings={"COPYDESK_AMQP_URL": f"{rabbit_node.url}{vhost}"}) as process:
        ops = process.wait_for_urls("ops")["ops"]
        await_losses(ops, 5)
        assert warnings(process) == [("broker_session_lost", "vhost_refused")]
        with rabbit_node.vhost(vhost):
            await_ready(ops)
            process.stop()
    lines = json.dumps(process.log)
    assert "Traceback" not in lines
    assert "aiormq" not in lines
    assert "stamina" not in lines


def test_a_bare_broker_answers_429_at_the_limit(rabbit_node: RabbitNode) -> None:
    with rabbit_node.vhost("bare") as url:
        settings = {"COPYDESK_AMQP_URL": url, "COPYDESK_INTAKE_DOCUMENTS": "5"}
        with running("serve", "--port", "0", "--ops-port", "0", settings=settings) as process:
            urls = process.wait_for_urls("api", "ops")
            await_ready(urls["ops"])
            codes = [get(f"{urls['api']}/v1/documents", b'{"text": "A line."}')[0] for _ in range(12)]
            _, metrics = get(f"{urls['ops']}/metrics")
            process.stop()
    accepted = codes.index(429)
    assert 5 <= accepted <= 8  # a quorum queue tells its channels a moment late
    assert codes == [202] * accepted + [429] * (12 - accepted)
    assert f'copydesk_refused_total{{reason="intake_full"}} {12 - accepted}.0' in metrics


def warnings(process: Process) -> list[tuple[object, object]]:
    """Returns the log records from warning on, and the lines that are not JSON."""
    return [
        (entry["event"], entry.get("cause")) for entry in process.log if entry.get("level") not in {"debug", "info"}
    ]


def await_losses(ops: str, count: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        _, text = get(f"{ops}/metrics")
        found = re.findall(r"^copydesk_session_losses_total\{.*\} (\S+)$", text, re.MULTILINE)
        if sum(map(float, found)) >= count:
            return
        time.sleep(0.1)
    raise AssertionError(f"{count} sessions were not lost in a minute")


def await_ready(ops: str) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if get(f"{ops}/readyz")[0] == 200:
            return
        time.sleep(0.1)
    raise AssertionError("not ready within a minute")


def get(url: str, body: bytes | None = None) -> tuple[int, str]:
    """Returns status and body of a GET, or of a POST of JSON."""
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})  # noqa: S310 - as below
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - the process under test
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, ""
