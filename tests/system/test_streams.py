"""Data go to standard output and messages to standard error, in every command, on a terminal and in a pipe."""

import json
import re
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.forking.command import COPYDESK, start
from tests.system.processes import copydesk, running
from tests.system.terminal import TIMEOUT_S, at_terminal, environment, into_closed_pipe

pytestmark = [pytest.mark.system, pytest.mark.timeout(180)]

SEEDS = Path(__file__).parents[2] / "seeds"
SLOW = "word " * 200_000  # takes a parser some 0.35 s, far above the limit below
CLOSED_PIPE = 141
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\r")


@dataclass(frozen=True)
class Deployment:
    """A server with two dead letters and an article or more in its log."""

    api: str
    data: str
    dead: tuple[str, ...]


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    data = str(tmp_path_factory.mktemp("data"))
    harsh = {"COPYDESK_PARSE_TIMEOUT_S": "0.05", "COPYDESK_RETRY_DELAYS_S": "0.1"}
    with running("up", "--port", "0", "--ops-port", "0", "--data", data, settings=harsh) as process:
        api = process.wait_for_urls("api")["api"]
        texts = [f"{number} {SLOW}" for number in range(2)]
        receipts = [copydesk("submit", "--url", api, "--json", "-", stdin=text.encode()).stdout for text in texts]
        copydesk("submit", "--url", api, "-", stdin=b"The ferry sails again, the harbour master said.")
        assert copydesk("tail", "--url", api, "--after", "oldest", "--count", "3").returncode == 0
        yield Deployment(api, data, tuple(json.loads(receipt)["id"] for receipt in receipts))


def command(deployment: Deployment, name: str) -> list[str]:
    """Returns a command line that writes data."""
    files = [str(SEEDS / "wire-en.txt"), str(SEEDS / "blog-en.html")]
    server = ["--url", deployment.api]
    return {
        "submit": ["submit", *server, *files],
        "submit --json": ["submit", *server, "--json", *files],
        "tail": ["tail", *server, "--last", "2"],
        "extract": ["extract", *files],
        "dead list": ["dead", "list", *server],
        "dead list --json": ["dead", "list", *server, "--json"],
        "dead show": ["dead", "show", *server, deployment.dead[0]],
        "dead show --body": ["dead", "show", *server, "--body", deployment.dead[0]],
        "audit": ["audit", "--data", deployment.data],
        "audit --json": ["audit", "--data", deployment.data, "--json"],
        "topology --definitions": ["topology", "--definitions"],
        "--version": ["--version"],
        "--help": ["--help"],
        "submit --help": ["submit", "--help"],
    }[name]


WRITING = (
    *("submit", "submit --json", "tail", "extract", "dead list", "dead list --json", "dead show", "dead show --body"),
    *("audit", "audit --json", "topology --definitions", "--version", "--help", "submit --help"),
)


@pytest.mark.parametrize("name", WRITING)
def test_a_closed_pipe_ends_a_command_silently(deployment: Deployment, name: str) -> None:
    code, complaint = into_closed_pipe(command(deployment, name))
    assert code == CLOSED_PIPE, complaint
    summary = r"copydesk: \d accepted, 0 refused, \d not sent.*\n"  # unsent documents must be reported
    assert re.fullmatch(summary if name in {"submit", "submit --json"} else "", complaint)


def test_a_closed_pipe_ends_tail_even_without_events(deployment: Deployment) -> None:
    began = time.monotonic()
    assert into_closed_pipe(["tail", "--url", deployment.api, "--last", "1"], lines=1) == (CLOSED_PIPE, "")
    assert time.monotonic() - began < 30  # a heartbeat alone would take a while longer, and writes nothing


@pytest.mark.parametrize("name", WRITING)
def test_a_failed_write_is_reported_in_one_line(deployment: Deployment, name: str) -> None:
    with Path("/dev/full").open("r+b", buffering=0) as full:
        process = start([COPYDESK, *command(deployment, name)], env=environment(), stdout=full, stderr=subprocess.PIPE)
        _, complaint = process.communicate(timeout=TIMEOUT_S)
    assert process.returncode == 4
    lines = [line for line in complaint.decode().splitlines() if " accepted, " not in line]
    assert lines == ["copydesk: cannot write to standard output: No space left on device"]


# a terminal, with standard output led into a file


@pytest.mark.parametrize("name", [name for name in WRITING if name != "tail"])
def test_from_a_terminal_into_a_file_the_data_are_in_the_file_and_alone(
    deployment: Deployment, name: str, tmp_path: Path
) -> None:
    with (tmp_path / "data").open("w+b") as file:
        shown = at_terminal(*command(deployment, name), into=file)
    assert shown.code == 0, shown.terminal
    assert shown.data
    assert "\x1b" not in shown.data
    piped = copydesk(*command(deployment, name)).stdout.decode()
    if name not in {"audit", "audit --json", "extract"}:  # their data have times
        assert sorted(shown.data.splitlines()) == sorted(piped.splitlines())
    assert not set(shown.data.splitlines()) & set(ESCAPES.sub("", shown.terminal).splitlines())


def test_receipts_of_many_documents_are_in_the_file_beside_a_progress_bar(
    deployment: Deployment, tmp_path: Path
) -> None:
    files = []
    for number in range(40):
        files.append(tmp_path / f"{number}.txt")
        files[-1].write_text(f"The council met on day {number} and decided nothing of note.")
    with (tmp_path / "receipts.tsv").open("w+b") as file:
        shown = at_terminal("submit", "--url", deployment.api, *map(str, files), into=file)
    receipts = [line.split("\t") for line in shown.data.splitlines()]
    assert {receipt[0] for receipt in receipts} == {"accepted"}
    assert sorted(receipt[3] for receipt in receipts) == sorted(map(str, files))
    assert "submitting" in shown.terminal
    assert "40/40" in shown.terminal
    assert "copydesk: 40 accepted, 0 refused, 0 not sent" in shown.terminal
    assert "accepted\t" not in shown.terminal


def test_on_a_terminal_alone_receipts_are_whole_lines(deployment: Deployment) -> None:
    shown = at_terminal(*command(deployment, "submit"), columns=60)
    lines = ESCAPES.sub("", shown.terminal).splitlines()
    assert len([line for line in lines if line.startswith("accepted\t")]) == 2
    assert "submitting" not in shown.terminal


@pytest.mark.parametrize("columns", [20, 40, 80, 120, 200])
def test_ids_are_whole_at_any_width(deployment: Deployment, columns: int) -> None:
    listed = at_terminal("dead", "list", "--url", deployment.api, columns=columns)
    assert listed.code == 0
    words = ESCAPES.sub("", listed.terminal).split()
    assert set(deployment.dead) <= set(words)
    if columns >= 80:
        assert all(len(line) <= columns for line in ESCAPES.sub("", listed.terminal).splitlines())
    for letter in deployment.dead:
        shown = at_terminal("dead", "show", "--url", deployment.api, letter[:8], columns=columns)
        assert letter in re.sub(r"[\s│]", "", ESCAPES.sub("", shown.terminal))


def test_a_file_that_is_no_database_is_reported_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "copydesk.db").write_bytes(b"This is no database. " * 400)
    with pytest.raises(sqlite3.DatabaseError), sqlite3.connect(tmp_path / "copydesk.db") as database:
        database.execute("select * from sqlite_master")
    done = copydesk("up", "--port", "0", "--ops-port", "0", "--data", str(tmp_path))
    assert done.returncode == 2, done.stderr
    assert b"Traceback" not in done.stderr
