"""Schemathesis tests a running Copydesk by its OpenAPI document: every check, every operation, also along links.

COPYDESK_TEST_OPENAPI_EXAMPLES sets how many requests it makes up for each operation; `make schemathesis` takes 300.
What it makes up depends on the document and this number alone.
"""

import json
import os
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from service.api import samples
from tests.system.processes import Process, running

EXAMPLES = int(os.environ.get("COPYDESK_TEST_OPENAPI_EXAMPLES", "8"))
CONFIG = Path(__file__).with_name("schemathesis.toml")
HOOKS = Path(__file__).with_name("schemathesis_hooks.py")
SCHEMATHESIS = str(Path(sys.executable).with_name("schemathesis"))

pytestmark = [pytest.mark.system, pytest.mark.timeout(300 + 10 * EXAMPLES)]

SECRET = "schemathesis"
AUTHORIZED = {"Authorization": f"Bearer {SECRET}"}
SETTINGS = {
    "COPYDESK_API_KEYS": f"anonymous:{SECRET}",  # with this name the examples' ids belong to their keys
    "COPYDESK_CALLBACK_SECRET": "schemathesis" * 3,
    "COPYDESK_FETCH_PROXY": "http://127.0.0.1:9",  # so that nothing leaves this machine
    "COPYDESK_SLOTS": "2",
    "COPYDESK_HEARTBEAT_S": "0.2",
}
DEADLY = {"COPYDESK_PARSE_TIMEOUT_S": "0.001", "COPYDESK_RETRY_DELAYS_S": "0.1"}
SLOW = "word " * 200_000  # takes a parser some 0.35 s, far above the limit above
LETTERS = 4
WITHIN_S = 60


_LABELS = r'method="(\w+)",route="([^"]+)",status="(\d+)"'
_ANSWERED = re.compile(rf"^copydesk_request_seconds_count\{{{_LABELS}\}}", re.MULTILINE)


def ask(api: str, path: str, body: dict[str, Any] | None = None, **headers: str) -> Any:  # noqa: ANN401 - JSON
    data = None if body is None else json.dumps(body).encode()
    sent = (
        AUTHORIZED | {"Content-Type": "application/json"} | {name.replace("_", "-"): v for name, v in headers.items()}
    )
    with urllib.request.urlopen(urllib.request.Request(api + path, data, sent), timeout=60) as answer:  # noqa: S310
        return json.load(answer)


def wait_for(api: str, path: str, name: str, count: int) -> None:
    """Waits until a list has so many entries."""
    end = time.monotonic() + WITHIN_S
    while len(found := ask(api, path)[name]) != count:
        assert time.monotonic() < end, found
        time.sleep(0.1)


def answered(ops: str) -> set[tuple[str, str, str]]:
    """Returns method, route and status of all answers that a process counted."""
    with urllib.request.urlopen(f"{ops}/metrics", timeout=60) as answer:  # noqa: S310
        return set(_ANSWERED.findall(answer.read().decode()))


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    """A Copydesk that holds dead letters, and the document of the examples."""
    arguments = "up", "--port", "0", "--ops-port", "0", "--data", str(tmp_path_factory.mktemp("data"))
    with running(*arguments, settings=SETTINGS | DEADLY) as up:
        url = up.wait_for_urls("api")["api"]
        for number in range(LETTERS):
            ask(url, "/v1/documents", {"text": f"{SLOW} {number}"})
        wait_for(url, "/v1/dead", "letters", LETTERS)
        assert up.stop() == 0
    with running(*arguments, settings=SETTINGS) as up:
        url = up.wait_for_urls("api")["api"]
        ask(url, "/v1/documents", {"text": samples.TEXT}, Idempotency_Key=samples.KEY)
        wait_for(url, "/v1/documents?state=processed", "documents", 1)
        yield up
        assert defects(up) == []


@pytest.fixture
def api(up: Process) -> str:
    return up.wait_for_urls("api")["api"]


def defects(process: Process) -> list[object]:
    """Returns the errors that a process logged, except those about requests of the test."""
    return [entry for entry in process.log if entry.get("level") in {"error", "critical"}]


def schemathesis(folder: Path, api: str, *arguments: str) -> None:
    """Runs Schemathesis, which must find nothing. Its checks are all on, as long as none is named here."""
    command = [SCHEMATHESIS, "--config-file", str(CONFIG), "run", f"{api}/openapi.json", *arguments]
    bounds = ["--generation-deterministic", "--max-examples", str(EXAMPLES), "--no-color", "--warnings", "off"]
    key = ["--header", f"Authorization: Bearer {SECRET}"]
    env = os.environ | {"SCHEMATHESIS_HOOKS": str(HOOKS)}
    done = subprocess.run([*command, *bounds, *key], cwd=folder, env=env, capture_output=True, text=True, check=False)
    print(done.stdout)  # noqa: T201 - pytest shows it with -s, and where the test fails
    assert done.returncode == 0, done.stdout + done.stderr


def test_dead_letters_along_links(up: Process, api: str, tmp_path: Path) -> None:
    """Runs before the others, whose generated requests drop all letters; operations that show letters come first."""
    one = "/v1/dead/{id}"
    for chosen in (("show_dead",), ("retry_dead", "drop_dead")):
        named = [f"--include-operation-id={name}" for name in ("list_dead", *chosen)]
        schemathesis(tmp_path, api, "--phases", "stateful", *named)
    found = answered(up.wait_for_urls("ops")["ops"])
    assert ("GET", one, "200") in found
    assert found & {("DELETE", one, "200"), ("POST", f"{one}/retry", "202")}


def test_all_operations(api: str, tmp_path: Path) -> None:
    schemathesis(tmp_path, api)
