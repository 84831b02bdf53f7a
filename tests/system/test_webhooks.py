"""Webhooks as docs/webhooks.md has them: its receiver and its check in a shell, run as they are written there."""

import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook

from tests.rabbit_node import free_ports
from tests.system.processes import ROOT, running

pytestmark = pytest.mark.system

PAGE = (ROOT / "docs" / "webhooks.md").read_text(encoding="utf-8")
SETTINGS = {"COPYDESK_WEBHOOK_ALLOW": "127.0.0.0/8", "COPYDESK_PARSERS": "1"}
TEXT = "The harbour council voted on Tuesday evening to move the ferry landing two hundred metres up the coast. " * 3


def blocks(language: str) -> list[str]:
    """Returns the blocks of code of the page."""
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = str(tmp_path_factory.mktemp("up"))
    with running("up", "--port", "0", "--ops-port", "0", "--data", folder, settings=SETTINGS) as process:
        yield process.wait_for_urls("api")["api"]


def ask(url: str, body: object = None, method: str | None = None) -> Any:  # noqa: ANN401 - JSON
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(url, data=data, headers=headers, method=method)  # noqa: S310 - http to ourselves
    with urllib.request.urlopen(request, timeout=60) as response:  # noqa: S310 - as above
        return json.loads(response.read() or b"null")


def made_by_the_page(api: str, port: int) -> dict[str, Any]:
    """Makes a webhook with the page's own command."""
    (command, *_) = (block for block in blocks("sh") if "/v1/webhooks" in block)
    command = command.replace("http://127.0.0.1:8080", api).replace(":9000/", f":{port}/")
    done = subprocess.run(["sh", "-c", command], check=True, capture_output=True)
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def listens(port: int) -> bool:
    with suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port)):
        return True
    return False


@contextmanager
def receiver(program: str, secret: str, port: int) -> Iterator["subprocess.Popen[str]"]:
    """Runs the program of a page. It listens when the context is open: an attempt before would be in vain."""
    env = os.environ | {"WEBHOOK_SECRET": secret, "PORT": str(port)}
    with subprocess.Popen([sys.executable, "-c", program], env=env, stdout=subprocess.PIPE, text=True) as process:
        try:
            while not listens(port):
                assert process.poll() is None, "it ended before it listened"
                time.sleep(0.05)
            yield process
        finally:
            process.kill()


def test_the_receiver_of_the_page_takes_what_is_genuine(api: str) -> None:
    (program,) = blocks("python")
    (port,) = free_ports(1)
    webhook = made_by_the_page(api, port)
    with receiver(program, webhook["secret"], port) as process:
        posted = ask(f"{api}/v1/documents", {"text": TEXT})
        assert process.stdout is not None
        assert process.stdout.readline() == f"article {posted['id']}\n"
    ask(f"{api}/v1/webhooks/{webhook['id']}", method="DELETE")


def test_what_is_not_genuine_is_refused_and_shown_as_that(api: str) -> None:
    (program,) = blocks("python")
    (port,) = free_ports(1)
    webhook = made_by_the_page(api, port)
    other = "whsec_" + "A" * 32
    with receiver(program, other, port):
        receipt = ask(f"{api}/v1/webhooks/{webhook['id']}/test", {})
        while not (found := ask(f"{api}{receipt['deliveries']}")["deliveries"])[0]["attempts"]:
            time.sleep(0.05)
    assert (found[0]["event_id"], found[0]["status"], found[0]["state"]) == (receipt["event_id"], 401, "pending")
    ask(f"{api}/v1/webhooks/{webhook['id']}", method="DELETE")


def test_the_check_in_a_shell_tells_what_is_genuine(api: str, tmp_path: Path) -> None:
    got: dict[str, str] = {}

    class Keeper(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            (tmp_path / "body.json").write_bytes(self.rfile.read(int(self.headers["content-length"])))
            got.update({name.lower(): value for name, value in self.headers.items()})
            self.send_response(204)
            self.end_headers()

    with HTTPServer(("127.0.0.1", 0), Keeper) as server:
        answering = threading.Thread(target=server.handle_request)
        answering.start()
        webhook = made_by_the_page(api, server.server_port)
        ask(f"{api}/v1/documents", {"text": TEXT + "Twice."})
        answering.join()
    (check,) = (block for block in blocks("sh") if "openssl" in block)
    told = {"WEBHOOK_SECRET": webhook["secret"]} | {
        name: got[f"webhook-{name}"] for name in ("id", "timestamp", "signature")
    }

    def answer(**other: str) -> str:
        env = os.environ | told | other
        return subprocess.run(
            ["sh", "-c", check], env=env, cwd=tmp_path, check=True, capture_output=True, text=True
        ).stdout

    assert answer() == answer(signature=f"v1,AAAA {told['signature']}") == "genuine\n"
    assert answer(id="another") == answer(timestamp="1") == answer(WEBHOOK_SECRET="whsec_QUJD") == "forged\n"
    at = datetime.now(UTC) - timedelta(seconds=400)
    body = (tmp_path / "body.json").read_text(encoding="utf-8")
    signature = Webhook(webhook["secret"]).sign(told["id"], at, body)
    assert answer(timestamp=str(int(at.timestamp())), signature=signature) == "too old\n"
    (tmp_path / "body.json").write_bytes(b"{}")
    assert answer() == "forged\n"
