"""The subscriber with curl in docs/subscribing.md, as it is written; test_rabbit.py runs the others."""

import shutil
from pathlib import Path

import pytest

from tests.rabbit_node import free_ports
from tests.subscribers import command, started
from tests.system.processes import Process, running
from tests.system.test_webhooks import ask

pytestmark = [
    pytest.mark.system,
    pytest.mark.timeout(240),
    pytest.mark.skipif(shutil.which("jq") is None, reason="the subscriber with curl needs jq: apt-get install jq"),
]


def post(process: Process, number: int) -> str:
    api = process.wait_for_urls("api")["api"]
    body = {"text": f"The ferry sails again on day {number}, the council said.", "metadata": {"title": f"Day {number}"}}
    return str(ask(f"{api}/v1/documents", body)["id"])


def test_it_goes_on_over_a_restart_of_the_server_and_of_itself(tmp_path: Path) -> None:
    api, ops = free_ports(2)
    up = ("up", "--port", str(api), "--ops-port", str(ops), "--data", str(tmp_path / "data"))
    subscriber = [*command("bash", tmp_path), f"http://127.0.0.1:{api}"]
    with running(*up) as first:
        posted = [post(first, 1)]
        with started(subscriber, tmp_path) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == f"article\t{posted[0]}\ten\tDay 1\n"
            first.kill()
            with running(*up) as second:
                again = post(second, 2)
                assert process.stdout.readline() == f"article\t{again}\ten\tDay 2\n"
                ask(f"http://127.0.0.1:{api}/v1/documents/{again}", method="DELETE")
                assert process.stdout.readline() == f"erased\t{again}\n"
        (tmp_path / "place").write_text("-1\n")  # as if it had died before it wrote that
    with running(*up) as third, started(subscriber, tmp_path) as process:
        assert process.stdout is not None
        last = post(third, 3)
        assert process.stdout.readline() == f"article\t{last}\ten\tDay 3\n"
