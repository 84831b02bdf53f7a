import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.faults.deployment import children_of
from tests.forking.command import COPYDESK, ForkedCommand, run, start
from tests.system.processes import copydesk, running

pytestmark = pytest.mark.processes

ROOT = Path(__file__).parents[2]
LOOKS = (sys.executable, "-m", "tests.forking.looks", "one", "two words")
ENDS = (sys.executable, "-m", "tests.forking.ends")
NEW = ("/usr/bin/env", *LOOKS)
WAITS = (COPYDESK, "extract", "--jsonl", "-")


@pytest.fixture
def env() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("COPYDESK_")}


def looks(command: tuple[str, ...], env: dict[str, str], folder: Path) -> tuple[int, dict[str, Any], str, bytes]:
    """Returns the exit code, what the process saw, what it printed at its end, and its standard error."""
    pipe = subprocess.PIPE
    with start(command, env=env, cwd=folder, stdin=pipe, stdout=pipe, stderr=pipe) as process:
        out, err = process.communicate(b"123", timeout=60)
    seen, end = out.splitlines()
    return process.returncode, json.loads(seen), end, err


def test_a_fork_looks_to_itself_like_a_new_interpreter(env: dict[str, str], tmp_path: Path) -> None:
    env |= {"COPYDESK_PORT": "1", "TMPDIR": str(tmp_path)}
    del env["PATH"]
    fork = looks(LOOKS, env, ROOT)
    assert fork == looks(NEW, env, ROOT)
    assert fork[0] == 3
    assert fork[1]["environment"] == env


def test_what_one_command_changes_the_next_does_not_see(env: dict[str, str], tmp_path: Path) -> None:
    before = looks(LOOKS, env, ROOT)
    looks(LOOKS, env | {"COPYDESK_PORT": "1", "TMPDIR": str(tmp_path)}, ROOT)
    assert looks(LOOKS, env, ROOT) == before


@pytest.mark.parametrize("arguments", [["--version"], ["--help"], ["nonsense"], ["serve"]])
def test_the_command_line_does_the_same(arguments: list[str], env: dict[str, str]) -> None:
    fork = run([COPYDESK, *arguments], env=env)
    new = run(["/usr/bin/env", COPYDESK, *arguments], env=env)
    assert (fork.returncode, fork.stdout, fork.stderr) == (new.returncode, new.stdout, new.stderr)


def test_a_command_runs_in_the_folder_that_is_asked_for(env: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "ferry.txt").write_text("The ferry sails again on Monday.")
    with start([COPYDESK, "extract", "ferry.txt"], env=env, cwd=tmp_path, stdout=subprocess.PIPE) as process:
        out, _ = process.communicate(timeout=60)
    assert json.loads(out)["data"]["text"] == "The ferry sails again on Monday."


@pytest.mark.parametrize("way", ["exception", "message", "nothing", "interrupt", "signal", "thread", "no output"])
def test_a_program_ends_in_the_same_way(way: str, env: dict[str, str]) -> None:
    fork = run([*ENDS, way], env=env)
    new = run(["/usr/bin/env", *ENDS, way], env=env)
    assert (fork.returncode, fork.stdout) == (new.returncode, new.stdout)
    if way != "no output":  # of which the interpreter itself complains, after its end
        assert fork.stderr.splitlines()[-1:] == new.stderr.splitlines()[-1:]


def test_in_tests_copydesk_is_forked_and_its_process_is_its_own(env: dict[str, str]) -> None:
    with start(WAITS, env=env, stdin=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert isinstance(process, ForkedCommand)
        assert Path(f"/proc/{process.pid}").exists()
        assert process.poll() is None
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.1)
        process.kill()
    assert process.returncode == -signal.SIGKILL
    assert not Path(f"/proc/{process.pid}").exists()


def test_an_interrupt_reaches_a_fork(env: dict[str, str]) -> None:
    with start(WAITS, env=env, stdin=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.send_signal(signal.SIGINT)
    assert process.returncode in {130, -signal.SIGINT}  # the latter before the command line takes it


def test_a_command_that_takes_too_long_is_killed(env: dict[str, str]) -> None:
    with pytest.raises(subprocess.TimeoutExpired):
        run([sys.executable, "-m", "http.server", "--bind", "127.0.0.1", "0"], env=env, timeout_s=0.5)


@pytest.mark.parametrize("name", ["PYTHONWARNINGS", "PYTHONPROFILEIMPORTTIME"])
def test_an_environment_for_the_interpreter_gets_a_new_one(name: str, env: dict[str, str]) -> None:
    with start([COPYDESK, "--version"], env=env | {name: ""}, stdout=subprocess.DEVNULL) as process:
        assert not isinstance(process, ForkedCommand)


def test_benchmarks_get_new_interpreters(env: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTEST_VERSION")
    with start([COPYDESK, "--version"], env=env, stdout=subprocess.DEVNULL) as process:
        assert not isinstance(process, ForkedCommand)


def test_the_parsers_of_a_fork_are_its_children_and_new_ones_come_after_them(tmp_path: Path) -> None:
    with running("up", "--port", "0", "--ops-port", "0", "--data", str(tmp_path)) as up:
        submit = ("submit", "--url", up.wait_for_urls("api")["api"], "-")
        tail = ("tail", "--url", up.wait_for_urls("api")["api"], "--after", "oldest", "--count")
        (forked,) = children_of(up.pid)
        assert "tests.forking" in program_of(forked)
        copydesk(*submit, stdin=b"The ferry sails again on Monday.")
        copydesk(*tail, "1")
        os.kill(forked, signal.SIGKILL)
        copydesk(*submit, stdin=b"The ferry does not sail on Tuesday.")
        assert copydesk(*tail, "2").stdout.count(b"processed.v1") == 2
        (new,) = children_of(up.pid) - {forked}
        assert "tests.forking" not in program_of(new)
        assert up.stop() == 0


def program_of(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_bytes().decode()
