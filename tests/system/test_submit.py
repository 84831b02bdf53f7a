"""`submit` during an outage, after Ctrl-C, and repeated."""

import json
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import pytest

from tests.forking.command import COPYDESK, start
from tests.rabbit_node import RabbitNode, free_ports
from tests.system.processes import copydesk, running
from tests.system.terminal import TIMEOUT_S, environment

pytestmark = [pytest.mark.system, pytest.mark.timeout(240)]

MANY = 300


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    paths = [tmp_path / f"{number}.txt" for number in range(MANY)]
    for number, path in enumerate(paths):
        path.write_text(f"The council met on day {number} and decided nothing of note.")
    return [str(path) for path in paths]


class Submitting:
    """A running `submit`. `receipts` and `words` are its standard output and standard error so far."""

    def __init__(self, *arguments: str, settings: dict[str, str] | None = None) -> None:
        self.process = start(
            [COPYDESK, "submit", *arguments],
            env=environment(settings),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.receipts: list[str] = []
        self.words: list[str] = []
        self._reader = Thread(target=self._read)

    def _read(self) -> None:
        assert self.process.stdout is not None
        self.receipts += self.process.stdout.readlines()

    def until_receipts(self, count: int) -> None:
        assert self.process.stdout is not None
        while len(self.receipts) < count:
            line = self.process.stdout.readline()
            assert line, self.process.communicate()
            self.receipts.append(line)
        self._reader.start()

    def until_said(self, word: str) -> None:
        assert self.process.stderr is not None
        while word not in "".join(self.words):
            line = self.process.stderr.readline()
            assert line, self.words
            self.words.append(line)

    def end(self) -> int:
        assert self.process.stderr is not None
        if not self._reader.ident:
            self._reader.start()
        self.words += self.process.stderr.readlines()
        self._reader.join(TIMEOUT_S)
        return self.process.wait(TIMEOUT_S)


@contextmanager
def submitting(*arguments: str, settings: dict[str, str] | None = None) -> Iterator[Submitting]:
    running_submit = Submitting(*arguments, settings=settings)
    try:
        yield running_submit
    finally:
        running_submit.process.kill()
        running_submit.process.communicate()


def up(port: int, folder: Path) -> tuple[str, ...]:
    return "up", "--port", str(port), "--ops-port", "0", "--data", str(folder)


def ids_of(receipts: list[str]) -> list[str]:
    return [json.loads(receipt)["id"] for receipt in receipts]


def test_a_server_that_is_killed_in_the_middle_and_comes_back_gets_every_document_once(
    files: list[str], tmp_path: Path
) -> None:
    (port,) = free_ports(1)
    api = f"http://127.0.0.1:{port}"
    with submitting("--url", api, "--json", *files) as submit:
        submit.until_said("no answer from")
        with running(*up(port, tmp_path / "data")) as first:
            submit.until_receipts(40)
            first.kill()
        submit.until_said("continuing after")
        submit.until_said("Connection refused")
        with running(*up(port, tmp_path / "data")) as second:
            second.wait_for_urls("api")
            assert submit.end() == 0, submit.words
            accepted = ids_of(submit.receipts)
            assert len(set(accepted)) == MANY
            balance = json.loads(copydesk("audit", "--data", str(tmp_path / "data"), "--json").stdout)
    assert (balance["accepted"], balance["missing"]) == (MANY, 0)
    assert submit.words[-1] == f"copydesk: {MANY} accepted, 0 refused, 0 not sent\n"
    assert len(submit.words) <= 7, submit.words  # two outages, each with its beginning and its end, and the sum


def test_ctrl_c_sums_up_and_the_next_run_posts_no_document_anew(files: list[str], tmp_path: Path) -> None:
    (port,) = free_ports(1)
    api = f"http://127.0.0.1:{port}"
    with submitting("--url", api, "--json", *files) as submit:
        submit.until_said("no answer from")
        with running(*up(port, tmp_path / "data")) as first:
            submit.until_receipts(20)
            first.signal(signal.SIGSTOP)
            submit.process.send_signal(signal.SIGINT)
            assert submit.end() == 130
            first.signal(signal.SIGCONT)
            first.wait_for_urls("api")
            sent = len(submit.receipts)
            assert sent < MANY
            summary = rf"copydesk: {sent} accepted, 0 refused, {MANY - sent} not sent: run the command again .*\n"
            assert re.fullmatch(summary, submit.words[-1])
            again = copydesk("submit", "--url", api, "--json", *files, timeout_s=120)
            receipts = again.stdout.decode().splitlines()
            assert set(ids_of(submit.receipts)) < set(ids_of(receipts))
            assert len(set(ids_of(receipts))) == MANY
            rest = copydesk("submit", "--url", api, "--json", files[-1])  # a single document goes to another lane
            assert set(ids_of(rest.stdout.decode().splitlines())) < set(ids_of(receipts))
            anew = copydesk("submit", "--url", api, "--again", "--json", files[-1])
            assert not set(ids_of(anew.stdout.decode().splitlines())) & set(ids_of(receipts))


def test_without_patience_there_is_a_summary_and_an_exit_code(files: list[str]) -> None:
    (port,) = free_ports(1)
    done = copydesk("submit", "--url", f"http://127.0.0.1:{port}", *files, settings={"COPYDESK_PATIENCE": "1"})
    assert (done.returncode, done.stdout) == (3, b"")
    messages = done.stderr.decode().splitlines()
    assert [line.partition("; ")[2] for line in messages[:2]] == ["trying again for up to 1 s", "given up after 1 s"]
    cause = f"copydesk: no answer from http://127.0.0.1:{port}: Connection refused"
    assert all(line.startswith(cause) for line in messages[:2])
    assert re.fullmatch(rf"copydesk: 0 accepted, 0 refused, {MANY} not sent: .*", messages[2])
    assert len(messages) == 3


@pytest.mark.rabbit
def test_an_unavailable_broker_is_reported_and_waited_for(rabbit_node: RabbitNode, files: list[str]) -> None:
    settings = {"COPYDESK_AMQP_URL": rabbit_node.url}
    with running("serve", "--port", "0", "--ops-port", "0", settings=settings) as serve:
        api = serve.wait_for_urls("api")["api"]
        assert copydesk("submit", "--url", api, files[0]).returncode == 0
        rabbit_node.settle()
        rabbit_node.kill()
        with submitting("--url", api, "--json", *files[:20]) as submit:
            submit.until_said("the server's broker is away; trying again for up to 5 min")
            rabbit_node.start()
            assert submit.end() == 0, submit.words
    assert len(set(ids_of(submit.receipts))) == 20
    assert submit.words[-1] == "copydesk: 20 accepted, 0 refused, 0 not sent\n"
    assert [line for line in submit.words if "continuing after" in line]
    assert len(submit.words) == 3, submit.words


def test_a_batch_is_closed_when_all_is_sent_and_not_before(files: list[str], tmp_path: Path) -> None:
    (port,) = free_ports(1)
    api = f"http://127.0.0.1:{port}"
    bad = tmp_path / "bad.txt"
    bad.write_bytes(b"%PDF-1.7 no text")
    command = ("--url", api, "--json", "--batch", "import", "--patience", "2", *files, str(bad))
    with running(*up(port, tmp_path / "data")) as first:
        first.wait_for_urls("api")
        with submitting(*command) as submit:
            submit.until_receipts(1)
            first.kill()
            assert submit.end() == 3, submit.words
    (batch,) = {json.loads(receipt)["batch"] for receipt in submit.receipts}
    assert submit.words[-1] == f"copydesk: batch {batch} is not closed: run the command again\n"
    with running(*up(port, tmp_path / "data")) as second:
        second.wait_for_urls("api")
        done = copydesk("submit", *command, timeout_s=120)
        assert done.returncode == 1  # one is refused
        assert done.stderr.decode().splitlines()[-1] == f"copydesk: batch {batch} is closed"
        told = copydesk("tail", "--url", api, "--pattern", "batch.#", "--count", "1", timeout_s=120)
        anew = copydesk("submit", "--url", api, "--json", "--batch", "another", files[0])
    event = json.loads(told.stdout)
    assert (event["subject"], event["data"]["name"], event["data"]["counts"]["accepted"]) == (batch, "import", MANY)
    assert json.loads(anew.stdout)["id"] not in ids_of(submit.receipts)  # of another batch, so another document
