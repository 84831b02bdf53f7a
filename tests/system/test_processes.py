"""`copydesk serve --processes`: several processes on one port, one ops port, one signal."""

import os
import signal
import socket
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.system.processes import Process, copydesk, running

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]

WAIT_S = 60.0
STOPPED_EARLY = 4
SHUTDOWN_TIMEOUT_S = 30.0  # the default, which is not waited for
PORTS = ("--port", "0", "--ops-port", "0")


@pytest.fixture
def serve(amqp_url: str) -> Iterator[Process]:
    with running("serve", "--processes", "2", *PORTS, settings={"COPYDESK_AMQP_URL": amqp_url}) as process:
        # The supervisor is ready as soon as one process is: one that still starts would die of a signal without a word.
        until(lambda: len(listening(process)) == 3 and is_ready(process))
        yield process


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.1)


def listening(process: Process) -> list[dict[str, object]]:
    """Returns what was logged of listening: on the supervisor's ops port, and on the API's port by each process."""
    return [entry for entry in process.log if entry["event"] == "listening"]


def children(process: Process) -> list[int]:
    """Returns the processes that serve: those that the supervisor starts, without Python's tracker of resources."""
    listed = subprocess.run(
        ["ps", "-ww", "-o", "pid=", "-o", "args=", "--ppid", str(process.pid)],
        capture_output=True,
        text=True,
        check=False,
    )
    return [int(line.split()[0]) for line in listed.stdout.splitlines() if "spawn_main" in line]


def call(method: str, url: str, body: bytes | None = None) -> tuple[int, bytes]:
    """Sends a request on a connection of its own, and returns the answer's status and body."""
    target = urlsplit(url)
    connection = HTTPConnection(str(target.hostname), target.port, timeout=WAIT_S)
    try:
        connection.request(method, target.path, body, {"Content-Type": "text/plain"})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def is_ready(process: Process) -> bool:
    return call("GET", f"{process.wait_for_urls('ops')['ops']}/readyz")[0] == 200


def accepted(process: Process) -> Counter[str]:
    """Returns how many documents each process says that it accepted."""
    _, text = call("GET", f"{process.wait_for_urls('ops')['ops']}/metrics")
    families = text_string_to_metric_families(text.decode())
    counts: Counter[str] = Counter()
    for family in families:
        for sample in family.samples:
            if sample.name == "copydesk_accepted_total":
                counts[sample.labels["process"]] += int(sample.value)
    return counts


def post(process: Process) -> int:
    return call("POST", f"{process.wait_for_urls('api')['api']}/v1/documents", b"The ferry sails again.")[0]


def test_all_processes_take_documents_and_one_scrape_counts_them_all(serve: Process) -> None:
    posted = 0
    while len(accepted(serve)) < 2:  # the kernel divides connections by chance
        assert post(serve) == 202
        posted += 1
        assert posted < 100
    assert sum(accepted(serve).values()) == posted


def test_a_process_that_is_killed_is_started_again_while_the_others_serve(serve: Process) -> None:
    killed, other = children(serve)
    os.kill(killed, signal.SIGKILL)
    until(lambda: len(children(serve)) == 2 and killed not in children(serve))
    assert other in children(serve)
    until(lambda: len(listening(serve)) == 4)
    until(lambda: is_ready(serve))  # the new one has its session with the broker
    assert {post(serve) for _ in range(20)} == {202}
    (ended,) = [entry for entry in serve.log if entry["event"] == "process_ended"]
    assert ended["exit_code"] == -signal.SIGKILL


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_one_signal_stops_all(serve: Process, number: int) -> None:
    running_ones = children(serve)
    assert serve.stop(number) == 0
    assert not [pid for pid in running_ones if os.path.exists(f"/proc/{pid}")]  # noqa: PTH110


def test_a_second_signal_stops_all_early(serve: Process) -> None:
    target = urlsplit(serve.wait_for_urls("api")["api"])
    with socket.create_connection((target.hostname, target.port)) as client:
        head = ("POST /v1/documents HTTP/1.1", f"Host: {target.netloc}", "Content-Length: 9", "Expect: 100-continue")
        client.sendall("\r\n".join((*head, "", "")).encode())
        assert client.recv(100).startswith(b"HTTP/1.1 100 ")  # from now on the request is in hand
        serve.signal(signal.SIGTERM)
        until(lambda: len([entry for entry in serve.log if entry["event"] == "stopping"]) == 3)
        began = time.monotonic()
        assert serve.stop(signal.SIGTERM) == STOPPED_EARLY
        assert time.monotonic() - began < SHUTDOWN_TIMEOUT_S


def test_a_supervisor_that_is_killed_takes_its_processes_with_it(serve: Process) -> None:
    left = children(serve)
    serve.signal(signal.SIGKILL)
    until(lambda: not [pid for pid in left if os.path.exists(f"/proc/{pid}")])  # noqa: PTH110


def test_a_port_that_another_copydesk_serves_is_refused(serve: Process, amqp_url: str) -> None:
    port = serve.wait_for_urls("api")["api"].rpartition(":")[2]
    for count in ("1", "2"):
        settings = {"COPYDESK_AMQP_URL": amqp_url, "COPYDESK_PORT": port, "COPYDESK_PROCESSES": count}
        done = copydesk("serve", "--ops-port", "0", settings=settings)
        assert done.returncode == 2
        assert f"cannot listen on 127.0.0.1:{port}: ".encode() in done.stderr


def test_settings_that_no_process_can_start_with_end_the_supervisor(amqp_url: str) -> None:
    settings = {"COPYDESK_AMQP_URL": amqp_url, "COPYDESK_OPERATORS": "nobody", "COPYDESK_PROCESSES": "2"}
    done = copydesk("serve", *PORTS, settings=settings)
    assert done.returncode == 2
    assert b"COPYDESK_OPERATORS: no API key has the name nobody" in done.stderr


def test_the_embedded_broker_is_refused(tmp_path: Path) -> None:
    done = copydesk("up", *PORTS, "--data", str(tmp_path), settings={"COPYDESK_PROCESSES": "2"})
    assert done.returncode == 2
    assert b"up runs everything in one process" in done.stderr
