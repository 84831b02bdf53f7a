"""The programs in the README of the Python client, run as they are written there."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.rabbit_node import free_ports
from tests.system.processes import ROOT, running
from tests.system.test_webhooks import ask, receiver

pytestmark = [pytest.mark.system, pytest.mark.timeout(240)]

PACKAGE = ROOT / "clients" / "python"
README = (PACKAGE / "README.md").read_text(encoding="utf-8")
PRINTED = {
    "One document": "article: The ferry between the harbour",
    "One document, the second": "copydesk.document.processed.v1 True",
    "Many documents": "100 stored",
    "Events": "The ferry",
}


def programs() -> dict[str, str]:
    """Returns the programs by the headings above them."""
    found: dict[str, str] = {}
    for section in README.split("\n## ")[1:]:
        heading = section.partition("\n")[0]
        for number, program in enumerate(re.findall(r"^```python\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)):
            found[f"{heading}, the second" if number else heading] = program
    return found


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = str(tmp_path_factory.mktemp("up"))
    settings = {"COPYDESK_WEBHOOK_ALLOW": "127.0.0.0/8"}
    with running("up", "--port", "0", "--ops-port", "0", "--data", folder, settings=settings) as process:
        yield process.wait_for_urls("api")["api"]


def test_every_program_is_run_by_a_test_below() -> None:
    assert programs().keys() == {*PRINTED, "Webhooks"}


def test_they_print_what_they_promise(api: str, tmp_path: Path) -> None:
    env = os.environ | {"COPYDESK_URL": api, "PYTHONPATH": str(PACKAGE)}
    for heading, expected in PRINTED.items():
        command = [sys.executable, "-c", programs()[heading]]
        done = subprocess.run(command, env=env, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=90)
        assert done.returncode == 0, done.stderr
        assert expected in done.stdout, heading
    batch: dict[str, Any] = {}
    while batch.get("documents", {}).get("accepted") != 100 or batch["state"] == "open":  # the recorder is on its way
        batch = next(iter(ask(f"{api}/v1/batches?name=ferries")["batches"]), {})
        time.sleep(0.05)
    (consumer,) = ask(f"{api}/v1/consumers")["consumers"]
    assert (consumer["name"], consumer["offset"] > 0) == ("archive", True)


def test_the_webhook_receiver_takes_what_is_genuine_alone(api: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(PACKAGE))
    (port,) = free_ports(1)
    wanted = {"url": f"http://127.0.0.1:{port}/", "filter": "labels.desk = hooks"}
    webhook = ask(f"{api}/v1/webhooks", wanted)
    with receiver(programs()["Webhooks"], webhook["secret"], port) as process:
        posted = ask(f"{api}/v1/documents", {"text": "The ferry sails on Monday.", "labels": {"desk": "hooks"}})
        assert process.stdout is not None
        assert process.stdout.readline() == f"copydesk.document.processed.v1 {posted['id']}.1\n"
    with receiver(programs()["Webhooks"], "whsec_" + "A" * 32, port):
        test = ask(f"{api}/v1/webhooks/{webhook['id']}/test", {})
        while not (found := ask(f"{api}{test['deliveries']}")["deliveries"])[0]["attempts"]:
            time.sleep(0.05)
    assert (found[0]["event_id"], found[0]["status"]) == (test["event_id"], 401)
