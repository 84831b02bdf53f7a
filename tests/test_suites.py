import itertools
import os
import signal
from pathlib import Path
from types import SimpleNamespace
from typing import BinaryIO

import pytest
from _pytest.mark.expression import Expression

from tests import suites
from tests.conftest import has_marks, pytest_collection_modifyitems
from tests.suites import SUITES, Suite, main

MARKS = ("processes", "rabbit", "postgres", "system", "faults")
ROOT = Path(__file__).parents[1]
PASSES = Suite("passes", ("--collect-only", "-q", "tests/contract/test_ids.py"))


def kind(suite: Suite) -> str:
    return suite.arguments[suite.arguments.index("-m") + 1]


@pytest.mark.parametrize(
    "marks", [set(chosen) for count in range(len(MARKS) + 1) for chosen in itertools.combinations(MARKS, count)]
)
def test_the_marks_of_a_test_choose_one_kind_of_suite(marks: set[str]) -> None:
    kinds = {kind(suite) for suite in SUITES}
    assert len([text for text in kinds if Expression.compile(text).evaluate(has_marks(marks))]) == 1


def paths(suite: Suite) -> set[Path]:
    """Returns the test files that pytest imports for a suite."""
    arguments = suite.arguments[suite.arguments.index("-m") + 2 :]
    left_out = {file for argument in arguments if "=" in argument for file in files(argument.partition("=")[2])}
    return {file for argument in arguments if "=" not in argument for file in files(argument)} - left_out


def files(name: str) -> set[Path]:
    path = ROOT / name
    found = set(path.rglob("test_*.py")) if path.is_dir() else {path}
    assert found
    assert all(file.exists() for file in found)
    return found


def test_suites_of_one_kind_divide_its_files_among_them() -> None:
    for name, folders in suites.FOLDERS.items():
        parts = [paths(suite) for suite in SUITES if kind(suite) == name]
        assert set().union(*parts) == {file for folder in folders for file in files(folder)}
        assert sum(map(len, parts)) == len(set().union(*parts)), name


def test_every_test_file_belongs_to_a_kind() -> None:
    assert set().union(*map(paths, SUITES)) == files("tests")


@pytest.mark.parametrize("code", [0, 1, 2, 5])
def test_a_suite_that_fails_makes_the_run_fail_and_is_told_last(
    code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def ended(command: list[str], *, stdout: BinaryIO, **_: object) -> SimpleNamespace:
        failed = command[-1] == "first"
        stdout.write(b"=== 1 failed ===\n" if failed else b"=== 2 passed ===\n")
        return SimpleNamespace(returncode=code if failed else 0)

    monkeypatch.setattr("subprocess.run", ended)
    assert main((Suite("a", ("first",)), Suite("b", ("second",)))) == int(code != 0)
    assert capsys.readouterr().out.splitlines()[-1] == ("=== 1 failed ===" if code else "=== 2 passed ===")


@pytest.mark.processes
def test_pytest_is_run_and_its_closing_line_is_the_last(capsys: pytest.CaptureFixture[str]) -> None:
    assert main((PASSES,)) == 0
    assert "collected in" in capsys.readouterr().out.splitlines()[-1]


@pytest.mark.processes
def test_a_suite_that_does_not_end_fails(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(suites, "SUITE_TIMEOUT_S", 0.01)
    assert main((PASSES,)) == 1
    assert capsys.readouterr().out.splitlines()[-1].startswith("no end within")


LEAVES_A_PROCESS = """
import subprocess
from pathlib import Path

def test_it():
    pid = subprocess.Popen(["sleep", "600"]).pid
    Path(__file__).with_name("pid").write_text(str(pid))
"""


@pytest.mark.processes
def test_a_process_that_a_suite_leaves_behind_does_not_hold_it_up(tmp_path: Path) -> None:
    (tmp_path / "test_leaves.py").write_text(LEAVES_A_PROCESS)
    options = ("-s", "-W", "ignore", "--rootdir", str(tmp_path), str(tmp_path / "test_leaves.py"))
    assert main((Suite("leaves", options),)) == 0
    os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)  # there is none if main waited for its end


STARTS_A_PROGRAM = """
import subprocess
import pytest

def test_unmarked():
    subprocess.run(["true"])

@pytest.mark.processes
def test_marked():
    subprocess.run(["true"])
"""


@pytest.mark.processes
def test_a_test_that_starts_a_program_and_has_no_mark_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "test_starts.py").write_text(STARTS_A_PROGRAM)
    options = ("-p", "tests.conftest", "-W", "ignore", "--rootdir", str(tmp_path), str(tmp_path / "test_starts.py"))
    assert main((Suite("starts", options),)) == 1
    output = capsys.readouterr().out
    assert "ERROR at teardown of test_unmarked" in output
    assert "2 passed, 1 error" in output


def test_a_test_that_no_suite_looks_for_stops_the_run(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest_collection_modifyitems([request.node])
    monkeypatch.setitem(suites.FOLDERS, suites.UNIT, ("tests/contract",))
    with pytest.raises(pytest.UsageError, match=r"is in no suite: .* does not name tests/test_suites\.py"):
        pytest_collection_modifyitems([request.node])
