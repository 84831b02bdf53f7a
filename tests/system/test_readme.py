"""README's shell blocks run as they are written, but for the ports, which others may use on this machine."""

import json
import re
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import suppress
from os import killpg
from pathlib import Path

import pytest

from tests.rabbit_node import RabbitNode, free_ports
from tests.system.processes import ROOT, copydesk, running
from tests.system.terminal import environment

pytestmark = [pytest.mark.system, pytest.mark.timeout(240)]

BLOCKS = re.compile(r"^## ([^\n]+)\n|^```sh\n(.*?)^```\n", re.MULTILINE | re.DOTALL)
NO_NAMES = {"COPYDESK_FETCH_NAMESERVERS": "127.0.0.1:9"}  # the README's example.com stays unasked
STARTED_ELSEWHERE = {"Start": "make run sets the checkout up; CI does so"}


def blocks() -> Iterator[tuple[str, str]]:
    """Yields the shell blocks of the README, each with the heading above it."""
    heading = ""
    for found in BLOCKS.finditer((ROOT / "README.md").read_text()):
        heading = found[1] or heading
        if found[2]:
            yield heading, found[2]


def of(heading: str) -> str:
    return "".join(block for under, block in blocks() if under == heading)


def run(script: str, ports: Mapping[str, int], folder: Path) -> tuple[str, str]:
    """Runs a block in a copy of the checkout's surface, and returns its output on both streams."""
    for name in (".venv", "seeds"):
        (folder / name).symlink_to(ROOT / name)
    for documented, port in ports.items():
        script = script.replace(documented, str(port))
    api = ports["8080"]
    shell = subprocess.Popen(
        ["bash", "-e", "-m", "-c", script],
        cwd=folder,
        env=environment({**NO_NAMES, "COPYDESK_URL": f"http://127.0.0.1:{api}", "COPYDESK_PORT": str(api)}),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        out, err = shell.communicate(timeout=180)
    finally:
        with suppress(ProcessLookupError):
            killpg(shell.pid, signal.SIGKILL)
    assert shell.returncode == 0, err
    return out, err


def test_every_block_is_run_by_a_test_below() -> None:
    assert {heading for heading, _ in blocks()} == {"Post", "Read", "Look up", "Watch", "Grow", *STARTED_ELSEWHERE}


def test_post_as_written(tmp_path: Path) -> None:
    api, ops = free_ports(2)
    ports = {"8080": api, "8081": ops}
    arguments = "up", "--port", str(api), "--ops-port", str(ops), "--data", str(tmp_path / "data")
    with running(*arguments, settings=NO_NAMES) as up:
        up.wait_for_urls("api", "ops")
        out, err = run(of("Post"), ports, tmp_path)
        assert len(re.findall(r'"id":"', out)) == 2
        receipts = (tmp_path / "receipts.tsv").read_text().splitlines()
        assert {line.split("\t")[0] for line in receipts} == {"accepted"}
        assert f"copydesk: {len(receipts)} accepted, 0 refused, 0 not sent" in err


def endless(line: str) -> bool:
    return line.startswith((".venv/bin/copydesk tail ", "curl -N")) and "--count" not in line


def test_read_and_watch_as_written(tmp_path: Path) -> None:
    api, ops = free_ports(2)
    arguments = "up", "--port", str(api), "--ops-port", str(ops), "--data", str(tmp_path / "data")
    with running(*arguments, settings=NO_NAMES) as up:
        url = up.wait_for_urls("api", "ops")["api"]
        assert copydesk("submit", "--url", url, "-", stdin=b"The ferry sails again, he said.").returncode == 0
        lines = [line for line in (of("Read") + of("Look up") + of("Watch")).splitlines() if not endless(line)]
        out, _ = run("\n".join(lines), {"8080": api, "8081": ops}, tmp_path)
        assert "copydesk.document.processed.v1" in out
        assert "copydesk_accepted_total" in out
        assert '{"documents":[' in out
        for line in filter(endless, of("Read").splitlines()):  # until Ctrl-C: begun, and left when the first event came
            folder = tmp_path / str(len(line))
            folder.mkdir()
            begun = line.partition("#")[0].rstrip()
            out, _ = run(f"{begun} | grep -m 1 ferry || true", {"8080": api, "8081": ops}, folder)
            assert "ferry" in out


@pytest.mark.rabbit
def test_grow_as_written(rabbit_node: RabbitNode, tmp_path: Path) -> None:
    api, serve_ops, work_ops, record_ops = free_ports(4)
    ports = {"5672": rabbit_node.port, "8080": api, "8081": serve_ops, "8082": work_ops, "8083": record_ops}
    script = of("Grow")
    assert "5672" in script
    out, err = run(f"{script}wait\n", ports, tmp_path)
    assert "queues declared" in out
    count = len(list((ROOT / "seeds").glob("*.txt")))
    assert out.count("accepted\t") == count
    assert json.loads(out.splitlines()[-1])["type"].startswith("copydesk.document.")
    assert f"copydesk: {count} accepted, 0 refused, 0 not sent" in err
    assert err.count("stopping") == 3
